"""Domains: whether they still take mail, who to ask about it, and which of them are typing errors."""
