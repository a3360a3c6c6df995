"""The result of ``jamscape jam``: one state of one system, measured."""

import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bridge.observables import Observables, observe
from bridge.provenance import provenance
from bridge.spectra import Spectrum, spectrum
from bridge.systems import State, System

if TYPE_CHECKING:
    from bridge.protocols import Vector


_SHOWN = (
    "n_dof", "n_symmetries", "n_frozen", "n", "n_constraints", "n_isostatic", "coordination",
    "energy", "pressure", "max_residual", "min_force", "smallest_gap", "n_kinks", "seconds",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Measured:
    """A state with its observables, and its spectrum if that was asked for."""

    state: State
    observables: Observables
    spectrum: Spectrum | None
    seconds: float

    @property
    def gaps(self) -> "Vector":
        """``Δ`` of the state, ``(m,)``."""
        return self.state.problem.gaps(self.state.x)


def measure(state: State, *, with_spectrum: bool, seconds: float) -> Measured:
    """Measure a state; a status that its own spectrum contradicts becomes ``stalled``.

    An unjammed state counts no constraint: a descent approaches ``Δ = 0`` from above, and what it
    leaves is below the energy at which the system is called satisfied.
    """
    seen = observe(state.problem, state.x)
    if state.status == "unjammed":
        seen = replace(seen, n_constraints=0, min_force=None)
    values = spectrum(state.problem, state.x) if with_spectrum else None
    if values is not None and state.status == "jammed" and not values.bound_holds:
        reason = (
            f"N_-(Hp) = {values.negative_modes_hp} exceeds N_Δ = {values.n_violated}: "
            "this is not a minimum"
        )
        state = replace(state, status="stalled", reason=reason)
    return Measured(state, seen, values, seconds)


def run_jam(system: System, seed: int, *, exact: bool = False, with_spectrum: bool) -> Measured:
    """Bring a system to its state from the random numbers of ``seed`` and measure it."""
    started = time.perf_counter()
    state = system.jam(np.random.default_rng(np.random.SeedSequence(seed)))
    if exact:
        state = to_exact_point(state)
    return measure(state, with_spectrum=with_spectrum, seconds=time.perf_counter() - started)


def to_exact_point(state: State) -> State:
    """Move a state to the jamming point next to it."""
    raise ValueError("exact")


def as_json(system: System, seed: int, found: Measured) -> dict[str, Any]:
    """Return the document of ``jamscape jam --json``; a key that does not apply is null."""
    state, seen, values = found.state, found.observables, found.spectrum
    name, load = state.load
    return {
        "system": system.kind,
        "seed": seed,
        "parameters": asdict(system),  # type: ignore[call-overload]
        "status": state.status,
        "reason": state.reason,
        "seconds": found.seconds,
        "load": {"name": name, "value": load},
        **asdict(seen),
        "coordination": _coordination(found),
        "n_kinks": state.n_kinks,
        "hessian": None if values is None else _spectrum_json(values),
        "provenance": provenance(),
    }


def as_text(document: dict[str, Any]) -> str:
    """Return the same document for reading: a line a number, spectra left out."""
    lines = [f"{document['system']}: {document['status']}  {document['reason']}".rstrip()]
    load = document["load"]
    lines.append(f"  {load['name']:16} {load['value']:.8g}")
    for name in _SHOWN:
        value = document[name]
        if value is not None:
            lines.append(f"  {name:16} {value:.8g}")
    for name, value in (document["hessian"] or {}).items():
        if not isinstance(value, list):
            lines.append(f"  {name:16} {value}")
    return "\n".join(lines)


def write(found: Measured, document: dict[str, Any], out: Path) -> None:
    """Write ``result.json`` and ``state.npz`` (``x``, ``gaps``, spectra) into a folder."""
    (out / "result.json").write_text(json.dumps(document, indent=1) + "\n")
    arrays = {"x": found.state.x, "gaps": found.gaps}
    if (values := found.spectrum) is not None:
        arrays |= {
            "eigenvalues": values.eigenvalues,
            "eigenvalues_h0": values.eigenvalues_h0,
            "eigenvalues_hp": values.eigenvalues_hp,
        }
    np.savez(out / "state.npz", allow_pickle=False, **arrays)


def _coordination(found: Measured) -> float | None:
    """Return ``2 N_c / N'`` of a packing: two ends of each contact over the bodies that touch."""
    bodies = getattr(found.state.problem, "n_bodies", None)
    if bodies is None:
        return None
    touching = bodies - found.observables.n_frozen
    return 2 * found.observables.n_constraints / touching if touching else 0.0


def _spectrum_json(values: Spectrum) -> dict[str, Any]:
    return {
        "negative_modes": values.negative_modes,
        "negative_modes_hp": values.negative_modes_hp,
        "zero_modes": values.zero_modes,
        "bound_holds": values.bound_holds,
        "eigenvalues": values.eigenvalues.tolist(),
        "eigenvalues_h0": values.eigenvalues_h0.tolist(),
        "eigenvalues_hp": values.eigenvalues_hp.tolist(),
    }
