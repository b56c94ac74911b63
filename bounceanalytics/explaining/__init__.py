"""How explanations are put together and shown; :func:`bounceanalytics.explain` is the way in."""
