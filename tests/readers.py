"""Reads what commands write as other programs do."""

import json
from pathlib import Path
from typing import Any


def strict(text: str | Path) -> Any:
    """Return a document of JSON, from its text or its file: ``NaN`` is none."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    if isinstance(text, Path):
        text = text.read_text(encoding="utf-8")
    return json.loads(text, parse_constant=refuse)
