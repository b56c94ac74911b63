"""How hard tests look for what nobody has thought of: quickly while one works, thoroughly before it goes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Profile of hypothesis -> examples for each hundred that a test would like, and of a test that does not say.
PROFILES = {"dev": 10, "ci": 40}

#: Marks of what is tried before a release only.
RARE = [pytest.mark.slow, pytest.mark.huge]


def use_profiles() -> None:
    """Make the profiles known and take the quick one; --hypothesis-profile=ci takes the other."""
    for name, share in PROFILES.items():
        settings.register_profile(
            name, max_examples=share, deadline=None, suppress_health_check=[HealthCheck.too_slow]
        )
    settings.load_profile("dev")


def examples(number: int) -> settings:
    """Return settings for the profile's share of so many examples, and for five at least."""
    return settings(max_examples=max(5, number * settings.default.max_examples // 100))


def some_quick(cases: Iterable[object], one_in: int = 3, *, first: int = 0) -> list[Any]:
    """Return cases for parametrize: one in so many, from the first, now, and the others before a release."""
    return [
        pytest.param(case, id=str(case), marks=RARE if (number - first) % one_in else [])
        for number, case in enumerate(cases)
    ]
