"""The export formats of each ESP, as tables."""
