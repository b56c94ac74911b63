"""The parts of the classifier: texts to their normal form, rules to hits, evidence to verdicts."""
