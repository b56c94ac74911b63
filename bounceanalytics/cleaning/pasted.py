"""Lists that were pasted: several addresses a line, as a mail program has them, made a list with one a line."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from bounceanalytics.addresses import SEVERAL, problem, read_addresses, text_array
from bounceanalytics.opening.encodings import encoding_of
from bounceanalytics.opening.text import BOM, decoded

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINES = 1000  # that are looked at
_OTHERS = 0.1  # share of pieces that may be no address

# what stands in quotes or brackets holds together
_TOKEN = re.compile(
    r"""\s*(?:(?P<end>[,;|\t\r\n]|:::)|"[^"\r\n]*"|<[^<>\r\n]*>|\([^()\r\n]*\)|[^"<(,;|\t\r\n:]+|.)"""
)


def looks_pasted(sample: bytes, *, whole: bool) -> bool:
    """Return whether most lines of a text with addresses have several of them, and next to nothing else."""
    lines = [line for line in text_of(sample).splitlines()[: _LINES + 1] if line.strip()]
    if not whole and len(lines) > 1:
        lines = lines[:-1]
    if not lines or ("@" not in lines[0] and _cuts(lines[0])):
        return False  # a header of several columns
    rows = [line for line in lines if "@" in line]
    several = sum(line.count("@") > 1 for line in rows)
    if 2 * several < len(rows) or not several:
        return False
    pieces = list(islice(_pieces("\n".join(rows)), 100 * _LINES))
    count = _addresses(pieces)
    return count > 1 and count >= (1 - _OTHERS) * len(pieces)


def one_a_line(content: bytes) -> bytes:
    """Return such a text as a list in UTF-8, each piece on a line of its own."""
    lines = [
        f'"{piece.replace(chr(34), 2 * chr(34))}"' if _quotes(piece) else piece for piece in _all(content)
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def text_of(content: bytes) -> str:
    """Return the text of a file."""
    mark, encoding = encoding_of(content)
    body = content[len(mark) :]
    if encoding == "utf-8":
        return decoded(body.removeprefix(BOM))
    return body.decode(encoding, errors="replace")


def _all(content: bytes) -> Iterator[str]:
    text = text_of(content)
    first, _, rest = text.lstrip().partition("\n")
    if "@" not in first and first.strip():  # the header
        yield first.strip()
        text = rest
    yield from _pieces(text)


def _cuts(line: str) -> bool:
    return any(sign in line.strip() for sign in ",;|\t")


def _quotes(piece: str) -> bool:
    return any(sign in piece for sign in ',;|\t"')


def _addresses(pieces: list[str]) -> int:
    count: int = problem(read_addresses(text_array(pieces))).null_count
    return count


def _pieces(text: str) -> Iterator[str]:
    """Yield what stands between separators, and of what nothing but blanks separate each address."""
    pieces = list(_between(text))
    apart = _by_blanks([piece for piece in pieces if "@" in piece])
    for piece in pieces:
        yield from apart.get(piece, (piece,))


def _between(text: str) -> Iterator[str]:
    """Yield what stands between separators; a surname before a comma goes with the name and address behind it."""
    waiting = ""
    for piece in _split(text):
        if "@" not in piece:
            if waiting:
                yield waiting
            waiting = piece
            continue
        if waiting and "<" in piece:
            yield f"{waiting}, {piece}"
        else:
            if waiting:
                yield waiting
            yield piece
        waiting = ""
    if waiting:
        yield waiting


def _by_blanks(pieces: list[str]) -> dict[str, list[str]]:
    """Return the words of those pieces that are no address, while each of their words is one."""
    several = list({piece for piece in pieces if len(piece.split()) > 1})
    good = _good(several)
    doubtful = {piece: piece.split() for piece in several if piece not in good}
    addresses = _good([word for words in doubtful.values() for word in words])
    return {piece: words for piece, words in doubtful.items() if addresses.issuperset(words)}


def _good(texts: list[str]) -> set[str]:
    """Return those that are an address."""
    wrong = problem(read_addresses(text_array(texts))).to_pylist()
    return {text for text, problem_ in zip(texts, wrong, strict=True) if problem_ is None}


def _split(text: str) -> Iterator[str]:
    piece = ""
    for token in _TOKEN.finditer(text):
        if token["end"]:
            if piece.strip():
                yield piece.strip()
            piece = ""
        else:
            piece += token[0]
    if piece.strip():
        yield piece.strip()


#: What the result says of a list that was taken apart.
NOTE = f"lines of the list held {SEVERAL}; each address is a row of its own"
