"""The gathered frame that summaries, findings and decisions ask."""
