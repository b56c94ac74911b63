"""``python -m bounceanalytics.cli``."""

from bounceanalytics.cli import main

main()
