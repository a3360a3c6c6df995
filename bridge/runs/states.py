"""States of systems, brought to where they are asked for, and measured."""

from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from bridge.descent.linear_hinge import linear_minimum
from bridge.figures.picture import forces_of
from bridge.jamming import ExactJamming, exact_jamming
from bridge.jamming.approach import approach
from bridge.measure.observables import Observables, backbone_gaps, coordination, observe, touched
from bridge.measure.spectra import Spectrum, spectrum
from bridge.measure.stability import is_within_reach, least_curvature, objection
from bridge.protocols import ConstraintProblem, HasBodies, HasKinks, HasTightening, Status, Vector
from bridge.runs.kinds.jam import EIGENVALUES, MODE_COUNTS
from bridge.systems import State, System
from bridge.systems.stopwatch import Stopwatch

_TOUCH = 1e-10  # relative load by which contacts at the jamming point overlap, to be counted
_SPECTRUM_LOAD = 1e-7


@dataclass(frozen=True, eq=False)
class Measured:
    """A state with its observables, and its spectrum if that was asked for.

    ``lowest_curvature`` is that of `bridge.measure.stability`; None for networks, which a polish
    certifies. ``forces`` ``(m,)`` are those of the gaps at a jamming point, which are no overlaps.
    ``touching`` tells which bodies are held, where gaps that vanish hold them.
    """

    state: State
    observables: Observables
    spectrum: Spectrum | None
    seconds: float
    lowest_curvature: float | None = None
    forces: Vector | None = None
    touching: ConstraintProblem | None = None

    @property
    def gaps(self) -> Vector:
        """``Δ`` of the state, ``(m,)``."""
        return self.state.problem.gaps(self.state.x)


def measure(state: State, *, with_spectrum: bool, seconds: float) -> Measured:
    """Measure a state; a status that is contradicted by what is measured becomes ``stalled``."""
    seen = observe(state.problem, state.x)
    if state.max_residual is not None:
        seen = replace(seen, max_residual=state.max_residual)
    kinks = state.n_kinks or 0
    values = spectrum(state.problem, state.x, n_kinks=kinks) if with_spectrum else None
    lowest = _lowest_curvature(state)
    if state.status == "jammed" and (reason := _contradiction(seen, values, lowest)):
        state = replace(state, status="stalled", reason=reason)
    return Measured(state, seen, values, seconds, lowest)


def _lowest_curvature(state: State) -> float | None:
    """Return the least curvature of a jammed state whose Hessian tells it, and is not too large.

    Where kinks hold a state it does not tell whether that is a minimum: the polish has.
    """
    problem = state.problem
    if state.status != "jammed" or state.n_kinks is not None or not is_within_reach(problem):
        return None
    return least_curvature(problem, state.x)


def _contradiction(seen: Observables, values: Spectrum | None, lowest: float | None) -> str:
    """Return why a state is not jammed after all; empty if nothing speaks against it."""
    if said := objection(seen.n_constraints, lowest):
        return said
    if values is not None and not values.bound_holds:
        return (
            f"N_-(Hp) = {values.negative_modes_hp} exceeds N_Δ = {values.n_violated} and "
            f"{values.n_kinks} kinks: this is not a minimum"
        )
    return ""


def measured(
    system: System,
    rng: np.random.Generator,
    *,
    at_load: float | None = None,
    low_overlap: float | None = None,
    exact: bool = False,
    with_spectrum: bool = False,
    linear: bool = False,
) -> Measured:
    """Bring a system to its state and measure it.

    Parameters
    ----------
    at_load
        Minimise from a random start at this load; if not given, as the system's options say.
    low_overlap
        Unload the state until ``Σ max(Δ, 0)/n_dof`` is as small.
    exact
        Go on to the jamming point.
    linear
        Go on to the minimum of ``Σ max(Δ, 0)`` next to it.
    with_spectrum
        Diagonalise the Hessian if the state is jammed; that of other states says nothing.
    """
    watch = Stopwatch()
    state = system.jam(rng) if at_load is None else system.at(at_load, rng)
    if linear and state.status != Status.DEAD:
        return measure_linear(state, watch=watch)
    if exact and state.status != Status.DEAD:
        return measure_exact(system, state, with_spectrum=with_spectrum, watch=watch)
    if low_overlap is not None:
        state = near_transition(system, state, low_overlap, rng=rng)
    seconds = watch.seconds
    return measure(state, with_spectrum=with_spectrum and state.status == "jammed", seconds=seconds)


def measure_exact(
    system: System, state: State, *, with_spectrum: bool, watch: Stopwatch
) -> Measured:
    """Go from a state to the jamming point next to it, and measure that.

    Forces there are those of the certificate, in units of their mean. The spectrum is that of the
    minimum at ``1e-7`` above the jamming load, because at the point itself ``Hp`` vanishes.
    """
    state = system.limited(state)
    found = exact_jamming(with_tightening(state.problem), state.x, minimise=system.minimise)
    seconds = watch.seconds
    status = "jammed" if found.status == "jammed" else "stalled"
    reason = f"{found.status}: {found.reason}" if found.reason else ""
    load = system.exact_load(found.problem)
    kinks = len(found.kinks) if isinstance(found.problem, HasKinks) else None
    end = State(found.problem, found.x, status, reason, load, n_kinks=kinks)
    values = None
    if with_spectrum and status == "jammed":
        above = found.problem.tightened(_SPECTRUM_LOAD)
        values = spectrum(system.minimise(above, found.x))
    touching = found.problem.tightened(_TOUCH) if len(found.rows) else None
    seen, forces = _observe_exact(found), forces_of(found)
    return Measured(end, seen, values, seconds, forces=forces, touching=touching)


def measure_linear(state: State, *, watch: Stopwatch) -> Measured:
    """Go from a state to the minimum of the linear hinge next to it, and measure that."""
    found = linear_minimum(state)
    seconds = watch.seconds
    end = replace(state, x=found.x, status=found.status, reason=found.reason, max_residual=None)
    lowest = None if found.certificate is None else found.certificate.curvature
    touching = touched(found.problem) if len(found.marginal) else None
    return Measured(end, observe(found), None, seconds, lowest, touching=touching)


def near_transition(
    system: System, state: State, overlap: float, *, rng: np.random.Generator
) -> State:
    """Unload until ``Σ max(Δ, 0)/n_dof`` is small: the same protocol for every loaded system."""
    minimise = partial(system.minimise, rng=rng)
    state = system.limited(state)
    for stage in approach(with_tightening(state.problem), state.x, minimise):
        state = State(stage.problem, stage.x, stage.status, "", system.exact_load(stage.problem))
        if stage.overlap_per_variable <= overlap:
            return state
    return replace(state, status="stalled", reason="the overlap could not be brought down")


def with_tightening(problem: ConstraintProblem) -> HasTightening:
    """Return the problem as one whose load can be changed.

    Raises
    ------
    TypeError
        If it has no such load.
    """
    if not isinstance(problem, HasTightening):
        name = type(problem).__name__
        raise TypeError(f"expected a system that can be tightened, got {name}: give it `tightened`")
    return problem


def _observe_exact(found: ExactJamming[Any]) -> Observables:
    """Count at the jamming point: what is active is told by the certificate, not by a sign."""
    touching = found.problem.tightened(_TOUCH)
    seen = observe(touching, found.x)
    proof = found.certificate
    gaps = backbone_gaps(touching, found.x)
    satisfied = gaps[gaps < 0]
    return replace(
        seen,
        n_symmetries=int(found.held.sum()) - proof.n if proof else seen.n_symmetries,
        n=proof.n if proof else seen.n,
        n_isostatic=proof.n_isostatic if proof else seen.n_isostatic,
        n_constraints=len(found.rows),
        energy=found.problem.energy_gradient(found.x)[0],
        pressure=0.0,
        max_residual=proof.dual_residual if proof else seen.max_residual,
        min_force=proof.min_force if proof else None,
        smallest_gap=float(-satisfied.max()) if satisfied.size else None,
        coordination=coordination(touching, seen.n_frozen, len(found.rows)),
    )


def data_of_state(found: Measured, *, at_transition: bool = False) -> dict[str, Any]:
    """Return the numbers of a state, under the same names in the records of every command.

    Marginal constraints have a column only where there can be some: those of the linear hinge.
    """
    name, load = found.state.load
    seen, values = asdict(found.observables), found.spectrum
    if seen["n_marginal"] is None:
        del seen["n_marginal"]
    return {
        "load_name": name,
        "load": load,
        "reason": found.state.reason,
        "at_transition": at_transition,
        **seen,
        "constraints_per_dof": found.observables.constraint_ratio,
        "n_kinks": found.state.n_kinks,
        "lowest_curvature": found.lowest_curvature,
        **{name: getattr(values, name, None) for name in MODE_COUNTS},
    }


def arrays_of_state(found: Measured) -> dict[str, Any]:
    """Return the state with its gaps, its spectra, and the bodies of a packing."""
    problem, x, values = found.state.problem, found.state.x, found.spectrum
    arrays: dict[str, Any] = {"x": x, "gaps": backbone_gaps(problem, x, found.touching)}
    if isinstance(problem, HasBodies):
        touching: Any = found.touching or problem
        arrays |= problem.scene(x) | {"held": touching.scene(x)["held"]}
    if found.forces is not None:
        arrays["gap_forces"] = found.forces.astype(np.float32)
    if values is not None:
        arrays |= {name: getattr(values, name) for name in EIGENVALUES}
    return arrays
