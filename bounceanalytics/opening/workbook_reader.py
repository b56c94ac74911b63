"""The program that reads a workbook, in a process of its own whose memory and time are bounded.

The library builds a sheet as a whole before it gives its first row, and ends the process where that does not fit into
memory: a single cell in the last row and column of a small file is enough. So it is asked here, by :mod:`.workbooks`,
which hands the file over on standard input and takes the rows from standard output. Nothing else is imported, since
each workbook waits for that.
"""

from __future__ import annotations

import io
import itertools
import pickle
import sys
from typing import Any

import python_calamine as calamine

#: How the program ends: well, without memory, because it is no workbook, because it has a password.
DONE, TOO_LARGE, NO_WORKBOOK, LOCKED = 0, 5, 6, 7

_ROWS = 1_000  # that are handed over at a time


def bound(memory: int, seconds: int) -> None:
    """Bound the bytes of memory and the CPU time of this process, where the system can do that."""
    try:
        import resource  # noqa: PLC0415 - POSIX
    except ImportError:
        return
    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
    ):
        _, ceiling = resource.getrlimit(kind)
        soft = most if ceiling == resource.RLIM_INFINITY else min(most, ceiling)
        resource.setrlimit(kind, (soft, ceiling))


def hand_over(content: bytes, put: Any) -> None:
    """Hand over the name of each sheet, and then its rows, some at a time; an empty list is the last of them."""
    with calamine.load_workbook(io.BytesIO(content)) as book:
        for about in book.sheets_metadata:
            if about.typ != calamine.SheetTypeEnum.WorkSheet:  # a chart, or macros
                continue
            put(about.name)
            rows = iter(book.get_sheet_by_name(about.name).iter_rows())
            while some := list(itertools.islice(rows, _ROWS)):
                put(some)
            put([])


def main(memory: int, seconds: int) -> int:
    """Read a workbook from standard input; return how that went."""
    bound(memory, seconds)
    try:
        hand_over(sys.stdin.buffer.read(), lambda value: pickle.dump(value, sys.stdout.buffer))
        sys.stdout.buffer.flush()
    except MemoryError:
        return TOO_LARGE
    except calamine.PasswordError:
        return LOCKED
    except BaseException:  # the library may panic, which is no Exception
        return NO_WORKBOOK
    return DONE


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
