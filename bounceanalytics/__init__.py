"""Bounce exports of SendGrid, Amazon SES and Mailgun in; classified frames, charts, reports and clean lists out."""

from __future__ import annotations

__version__ = "0.1.0"
