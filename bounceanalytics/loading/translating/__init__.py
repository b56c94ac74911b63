"""Translators to JSON records, for exports that are neither JSON nor tables."""
