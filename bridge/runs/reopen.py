"""What a command has saved, as a problem and a state again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from bridge.landscape.identity import identity_of
from bridge.landscape.store import TABLES as LANDSCAPE_TABLES
from bridge.landscape.store import LandscapeStore
from bridge.protocols import Status, Vector, one_line
from bridge.records.content import options as contents
from bridge.records.database import holds, whole
from bridge.records.seeds import generator
from bridge.records.store import Record, Store
from bridge.systems import landscapes, systems
from bridge.systems.system import expect


@dataclass(frozen=True, eq=False, repr=False)
class Reopened:
    """A state that was saved, and its problem: a `bridge.End`, and ``problem, x = ...``.

    Attributes
    ----------
    problem, x
        The system at the load that it was saved at, and its state ``(n_dof,)``.
    status, reason
        What the record says of it: a record of a landscape, whether that is connected.
    n_kinks
        Kinks that hold the state of a network of rectifiers; None of other systems.
    forces
        Of a jamming point, the force at each gap ``(m,)``; None of all others.
    """

    problem: Any
    x: Vector
    status: str
    reason: str = ""
    n_kinks: int | None = None
    forces: Vector | None = None

    def __iter__(self) -> Iterator[Any]:
        yield self.problem
        yield self.x

    def __repr__(self) -> str:
        return one_line(self)


def load(
    path: str | Path,
    run: int | str | None = None,
    *,
    data: str | Path | None = None,
    model: str | None = None,
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
    model
        ``FILE.py:NAME`` of a run of a module, for the same reason.

    Raises
    ------
    ValueError
        In one line, if there is nothing to reopen, no such run, or the data are others.
    """
    path = store_in(Path(path)) if Path(path).is_dir() else Path(path)
    if holds(path, LANDSCAPE_TABLES):
        return _lowest(path, {"data": data, "model": model})
    with Store(path, read_only=True) as store:
        return reopened(chosen(store, run), data, model)


def reopened(record: Record, data: str | Path | None = None, model: str | None = None) -> Reopened:
    """Return the problem and the state of a record; ``data`` and ``model`` are those of `load`.

    Raises
    ------
    ValueError
        In one line, if it has no state, or the data are others.
    """
    rng, arrays = generator(record.seed), record.arrays
    files = {"data": data, "model": model}
    if "minimum_state" in arrays:
        system = _system(landscapes(), record.parameters, record.data, files)
        lowest = int(np.argmin(arrays["minimum_energy"]))
        return Reopened(system.case(rng).problem, arrays["minimum_state"][lowest], record.status)
    expect("x" in arrays, "a run that kept its state", f"one of {record.kind}", "name another")
    known = record.data
    problem = _system(systems(), record.parameters, known, files).reopen(record, rng)
    end = Reopened(problem, arrays["x"], record.status, known["reason"], known["n_kinks"])
    forces = arrays.get("gap_forces")
    return end if forces is None else replace(end, forces=forces.astype(np.float64))


def _system(
    kinds: Mapping[str, Any],
    options: Mapping[str, Any],
    known: Mapping[str, Any],
    files: Mapping[str, str | Path | None],
) -> Any:
    """Return a system with the ``options`` that it had, what was in ``files`` found."""
    known_as = options["system"]
    expect(known_as in kinds, f"a system among {', '.join(kinds)}", known_as, "add its file")
    kind = kinds[known_as]
    names = {item.name for item in fields(kind)}
    system = kind(**{name: value for name, value in options.items() if name in names})
    found = {}
    for name, where in files.items():
        if str(options.get(name, "")).startswith("sha256:"):
            known_as = known.get(f"{name}_file", "its file")
            if where is None:
                raise ValueError(
                    f"expected the {name} of this run, {known_as}, got none: pass {name}="
                )
            found[name] = str(where)
    if not found:
        return system
    system = replace(system, **found)
    held = contents(system)
    for name, where in found.items():
        wanted = f"the {name} of this run, {known.get(f'{name}_file', 'its file')}"
        expect(held[name] == options[name], wanted, f"others in {where}", "name the file")
    return system


def store_in(path: Path) -> Path:
    """Return the store in the folder of a command; ``ValueError`` unless there is one."""
    stores = sorted(path.glob("*.sqlite"))
    expect(len(stores) == 1, f"one store in {path}", len(stores), "name the file")
    return stores[0]


def _lowest(path: Path, files: Mapping[str, str | Path | None]) -> Reopened:
    """Return the lowest minimum in the file of a landscape."""
    with LandscapeStore(path, read_only=True) as store, whole(path):
        about = store.about()
        options = {"system": about["system"], **about["parameters"]}
        case = _system(landscapes(), options, about, files).case(generator((about["seed"],)))
        minima = store.load(identity_of(case.problem)).minima
    expect(len(minima) > 0, f"a minimum in {path}", "none", "search longer")
    return Reopened(case.problem, min(minima, key=lambda point: point.energy).x, Status.JAMMED)


def chosen(store: Store, run: int | str | None) -> Record:
    """Return one record of a store: by number, by key, or the only one; else ``ValueError``."""
    keys = store.keys()
    alone = run is not None or len(keys) == 1
    expect(alone, f"a run of {store.path}", f"none of {len(keys)}", "pass run=0")
    if isinstance(run, str):
        numbers = [number for number, key in enumerate(keys) if key.startswith(run)]
        got = f"{run!r}, that of {len(numbers)}"
        expect(len(numbers) == 1, "the key of one run", got, "pass more of it")
        run = numbers[0]
    number = run or 0
    last = len(keys) - 1
    expect(0 <= number <= last, f"a run from 0 to {last} of {store.path}", number, "pass one")
    return next(islice(store.records(), number, None))
