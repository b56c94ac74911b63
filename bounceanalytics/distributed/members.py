"""Histories of the shares of a dataset on the workers of a cluster.

What is to be done in each is written down, and done when something is asked for. A worker keeps the histories that it
made; where one is lost, or another worker is asked, all that was written down is done once more, with the same result.
"""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from bounceanalytics.database import open_database
from bounceanalytics.datasets import Dataset, identity_of, replaced
from bounceanalytics.distributed.cluster import each, threads
from bounceanalytics.files import place
from bounceanalytics.history import History
from bounceanalytics.history.parts import Here, Histories

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bounceanalytics.history.history import Times

_Made = TypeVar("_Made")

#: Seconds after which a worker forgets histories that nobody asked.
_KEPT = 900
#: Bytes of a history for each of its parts on disk.
_UNPACKED = 15
#: Bytes from which a table is sent to the workers once, and not with each piece of work.
_LARGE = 50_000


@dataclass(frozen=True, slots=True)
class _Share:
    """A part of a dataset that holds all events of its addresses, in a period."""

    dataset: str
    id: str | None
    only: str
    span: Times | None
    size: int

    def open(self, stack: contextlib.ExitStack) -> History:
        given = Dataset(place(self.dataset), self.only)
        if identity_of(given) != self.id:  # what was found of the one would be told of the other
            raise replaced(given.path)
        database = stack.enter_context(open_database(threads=str(threads())))
        return History(database, given, self.span)


@dataclass(frozen=True)
class _Anchor:
    """What the scheduler knows of a history on a worker.

    Whatever is asked of the history depends on its anchor, which tells how much would have to be made again elsewhere.
    So the scheduler asks where it is, moves the question when waiting there costs more, and finds another worker when
    that one is lost.
    """

    share: _Share

    def __sizeof__(self) -> int:
        """Return about how much memory the history takes."""
        return _UNPACKED * self.share.size


@dataclass(frozen=True, slots=True)
class _Sent:
    """A table that was sent to the workers by itself."""

    number: int


@dataclass(frozen=True, slots=True)
class _Packed:
    """A large table on its way: verdicts pack to a quarter."""

    stream: pa.Buffer

    @classmethod
    def of(cls, table: pa.Table) -> _Packed:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(
            sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")
        ) as stream:
            stream.write_table(table)
        return cls(sink.getvalue())

    def unpacked(self) -> pa.Table:
        return pa.ipc.open_stream(self.stream).read_all()


@dataclass(frozen=True, slots=True)
class _Work:
    """Something to be done in each history."""

    function: Callable[..., Any]
    given: tuple[Any, ...]
    terms: dict[str, Any]

    def of(self, history: History, tables: Sequence[pa.Table]) -> Any:
        given = (tables[one.number] if isinstance(one, _Sent) else one for one in self.given)
        return self.function(history, *given, **self.terms)


@dataclass(slots=True)
class _Held:
    """A history on a worker, and how much of what was written down is done in it."""

    stack: contextlib.ExitStack
    history: History
    done: int = 0
    asked: float = field(default_factory=time.monotonic)


_held: dict[tuple[str, _Share], _Held] = {}
_guard: defaultdict[tuple[str, _Share], threading.Lock] = defaultdict(threading.Lock)


class OnWorkers:
    """Histories of the shares of a dataset, each on a worker.

    Parameters
    ----------
    client : dask.distributed.Client
    shares : list of _Share
    """

    def __init__(self, client: Any, shares: list[_Share]) -> None:
        self._client = client
        self._run = uuid.uuid4().hex
        self._shares = shares
        self._anchors: list[Any] = []  # one for each, as soon as it is known who holds it
        self._written: list[_Work] = []
        self._tables: list[Any] = []

    def each(self, work: Callable[..., object], *given: object, **terms: object) -> None:
        """Write down what is to be done in each."""
        self._written.append(_Work(work, self._sent(given), terms))

    def collect(self, work: Callable[..., _Made], *given: object) -> list[_Made]:
        """Return what a function makes of each, after all that was written down."""
        shared = self._run, self._written, _Work(work, self._sent(given), {}), self._tables
        held_by = self._anchors or self._shares
        answers = each(
            self._client, _answer, held_by, shared=shared, arrived=_unpacked, name=_name_of(work, given)
        )
        if not self._anchors:  # whoever was free first has it from now on
            self._anchors = [
                self._client.submit(
                    _Anchor, share, pure=False, workers=home and [home], allow_other_workers=bool(home)
                )
                for share, (home, _) in zip(self._shares, answers, strict=True)
            ]
        return [made for _, made in answers]

    def _sent(self, given: tuple[object, ...]) -> tuple[object, ...]:
        """Return what is given, where large tables are sent by themselves, and once."""
        sent = []
        for value in given:
            if isinstance(value, pa.Table) and value.nbytes > _LARGE:
                self._tables.append(self._client.scatter(value, broadcast=True))
                value = _Sent(len(self._tables) - 1)  # noqa: PLW2901
            sent.append(value)
        return tuple(sent)

    def close(self) -> None:
        """Have the workers forget these histories."""
        with contextlib.suppress(Exception):  # who is gone has forgotten
            self._client.run(_forget, self._run)


def _answer(
    held_by: _Anchor | _Share, run: str, written: list[_Work], work: _Work, tables: list[pa.Table]
) -> tuple[str | None, Any]:
    """Return where the history of a share is now, and what a function makes of it."""
    share = held_by.share if isinstance(held_by, _Anchor) else held_by
    key = run, share
    _forget_old()
    with _guard[key]:
        if key not in _held:
            stack = contextlib.ExitStack()
            _held[key] = _Held(stack, share.open(stack))
        held = _held[key]
        held.asked = time.monotonic()
        try:
            for one in written[held.done :]:
                one.of(held.history, tables)
                held.done += 1
            made = work.of(held.history, tables)
            large = isinstance(made, pa.Table) and made.nbytes > _LARGE
            return _address(), _Packed.of(made) if large else made
        except BaseException:  # half done: the next one begins anew
            _close(key)
            raise


def _name_of(work: Callable[..., object], given: Sequence[object]) -> str:
    """Return a name for all questions of a kind: one that takes long must not make the others look as if they did."""
    tables = [name for one in given if isinstance(one, list | tuple) for name in one if isinstance(name, str)]
    return "_".join(["ask", work.__name__.strip("_<>"), *tables])


def _unpacked(answer: tuple[str | None, Any]) -> tuple[str | None, Any]:
    home, made = answer
    return home, made.unpacked() if isinstance(made, _Packed) else made


def _address() -> str | None:
    from distributed import get_worker  # noqa: PLC0415 - an extra

    try:
        return str(get_worker().address)
    except ValueError:
        return None


def _forget_old() -> None:
    for key, held in list(_held.items()):
        lock = _guard[key]
        if time.monotonic() - held.asked > _KEPT and lock.acquire(blocking=False):
            try:
                _close(key)
            finally:
                lock.release()


def _forget(run: str) -> None:
    for key in [key for key in _guard if key[0] == run]:
        with _guard[key]:  # a task that nobody waits for may still be at it
            _close(key)
        del _guard[key]


def _close(key: tuple[str, _Share]) -> None:
    held = _held.pop(key, None)
    if held is not None:
        held.stack.close()


@contextlib.contextmanager
def open_histories(dataset: Dataset, client: Any, span: Times | None = None) -> Iterator[History]:
    """Yield the history of a dataset whose shares are looked at by the workers of a cluster, or one by one here.

    Parameters
    ----------
    dataset : Dataset
    client : dask.distributed.Client or None
    span : tuple of two datetimes, optional
        As for :class:`History`.
    """
    folders = sorted({part.parent.name for part in dataset.parts})
    # parts by month do not hold all events of an address: they are one share
    several = folders and all(name.startswith("partition=") for name in folders)
    sizes = _sizes(dataset) if client is not None else Counter()
    shares = [
        _Share(str(dataset.path), identity_of(dataset), only, span, sizes[only] or sizes.total())
        for only in (folders if several else [""])
    ]
    with contextlib.ExitStack() as stack:
        whole = stack.enter_context(open_database())
        if client is None:
            members: Any = Here(share.open(stack) for share in shares)
        else:
            members = stack.enter_context(contextlib.closing(OnWorkers(client, shares)))
        yield Histories(whole, members)


def _sizes(dataset: Dataset) -> Counter[str]:
    """Return the bytes of each folder of parts."""
    sizes = Counter[str]()
    for part in dataset.parts:
        sizes[part.parent.name] += part.stat().st_size
    return sizes
