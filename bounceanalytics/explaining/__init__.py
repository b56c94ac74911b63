"""Explanations of codes, texts and events; :func:`bounceanalytics.explain` is the way in."""
