"""How a case is written, and what the cases of several ESPs are made of."""

from __future__ import annotations

import csv
import io
import json
import urllib.parse
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Maker = Callable[[int], Any]


def person(number: int) -> str:
    return f"reader{number}@example.com"


def clock(number: int) -> str:
    return f"2025-09-14T{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}"


def report_mail(sign: str) -> Maker:
    def make(number: int) -> str:
        return (
            f"From MAILER-DAEMON Sun Sep 14 07:00:05 2025\n{sign}\nTo: news@example.net\n"
            "Subject: Delivery Status Notification (Failure)\nDate: Sun, 14 Sep 2025 07:00:05 +0000\n"
            "MIME-Version: 1.0\n"
            'Content-Type: multipart/report; report-type=delivery-status; boundary="xx"\n\n'
            "--xx\nContent-Type: text/plain\n\nIt could not be delivered.\n\n"
            "--xx\nContent-Type: message/delivery-status\n\n"
            f"Reporting-MTA: dns; mx.example.net\n\nAction: failed\nFinal-Recipient: rfc822; {person(number)}\n"
            "Diagnostic-Code: smtp; 550 5.1.1 no such mailbox\nStatus: 5.1.1\n\n--xx--\n\n"
        )

    return make


def csv_row(cells: Iterable[Any]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()


def element(tag: str, content: Any) -> str:
    return f"<{tag}>{content}</{tag}>"


@dataclass(frozen=True)
class Case:
    """How a record of a format is written.

    Attributes
    ----------
    provider, form : str
        As in the table of files.
    layout : str
        ``lines``, ``array``, ``page KEY`` (several, one after another), ``csv``, ``bare csv`` (no header), ``indexed``,
        ``log``, ``bodies``, ``xml TAG`` or ``mail``.
    make : callable
        Number -> record (of a CSV a mapping of titles to cells).
    name : str
        Of the file.
    """

    provider: str
    form: str
    layout: str
    make: Maker
    name: str = "export"

    @property
    def kind(self) -> str:
        return "csv" if "csv" in self.layout else "body" if self.layout == "bodies" else "json"

    @property
    def id(self) -> str:
        return f"{self.provider} {self.form} {self.layout}"

    def pieces(self, numbers: Iterable[int]) -> tuple[bytes, list[bytes], bytes, bytes]:
        """Return what stands before, the records, what stands between two of them and what stands after all."""
        kind, _, key = self.layout.partition(" ")
        records = [self.make(number) for number in numbers]
        before, between, after = b"", b"\n", b"\n"
        if kind == "bodies":
            pieces = [urllib.parse.urlencode(one, doseq=True) for one in records]
        elif kind == "mail":
            pieces, between, after = records, b"", b""
        elif kind == "xml":
            pieces = [
                element(key[:-1], "".join(element(tag, cell) for tag, cell in one.items())) for one in records
            ]
            before, after = f'<?xml version="1.0"?>\n<{key}>\n'.encode(), f"\n</{key}>\n".encode()
        elif "csv" in self.layout:
            pieces = [csv_row(one.values()) for one in records]
            before = csv_row(records[0]).encode() + b"\n" if kind == "csv" else b""
        else:
            pieces = [json.dumps(one) for one in records]
            if kind == "log":
                pieces = [f"2025-09-15T06:30:02.100Z {one}" for one in pieces]
            elif kind == "indexed":
                pieces = [f'"{place}": {one}' for place, one in enumerate(pieces)]
            if kind in {"array", "page", "indexed"}:
                before = {"array": "[\n", "indexed": "{\n"}.get(kind, f'{{"{key}": [\n').encode()
                between, after = b",\n", {"array": b"\n]\n", "indexed": b"\n}\n"}.get(kind, b"\n]}\n")
        return before, [one.encode() for one in pieces], between, after

    def content(self, numbers: Iterable[int]) -> bytes:
        before, records, between, after = self.pieces(numbers)
        return before + between.join(records) + after


def rows(**columns: Any) -> Maker:
    """Return a maker of table rows; a value is called with the number where it can be."""
    return lambda number: {title: one(number) if callable(one) else one for title, one in columns.items()}
