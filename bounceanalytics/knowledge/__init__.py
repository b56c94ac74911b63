"""Knowledge about bounces, as tables: codes, replies, text rules, ESP words, mailbox providers.

``README.md`` in this folder says which columns each table has and which table is asked first.
"""
