"""Options of the command line as fields of a class: a default, a help text, and a range."""

import math
from dataclasses import Field, field, fields
from typing import Any

MOST_RUNS = 1_000_000  # what one command sets out to compute, unless it is told otherwise

_YEAR = 365.25 * 86400.0


def option(
    default: Any,
    text: str,
    at_least: float | None = None,
    at_most: float = math.inf,
    *,
    below: float = math.inf,
    argument: bool = False,
) -> Any:
    """Return a dataclass field with the help text of its option and the range it may have.

    ``below`` is a largest value that is not one of the range; an ``argument`` is given on the
    command line by its place, without its name.
    """
    found = {"help": text} if at_least is None else {"help": text, "range": (at_least, at_most)}
    return field(default=default, metadata=found | {"below": below, "argument": argument})


def options_of(part: Any) -> "tuple[Field[Any], ...]":
    """Return the fields of a class, or of an instance, that are options; none of None."""
    return () if part is None else tuple(i for i in fields(part) if "help" in i.metadata)


def check_ranges(system: Any) -> None:
    """Raise ``ValueError`` in one line that names the field, if a number is out of its range.

    >>> from bridge.systems import DiscSystem
    >>> check_ranges(DiscSystem(ratio=float("nan")))
    Traceback (most recent call last):
    ValueError: expected ratio from 1 to 100, got nan: change it
    """
    for item in options_of(system):
        value = getattr(system, item.name)
        if "range" not in item.metadata or value is None:
            continue
        low, high = item.metadata["range"]
        below = item.metadata["below"]
        if not (low <= value <= high and value < below):
            end = f"to {high:.10g}" if high < below else f"to less than {below:.10g}"
            raise ValueError(f"expected {item.name} from {low:.10g} {end}, got {value}: change it")


def check_count(count: int, what: str, most: int = MOST_RUNS) -> None:
    """Refuse more runs than can be meant, and say how long they would take.

    >>> check_count(2**31, "runs")
    Traceback (most recent call last):
    ValueError: expected at most 1,000,000 runs, got 2,147,483,648, or 68 years at one second each:
    ask for fewer, or raise --most-runs
    """
    if count > most:
        years = count / _YEAR if count < 1e300 else math.inf
        raise ValueError(
            f"expected at most {most:,} {what}, got {_counted(count)}, or {years:,.2g} years at "
            "one second each: ask for fewer, or raise --most-runs"
        )


def _counted(count: int) -> str:
    return f"{count:,}" if count < 10**15 else f"about 1e{len(str(count)) - 1}"
