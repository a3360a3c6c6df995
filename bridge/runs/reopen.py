"""What a command has saved, as a problem and a state again."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from bridge.landscape.store import TABLES as LANDSCAPE_TABLES
from bridge.protocols import Vector, one_line
from bridge.records.content import content
from bridge.records.database import holds
from bridge.records.store import Record, Store
from bridge.runs.landscape_record import record_of_file
from bridge.systems import SYSTEMS
from bridge.systems.landscapes import LANDSCAPES

_FOLDER = ("result.json", "state.npz")  # what `jam --out` writes


@dataclass(frozen=True, eq=False, repr=False)
class Reopened:
    """A state that was saved, and its problem: a `bridge.End`, and ``problem, x = ...``.

    Attributes
    ----------
    problem, x
        The system at the load that it was saved at, and its state ``(n_dof,)``.
    status, reason
        What the record says of it.
    n_kinks
        Kinks that hold the state of a network of rectifiers; None of other systems.
    """

    problem: Any
    x: Vector
    status: str
    reason: str = ""
    n_kinks: int | None = None

    def __iter__(self) -> Iterator[Any]:
        yield self.problem
        yield self.x

    def __repr__(self) -> str:
        return one_line(self)


def load(
    path: str | Path, run: int | str | None = None, *, data: str | Path | None = None
) -> Reopened:
    """Return what a command has saved: ``problem, x = load("out/")``.

    Sizes, box and packing fraction of a packing are those of the record; patterns are drawn again
    from the seed of the run.

    Parameters
    ----------
    path
        The folder of ``--out``, a store, or the file of a landscape, of which the lowest minimum
        is taken.
    run
        Which run of a store: its number from 0 in the order in which they were kept, or its key or
        how that begins. It may be left out where there is one only.
    data
        The file or folder of data that a network was trained on, where it was one: a record keeps
        the hash of what it held.

    Raises
    ------
    ValueError
        In one line, if there is nothing to reopen, no such run, or the data are others.
    """
    return reopened(_record(Path(path), run), data)


def reopened(record: Record, data: str | Path | None = None) -> Reopened:
    """Return the problem and the state of a record; ``data`` are those of `load`.

    Raises
    ------
    ValueError
        In one line, if it has no state, or the data are others.
    """
    entropy, *spawned = record.seed
    rng = np.random.default_rng(np.random.SeedSequence(entropy, spawn_key=tuple(spawned)))
    arrays = record.arrays
    if "minimum_state" in arrays:
        system = _system(LANDSCAPES, record, data)
        lowest = int(np.argmin(arrays["minimum_energy"]))
        return Reopened(system.case(rng).problem, arrays["minimum_state"][lowest], record.status)
    if "x" not in arrays:
        raise ValueError(
            f"expected a run that kept its state, got one of {record.kind}: name another"
        )
    problem = _system(SYSTEMS, record, data).reopen(record, rng)
    known = record.data
    return Reopened(
        problem, arrays["x"], record.status, known.get("reason", ""), known.get("n_kinks")
    )


def _system(classes: Any, record: Record, data: str | Path | None) -> Any:
    """Return the system of a record with the options that it had, its data in a file found."""
    options = record.parameters
    kinds = {kind.kind: kind for kind in classes}
    if options["system"] not in kinds:
        known = ", ".join(kinds)
        raise ValueError(f"expected a system among {known}, got {options['system']}")
    kind = kinds[options["system"]]
    names = {item.name for item in fields(kind)}
    system = kind(**{name: value for name, value in options.items() if name in names})
    saved = str(options.get("data", ""))
    if not saved.startswith("sha256:"):
        return system
    name = record.data.get("data_file", "its file")
    if data is None:
        raise ValueError(f"expected the data of this run, {name}, got none: pass data=")
    if content(Path(data)) != saved:
        raise ValueError(f"expected the data of this run, {name}, got others in {data}")
    return replace(system, data=str(data))


def _record(path: Path, run: int | str | None) -> Record:
    if path.is_dir():
        stores = sorted(path.glob("*.sqlite"))
        if len(stores) != 1:
            return _of_folder(path)
        path = stores[0]
    if holds(path, LANDSCAPE_TABLES):
        return record_of_file(path)
    with Store(path, read_only=True) as store:
        return _chosen(store, run)


def _chosen(store: Store, run: int | str | None) -> Record:
    """Return one record of a store."""
    keys = store.keys()
    if run is None and len(keys) != 1:
        raise ValueError(f"expected a run of {store.path}, got none of {len(keys)}: pass run=0")
    if isinstance(run, str):
        numbers = [number for number, key in enumerate(keys) if key.startswith(run)]
        if len(numbers) != 1:
            raise ValueError(f"expected the key of one run, got {run!r}, that of {len(numbers)}")
        run = numbers[0]
    number = run or 0
    if not 0 <= number < len(keys):
        raise ValueError(f"expected a run from 0 to {len(keys) - 1} of {store.path}, got {number}")
    return next(islice(store.records(), number, None))


def _of_folder(path: Path) -> Record:
    """Return the record that ``result.json`` and ``state.npz`` of a folder are."""
    result, state = (path / name for name in _FOLDER)
    if not (result.is_file() and state.is_file()):
        raise ValueError(f"expected {' and '.join(_FOLDER)} or one store in {path}, got neither")
    found = json.loads(result.read_text(encoding="utf-8"))
    name, value = found["load"]["name"], found["load"]["value"]
    with np.load(state, allow_pickle=False) as arrays:
        return Record(
            kind=found["system"],
            parameters={"system": found["system"], **found["parameters"]},
            seed=(int(found["seed"]),),
            status=found["status"],
            seconds=float(found["seconds"]),
            data=found | {"load_name": name, "load": value},
            provenance=found["provenance"],
            arrays=dict(arrays),
        )
