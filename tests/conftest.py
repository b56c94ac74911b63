"""Fixtures that every test may use: folders, and the bundled samples loaded and classified once a session."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from filelock import FileLock

import bounceanalytics as ba
from bounceanalytics.summaries import Summaries, summarize
from tests.classified import newsletter
from tests.effort import use_profiles
from tests.takers import frames_of, some_of

ROOT = Path(__file__).resolve().parent.parent

use_profiles()


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the project's root folder."""
    return ROOT


@pytest.fixture(scope="session")
def samples() -> Path:
    """Return the folder of the bundled samples."""
    return ROOT / "data" / "samples"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder beside the project that holds further material, or skip where it is absent."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("../shared is not there")
    return folder


@pytest.fixture(scope="session")
def session_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all workers of this session share."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "session"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def once(session_folder: Path) -> Iterator[Callable[[str, Callable[[], Any]], Any]]:
    """Return a function that gives what another one makes, which one worker of the session calls, once.

    Tests share what it gives, so that none may change it; the end of the session looks whether one did.
    """
    given: dict[str, Any] = {}

    def kept(name: str) -> Any:
        return pickle.loads((session_folder / f"{name}.pickle").read_bytes())  # noqa: S301 - our own

    def make_once(name: str, make: Callable[[], Any]) -> Any:
        if name not in given:
            with FileLock(session_folder / f"{name}.lock"):
                path = session_folder / f"{name}.pickle"
                if not path.exists():
                    path.write_bytes(pickle.dumps(make()))
            given[name] = kept(name)
        return given[name]

    yield make_once
    for name, value in given.items():
        for now, before in zip(_frames(value), _frames(kept(name)), strict=True):
            assert now.equals(before), f"a test has changed what all tests share as {name}"


def _frames(value: Any) -> list[pd.DataFrame]:
    """Return the frames that a shared value is or holds."""
    values = [value]
    if is_dataclass(value):
        values = [getattr(value, one.name) for one in fields(value)]
    elif isinstance(value, dict):
        values = list(value.values())
    return [one for one in values if isinstance(one, pd.DataFrame)]


@pytest.fixture(scope="session")
def loaded(once: Callable[..., Any], samples: Path) -> ba.Load:
    """Return the bundled exports as they load."""
    return once("loaded", lambda: ba.load(samples / "exports"))


@pytest.fixture(scope="session")
def bounces(once: Callable[..., Any], loaded: ba.Load) -> pd.DataFrame:
    """Return the bundled exports, classified."""
    return once("bounces", lambda: ba.classify(loaded.events))


@pytest.fixture(scope="session")
def decided(once: Callable[..., Any], bounces: pd.DataFrame) -> pd.DataFrame:
    """Return the verdicts on the addresses of the bundled exports."""
    return once("decided", lambda: ba.decide(bounces))


@pytest.fixture(scope="session")
def frames(once: Callable[..., Any], bounces: pd.DataFrame) -> dict[str, Any]:
    """Return a small frame of every kind that a public function takes, by name."""
    return once("frames", lambda: frames_of(some_of(bounces)))


@pytest.fixture(scope="session")
def letters(once: Callable[..., Any]) -> pd.DataFrame:
    """Return the ten weeks of :func:`tests.classified.newsletter`."""
    return once("letters", newsletter)


@pytest.fixture(scope="session")
def letter_summaries(once: Callable[..., Any], letters: pd.DataFrame) -> Summaries:
    """Return the summaries of the ten weeks."""
    return once("letter-summaries", lambda: summarize(letters))


@pytest.fixture(scope="session")
def written(once: Callable[..., Any], letters: pd.DataFrame, session_folder: Path) -> Path:
    """Return the report on the ten weeks."""
    path = session_folder / "report.html"
    return once("report", lambda: ba.report(letters, path, title="Ten weeks & <more>"))
