"""Minima and saddles of packings and perceptrons: free bodies, contacts on the verge, lengths."""

import numpy as np
import pytest

from bridge.landscape.explore import Explorer
from bridge.landscape.graph import Catalogue, Graph
from bridge.landscape.identity import GapIdentity, flat_directions, identity_of
from bridge.landscape.quench import quench
from bridge.landscape.stationary_points import (
    StationaryPoint,
    certify_point,
    model,
    touches_released,
)
from particles.packings.discs import Discs
from particles.perceptron.perceptron import Perceptron


def test_packings_with_rattlers_have_certified_minima():
    packing = Discs.bidisperse(8, 0.92)
    rng = np.random.default_rng(0)
    identity = identity_of(packing)
    assert isinstance(identity, GapIdentity)
    found = [quench(packing, packing.random_state(rng), identity, rough=True) for _ in range(25)]
    minima = [point for point in found if isinstance(point, StationaryPoint)]
    assert len(minima) >= 10
    catalogue = Catalogue(identity)
    for point in minima:
        number = catalogue.number(point)
        flat = flat_directions(packing, point.x)
        assert point.n_modes == packing.n_dof - len(flat)
        assert len(flat) == 2 + 2 * int(packing.rattlers(point.x).sum())
        for _, image in packing.equivalents(point.x, rng):
            again = quench(packing, image, identity)
            assert isinstance(again, StationaryPoint)
            assert catalogue.number(again) == number


def test_a_rattler_that_lies_against_its_cage_adds_no_stiffness():
    """Laid against a neighbour by 1e-11: no certificate, but the same one as free once released."""
    packing, rng = Discs.bidisperse(10, 0.88), np.random.default_rng(0)
    identity = identity_of(packing)
    found = [quench(packing, packing.random_state(rng), identity, rough=True) for _ in range(9)]
    minima = [point for point in found if isinstance(point, StationaryPoint)]
    point = next(point for point in minima if packing.rattlers(point.x).any())
    variables = packing.frozen(point.x)[0]
    x = point.x.copy()
    slopes = packing.gap_jacobian(x).toarray()
    touches = np.abs(slopes[:, variables]).max(axis=1) > 0
    nearest = np.flatnonzero(touches)[packing.gaps(x)[touches].argmax()]
    for _ in range(8):  # Newton's method
        row = packing.gap_jacobian(x).toarray()[nearest, variables]
        x[variables] += (1e-11 - packing.gaps(x)[nearest]) * row / (row @ row)
    here = model(packing, x)
    assert "open or closed" in certify_point(here, 0)
    again = certify_point(touches_released(packing, here), 0)
    assert isinstance(again, StationaryPoint)
    assert again.log_det == pytest.approx(point.log_det, abs=1e-9)
    assert here.values[0] >= -here.floor


def test_the_length_of_a_perceptron_makes_no_new_minimum():
    problem = Perceptron.random(8, 6.0, -0.5, np.random.default_rng(1))
    explorer = Explorer(problem, identity_of(problem), problem.random_state)
    graph = Graph(explorer.identity)
    for finding in explorer.quenches(range(12)):
        graph.absorb(finding)
    for finding in explorer.climbs(graph, range(30)):
        graph.absorb(finding)
    for number, point in enumerate(graph.minima):
        longer = quench(problem, 3.0 * point.x, graph.identity)
        assert isinstance(longer, StationaryPoint)
        assert graph.minima.find(longer) == number
        assert point.n_modes == 7
    for saddle, (a, b) in zip(graph.saddles, graph.ends, strict=True):
        assert saddle.energy > max(graph.minima[a].energy, graph.minima[b].energy)
