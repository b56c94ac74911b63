"""``python -m bounceanalytics.cli``: as it was called in 0.1, and in scripts since."""

from bounceanalytics.cli import main

main(prog_name="python -m bounceanalytics")
