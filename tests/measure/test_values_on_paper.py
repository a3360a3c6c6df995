"""Counts and physics of small systems, each value known on paper or computed in another way."""

from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest
import torch

from bridge import observe, spectrum
from bridge.avalanches import drive
from bridge.avalanches.sizes import Sizes
from bridge.descent.lbfgs import Minimum
from bridge.descent.newton import Newton
from bridge.landscape.disconnectivity import barrier
from bridge.landscape.graph import Finding, Graph
from bridge.landscape.identity import PlainIdentity
from bridge.landscape.kinetics import fastest_path, rates
from bridge.landscape.stationary_points import StationaryPoint
from networks import HingeNetwork, Mlp, Patterns, random_patterns
from networks.training.anneal import Schedule, anneal
from particles import Discs, Ellipses, minimise
from particles.landscapes.muller_brown import MullerBrown
from particles.packings.elastic import moduli
from particles.packings.pairs import Pairs
from particles.packings.rattler_release import released

from problems import Chain, Halfspaces, Truss

# Counts.


def test_pressure_is_per_degree_of_freedom_that_is_left():
    """``Σ Δ/n``: neither the rattler nor the translation is among the n."""
    assert observe(Chain(3), np.array([0.0, 0.5, 1.0])).pressure == pytest.approx(1.0 / 2)
    assert observe(Chain(3), np.array([0.0, 0.5, 9.0])).pressure == pytest.approx(0.5 / 1)


@pytest.mark.parametrize("size", [1e-12, 1e-15])
def test_a_gap_is_violated_however_small_it_is(size):
    seen = observe(Halfspaces(np.eye(3), np.array([size, -size, 0.0])), np.zeros(3))
    assert seen.n_constraints == 1
    assert (seen.min_force, seen.smallest_gap) == (size, size)
    assert seen.energy == pytest.approx(0.5 * size**2, abs=0)


@dataclass(frozen=True, eq=False)
class Curved(Halfspaces):
    """Two springs of stiffness 1, and a curvature of its own along the second variable."""

    curvature: float = 0.0

    def hvp(self, x, v):
        return super().hvp(x, v) + v * np.array([0.0, self.curvature])


@pytest.mark.parametrize(("times", "zeros"), [(0.5, 1), (2.0, 0), (-0.5, 1), (-2.0, 0)])
def test_an_eigenvalue_just_above_rounding_counts(times, zeros):
    """One spring of stiffness 1: 4 n ε |H| is the size below which an eigenvalue is no number."""
    rounding = 4 * 2 * np.finfo(float).eps
    problem = Curved(np.array([[1.0, 0.0]]), np.array([0.1]), times * rounding)
    found = spectrum(problem, np.zeros(2))
    assert found.zero_modes == zeros
    assert found.negative_modes == found.negative_modes_hp == int(times < -1)


def test_the_cutoff_of_three_avalanches():
    sizes = Sizes(5, [np.array([1.0, 2.0]), np.empty(0), np.array([3.0, 0.25])], 0.5)
    assert sizes.count == 3
    assert sizes.cutoff() == pytest.approx((1 + 4 + 9) / (1 + 2 + 3))


# Avalanches.


@dataclass(frozen=True, eq=False)
class TwoFloors(Truss):
    """The arch that falls on two floors: its bars open, which is one gap, and two gaps close."""

    def gaps(self, x):
        return np.append(super().gaps(x), -x[0] - 1.2)

    def gap_jacobian(self, x, rows=None):
        jacobian = np.array([[-x[0]], [1.0], [-1.0], [-1.0]])
        return jacobian if rows is None else jacobian[rows]

    def tightening(self, x):
        return np.array([0.0, 1.0, 0.0, 0.0])


def test_what_closed_is_not_what_opened():
    start, loads = np.array([2.5]), np.linspace(3.5, 4.5, 21)
    (snap,) = drive(TwoFloors(), start, loads).avalanches
    before = TwoFloors(snap.load).gaps(np.array([1.0])) > 0
    assert before.tolist() == [True, True, False, False]
    after = TwoFloors(snap.load + snap.width).gaps(drive(TwoFloors(), start, loads).x) > 0
    assert (snap.closed, snap.opened) == (
        int((after & ~before).sum()),
        int((before & ~after).sum()),
    )
    assert snap.closed == 2


@dataclass(frozen=True, eq=False)
class Crossing:
    """Two states, x = 0 with ``Δ = 1 + t`` and x = 1 with ``Δ = 2 - t``: equal at t = ½."""

    load: float = 0.0
    n_dof = 1

    def gaps(self, x):
        return np.array([(1 - x[0]) * (1 + self.load) + x[0] * (2 - self.load)])

    def energy_gradient(self, x):
        (gap,) = self.gaps(x)
        return 0.5 * float(gap) ** 2, gap * np.array([1 - 2 * self.load])

    def zero_modes(self, x):
        return np.zeros((0, 1))

    def tightening(self, x):
        return np.array([1 - 2 * x[0]])

    def tightened(self, t):
        return Crossing(self.load + t)


def stays(problem, x):
    """The first state gives way at t = ¾; the second one holds wherever the load goes."""
    y = np.ones(1) if x[0] == 1.0 or problem.load >= 0.75 else np.zeros(1)
    return Minimum(problem, y, *problem.energy_gradient(y), 1, "jammed")


def test_a_step_that_does_not_lead_back_is_walked_in_shorter_ones():
    """Over 0..1 loaded first or last, the losses are 3/2 and -3/2: their mean hides the jump.

    On the way back the state does not return, so the step is halved until it is seen: at ¾, where
    ``½ (7/4)² - ½ (5/4)² = 3/4`` is lost, and the pull on the load falls by ``7/4 + 5/4``.
    """
    found = drive(
        Crossing(), np.zeros(1), [0.0, 1.0], minimise=stays, halvings=10, with_spectra=False
    )
    (jump,) = found.avalanches
    assert jump.load + jump.width == pytest.approx(0.75)
    assert jump.width == pytest.approx(2.0**-10)
    assert jump.drop == pytest.approx(0.75, rel=3e-3)
    assert jump.relief == pytest.approx(3.0, rel=3e-3)


# Elasticity and packings.


def test_the_shear_modulus_is_the_mean_of_its_directions():
    packing = Discs.bidisperse(30, 0.9)
    x = minimise(packing, packing.random_state(np.random.default_rng(3)), relative=1e-10).x
    found = moduli(packing, x)
    assert abs(found.shears[0] - found.shears[1]) > 0.01 * found.shear  # it matters which
    assert found.shear == pytest.approx(0.5 * (found.shears[0] + found.shears[1]), rel=1e-14)
    turned = Discs(packing.diameters, packing.box[::-1])
    mirrored = moduli(turned, x.reshape(-1, 2)[:, ::-1].ravel())
    assert mirrored.shears == pytest.approx(found.shears, rel=1e-6)


@pytest.mark.parametrize("room", [1e-3, 1e-5, 1e-7])
def test_a_rattler_finds_room_in_a_narrow_cage(room):
    """One disc of a crystal is smaller by 2·room, and leans on a neighbour by 1e-9.

    The opposite neighbour is a little away, so that a disc that is grown by more than its room is
    pushed past the middle of its cage, onto two others.
    """
    a = 1.0 - 1e-2
    cell = np.array([[0.0, 0.0], [0.5, np.sqrt(3) / 2]])
    shifts = [np.array([i, j * np.sqrt(3)]) for i in range(4) for j in range(2)]
    centres = a * np.concatenate([cell + shift for shift in shifts])
    diameters = np.ones(16)
    diameters[0] = 2.0 * (a - room) - 1.0
    packing = Discs(diameters, a * np.array([4.0, 2.0 * np.sqrt(3)]))
    centres[0, 0] -= room + 1e-9
    centres[4, 0] += 1e-3
    x = centres.ravel()
    assert np.flatnonzero(packing.rattlers(x)).tolist() == [0]
    assert observe(packing, x).n_constraints == 48 - 6  # what holds the others
    free = released(packing, x)
    near, slopes = packing.near(free)
    assert not ((slopes.gap > 0) & ((near.i == 0) | (near.j == 0))).any()
    assert np.array_equal(free[2:], x[2:])


@pytest.mark.parametrize("seed", range(3))
def test_the_list_of_ellipses_misses_no_pair(seed):
    """Against every image of every pair: contacts, energy and near pairs alike."""
    rng = np.random.default_rng(seed)
    packing = Ellipses.bidisperse(14, 0.9, aspect=2.5)
    x = packing.random_state(rng)
    centres, n = packing.centres(x), packing.n_bodies
    rows = [
        (i, j, centres[j] - centres[i] + image * packing.box, image * packing.box)
        for image in map(np.array, product(range(-2, 3), repeat=2))
        for i in range(n)
        for j in range(i, n)
        if i < j or tuple(image) > (0, 0)
    ]
    i, j, vector, image = (np.array(column) for column in zip(*rows, strict=True))
    gaps = packing.slopes(x, Pairs(i, j, vector, image)).gap
    near, slopes = packing.near(x)
    for least in (0.0, -packing.reach):
        expected = np.sort(gaps[gaps > least])
        assert np.sort(slopes.gap[slopes.gap > least]) == pytest.approx(expected, abs=1e-12)
    energy, _ = packing.energy_gradient(x)
    assert energy == pytest.approx(0.5 * (gaps[gaps > 0] ** 2).sum(), rel=1e-12)
    assert len(near) == (gaps > -packing.reach).sum()


# Descents.


@dataclass(frozen=True)
class TwoWells:
    """``U = (x² - 1)²/4 + y²/2 + 1``: a saddle at 0 that no gradient leaves, U = 1 at ±1."""

    n_dof = 2

    def energy_gradient(self, x):
        a, b = x
        return 0.25 * (a * a - 1) ** 2 + 0.5 * b * b + 1.0, np.array([a * (a * a - 1), b])

    def hvp(self, x, v):
        return v * np.array([3 * x[0] ** 2 - 1, 1.0])

    def zero_modes(self, x):
        return np.zeros((0, 2))


@pytest.mark.parametrize("y", [0.0, 0.7])
def test_newton_leaves_a_symmetric_saddle(y):
    end = Newton()(TwoWells(), np.array([0.0, y]))
    assert end.status == "jammed"
    assert np.abs(end.x) == pytest.approx([1.0, 0.0], abs=1e-6)
    assert end.energy == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("steps", [1, 3])
def test_steps_of_adam_are_those_of_torch(steps):
    """On ``U/P`` at a constant rate, with its corrections for the zero start of both averages."""
    rng = np.random.default_rng(0)
    patterns = random_patterns(9, 3, rng)
    problem = HingeNetwork(Mlp(3, 4, 1, "tanh"), Patterns(patterns.x, patterns.y))
    start = problem.mlp.init(rng)
    schedule = Schedule(0.01, 0.01, stages=1, warmup=0.0, momentum=0.9, memory=0.99)
    ((_, found),) = anneal([problem], [start], steps=steps, schedule=schedule)
    w = torch.tensor(start, requires_grad=True)
    adam = torch.optim.Adam([w], lr=0.01, betas=(0.9, 0.99), eps=1e-8)
    for _ in range(steps):
        w.grad = torch.tensor(problem.energy_gradient(w.detach().numpy())[1] / 9)
        adam.step()
    assert found.x == pytest.approx(w.detach().numpy(), rel=1e-12, abs=1e-14)


# Landscapes.


def well(x, energy, log_det):
    return StationaryPoint(np.array([x, 0.0]), energy, 0, log_det, 1, np.exp(log_det), 0.0)


def two_wells(*passes):
    """Two wells in one variable, ω = 2 and 3 and V = 0 and -0.5; ``passes`` are energies."""
    graph = Graph(PlainIdentity(MullerBrown()))
    wells = well(-5.0, 0.0, np.log(4.0)), well(5.0, -0.5, np.log(9.0))
    for number, energy in enumerate(passes):
        saddle = StationaryPoint(
            np.array([0.0, 5.0 * number]), energy, 1, np.log(7.0), 1, -7.0, 0.0
        )
        graph.absorb(Finding("climb", number, 0, "found", saddle, wells))
    return graph


def test_two_saddles_of_one_pair_add_up_in_the_rate():
    """``k = (ω/2π) Σ_t exp(-ΔV_t/T)``."""
    t = 0.4
    found = rates(two_wells(1.0, 1.3), t).constants
    expected = 2.0 / (2 * np.pi) * (np.exp(-1.0 / t) + np.exp(-1.3 / t))
    assert found[0, 1] == pytest.approx(expected)
    expected = 3.0 / (2 * np.pi) * (np.exp(-1.5 / t) + np.exp(-1.8 / t))
    assert found[1, 0] == pytest.approx(expected)


def test_a_path_goes_over_the_saddle_that_carries_most():
    for order in ((1.3, 1.0), (1.0, 1.3)):
        path = fastest_path(two_wells(*order), 0.4, 0, 1)
        assert path is not None
        assert path.minima == (0, 1)
        assert path.saddles == (order.index(1.0),)
    # A wide pass that is higher: its real mode is soft, and it carries more where it is warm.
    graph = Graph(PlainIdentity(MullerBrown()))
    wells = [StationaryPoint(np.array([x, 0.0]), 0.0, 0, 0.0, 2, 1.0, 0.0) for x in (-5.0, 5.0)]
    for number, (energy, stiffness) in enumerate([(1.0, 100.0), (1.2, 0.01)]):
        place = np.array([0.0, 5.0 * number])
        saddle = StationaryPoint(place, energy, 1, np.log(2.0 * stiffness), 2, -2.0, 0.0)
        graph.absorb(Finding("climb", number, 0, "found", saddle, tuple(wells)))
    for t, best in ((0.01, 0), (1.0, 1)):
        path = fastest_path(graph, t, 0, 1)
        assert path is not None
        assert path.saddles == (best,)


def test_free_energies_of_two_wells_and_the_barrier_between_them():
    """``F = V + T ln(ω/T)`` of a well; the barrier is ``V_t - T ln 2`` for two equal passes.

    Both are on one scale: ``k = ν exp(-ΔF/T)`` with ν = ω of the lowest well, divided by 2π.
    """
    t = 0.3
    for passes, multiple in (((1.0,), 1), ((1.0, 1.0), 2)):
        graph = two_wells(*passes)
        tree = graph.tree(temperature=t)
        wells = [0.0 + t * np.log(2.0 / t), -0.5 + t * np.log(3.0 / t)]
        assert tree.energy[:2] == pytest.approx(wells)
        top = barrier(tree, 0, 1)
        assert top == pytest.approx(1.0 + t * np.log(3.0 / t) - t * np.log(multiple))
        constants = 2 * np.pi * rates(graph, t).constants
        for a, b in ((0, 1), (1, 0)):
            assert 3.0 * np.exp(-(top - wells[a]) / t) == pytest.approx(constants[a, b])


def test_a_pass_below_its_well_stands_level_with_it():
    """Where it is warm, 40 saddles between two wells leave no barrier."""
    tree = two_wells(*np.linspace(0.1, 0.2, 40)).tree(temperature=2.0)
    assert barrier(tree, 0, 1) == pytest.approx(tree.energy[:2].max())
