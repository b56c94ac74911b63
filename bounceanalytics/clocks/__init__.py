"""Clocks: one grammar of written times for every loader and every argument that takes a time.

``words.toml`` has the words (months, weekdays, zones, no time at all), :mod:`.grammar` reads one text whole or not at
all, :mod:`.moments` reads arguments such as ``at=``.
"""

from bounceanalytics.clocks.moments import AmbiguousTimeError, Moment, moment

__all__ = ["AmbiguousTimeError", "Moment", "moment"]
