"""Continuous symmetries of a module: proposed from the shapes of its layers, and then tried.

A unit between two layers may be rescaled if nothing but a homogeneous function is between, mixed
with the others if nothing is; outputs that are only compared may all be shifted, and what a layer
norm receives too; and a bias may be left to that of the next layer. Queries and keys of attention
may be mixed against each other within a head, and so may values and what reads them; the bias of
values is left to that of the output. Each of these is a vector field linear in the parameters, or
constant. Those, or their sums, that leave all gaps alone, at random states, are kept. What they
leave out is found by `networks.models.flat_directions`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor

if TYPE_CHECKING:
    from networks.models.module import ModuleProblem

Vector: TypeAlias = NDArray[np.float64]
Places: TypeAlias = NDArray[np.intp]

_MOST_PATTERNS = 48  # on which a symmetry is tried
_STATES = 3  # random states
_UNCHANGED = 1e-9  # change of the gaps along a symmetry, relative to that along other directions
_NOTHING = 1e-14  # slope of the gaps beside the largest: of rounding
_MOST = 4096  # fields tried, of one pair of layers
_FEW = 64  # fields that are tried first: if none of them holds, the others do not either


@dataclass(frozen=True, eq=False)
class Generator:
    """A vector field ``ẇ_target = coefficient w_source``; constant where the source is -1."""

    targets: Places
    sources: Places
    coefficients: Vector

    def tangent(self, x: Vector) -> Vector:
        """Return the field at ``x``, ``(n_dof,)``."""
        found = np.zeros_like(x)
        source = np.where(self.sources < 0, 1.0, x[self.sources])
        np.add.at(found, self.targets, self.coefficients * source)
        return found

    @staticmethod
    def sum(fields: "list[Generator]", weights: Vector) -> "Generator":
        """Return ``Σ_k weights_k fields_k``."""
        return Generator(
            np.concatenate([field.targets for field in fields]),
            np.concatenate([field.sources for field in fields]),
            np.concatenate([c * f.coefficients for c, f in zip(weights, fields, strict=True)]),
        )

    @property
    def rescales(self) -> bool:
        """Whether each parameter grows in proportion to itself."""
        return np.array_equal(self.targets, self.sources)

    @staticmethod
    def random_images(
        generators: "tuple[Generator, ...]", x: Vector, rng: np.random.Generator
    ) -> "Iterator[tuple[str, Vector]]":
        """Yield a state with random rescalings and shifts."""
        found = x.copy()
        for generator in generators:
            c = rng.uniform(-1.0, 1.0)
            if generator.rescales:
                found[generator.targets] *= np.exp(c * generator.coefficients)
            elif (generator.sources < 0).all():
                found[generator.targets] += c * generator.coefficients
        if generators:
            yield "rescaling and shift of units", found


def modes(
    generators: tuple[Generator, ...], x: Vector, combinations: Vector | None = None
) -> Vector:
    """Return orthonormal rows that span all fields at ``x``, ``(k, n_dof)``.

    With ``combinations``, ``(r, generators)``, only these sums of them.
    """
    tangents = np.array([g.tangent(x) for g in generators]).reshape(-1, len(x))
    if combinations is not None:
        tangents = combinations @ tangents
    norms = np.linalg.norm(tangents, axis=1)
    tangents = tangents[norms > 0] / norms[norms > 0, None]
    if not len(tangents):
        return np.zeros((0, len(x)))
    _, sizes, rows = np.linalg.svd(tangents, full_matrices=False)
    return np.asarray(rows[sizes > 1e-10])


def rotations(generators: tuple[Generator, ...], n_dof: int) -> Vector:
    """Return the sums of fields that keep ``|x|`` at every ``x``: ``(r, generators)``, orthonormal.

    A field ``ẋ = A x`` keeps it if ``A`` is antisymmetric; a shift never does.
    """
    count, n = len(generators), n_dof
    if not count:
        return np.zeros((0, 0))
    sizes = [len(g.targets) for g in generators]
    columns = np.repeat(np.arange(count), sizes)
    a, b = (np.concatenate([getattr(g, k) for g in generators]) for k in ("targets", "sources"))
    values, shift = np.concatenate([g.coefficients for g in generators]), b < 0

    def gram(rows: Places, columns: Places, values: Vector) -> Vector:
        matrix = sparse.coo_array((values, (rows, columns)), shape=(n * n + n, count)).tocsr()
        return np.asarray((matrix.T @ matrix).toarray())

    there = np.where(shift, n * n + a, a * n + b)
    turned = np.where(shift, there, b * n + a)
    both = np.concatenate([there, turned]), np.tile(columns, 2), np.tile(values, 2)
    changes, vectors = np.linalg.eigh(gram(*both))
    kept = vectors[:, changes < _UNCHANGED * changes.max()]
    # Fields that are not independent have sums that are no field at all.
    moves, turns = np.linalg.eigh(kept.T @ gram(there, columns, values) @ kept)
    return np.asarray((kept @ turns[:, moves > _UNCHANGED]).T)


def balanced(generators: tuple[Generator, ...], x: Vector, sweeps: int = 200) -> Vector:
    """Return the same function with units rescaled to the smallest norm ``|x|``."""
    found = x.copy()
    scales = [(g.targets, g.coefficients) for g in generators if g.rescales]
    for _ in range(sweeps):
        largest = 0.0
        for places, signs in scales:
            up, down = places[signs > 0], places[signs < 0]
            a, b = np.linalg.norm(found[up]), np.linalg.norm(found[down])
            if a > 0 and b > 0:
                c = float(np.sqrt(b / a))
                found[up] *= c
                found[down] /= c
                largest = max(largest, abs(np.log(c)))
        if largest < 1e-12:
            break
    return found


def random_states(start: Vector, rng: np.random.Generator) -> list[Vector]:
    """Return a few states, as far from the start as it is from the origin."""
    size = max(float(np.sqrt(np.mean(start**2))), 0.1)
    return [start + size * rng.standard_normal(len(start)) for _ in range(_STATES)]


def symmetries(
    problem: "ModuleProblem", places: list[Vector], rng: np.random.Generator
) -> tuple[Generator, ...]:
    """Return the proposed symmetries that hold at random states."""
    few = problem.taken(np.arange(min(_MOST_PATTERNS, len(problem.demands))))
    states, found = [(x, few.gap_jacobian(x)) for x in places], list[Generator]()
    smooth = not (len(problem.units) or problem.units.not_resolved)
    for fields in _proposals(problem.module, problem.passes.trained(), smooth=smooth):
        if not fields:
            continue
        held = _holding(fields[:_FEW], states, rng)
        if held and len(fields) > _FEW:
            held = _holding(fields[:_MOST], states, rng)
        elif not held and smooth and len(fields) <= _FEW and fields[0].sources[0] >= 0:
            held = _holding(_sums(fields, states), states, rng)
        found += held
    return tuple(found)


def _sums(fields: list[Generator], states: list[tuple[Vector, Vector]]) -> list[Generator]:
    """Return sums of fields along which no gap changes, where none does so by itself.

    Such are the turns of what a layer norm puts out, of which the sum is zero.
    """
    along = [np.array([field.tangent(x) for field in fields]) @ rows.T for x, rows in states]
    changes = np.concatenate(along, axis=1)
    if changes.shape[1] < len(fields):
        return []
    vectors, sizes, _ = np.linalg.svd(changes, full_matrices=False)
    return [Generator.sum(fields, v) for v in vectors.T[sizes < _UNCHANGED * sizes[0]]]


def _holding(
    fields: list[Generator], states: list[tuple[Vector, Vector]], rng: np.random.Generator
) -> list[Generator]:
    """Return the fields along which no gap changes, while it does along others nearby.

    ``states`` are random ones, each with the Jacobian there.
    """
    seen, broken = np.zeros((2, len(fields)), dtype=bool)
    for x, jacobian in states:
        along = np.array([field.tangent(x) for field in fields]).reshape(-1, len(x))
        others = along * rng.uniform(0.5, 1.5, size=along.shape)
        change, beside = (np.linalg.norm(rows @ jacobian.T, axis=1) for rows in (along, others))
        seen |= beside > _NOTHING * beside.max(initial=0.0)
        broken |= change > _UNCHANGED * beside
    return [field for field, good in zip(fields, seen & ~broken, strict=True) if good]


def _proposals(
    module: torch.nn.Module, trained: dict[str, Tensor], *, smooth: bool
) -> Iterator[list[Generator]]:
    """Yield the fields that a pair of layers, or one layer, might have."""
    places, start = {}, 0
    for name, p in trained.items():
        places[name] = np.arange(start, start + p.numel()).reshape(p.shape)
        start += p.numel()
    layers: dict[str, list[Places]] = {}
    for name, place in places.items():
        if place.ndim:
            layers.setdefault(name.rpartition(".")[0], []).append(place)
    writers = [_rows(arrays, h) for arrays in layers.values() for h in {a.shape[0] for a in arrays}]
    # What reads numbers of sum zero, of a norm, may grow by one number for all of them.
    yield from ([_shift(row) for row in reader] for reader in places.values() if reader.ndim == 2)
    for writer in writers:
        yield [_shift(writer[:, j]) for j in range(writer.shape[1])]
        for reader in places.values():
            h = len(writer)
            fits = reader.ndim > 1 and reader.shape[1] % h == 0
            if fits and not np.isin(reader, writer).any():
                yield from _mixings(writer, _columns(reader, h))
    # A rectifier may be open on all patterns of all states tried: its bias is left nowhere.
    if smooth:
        yield from _left_biases(places)
    for name, part in module.named_modules():
        if isinstance(part, torch.nn.MultiheadAttention):
            yield from _of_attention(part, f"{name}." if name else "", places)


def _left_biases(places: dict[str, Places]) -> Iterator[list[Generator]]:
    """Yield, of each bias and each later layer with one, what the first may leave to the second."""
    for bias in (place for place in places.values() if place.ndim == 1):
        for name, reader in places.items():
            after = places.get(f"{name.removesuffix('weight')}bias")
            if after is None or after is bias or reader.ndim != 2:
                continue
            if reader.shape == (len(after), len(bias)):
                yield _passed_on(bias, reader, after)


def _of_attention(
    part: torch.nn.MultiheadAttention, prefix: str, places: dict[str, Places]
) -> Iterator[list[Generator]]:
    """Yield what may be mixed within each head, and what biases of values leave to the output."""
    weight, bias = (places.get(f"{prefix}in_proj_{kind}") for kind in ("weight", "bias"))
    out = places.get(f"{prefix}out_proj.weight")
    if weight is None or out is None:
        return
    d = weight.shape[1]
    stacked = _rows([weight] if bias is None else [weight, bias], 3 * d)
    q, k, v = (stacked[i * d : (i + 1) * d] for i in range(3))
    for head in range(part.num_heads):
        units = slice(head * part.head_dim, (head + 1) * part.head_dim)
        yield from _mixings(q[units], k[units])
        yield from _mixings(v[units], out.T[units])
    after = places.get(f"{prefix}out_proj.bias")
    if bias is not None and after is not None:  # what is attended to has the sum one
        yield _passed_on(bias[2 * d :], out, after)


def _passed_on(bias: Places, reader: Places, after: Places) -> list[Generator]:
    """Return what a bias may leave to that of the next layer: ``ḃ_i = 1`` and ``ċ_j = -R_ji``."""
    signs = np.concatenate([[1.0], -np.ones(len(after))])
    return [
        Generator(np.append(place, after), np.append(-1, column), signs)
        for place, column in zip(bias, reader.T, strict=True)
    ]


def _mixings(writer: Places, reader: Places) -> Iterator[list[Generator]]:
    """Yield rescalings of each unit, and mixings of two: ``ẇ_i = w_j`` and ``ṙ_j = -r_i``."""

    def field(i: int, j: int) -> Generator:
        targets = np.concatenate([writer[i], reader[j]])
        sources = np.concatenate([writer[j], reader[i]])
        signs = np.concatenate([np.ones(len(writer[i])), -np.ones(len(reader[j]))])
        return Generator(targets, sources, signs)

    h = len(writer)
    yield [field(i, i) for i in range(h)]
    if h * h <= _MOST:
        yield [field(i, j) for i, j in product(range(h), repeat=2) if i != j]


def _shift(places: Places) -> Generator:
    return Generator(places, np.full(len(places), -1), np.ones(len(places)))


def _rows(arrays: list[Places], h: int) -> Places:
    """Return the parameters of each of ``h`` units, ``(h, r)``."""
    return np.concatenate([a.reshape(h, -1) for a in arrays if a.shape[0] == h], axis=1)


def _columns(reader: Places, h: int) -> Places:
    """Return what reads each of ``h`` units, ``(h, r)``; a unit may be read by several columns."""
    moved = np.moveaxis(reader, 1, 0)
    return moved.reshape(h, -1)
