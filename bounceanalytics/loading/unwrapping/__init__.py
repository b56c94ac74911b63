"""Events wherever they lie: under any wrapper, in text, base64 or gzip, in a cell, behind the words of a log.

An event is known by its own keys (``Format.signs``), not by what somebody put around it. A record that is not in its
ESP's own form is walked through (:mod:`.walk`): dicts and lists, whatever shape a store gave them (:mod:`.shapes`), and
texts that hold JSON or something like it (:mod:`.texts`). What is found is spelled as the ESP spells it (:mod:`.keys`)
and goes through the ESP's own mapping. What carriers say of themselves is ignored by its name (:mod:`.carriers`); a
record with nothing in it is rejected. :mod:`.pieces` does this for a file, some records at a time.
"""
