"""Every claim can be confirmed, refuted and left open, by records whose answer is known."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from made_records import CASES, bisections, descents, landscapes, made, single, violations
from scipy.stats import linregress

from bridge.claims.avalanches import ROUGH_LOADING
from bridge.claims.claim import Estimate
from bridge.claims.deep import _barriers
from bridge.claims.estimates import column, exponent, farthest, mean, of_kind, share_of
from bridge.claims.glass import lesson
from bridge.claims.kinetics import NETWORK, _imbalance, _small_world
from bridge.claims.learning import SERIES
from bridge.claims.noise import NOISE, half_way, noisy
from bridge.claims.table import CLAIMS
from bridge.claims.threshold import LARGE, SMALL, TANH
from bridge.claims.trials import conclusion
from bridge.claims.xor import XOR
from bridge.landscape.kinetics import Rates
from bridge.landscape.network_measures import Measures
from bridge.landscape.stationary_points import StationaryPoint
from networks.data.outcomes import digit_outcomes

every_claim = pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)


def named(name):
    return next(claim for claim in CLAIMS if claim.name == name)


def verdict(name, records):
    return conclusion(named(name), records).verdict


@every_claim
def test_records_that_agree_confirm_it(claim):
    case = CASES[claim.name]
    found = conclusion(claim, case.confirming)
    assert found.found.value == pytest.approx(case.value, abs=case.within)
    assert found.verdict == "confirmed", found.found


@every_claim
def test_records_that_contradict_it_refute_it(claim):
    found = conclusion(claim, CASES[claim.name].refuting)
    assert found.verdict == "not confirmed", found.found


@every_claim
def test_nothing_leaves_it_open(claim):
    assert conclusion(claim, []).verdict == "undecided"


@every_claim
def test_too_few_leave_it_open(claim):
    assert (
        conclusion(claim, CASES[claim.name].confirming[: claim.fewest - 1]).verdict == "undecided"
    )


@every_claim
def test_runs_without_an_end_leave_it_open(claim):
    """Half of them: a stalled run has neither numbers nor arrays that could be trusted."""
    records = [
        replace(record, status="stalled", data={}, arrays={}) if place % 2 else record
        for place, record in enumerate(CASES[claim.name].confirming)
    ]
    found = conclusion(claim, records)
    assert found.found.stalled > 0
    assert found.verdict == "undecided", found.found


def test_no_case_is_left_of_a_claim_that_is_gone():
    assert set(CASES) == {claim.name for claim in CLAIMS}


# What was confirmed once by records that contradict it.


def test_a_jump_in_ten_of_seventeen_transitions_is_none():
    records = [*bisections(SMALL, 2.5), *bisections(LARGE, 2.5), *bisections(SMALL, 2.5)][:17]
    low = [replace(r, data=dict(r.data) | {"constraint_ratio": 0.1}) for r in records[:7]]
    assert verdict("jump", low + records[7:]) != "confirmed"


@pytest.mark.parametrize("name", ["deep-minima", "little-data-minima"])
def test_as_many_minima_as_starts_say_nothing_of_deep_nets(name):
    full = [replace(r, data={"minima": 60}) for r in CASES[name].confirming]
    assert verdict(name, full) == "undecided"


@pytest.mark.parametrize("name", ["minima-hidden", "minima-decay"])
def test_as_many_minima_as_starts_say_nothing(name):
    assert verdict(name, landscapes(20, 20, full=True)) == "undecided"


def test_the_square_root_of_n_is_no_narrowing_at_the_default_size():
    assert verdict("pspin-narrowing", descents("n", (20, 40, 80), power=0.5)) != "confirmed"
    assert verdict("digits-narrowing", descents("hidden", (3, 12), power=0.5)) != "confirmed"


def test_the_same_errors_are_no_structure():
    assert verdict("misclassification", single("distance", 0.01, 1.0).confirming) == "not confirmed"


def test_one_search_that_finds_all_is_not_enough():
    assert verdict("lj7-minima", made({"minima": np.array([4, 3, 3])})) == "undecided"


def test_few_avalanches_are_not_decided():
    few = [replace(r, arrays={k: v[:0] for k, v in r.arrays.items()})
           for r in CASES["instability"].confirming]  # fmt: skip
    for name in ("instability", "patterns-perceptron", "patterns-network"):
        assert verdict(name, few) == "undecided"


# Errors.


def error(name, records):
    return conclusion(named(name), records).found.error


def test_loadings_are_the_samples_of_a_mean_over_avalanches():
    means = np.arange(3.0, 9.0)
    arrays = {"patterns": [np.array([m - 1, m, m + 1]) for m in means]}
    records = made({"avalanches": np.full(6, 3)}, arrays, **ROUGH_LOADING)
    expected = means.std(ddof=1) / np.sqrt(6)
    assert error("patterns-perceptron", records) == pytest.approx(expected)


def test_the_error_of_a_narrowing_is_that_of_its_standard_deviations():
    x = np.log([20, 40, 80])
    expected = 1 / np.sqrt(2 * 299) / np.sqrt(((x - x.mean()) ** 2).sum())
    records = descents("n", (20, 40, 80), count=300)
    assert error("pspin-narrowing", records) == pytest.approx(expected)


def test_the_error_of_a_scaling_is_that_of_its_loads():
    records = CASES["scaling"].confirming
    of_load = mean(records, "load", **SMALL)
    expected = np.sqrt(2) * of_load.error / of_load.value / np.log(406 / 210)
    assert error("scaling", records) == pytest.approx(expected)


def test_the_error_of_a_limit_is_that_of_a_straight_line():
    records = descents("n", (20, 40, 80))
    shift = column(records, lambda r: r.parameters["n"] ** (-2 / 3))
    line = linregress(shift, column(records, "energy"))
    assert error("pspin-limit", records) == pytest.approx(line.intercept_stderr)


def test_the_error_of_a_difference_of_exponents_is_that_of_both():
    relu, tanh = violations(0.3, SMALL), violations(0.0, TANH)
    tanh = [replace(r, arrays={"gaps": r.arrays["gaps"][k::2]}) for k, r in enumerate(tanh)]
    alone = error("theta-relu", relu)
    other = error("theta-relu", [replace(r, parameters=SMALL) for r in tanh])
    assert error("activation", relu + tanh) == pytest.approx(np.hypot(alone, other))


# Estimates.


def test_an_exponent_has_the_error_of_its_means():
    means = [Estimate(v, 0.1 * v, 5, 1) for v in (1.0, 4.0)]
    found = exponent([1.0, 2.0], means)
    assert found.value == pytest.approx(2.0)
    assert found.error == pytest.approx(0.1 * np.sqrt(2) / np.log(2))
    assert (found.samples, found.stalled) == (10, 2)


def test_what_is_no_power_law_has_a_larger_error():
    at = np.array([1.0, 2.0, 4.0])
    straight, bent = (
        exponent(at, [Estimate(v, 0.01 * v, 5) for v in values])
        for values in (at**0.5, at**0.5 + [0, 0.5, 0])
    )
    assert bent.error > 5 * straight.error


@pytest.mark.parametrize("bad", [Estimate(-1.0, 0.1, 3), Estimate(1.0, np.nan, 1)])
def test_an_exponent_needs_positive_means_with_errors(bad):
    assert np.isnan(exponent([1.0, 2.0], [Estimate(1.0, 0.1, 5), bad]).value)
    assert np.isnan(exponent([1.0], [Estimate(1.0, 0.1, 5)]).value)


def test_a_share_of_few_has_an_error_even_where_all_are_hits():
    few, many = share_of([True] * 4), share_of([True] * 400, stalled=3)
    assert few.value - 2 * few.error < 0.5
    assert many.value - 2 * many.error > 0.98
    assert (many.samples, many.stalled) == (403, 3)
    assert np.isnan(share_of([True] * 4, fewest=5).value)


def test_the_farthest_is_so_either_way():
    found = farthest(made({"v": np.array([1.0, -3.0, 2.0])}), "v")
    assert (found.value, found.error, found.samples) == (-3.0, 0.0, 3)


def test_kinds_are_values_or_one_of_a_tuple():
    records = [r for n in (1, 2, 3) for r in made({"v": np.zeros(2)}, n=n)]
    assert [r.parameters["n"] for r in of_kind(records, n=(1, 3))] == [1, 1, 3, 3]
    assert len(of_kind(records, n=2)) == 2


def test_flows_that_do_not_balance_are_told():
    balanced = Rates(np.array([[0.0, 1.0], [3.0, 0.0]]), np.array([0.75, 0.25]))
    assert _imbalance(balanced) == 0.0
    doubled = replace(balanced, constants=np.array([[0.0, 2.0], [3.0, 0.0]]))
    assert _imbalance(doubled) == pytest.approx((1.5 - 0.75) / (1.5 + 0.75))


def test_the_minima_of_a_small_classifier_balance_and_are_no_network():
    sizes = {"hidden": 2, "l2": 1e-3, "patterns": 20, "searches": 10, "temperature": 0.05}
    found = NETWORK.sample(np.random.default_rng(1), **sizes)
    assert found.values["minima"] == len(found.arrays["nodes"]) < 10
    assert found.status == "stalled"
    assert found.values["imbalance"] < 1e-12
    assert found.values["passage_error"] < 1e-9


def test_half_way_of_two_minima_is_the_half_life_of_their_relaxation():
    both = Rates(np.array([[0.0, 1.0], [3.0, 0.0]]), np.array([0.75, 0.25]))
    time, shares = half_way(both, 1)
    assert time == pytest.approx(np.log(2) / 4)
    assert shares == pytest.approx([0.375, 0.625])


def test_a_pair_that_hardly_leaves_has_no_half_way():
    """The first two minima share a walker, three to one, for longer than anyone can wait."""
    slow = 1e-12
    constants = np.array([[0.0, 1.0, slow], [3.0, 0.0, 0.0], [1e-9 * slow, 0.0, 0.0]])
    weights = np.array([3.0, 1.0, 3e9]) / 3e9
    time, shares = half_way(Rates(constants, weights / weights.sum()), 0)
    assert time == np.inf
    assert shares == pytest.approx([0.75, 0.25, 0.0], abs=1e-3)


def test_noise_in_a_parabola_has_the_variance_of_its_temperature():
    """Of Euler-Maruyama steps ``h`` it is ``T/(1 - h/2)`` where the curvature is 1."""

    class Bowl:
        def energy_gradient(self, x):
            return 0.5 * float(x @ x), x

    x = noisy(Bowl(), np.zeros(20_000), 0.3, 10.0, 100, np.random.default_rng(0))
    assert x.var() == pytest.approx(0.3 / 0.95, rel=0.03)
    assert abs(x.mean()) < 0.02


def test_descents_with_noise_are_counted_where_they_end():
    """A cold one stays where it begins, and rates do not say otherwise."""
    sizes = {"hidden": 3, "l2": 1e-3, "patterns": 20, "searches": 40, "barrier": 0.5, "walkers": 3}
    found = NOISE.sample(np.random.default_rng(0), **sizes)
    assert found.status == "done"
    assert found.arrays["seen"].sum() == pytest.approx(1.0)
    assert found.arrays["expected"].sum() == pytest.approx(1.0)
    (start,) = found.arrays["start"]
    excess = found.arrays["seen"][start] - found.arrays["expected"][start]
    assert found.values["excess"] == pytest.approx(excess)
    assert abs(excess) / 2 <= found.values["distance"] <= 1.0


def test_the_landscape_of_xor_is_embedded_in_wider_ones():
    found = XOR.sample(np.random.default_rng(0), hidden=2, l2=1e-2, searches=40)
    assert found.values["minima"] == len(found.arrays["energies"]) == 5
    assert 5 <= found.values["saddles"] <= 16  # more searches find 16
    assert found.values["embedded"] < 1e-9


def test_what_a_teacher_says_is_not_the_truth():
    taught = lesson(300, 12)
    order = np.random.default_rng(0).permutation(len(digit_outcomes()))[300:600]
    agree = taught.label == digit_outcomes().label[order]
    assert (taught.x == digit_outcomes().x[order]).all()
    assert 0.6 < agree.mean() < 0.97


def test_barriers_are_those_above_the_higher_minimum():
    point = StationaryPoint(np.zeros(2), 0.0, 0, 0.0, 2, 1.0, 0.0)
    graph = SimpleNamespace(
        minima=[replace(point, energy=e) for e in (0.0, 1.0)],
        saddles=[replace(point, energy=e) for e in (3.0, 2.0, 1.5)],
        ends=[(0, 1), (0, 0), (0, 1)],
    )
    assert _barriers(graph).tolist() == [2.0, 0.5]


def test_the_same_quenches_are_seen_at_one_point_or_at_two():
    sizes = {"late": 5, "hidden": 2, "l2": 1e-3, "patterns": 30, "starts": 2}
    found = [SERIES.sample(np.random.default_rng(1), seen=seen, **sizes).values["error"]
             for seen in ("first", "late", "both")]  # fmt: skip
    assert all(0 <= error < 0.5 for error in found)
    assert len(set(found)) > 1


@pytest.mark.parametrize(
    ("graph", "small"),
    [("watts_strogatz", True), ("ring", False), ("random", False)],
)
def test_a_small_world_is_neither_a_lattice_nor_a_random_graph(graph, small):
    import networkx as nx

    n, k = 600, 8
    made_of = {
        "watts_strogatz": lambda: nx.connected_watts_strogatz_graph(n, k, 0.1, seed=1),
        "ring": lambda: nx.watts_strogatz_graph(n, k, 0.0),
        "random": lambda: nx.gnm_random_graph(n, n * k // 2, seed=1),
    }[graph]()
    degrees = [d for _, d in made_of.degree]
    shape = Measures(
        n, made_of.number_of_edges(), 1, float(np.mean(degrees)), max(degrees),
        nx.average_clustering(made_of), nx.average_shortest_path_length(made_of), None, None,
    )  # fmt: skip
    assert (_small_world(shape) > 10) is small
