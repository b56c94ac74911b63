"""Running a function on many things, here or on the workers of a Dask cluster."""

from __future__ import annotations

import os
import sys
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from bounceanalytics.errors import BounceAnalyticsError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")

_TRIES = 3  # of a part whose worker was lost, or whose store did not answer


def each(
    client: Any,
    function: Callable[..., _Made],
    things: Sequence[_Given],
    told: Callable[[int, int], None] | None = None,
    *,
    shared: Sequence[Any] = (),
    arrived: Callable[[Any], _Made] | None = None,
    name: str | None = None,
) -> list[_Made]:
    """Return what a function makes of each thing, in their order.

    What is made is fetched while the workers go on.

    Parameters
    ----------
    client : dask.distributed.Client or None
        None for this process.
    function : callable
        It gives the same when it is called again where a worker was lost; what it writes is whole files or nothing.
    things : sequence
        Futures too, of which the function gets what they stand for.
    told : callable, optional
        Called with how many are done, and how many there are.
    shared : sequence, optional
        What the function is given beside each thing; futures too.
    arrived : callable, optional
        What becomes here of each that was made.
    name : str, optional
        Of this work, by which the scheduler remembers how long it takes; that of the function if not given.

    Raises
    ------
    BounceAnalyticsError
        The first that the function raised; it would again, so that it is not called again.
    """
    if client is None:
        made = []
        for number, thing in enumerate(things):
            if told:
                told(number, len(things))
            one = function(thing, *shared)
            made.append(arrived(one) if arrived else one)
        return made
    from distributed import as_completed  # noqa: PLC0415 - an extra

    name = name or getattr(function, "func", function).__name__
    futures = [
        client.submit(_on_worker, function, thing, *shared, key=f"{name}-{uuid.uuid4().hex}", retries=_TRIES)
        for thing in things
    ]
    found: dict[str, Any] = {}
    try:
        for batch in as_completed(futures, raise_errors=False).batches():  # type: ignore[no-untyped-call]
            if told:
                told(len(found), len(things))
            for future, one in zip(batch, client.gather(batch), strict=True):
                found[future.key] = arrived(one) if arrived and not isinstance(one, _Refused) else one
    except BaseException:  # an interrupt, above all: the workers must not go on for nobody
        client.cancel(futures)
        raise
    made = [found[future.key] for future in futures]
    for one in made:
        if isinstance(one, _Refused):
            raise one.error
    return made


@dataclass(frozen=True, slots=True)
class _Refused:
    error: BounceAnalyticsError


def _on_worker(function: Callable[..., _Made], thing: Any, *shared: Any) -> _Made | _Refused:
    pa.set_cpu_count(threads())
    try:
        return function(thing, *shared)
    except BounceAnalyticsError as error:
        return _Refused(error)


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
