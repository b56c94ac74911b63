"""Reading of values as Python prints them: literals, and the classes that dicts, times and numbers are of."""

from __future__ import annotations

import ast
import datetime as dt
import re
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

#: Where a class is called with pairs, a dict or keywords, as its ``repr`` is written.
CALLED = re.compile(r"\b[A-Za-z_][\w.]*\((?=\[\(|\{|<class |[A-Za-z_]\w*=['\"\d\[{])")

_CLASS = re.compile(r"<(?:class|function|built-in function) [^<>@]*>")
_TIMES: dict[str, Callable[..., dt.date]] = {
    "datetime": dt.datetime,
    "date": dt.date,
    "Timestamp": dt.datetime.fromisoformat,
}


def read(text: str) -> Any:
    """Return the value of a text.

    Raises
    ------
    ValueError, TypeError, SyntaxError, RecursionError, MemoryError
        If it is not in Python's notation.
    """
    with warnings.catch_warnings(action="ignore", category=Warning):  # of escapes that Python does not know
        try:
            return ast.literal_eval(text)
        except ValueError:
            return _value(ast.parse(_CLASS.sub("None", text.strip()), mode="eval").body)
        except SyntaxError:
            if "<class " not in text:
                raise
            return _value(ast.parse(_CLASS.sub("None", text.strip()), mode="eval").body)


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Dict):
        keys = [_value(key) for key in node.keys if key is not None]
        return dict(zip(keys, map(_value, node.values), strict=True))
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return [_value(one) for one in node.elts]
    if isinstance(node, ast.Call):
        return _called(node)
    return ast.literal_eval(node)


def _called(node: ast.Call) -> Any:
    """Return what a class was made of."""
    name = ast.unparse(node.func).rsplit(".", 1)[-1]
    args = [_value(one) for one in node.args]
    if name in _TIMES:
        zone = "+00:00" if any("utc" in ast.unparse(one.value).lower() for one in node.keywords) else ""
        return _TIMES[name](*args).isoformat() + zone
    if node.keywords:
        return {one.arg: _value(one.value) for one in node.keywords if one.arg}
    last = args[-1] if args else None
    if isinstance(last, list) and all(
        isinstance(one, list) and len(one) == 2 and isinstance(one[0], str) for one in last
    ):
        return dict(last)
    return last
