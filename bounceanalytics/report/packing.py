"""Data and scripts made small enough to be part of a page, which a browser unpacks without a network.

Both are gzipped and written as base64; browsers have been able to unpack that since 2023 (Compression Streams). The
page's content security policy names the hash of each script, so that a browser runs these and no others, unpacked or
not.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from functools import cache
from typing import TYPE_CHECKING, Any

from plotly.offline import get_plotlyjs

if TYPE_CHECKING:
    from collections.abc import Mapping


def packed(text: str) -> str:
    """Return a text gzipped, as base64; the same text gives the same bytes."""
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode("ascii")


def packed_data(data: Mapping[str, Any]) -> str:
    """Return data as packed JSON."""
    return packed(json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False))


@cache
def plotly_script() -> tuple[str, str]:
    """Return plotly's script, packed, and its hash; packing takes half a second, and it is always the same."""
    script = get_plotlyjs()
    return packed(script), script_hash(script)


def script_hash(text: str) -> str:
    """Return the source expression that lets a browser run this script and no other (CSP level 3, 2.3.1)."""
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"
