"""Options of the command line as fields of a class: a default, a help text, and a range."""

import math
from dataclasses import field, fields
from typing import Any


def option(
    default: Any, text: str, at_least: float | None = None, at_most: float = math.inf
) -> Any:
    """Return a dataclass field with the help text of its option and the range it may have."""
    found = {"help": text} if at_least is None else {"help": text, "range": (at_least, at_most)}
    return field(default=default, metadata=found)


def check_ranges(system: Any) -> None:
    """Raise ``ValueError`` in one line that names the field, if a number is out of its range.

    >>> from bridge.systems import DiscSystem
    >>> check_ranges(DiscSystem(ratio=float("nan")))
    Traceback (most recent call last):
    ValueError: expected ratio from 0.01 to 100, got nan: change it
    """
    for item in fields(system):
        value = getattr(system, item.name)
        low, high = item.metadata.get("range", (-math.inf, math.inf))
        if "range" in item.metadata and value is not None and not low <= value <= high:
            raise ValueError(
                f"expected {item.name} from {low:.10g} to {high:.10g}, got {value}: change it"
            )
