"""Records of a report that are no states: loadings as the states they pass, all others as tables.

A record of a state is one whatever command wrote it: it has a load and what was counted there.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any

import numpy as np

from bridge.records.store import Record
from bridge.runs.motion import KIND as MOTION

_STATE = {"load", "load_name", "constraints_per_dof"}
_PATH = ("energy", "overlap_per_variable", "n_constraints")
_LABELS = {"system", "sample", "status", "reason"}


def states(records: Sequence[Record]) -> list[Record]:
    """Return the records of states, and every minimum that a slow loading passed as one."""
    found = []
    for record in records:
        if record.data.keys() >= _STATE:
            found.append(record)
        elif "step_loads" in record.arrays:
            found += _passed(record)
    return found


def tables(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return a table for each kind of the other records: a row for all runs of one kind alike."""
    kinds: dict[str, dict[str, list[Record]]] = {}
    for record in records:
        if not record.data:
            raise ValueError(f"no number in the record {record.key}")
        if not (
            record.data.keys() >= _STATE or "step_loads" in record.arrays or record.kind == MOTION
        ):
            alike = kinds.setdefault(record.kind, {})
            alike.setdefault(str(sorted(_given(record).items())), []).append(record)
    return [_table(kind, list(alike.values())) for kind, alike in kinds.items()]


def _passed(record: Record) -> Iterator[Record]:
    """Yield the minima of a loading, by the load added since it began; no state is kept of them."""
    arrays, n, n_dof = record.arrays, record.data["n"], record.data["n_dof"]
    for k, load in enumerate(arrays["step_loads"].tolist()):
        seen = {name: arrays[f"step_{name}"][k].item() for name in _PATH}
        ratio = seen["n_constraints"] / n if n else 0.0
        seen["pressure"] = seen.pop("overlap_per_variable") * n_dof / n if n else 0.0
        about = {"load": load, "load_name": "t", "at_transition": False, "status": "jammed"}
        about |= {"system": f"{record.data['system']}, loaded", "negative_modes_hp": None}
        about |= {"constraints_per_dof": ratio, "reason": ""}
        yield replace(record, status="jammed", data={**record.data, **seen, **about}, arrays={})


def _given(record: Record) -> dict[str, Any]:
    return {n: v for n, v in record.parameters.items() if v is not None and n != "settings"}


def _table(kind: str, groups: Sequence[Sequence[Record]]) -> dict[str, Any]:
    given = [_given(group[0]) for group in groups]
    names = dict.fromkeys(name for row in given for name in row)
    varied = [n for n in names if len({str(row.get(n)) for row in given}) > 1]
    numbers = list(
        dict.fromkeys(
            name
            for group in groups
            for record in group
            for name, value in record.data.items()
            if name not in _LABELS and _is_number(value)
        )
    )
    rows = [
        [_shown(own.get(name)) for name in varied]
        + [str(len(group)), _statuses(group)]
        + [_mean([record.data for record in group], name) for name in numbers]
        for own, group in zip(given, groups, strict=True)
    ]
    heads = [name.replace("_", " ") for name in (*varied, "runs", "status", *numbers)]
    same = {n: _shown(v) for n, v in given[0].items() if n not in varied and n != "system"}
    return {"name": kind, "parameters": same, "heads": heads, "rows": rows}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and bool(np.isfinite(value))


def _statuses(group: Sequence[Record]) -> str:
    counts = Counter(record.status for record in group)
    return ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))


def _mean(rows: Sequence[Mapping[str, Any]], name: str) -> str:
    values = [row[name] for row in rows if _is_number(row.get(name))]
    return f"{fmean(values):.4g}" if values else ""


def _shown(value: Any) -> str:
    text = "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 24 else f"{text[:20]}…"
