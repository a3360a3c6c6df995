"""Any ``torch.nn.Module`` as a constraint satisfaction problem."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from networks.checks import state
from networks.models.demands import Demands
from networks.models.flat_directions import FlatDirections, dead_parameters
from networks.models.hinge import fits
from networks.models.module_symmetry import Generator, modes
from networks.models.passes import Passes, Pieces
from networks.models.pieces import Tape, Units

Vector: TypeAlias = NDArray[np.float64]
Indices: TypeAlias = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class ModuleProblem:
    """A module of whose outputs something is asked: margins of classes, or values.

    What is asked is said in `networks.models.demands.Demands`: ``k`` gaps for each of ``P``
    patterns, pattern after pattern. Derivatives come from automatic differentiation: the gradient
    backward, the Jacobian pattern by pattern, second derivatives forward over backward.
    `HingeNetwork` does the same for fully connected networks faster. Made by `from_module`.

    Attributes
    ----------
    passes
        A copy of the module in float64, in evaluation mode.
    inputs
        Patterns ``(P, ...)``.
    demands
        What is asked of their outputs.
    units
        Its piecewise linear units, whose kinks are constraints.
    generators
        Its known continuous symmetries.
    flat
        The directions that leave it the same function, if these are more.
    pieces
        Slopes and offsets of the units, each ``(P, U)``, in a branch without kinks.
    """

    passes: Passes = field(repr=False)
    inputs: Tensor = field(repr=False)
    demands: Demands = field(repr=False)
    units: Units = field(repr=False)
    generators: tuple[Generator, ...] = field(default=(), repr=False)
    flat: FlatDirections | None = field(default=None, repr=False)
    pieces: Pieces | None = field(default=None, repr=False)

    @property
    def module(self) -> torch.nn.Module:
        """The copy of the module."""
        return self.passes.module

    @cached_property
    def n_dof(self) -> int:
        """Number of parameters that are trained."""
        return sum(p.numel() for p in self.passes.trained().values())

    @property
    def n_weights(self) -> int:
        """Number ``N`` of weights: of all trained parameters but biases, which have one index."""
        return count_weights(self.module)

    @property
    def load(self) -> float:
        """The load ``P/N``: patterns per weight."""
        return len(self.demands) / self.n_weights

    @property
    def margin(self) -> float:
        """What is asked for; of a regression to ``ε``, ``-ε``."""
        return self.demands.margin

    @property
    def start(self) -> Vector:
        """The parameters that the module came with, ``(n_dof,)``, in the order it names them."""
        parts = [p.detach().reshape(-1) for p in self.passes.trained().values()]
        return torch.cat(parts).cpu().numpy()

    @property
    def resolves_kinks(self) -> bool:
        """Whether all of its kinks are known; those of smooth modules are none."""
        return not self.units.not_resolved

    def gaps(self, x: Vector) -> Vector:
        """Return ``Δ``, shape ``(P k,)``: positive where violated."""
        with torch.no_grad():
            return _numpy(self.demands.gaps(self._outputs(self._tensor(x))).reshape(-1))

    def satisfied(self, gaps: Vector) -> bool:
        """Tell whether gaps ``(P k,)`` are those of a module that fits: ``U < 1e-14``."""
        return fits(gaps)

    def energy_gradient(self, x: Vector) -> tuple[float, Vector]:
        """Return ``U = ½ Σ max(Δ, 0)²`` and ``∇U``, shape ``(n_dof,)``."""
        w = self._tensor(x).requires_grad_()
        gaps = self.demands.gaps(self._outputs(w))
        energy = 0.5 * gaps.clamp(min=0).square().sum()
        (gradient,) = torch.autograd.grad(energy, w)
        return float(energy.detach()), _numpy(gradient)

    def gap_jacobian(self, x: Vector, rows: Indices | None = None) -> Vector:
        """Return ``∂Δ/∂x``, dense: ``(P k, n_dof)``, or ``(len(rows), n_dof)``."""
        size = len(self.demands) * self.demands.per_pattern
        chosen = np.arange(size) if rows is None else np.array(rows, dtype=np.intp)
        return _numpy(self.jacobian(self._tensor(x), self._index(chosen)))

    def hvp(self, x: Vector, v: Vector) -> Vector:
        """Return ``H(x) v``, shape of ``v``: one direction ``(n_dof,)`` or ``(k, n_dof)``."""
        w, forces, rows = self._violated(x)
        jacobian = self.jacobian(w, rows)
        directions = torch.tensor(np.atleast_2d(v), dtype=torch.float64, device=w.device)
        stiff = (directions @ jacobian.T) @ jacobian
        index, weights = self._weights(rows, forces[rows])
        bent = self.passes.products(w, self.inputs[index], weights, directions, self._at(index))
        return _numpy(stiff + bent).reshape(v.shape)

    def hessian(self, x: Vector) -> Vector:
        """Return ``H(x)``, dense, ``(n_dof, n_dof)``."""
        w, forces, rows = self._violated(x)
        jacobian = self.jacobian(w, rows)
        return _numpy(jacobian.T @ jacobian + self.bent(w, rows, forces[rows], self.pieces))

    def curvature(self, x: Vector, forces: Vector) -> Vector:
        """Return ``Σ λ ∇²Δ``, dense, ``(n_dof, n_dof)``, for ``forces`` ``(P k,)``."""
        rows = self._index(np.flatnonzero(forces))
        given = torch.tensor(forces, dtype=torch.float64, device=rows.device)[rows]
        return _numpy(self.bent(self._tensor(x), rows, given, self.pieces))

    def zero_modes(self, x: Vector) -> Vector:
        """Return orthonormal tangents of the symmetries, ``(k, n_dof)``.

        They are rescalings of units between two layers, shifts of all classes and the like: those
        of `networks.models.module_symmetry`. Of a smooth module of at most 500 parameters they are
        all directions in which it stays the same function, whose number is a rank:
        `networks.models.flat_directions`. Another may have more than are known.
        """
        self._tensor(x)
        found = None if self.flat is None else self.flat.at(x)
        return modes(self.generators, x) if found is None else found

    def frozen(self, x: Vector) -> list[Indices]:
        """Return each parameter that no gap depends on at ``x``: those of dead units, one by one.

        Incoming and outgoing weights of a rectifier that is silent on all patterns are such, and
        so is the embedding of a word that no pattern holds.
        """
        dead = dead_parameters(self, self._tensor(x))
        return [np.array([place], dtype=np.intp) for place in np.flatnonzero(dead)]

    def equivalents(self, x: Vector, rng: np.random.Generator) -> Iterator[tuple[str, Vector]]:
        """Yield the state moved along its known symmetries."""
        yield from Generator.random_images(self.generators, x, rng)

    def tightening(self, x: Vector) -> Vector:
        """Return ``∂Δ/∂t = 1`` for each gap, shape ``(P k,)``."""
        del x
        return np.ones(len(self.demands) * self.demands.per_pattern)

    def tightened(self, t: float) -> "ModuleProblem":
        """Return the same problem with ``t`` added to the margin asked for."""
        return replace(self, demands=self.demands.tightened(t))

    # Kinks, each with one owner: with several gaps a pattern has them once for each gap, and only
    # where the gaps are opposed, so that one kink can hold one of them at most.

    @property
    def owns_kinks(self) -> bool:
        """Whether each kink belongs to one gap: one gap a pattern, or two opposed ones."""
        return self.demands.per_pattern == 1 or self.demands.opposed

    def kinks(self, x: Vector) -> Vector:
        """Return the distance ``z - c`` of each unit from each kink, ``(K,)``."""
        if not self._n_kinks:
            return np.zeros(0)
        with torch.no_grad():
            z = self.preactivations(self._tensor(x))
        units, which = self._kink_names
        found = z[:, units] - self.units.table[units, which, 0]
        return _numpy(found.repeat(1, self.demands.per_pattern).reshape(-1))

    def kink_owners(self) -> Indices:
        """Return the gap of each kink, ``(K,)``."""
        gaps = np.arange(len(self.demands) * self.demands.per_pattern, dtype=np.intp)
        return np.repeat(gaps, len(self._kink_names[0]) if self._n_kinks else 0)

    def kink_jacobian(self, x: Vector, kinks: Indices) -> Vector:
        """Return ``∂z/∂x`` of some kinks, dense, ``(len(kinks), n_dof)``."""
        if not len(kinks):
            return np.zeros((0, self.n_dof))
        w, places = self._tensor(x), self._index(np.asarray(kinks, dtype=np.intp))
        units = self._kink_names[0]
        patterns = places // (len(units) * self.demands.per_pattern)
        with torch.no_grad():
            pieces = self._at(patterns) or self.units.pieces(self.preactivations(w, patterns))
        chosen = units[places % len(units)]
        return _numpy(self.passes.unit_rows(w, self.inputs[patterns], chosen, pieces))

    def kink_strengths(self, x: Vector) -> Vector:
        """Return ``c = ∂Δ/∂max(z, 0)`` of every kink, ``(K,)``, for the gap that owns it."""
        if not self._n_kinks:
            return np.zeros(0)
        w = self._tensor(x).requires_grad_()
        tape = Tape(self.pieces)
        gaps = self.demands.gaps(self.passes.outputs(w, self.inputs, tape))
        into = torch.cat([g.reshape(len(gaps), -1) for g in gradients(gaps[:, 0].sum(), tape.a)], 1)
        units, which = self._kink_names
        found = into[:, units] * self.units.table[units, which, 3]
        both = torch.stack([found, -found], 1) if self.demands.per_pattern == 2 else found
        return _numpy(both.reshape(-1))

    def kink_couplings(self, x: Vector, kinks: Indices) -> Vector:
        """Return ``∂z_j/∂max(z_k, 0)`` of some kinks, ``(len(kinks), len(kinks))``."""
        if not len(kinks) or self.pieces is None:
            return np.zeros((len(kinks), len(kinks)))
        places, (units, which) = self._index(kinks), self._kink_names
        patterns = places // (len(units) * self.demands.per_pattern)
        k = places % len(units)
        pieces = (self.pieces[0][patterns], self.pieces[1][patterns])
        found = self.passes.unit_responses(
            self._tensor(x), self.inputs[patterns], units[k], pieces
        )[:, units[k]]
        owners = self.kink_owners()[kinks]
        jumps = self.units.table[units[k], which[k], 3]
        couplings: Vector = _numpy(found * jumps) * (owners[:, None] == owners)
        return couplings

    def branch(self, x: Vector, held: Indices, masks: Vector) -> "ModuleProblem":
        """Return the module whose units keep the slopes of ``x``, and where ``held`` the masks.

        A mask 0 is the slope below the kink, and 1 that above it.
        """
        if not self._n_kinks:
            return self
        with torch.no_grad():
            z = replace(self, pieces=None).preactivations(self._tensor(x))
        slopes, offsets = self.units.pieces(z)
        units, which = self._kink_names
        places, t = self._index(held), torch.tensor(masks, dtype=z.dtype, device=z.device)
        k = places % len(units)
        patterns = places // (len(units) * self.demands.per_pattern)
        position, value, below, jump = self.units.table[units[k], which[k]].unbind(-1)
        slopes[patterns, units[k]] = below + t * jump
        offsets[patterns, units[k]] = value - (below + t * jump) * position
        return replace(self, pieces=(slopes, offsets))

    # What minimisers use, in torch.

    def all_gaps(self, w: Tensor) -> Tensor:
        """Return ``Δ``, ``(P, k)``."""
        return self.demands.gaps(self._outputs(w))

    def plain_gaps(self, w: Tensor) -> Tensor:
        """Return the same, ``(P, k)``, for a gradient and no second derivative: faster."""
        return self.demands.gaps(self.passes.plain_outputs(w, self.inputs))

    def taken(self, index: Indices) -> "ModuleProblem":
        """Return the problem of some of the patterns."""
        rows = self._index(np.asarray(index, dtype=np.intp))
        return replace(self, inputs=self.inputs[rows], demands=self.demands.taken(rows))

    def preactivations(self, w: Tensor, index: Tensor | None = None) -> Tensor:
        """Return ``z`` of every unit, ``(P, U)``, of all patterns or of some."""
        inputs = self.inputs if index is None else self.inputs[index]
        tape = Tape(self.pieces if index is None else self._at(index))
        self.passes.outputs(w, inputs, tape)
        return torch.cat([z.reshape(len(inputs), -1) for z in tape.z], dim=1)

    def jacobian(self, w: Tensor, rows: Tensor, pieces: Pieces | None = None) -> Tensor:
        """Return the rows of ``∂Δ/∂w``, ``(len(rows), n_dof)``; ``pieces`` are of all patterns."""
        patterns, cotangents = self.demands.cotangents(rows)
        return self.passes.rows(w, self.inputs[patterns], cotangents, self._at(patterns, pieces))

    def bent(self, w: Tensor, rows: Tensor, forces: Tensor, pieces: Pieces | None) -> Tensor:
        """Return ``Σ_r forces_r ∂²Δ_r/∂w²``, ``(n_dof, n_dof)``."""
        index, weights = self._weights(rows, forces)
        return self.passes.curvature(w, self.inputs[index], weights, self._at(index, pieces))

    def _weights(self, rows: Tensor, forces: Tensor) -> tuple[Tensor, Tensor]:
        """Return the patterns of gaps, and what their forces weigh each output with, ``(p, C)``."""
        patterns, cotangents = self.demands.cotangents(rows)
        index, place = torch.unique(patterns, return_inverse=True)
        weights = cotangents.new_zeros(len(index), self.demands.n_outputs)
        return index, weights.index_add_(0, place, forces[:, None] * cotangents)

    def _at(self, index: Tensor, pieces: Pieces | None = None) -> Pieces | None:
        pieces = self.pieces if pieces is None else pieces
        return None if pieces is None else (pieces[0][index], pieces[1][index])

    def _outputs(self, w: Tensor) -> Tensor:
        tape = None if self.pieces is None else Tape(self.pieces)
        return self.passes.outputs(w, self.inputs, tape)

    def _violated(self, x: Vector) -> tuple[Tensor, Tensor, Tensor]:
        """Return parameters, forces, and the places of the violated gaps."""
        w = self._tensor(x)
        with torch.no_grad():
            forces = self.demands.gaps(self._outputs(w)).reshape(-1).clamp(min=0)
        return w, forces, torch.nonzero(forces)[:, 0]

    @property
    def _n_kinks(self) -> int:
        """Number of units whose kinks are told to the exact solver, of each pattern."""
        return len(self.units) if self.owns_kinks and self.resolves_kinks else 0

    @property
    def _kink_names(self) -> tuple[Tensor, Tensor]:
        """Return unit and number of each kink of a pattern."""
        there = torch.isfinite(self.units.table[:, :, 0]) & self.units.moving[:, None]
        units, which = torch.nonzero(there).unbind(1)
        return units, which

    def _index(self, places: Indices) -> Tensor:
        return torch.as_tensor(places, device=self.inputs.device)

    def _tensor(self, x: Vector) -> Tensor:
        return torch.tensor(state(x, self.n_dof), device=self.inputs.device)


def count_weights(module: torch.nn.Module) -> int:
    """Return the number of trained parameters with two indices or more; of all if none has."""
    trained = [p for p in module.parameters() if p.requires_grad]
    return sum(p.numel() for p in trained if p.ndim > 1) or sum(p.numel() for p in trained)


def gradients(number: Tensor, parts: list[Tensor]) -> list[Tensor]:
    """Return the derivatives by each part, zero where the number does not depend on it."""
    moving = [part for part in parts if part.requires_grad]
    found = iter(torch.autograd.grad(number, moving, allow_unused=True) if moving else ())
    filled = [next(found) if part.requires_grad else None for part in parts]
    return [torch.zeros_like(p) if g is None else g for g, p in zip(filled, parts, strict=True)]


def _numpy(t: Tensor) -> Vector:
    found: Vector = t.detach().cpu().numpy()
    return found
