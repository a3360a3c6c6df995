"""Strict JSON: the one place where documents for other programs are written.

Python's own ``json`` writes ``NaN`` and ``Infinity``, which no other reader takes.
"""

import json
import math
from collections.abc import Mapping
from typing import Any


def dumps(document: Any, **options: Any) -> str:
    """Return a document as strict JSON; a number that is not finite becomes null.

    Parameters
    ----------
    document
        Mappings, sequences, texts, numbers and arrays.
    options
        Those of `json.dumps`, such as ``indent``.

    Raises
    ------
    TypeError
        If something in it is none of these.

    Examples
    --------
    >>> dumps({"energy": float("nan"), "load": (0.84, float("inf"))})
    '{"energy": null, "load": [0.84, null]}'
    """
    return json.dumps(plain(document), allow_nan=False, **options)


def plain(value: Any) -> Any:
    """Return the same value made of what JSON knows: dicts, lists, texts, finite numbers, null."""
    if hasattr(value, "tolist"):  # an array or a number of numpy, which is not imported for this
        value = value.tolist()
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
