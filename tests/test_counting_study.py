"""The study of constraints: what its estimators make of records whose answer is known."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from networks import HingeNetwork, Mlp, Patterns

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture(autouse=True)
def _beside_the_scripts(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def point(n, missing, seed=0, *, case=("relu", 1, 12, 1.6), status="jammed", values=(), **more):
    from counting_cases import Case
    from counting_estimates import Point

    numbers = {"status": status, "n": n, "missing": missing} | more
    return Point(Case(*case, seed), numbers, dict(values))


def of_law(law):
    """Return groups of three sizes of four points each, with some scatter that has no mean."""
    from counting_estimates import groups

    found = []
    for size, n in ((12, 150), (17, 300), (24, 600)):
        for seed, off in enumerate((-1, 0, 0, 1)):
            found.append(point(n, law(n) + off, seed, case=("relu", 1, size, 1.6)))
    return groups(found)


@pytest.mark.parametrize(
    ("law", "part", "power"),
    [(lambda n: 5, 0.0, 0.0), (lambda n: n // 5, 0.2, 1.0), (lambda n: 5 + n // 10, 0.1, None)],
)
def test_a_trend_tells_a_fixed_number_from_a_fixed_part(law, part, power):
    from counting_estimates import trend

    found = trend(of_law(law))
    assert found.part == pytest.approx(part, abs=1e-12)
    assert 0.0 < found.part_error < 0.01
    if power is not None:
        assert found.power == pytest.approx(power, abs=1e-12)
        assert 0.0 < found.power_error < 0.2


def test_a_trend_of_the_root_leaves_nothing_by_its_own_line():
    """``missing = 2 √n``: the line in ``1/n`` leaves a part, that in ``1/√n`` none."""
    from counting_estimates import groups, trend

    sizes = ((12, 144), (17, 324), (24, 576))
    every = [
        point(n, 2 * round(n**0.5), seed, case=("relu", 1, size, 1.6))
        for size, n in sizes
        for seed in range(2)
    ]
    found = trend(groups(every))
    assert found.root == pytest.approx(0.0, abs=1e-12)
    assert found.power == pytest.approx(0.5)
    assert found.part > 0.04


def test_a_trend_needs_two_sizes_and_a_power_needs_missing_constraints():
    from counting_estimates import trend

    assert trend(of_law(lambda n: 5)[:1]) is None
    assert np.isnan(trend(of_law(lambda n: 0)).power)


def test_only_certified_points_are_in_the_means_and_all_are_counted():
    from counting_estimates import groups

    others = ("hypostatic", "not fitted", "cut off", "out of time", "raised")
    every = [point(100, 2, 0), point(100, 4, 1)]
    every += [point(100, 90, 2 + i, status=status) for i, status in enumerate(others)]
    (group,) = groups(every)
    assert group.counts == (7, 5, 2)
    assert group.mean(lambda p: p.missing) == (3.0, 1.0)


def test_where_a_dial_ends_angles_are_not_counted_and_bends_are():
    """64 ellipses of which 3 are loose: 183 variables are held, 61 of them angles."""
    ellipses = point(181, 60, case=("ellipses", 0, 64, 1.001), n_symmetries=2)
    assert ellipses.at_the_end_of_the_dial() == (120, -1)
    bends = {"convex": [42, 32], "concave": [7, 7]}
    case = ("softplus:1000", 1, 12, 1.6)
    softplus = point(168, 55, case=case, n_symmetries=1, rounded_kinks=bends)
    assert softplus.at_the_end_of_the_dial(0) == (156, 1)
    assert softplus.at_the_end_of_the_dial(1) == (156, 11)


def test_a_dial_goes_from_its_start_to_its_end():
    from counting_estimates import dial_of, dial_value, groups

    cases = [(f"softplus{beta}", 1, 17, 1.6) for beta in (":1000", ":3", "", ":30")]
    cases += [("softplus:3", 2, 12, 1.6), ("softplus", 1, 12, 1.6), ("ellipses", 0, 128, 1.5)]
    cases += [("ellipses", 0, 128, 1.001)]
    found = groups([point(100, 2, case=case) for case in cases])
    values = [dial_value(group.case) for group in dial_of(found, "softplus", 1)]
    assert values == [1.0, 1 / 3, 1 / 30, 1 / 1000]
    aspects = [dial_value(group.case) for group in dial_of(found, "ellipses")]
    assert aspects == pytest.approx([0.5, 0.001])


@pytest.mark.parametrize(("kind", "power"), [("forces", 0.42311), ("gaps", -0.41269)])
def test_an_exponent_is_that_of_the_values(kind, power):
    from counting_estimates import KINDS, exponent, pooled

    rng = np.random.default_rng(3)
    every = [
        point(100, 0, seed, values={kind: 0.5 * rng.random(400) ** (1 / (1 + power))})
        for seed in range(10)
    ]
    every.append(point(100, 0, 10, status="stalled", values={kind: np.ones(400)}))
    samples = pooled(every, kind)
    fit = exponent(samples, kind, 0.3)
    assert len(samples) == 10
    assert fit.exponent == pytest.approx(power, abs=4 * fit.error)
    assert KINDS[kind] * power > 0.4
    assert 0.005 < fit.error < 0.06
    assert exponent([np.empty(0)], kind, 0.3).status == "too few"


def test_a_bend_is_convex_where_the_unit_lowers_the_output():
    """Two units at z = 0 on the first pattern, with outgoing weights of either sign.

    On the second pattern both have z = 1, where the slope of softplus(100 z)/100 is one.
    """
    from counting_points import rounded_kinks

    mlp = Mlp(1, 2, 1, "softplus:100")
    free = HingeNetwork(mlp, Patterns(np.array([[0.0], [1.0]]), np.array([1.0, -1.0])))
    x = np.array([1.0, 0.0, 1.0, 0.0, -1.0, 2.0, 0.0])
    found = SimpleNamespace(problem=SimpleNamespace(free=free), x=x, rows=np.array([0, 1]))
    assert rounded_kinks(found) == {"convex": [1, 1], "concave": [1, 1]}
    bent = x + 0.04 * np.eye(7)[1]  # σ'(4) = 0.982
    found = SimpleNamespace(problem=found.problem, x=bent, rows=np.array([0, 1]))
    assert rounded_kinks(found) == {"convex": [1, 0], "concave": [1, 1]}


def test_a_measured_point_counts_its_variables():
    from counting_cases import Case
    from counting_points import measured

    numbers, values = measured(Case("perceptron", 0, 40, 4.0, 1))
    assert numbers["status"] == "jammed"
    assert numbers["n_dof"] - numbers["n_frozen"] - numbers["n_symmetries"] == numbers["n"] == 39
    assert numbers["missing"] == 39 + 1 - numbers["n_constraints"] == 0
    assert len(values["masks"]) == len(values["kinks"]) == 0
    assert 0 < values["forces"].max() < 0.5
    assert 0 < len(values["gaps"]) < 120


def test_what_ends_without_a_point_is_a_status(monkeypatch):
    import counting_points
    from counting_cases import Case
    from jamming_points import TooLongError

    case = Case("perceptron", 0, 40, 4.0, 1)
    for error, status in ((TooLongError(), "out of time"), (LookupError("x"), "raised")):

        def fail(case, error=error):
            raise error

        monkeypatch.setitem(counting_points.OTHERS, "perceptron", fail)
        numbers, values = counting_points.measured(case)
        assert (numbers["status"], values) == (status, {})
        assert numbers["reason"]


def test_a_book_goes_on_where_it_was(tmp_path):
    from counting import CUT_OFF, Book
    from counting_cases import Case
    from counting_estimates import read

    first, second = (Case("relu", 1, 12, 1.6, seed) for seed in (0, 1))
    path = tmp_path / "counting.json"
    book = Book(path)
    book.add(first, {"status": CUT_OFF}, {})
    assert not book.known(first)
    book.add(first, {"status": "jammed"}, {"gaps": np.array([0.25, 0.5]), "masks": np.empty(0)})
    book.add(second, {"status": CUT_OFF}, {})
    book.write()
    again = Book(path)
    assert (again.known(first), again.known(second)) == (True, False)
    again.add(second, {"status": "jammed"}, {"gaps": np.array([0.125])})
    again.write()
    found = {p.case: {k: v.tolist() for k, v in p.values.items()} for p in read(path)}
    assert found == {first: {"gaps": [0.25, 0.5], "masks": []}, second: {"gaps": [0.125]}}


def test_nothing_begins_after_the_deadline():
    from counting import Task, run
    from counting_cases import Case

    assert list(run(Task(Case("perceptron", 0, 40, 4.0, 1), deadline=0.0))) == []


def test_every_round_has_the_same_cases():
    from counting_cases import SEEDS, cases

    every = cases()
    assert len(every) == len({case.name for case in every})
    rounds = [
        {(c.system, c.depth, c.size, c.load) for c in every if c.depth and c.seed == seed}
        for seed in range(SEEDS)
    ]
    assert rounds[0] == rounds[1] > rounds[2]
    assert all(found == rounds[2] for found in rounds[2:])
