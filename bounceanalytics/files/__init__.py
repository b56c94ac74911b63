"""Files: the places that callers name, and writing that is there whole or not at all.

:mod:`.places` takes the paths, :mod:`.refusals` says in one sentence what stands in the way. What is written lies under
a name of :mod:`.hidden` until it has its place: as one file (:mod:`.one_file`), as one folder (:mod:`.folders`), as all
files of a folder (:mod:`.sets`), or of several (:mod:`.several_folders`). :mod:`.stores` does so on disk and in a
store, and :mod:`.disk` takes the steps that have to last. :mod:`.settings` reads small files that somebody wrote by
hand.
"""

from __future__ import annotations

from bounceanalytics.files.disk import name_too
from bounceanalytics.files.folders import complete_folder, is_between, whole_folder
from bounceanalytics.files.one_file import whole_file, write_whole
from bounceanalytics.files.places import is_remote, is_same, path_of, place
from bounceanalytics.files.refusals import is_there, one_sentence, refuse_existing, require_folder
from bounceanalytics.files.sets import complete_files, whole_files
from bounceanalytics.files.settings import parsed_toml, settings_text
from bounceanalytics.files.several_folders import HiddenFiles
from bounceanalytics.files.stores import publish, remove_folder, write_text
from bounceanalytics.files.summed import SummedFile

__all__ = [
    "HiddenFiles",
    "SummedFile",
    "complete_files",
    "complete_folder",
    "is_between",
    "is_remote",
    "is_same",
    "is_there",
    "name_too",
    "one_sentence",
    "parsed_toml",
    "path_of",
    "place",
    "publish",
    "refuse_existing",
    "remove_folder",
    "require_folder",
    "settings_text",
    "whole_file",
    "whole_files",
    "whole_folder",
    "write_text",
    "write_whole",
]
