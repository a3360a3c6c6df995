"""Records of a comparison, by system: as a table, a summary and a document."""

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

from bridge.records.provenance import provenance
from bridge.records.store import Record
from bridge.records.writing import text_file

COLUMNS = (
    "system", "load_name", "load", "sample", "at_transition", "status", "energy", "pressure", "n",
    "n_frozen", "n_constraints", "constraints_per_dof", "max_residual", "negative_modes_hp",
    "bound_holds",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Column:
    """All states of one system.

    Attributes
    ----------
    sweep
        States reached from random starts at given loads, in order of the load.
    at_transition
        States brought to the transition itself; without any, the jammed states of the lowest
        load of the sweep at or above it.
    """

    name: str
    load_name: str
    sweep: Sequence[Record]
    at_transition: Sequence[Record]

    @property
    def loads(self) -> list[float]:
        """The loads of the sweep, ascending."""
        return sorted({record.data["load"] for record in self.sweep})

    def at(self, load: float) -> list[Record]:
        """Return the states of the sweep at one load."""
        return [record for record in self.sweep if record.data["load"] == load]

    def jammed_shares(self) -> dict[float, float]:
        """Return the share of jammed states among jammed and unjammed ones, by their load."""
        decided: dict[float, list[bool]] = {}
        for record in self.sweep:
            if record.status in ("jammed", "unjammed"):
                decided.setdefault(record.data["load"], []).append(record.status == "jammed")
        return {load: fmean(jammed) for load, jammed in decided.items()}

    def transition(self) -> float | None:
        """Return the load at which half of the runs jam, between two loads of the sweep."""
        crossing = self._crossing()
        return crossing and crossing[0]

    def above(self) -> list[Record]:
        """Return the jammed states of the lowest load at or above the transition.

        Where the transition is below the sweep, those of its lowest load; above it, none.
        """
        jammed = (load for load, share in self.jammed_shares().items() if share >= 0.5)
        crossing = self._crossing()
        load = crossing[1] if crossing else next(jammed, None)
        return [] if load is None else [r for r in self.at(load) if r.status == "jammed"]

    def jump(self) -> tuple[float, str, float] | None:
        """Return the mean ``N_Δ/N`` of the states at the transition, and their mean load.

        The load comes with its name: a perceptron that was brought to its transition went there
        by its margin, not by the load of the sweep.
        """
        states = [record.data for record in self.at_transition]
        if not states:
            return None
        ratio, load = (fmean(d[key] for d in states) for key in ("constraints_per_dof", "load"))
        return ratio, states[0]["load_name"], load

    def _crossing(self) -> tuple[float, float] | None:
        """Return where the share of jammed states crosses one half, and the next load above."""
        for (a, below), (b, above) in pairwise(self.jammed_shares().items()):
            if below < 0.5 <= above:
                return a + (b - a) * (0.5 - below) / (above - below), b
        return None


def columns(records: Iterable[Record], names: Sequence[str]) -> list[Column]:
    """Sort the records into systems, in the order of ``names``."""
    found = list(records)
    return [_column(name, [r for r in found if r.data["system"] == name]) for name in names]


def write_table(systems: Sequence[Column], path: Path) -> None:
    """Write ``table.csv``: one line a state, in order of system, load and sample."""
    with text_file(path) as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        for record in _all_records(systems):
            writer.writerow(dict(record.data))


def comparison_text(systems: Sequence[Column]) -> str:
    """Return the table to print: one line a system and load, then one a transition."""
    lines = [f"{'system':12}{'load':>15}  {'runs':22}{'U':>11}{'pressure':>11}{'N_Δ/N':>8}"]
    for system in systems:
        lines += [_line(system, load) for load in system.loads]
    lines += ["", f"{'system':12}{'transition':>16}{'N_Δ/N':>8} at {'':16}bound N_-(Hp) <= N_Δ"]
    return "\n".join(lines + [_verdict(system) for system in systems])


def comparison_document(systems: Sequence[Column]) -> dict[str, Any]:
    """Return every number of the table."""
    return {"systems": [_entry(system) for system in systems], "provenance": provenance()}


def _column(name: str, records: list[Record]) -> Column:
    records = sorted(records, key=lambda r: (r.data["load"], r.data["sample"]))
    sweep = [record for record in records if not record.data["at_transition"]]
    column = Column(name, sweep[0].data["load_name"], sweep, ())
    found = [r for r in records if r.data["at_transition"] and r.status == "jammed"]
    return Column(name, column.load_name, sweep, found or column.above())


def _all_records(systems: Sequence[Column]) -> list[Record]:
    """Return every record once: a state of the sweep may also stand for the transition."""
    found = {r.key: r for system in systems for r in (*system.sweep, *system.at_transition)}
    return list(found.values())


def _line(system: Column, load: float) -> str:
    records = system.at(load)
    count = Counter(record.status for record in records)
    runs = ", ".join(f"{number} {status}" for status, number in sorted(count.items()))
    sure = [record.data for record in records if record.status in ("jammed", "unjammed")]
    name = f"{system.load_name} = {load:.3f}"
    if not sure:
        return f"{system.name:12}{name:>15}  {runs:22}"
    energy, pressure, ratio = (
        fmean(data[key] for data in sure) for key in ("energy", "pressure", "constraints_per_dof")
    )
    return f"{system.name:12}{name:>15}  {runs:22}{energy:11.3g}{pressure:11.3g}{ratio:8.3f}"


def _verdict(system: Column) -> str:
    load, jump = system.transition(), system.jump()
    where = "not in the range" if load is None else f"{system.load_name} = {load:.3f}"
    ratio = "" if jump is None else f"{jump[0]:.3f}"
    there = "" if jump is None else f"{jump[1]} = {jump[2]:.3f}"
    held = [r.data["bound_holds"] for r in _all_records([system]) if r.status == "jammed"]
    holds = f"holds in {sum(held)} of {len(held)} jammed"
    return f"{system.name:12}{where:>16}{ratio:>8}    {there:16}{holds}"


def _entry(system: Column) -> dict[str, Any]:
    jump = system.jump()
    states = _all_records([system])
    return {
        "system": system.name,
        "load_name": system.load_name,
        "transition": system.transition(),
        "constraints_per_dof_at_transition": None if jump is None else jump[0],
        "measured_at": None if jump is None else {"name": jump[1], "value": jump[2]},
        "states": [{name: record.data[name] for name in COLUMNS} for record in states],
    }
