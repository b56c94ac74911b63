"""Ctrl-C: what is done all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def surely(function: Callable[..., object], *arguments: object, **options: object) -> None:
    """Do a thing that may be done twice, also when Ctrl-C comes while it is done."""
    try:
        function(*arguments, **options)
    except KeyboardInterrupt:
        function(*arguments, **options)
        raise
