"""``python -m bounceanalytics``: the command line where no script of that name is on the path."""

from bounceanalytics.cli import main

main(prog_name="python -m bounceanalytics")
