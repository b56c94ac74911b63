"""Running a function on many things, here or on the workers of a Dask cluster."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from bounceanalytics.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")

_TRIES = 3  # of a part whose worker was lost, or whose store did not answer


def each(
    client: Any,
    function: Callable[[_Given], _Made],
    things: Sequence[_Given],
    told: Callable[[int, int], None] | None = None,
) -> list[_Made]:
    """Return what a function makes of each thing, in their order.

    Parameters
    ----------
    client : dask.distributed.Client or None
        None for this process.
    function : callable
        It writes whole files or nothing, so that it may be called again where a worker was lost.
    things : sequence
    told : callable, optional
        Called with how many are done, and how many there are.
    """
    if client is None:
        made = []
        for number, thing in enumerate(things):
            if told:
                told(number, len(things))
            made.append(function(thing))
        return made
    from distributed import as_completed  # noqa: PLC0415 - an extra

    futures = client.map(_on_worker, [function] * len(things), things, pure=False, retries=_TRIES)
    try:
        for number, _ in enumerate(as_completed(futures, raise_errors=False)):  # type: ignore[no-untyped-call]
            if told:
                told(number, len(things))
        found: list[_Made] = client.gather(futures)
    except BaseException:  # an interrupt, above all: the workers must not go on for nobody
        client.cancel(futures)
        raise
    return found


def _on_worker(function: Callable[[_Given], _Made], thing: _Given) -> _Made:
    pa.set_cpu_count(threads())
    return function(thing)


def threads() -> int:
    """Return how many threads a task may use: those of the worker that it runs on, else those of the machine."""
    cluster = sys.modules.get("distributed")  # who works for a cluster has it loaded
    try:
        return int(cluster.get_worker().state.nthreads) if cluster else os.cpu_count() or 1
    except ValueError:
        return os.cpu_count() or 1


def needs_dask(what: str) -> MissingExtraError:
    """Return the error that says what is missing."""
    return MissingExtraError(f"{what} needs Dask; pip install 'bounceanalytics[dask]'")
