"""The systems of a report: which runs make one column, and where on the slider each stands."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bridge.records.columns import Column
from bridge.records.store import Record
from bridge.report.compact import rounded
from bridge.report.frames import frames, has_state, scales
from bridge.systems import load_words
from bridge.systems import systems as systems_known

_MOST_FRAMES = 24
_DECIDED = ("unjammed", "jammed")
# What drives a system, or says what to do with it: not part of what the system is.
_DRIVING = frozenset(
    ("system", "load", "alpha", "patterns", "pressure", "at_load", "at_transition", "exact",
     "spectrum", "settings", "low_overlap")
)  # fmt: skip


@dataclass(frozen=True)
class Position:
    """Places loads on the slider: -1 the lowest, 0 the transition, 1 the highest.

    Where the transition is not within the range of loads, the range is taken evenly.
    """

    low: float
    transition: float | None
    high: float

    def __call__(self, load: float) -> float:
        """Return the position of a load, in [-1, 1]."""
        if self.transition is None:
            width = self.high - self.low
            return 2.0 * (load - self.low) / width - 1.0 if width else 0.0
        beyond = load - self.transition
        width = self.high - self.transition if beyond > 0 else self.transition - self.low
        return beyond / width if width else 0.0


def systems(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return the columns of the page, each system once, in the order of a lecture."""
    usable = [record for record in records if np.isfinite(record.data["load"])]
    return [_system(name, group) for name, group in _named(usable)]


def _named(records: Sequence[Record]) -> Iterator[tuple[str, list[Record]]]:
    """Yield the runs of each system; of several of one kind, the name says what differs."""
    kinds: dict[str, dict[str, list[Record]]] = {}
    for record in in_order(records):
        groups = kinds.setdefault(_kind(record), {})
        whole = {**_identity(record), "settings": record.parameters.get("settings")}
        groups.setdefault(str(sorted(whole.items())), []).append(record)
    for kind, groups in kinds.items():
        values = [_identity(group[0]) for group in groups.values()]
        differing = [n for n in values[0] if len({str(v.get(n)) for v in values}) > 1]
        for group, own in zip(groups.values(), values, strict=True):
            yield ", ".join([kind, *(f"{n} {own.get(n)}" for n in differing)]), group


def in_order(records: Sequence[Record]) -> list[Record]:
    """Sort by kind, as a lecture goes: bodies before patterns, and what we know before others."""
    known = [*systems_known()]

    def place(record: Record) -> tuple[int, bool]:
        system = record.parameters.get("system", "")
        rank = known.index(system) if system in known else len(known)
        return rank, _kind(record) != system

    return sorted(records, key=place)


def _kind(record: Record) -> str:
    """Return the system: its states are records of several kinds, by the commands."""
    return str(record.data.get("system", record.kind))


def _identity(record: Record) -> dict[str, Any]:
    found = {n: v for n, v in record.parameters.items() if n not in _DRIVING and v is not None}
    if "data_file" in record.data:  # its content tells files of one name apart
        found["data"] = f"{record.data['data_file']} ({found['data'][7:13]})"
    return found


def _system(name: str, records: Sequence[Record]) -> dict[str, Any]:
    load_name = _main_load(records)
    shown = [record for record in records if record.data["load_name"] == load_name]
    shown.sort(key=lambda r: (r.data["load"], r.data["sample"]))
    column = Column(name, load_name, [r for r in shown if not r.data["at_transition"]], ())
    transition = column.transition()
    loads = [record.data["load"] for record in shown]
    position = Position(min(loads), transition, max(loads))
    chosen = _chosen(shown)
    runs = [_run(record, position) for record in shown]
    for k in chosen:
        runs[k] |= _numbers(shown[k])
    drawn = [shown[k] for k in chosen]
    return {
        "name": name,
        "load": load_words(load_name).split()[-1],
        "load_words": load_words(load_name),
        "transition": rounded(transition),
        "parameters": _identity(shown[0]),
        "runs": runs,
        "frames": [{"run": k} | frame for k, frame in zip(chosen, frames(drawn), strict=True)],
        "scales": scales(drawn),
    }


def _main_load(records: Sequence[Record]) -> str:
    """Return the load of the sweep; states brought to the transition may have another one."""
    sweep = [r for r in records if not r.data["at_transition"]] or records
    return str(Counter(r.data["load_name"] for r in sweep).most_common(1)[0][0])


def _run(record: Record, position: Position) -> dict[str, Any]:
    """Return what the curve needs of a run."""
    return {
        "load": rounded(record.data["load"]),
        "position": rounded(position(record.data["load"]), 4),
        "status": record.status,
        "ratio": rounded(record.data["constraints_per_dof"], 4),
    }


def _numbers(record: Record) -> dict[str, Any]:
    """Return what is written beside a run that can be shown."""
    data = record.data
    return {
        "energy": rounded(data["energy"] / data["n_dof"], 3),
        "pressure": rounded(data["pressure"], 3),
        "n": data["n"],
        "n_constraints": data["n_constraints"],
        "negative_modes_hp": data["negative_modes_hp"],
        "reason": data["reason"],
    }


def _chosen(records: Sequence[Record]) -> list[int]:
    """Return which runs can be shown: one for each load, a decided one before any other.

    Of very many loads every so many-th is shown, and only runs whose state was kept if any was.
    """
    best: dict[float, int] = {}
    kept = any(has_state(record) for record in records)
    for k, record in enumerate(records):
        if kept and not has_state(record):
            continue
        before = best.setdefault(record.data["load"], k)
        if record.status in _DECIDED and records[before].status not in _DECIDED:
            best[record.data["load"]] = k
    numbers = [best[load] for load in sorted(best)]
    if len(numbers) > _MOST_FRAMES:
        places = np.linspace(0, len(numbers) - 1, _MOST_FRAMES).round().astype(int)
        numbers = [numbers[k] for k in places]
    return numbers
