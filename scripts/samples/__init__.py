"""What ``make_samples.py`` is made of: a world, a story that happens in it, and three ESPs that tell it."""
