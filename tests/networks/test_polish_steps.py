"""The steps of a polish: played ones, of which damping, acceptance and ends are known on paper."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from small_networks import network

from networks.models.hinge import FITTED
from networks.training import polish as polishing
from networks.training.kinks import KinkState


class Point(SimpleNamespace):
    """A played state, whose Hessian is its own."""

    is_fresh = True

    def fresh(self):
        return self


def a_point(error=1.0, energy=1.0, **more):
    return Point(error=error, energy=energy, **more)


# Damping.


@pytest.fixture
def descended(monkeypatch):
    """Descend over played steps, ``(point or None, gain)``; return the end and the dampings."""

    def run(steps, here=None, most=99, indefinite=()):
        dampings, played = [], iter(steps)

        def factorised(_, damping):
            dampings.append(damping)
            return None if len(dampings) - 1 in indefinite else damping

        monkeypatch.setattr(polishing, "Damped", SimpleNamespace(of=factorised))
        monkeypatch.setattr(polishing, "_step", lambda _: next(played))
        end, made = polishing._descended(here or a_point(), most, lambda point: point)
        assert made == len(dampings)
        return end, dampings

    return run


def test_damping_follows_what_is_gained_of_the_promise(descended):
    """After a step it is multiplied by ``1 - (2 g - 1)³``, or a fifth."""
    gains = 1.0, 0.5, 0.25, 0.9, 0.0, 2.0
    end = a_point(error=1e-9)
    steps = [(a_point(), gain) for gain in gains] + [(end, 1.0)]
    found, dampings = descended(steps)
    assert found is end
    factors = [0.2, 1.0, 1.125, 0.488, 2.0, 0.2]
    assert dampings == pytest.approx(1e-3 * np.cumprod([1.0, *factors]))


def test_damping_falls_no_lower_than_its_floor(descended):
    _, dampings = descended([(a_point(), 1.0)] * 16, most=16)
    assert dampings[12] == pytest.approx(1e-3 * 0.2**12, rel=1e-9, abs=0)
    assert dampings[13:] == [1e-12] * 3  # a fifth would be less


def test_refusals_multiply_damping_by_ever_more_until_a_step_is_made(descended):
    """What cannot be factorised is refused too."""
    no, yes = (None, -1.0), (a_point(), 0.5)
    _, dampings = descended([no, no, yes, no, yes], most=6, indefinite=[2])
    assert dampings == pytest.approx([1e-3 * factor for factor in (1, 2, 8, 64, 64, 128)])


def test_what_is_refused_at_any_damping_is_given_up(descended):
    """``2^(k (k + 1)/2)`` after ``k`` refusals, which exceeds 1e15 at ``k = 10``."""
    start = a_point()
    end, dampings = descended([(None, -1.0)] * 50, start)
    assert end is start
    assert len(dampings) == 11
    assert dampings[-1] == pytest.approx(1e-3 * 2.0**55)


@pytest.mark.parametrize(
    ("error", "energy", "steps"),
    [(1.01e-9, 1.0, 1), (1e-9, 1.0, 0), (1.0, FITTED / 10, 0), (1.0, 1.05 * FITTED / 10, 1)],
)
def test_a_descent_ends_in_balance_or_fitted(descended, error, energy, steps):
    _, dampings = descended([(a_point(error=0.0), 1.0)], a_point(error, energy))
    assert len(dampings) == steps


def test_a_descent_makes_no_more_steps_than_it_may(descended):
    _, dampings = descended([(a_point(), 1.0)] * 9, most=3)
    assert len(dampings) == 3


# One step.


@pytest.fixture
def stepped(monkeypatch):
    """Take one step that promises, and falls, so much; return it and where it went."""

    def run(promised, fall, *, rounding=0.0, before=1.0, after=1.0):
        here = a_point(before, rounding=lambda: rounding)
        there, went = a_point(after), []
        expansion = SimpleNamespace(
            point=here, offsets="offsets", start="start", fall=lambda _: promised,
            after=lambda *step: went.append(step) or there,
        )  # fmt: skip
        damped = SimpleNamespace(
            expansion=expansion, minimum=lambda offsets, start: (f"{offsets} {start}", "plain")
        )
        monkeypatch.setattr(
            polishing, "_corrected", lambda damped, d, masks, promised: (f"{d}*", f"{masks}*", fall)
        )
        point, gain = polishing._step(damped)
        assert point is None or point is there
        return point, gain, went

    return run


def test_a_step_is_taken_if_it_gains_a_hundredth_of_its_promise(stepped):
    point, gain, went = stepped(100.0, 1.0)
    assert (point is not None, gain) == (True, 0.01)
    assert went == [("offsets start*", "plain*")]
    assert stepped(100.0, 0.99)[0] is None
    assert stepped(4.0, 5.0)[1] == 1.25


def test_where_rounding_hides_the_fall_forces_judge(stepped):
    """Not corrected, which would have energies compared."""
    for promised in (0.5, 1.0):
        point, gain, went = stepped(promised, -9.0, rounding=1.0, before=2.0, after=1.9)
        assert (point is not None, gain) == (True, 1.0)
        assert went == [("offsets start", "plain")]
    for after in (2.0, 2.1):
        assert stepped(1.0, 9.0, rounding=1.0, before=2.0, after=after)[0] is None
    assert stepped(1.1, 0.0, rounding=1.0, before=2.0, after=1.9)[0] is None


@pytest.mark.parametrize(("energy", "hidden"), [(0.01, 1.05e-14), (3.0, 3.095e-13)])
def test_rounding_hides_falls_of_the_energy_and_of_each_gap(energy, hidden):
    """Gaps of 2 and ½ are the differences of 1 and outputs of -1 and ½."""
    here = a_point(
        energy=energy,
        gaps=torch.tensor([2.0, -4.0, 0.5], dtype=torch.float64),
        violated=torch.tensor([0, 2]),
        everywhere=SimpleNamespace(output=torch.tensor([-1.0, 5.0, 0.5], dtype=torch.float64)),
        problem=SimpleNamespace(margin=1.0),
    )
    assert KinkState.rounding(here) == pytest.approx(hidden, rel=1e-9, abs=0)


# Corrections. Steps are numbers, and ``energies`` that of each.


@pytest.fixture
def corrected(monkeypatch):
    def run(promised, energies):
        asked = []

        def minimum(offsets, multipliers):
            asked.append((offsets, multipliers))
            return len(asked), -len(asked)

        here = a_point(energy=100.0, trial=lambda d: SimpleNamespace(energy=energies[d], step=d))
        expansion = SimpleNamespace(point=here, offsets_at=lambda there, d: (there.step, d))
        damped = SimpleNamespace(expansion=expansion, minimum=minimum)
        return polishing._corrected(damped, 0, 0, promised), asked

    return run


def test_corrections_go_on_while_they_gain_a_fiftieth_of_the_promise(corrected):
    """Gains of 5, 1 and 0.75 of a promised 50: the third is the last, and counts."""
    found, asked = corrected(50.0, [90.0, 85.0, 84.0, 83.25, 0.0])
    assert found == (3, -3, 16.75)
    assert asked == [((0, 0), 0), ((1, 1), -1), ((2, 2), -2)]


@pytest.mark.parametrize("energy", [90.0, 95.0])
def test_a_correction_that_gains_nothing_is_not_made(corrected, energy):
    found, asked = corrected(50.0, [90.0, energy, 0.0])
    assert found == (0, 0, 10.0)
    assert len(asked) == 1


def test_there_are_no_more_than_six_corrections(corrected):
    found, asked = corrected(50.0, [90.0 - 10.0 * k for k in range(9)])
    assert found == (6, -6, 70.0)
    assert len(asked) == 6


class Stale(Point):
    """A played state whose Hessian is in part that of one before it, until it is made anew."""

    is_fresh = False

    def fresh(self):
        self.is_fresh = True
        return self


def test_a_refusal_with_an_old_hessian_renews_that_first(descended):
    """And not the damping; a model of the state is made anew with it."""
    _, dampings = descended([(None, -1.0)] * 4, Stale(error=1.0, energy=1.0), most=4)
    assert dampings == pytest.approx([1e-3 * factor for factor in (1, 1, 2, 8)])


# Off a saddle.


@pytest.mark.parametrize(
    ("errors", "size"),
    [([1.1e-9], 1e-6), ([1e-9, 1.0], 1e-4), ([0.0, 0.0, 1.0], 1e-2), ([0.0, 0.0, 1e-9], None)],
)
def test_beside_a_saddle_is_as_little_off_as_forces_show(errors, size):
    """Along the way down, however long that is, in parts of ``|x| = 5``."""
    w, down = torch.tensor([3.0, 4.0]).double(), torch.tensor([0.0, -7.0]).double()
    rest = iter(errors)
    here = a_point(w=w, beside=lambda d: a_point(next(rest), w=w + d))
    found = polishing._beside(here, down)
    if size is None:
        assert found is None
    else:
        assert (found.w - w).tolist() == pytest.approx([0.0, -5.0 * size], rel=1e-6, abs=0)


# The whole. Ends of descents are played, ``(error, energy, ways down)``.


@pytest.fixture
def polished(monkeypatch):
    def run(ends, steps, beside=True):
        problem, x = network([0, -1], [-1, 1], [[1, 0], [1, 0]])
        played, calls = iter(ends), []

        def descend(start, most, model):
            made, error, energy, ways = next(played)
            calls.append(most)
            down = iter([ways])
            held = torch.tensor([True, False, True])
            return a_point(error, energy, w=torch.zeros(1), held=held,
                           way_down=lambda: next(down)), made  # fmt: skip

        monkeypatch.setattr(polishing, "_descended", descend)
        monkeypatch.setattr(polishing, "_beside", lambda *_: "beside" if beside else None)
        found = polishing.polish(problem, x, steps=steps)
        return (found.is_minimum, found.steps, calls, found.n_kinks, found.residual)

    return run


def test_it_goes_on_from_saddles_until_nothing_leads_down(polished):
    ends = [(3, 1e-9, 1.0, "down"), (4, 2e-9, 1.0, "down"), (5, 3e-9, 1.0, None)]
    assert polished(ends, 20) == (True, 12, [20, 17, 13], 2, 3e-9)


def test_a_fit_needs_no_certificate(polished):
    fitted = 0.9 * FITTED
    assert polished([(3, 1.0, fitted, "down")], 20) == (True, 3, [20], 2, 1.0)
    ends = [(3, 1e-9, 1.0, "down"), (4, 1.0, fitted, "down")]
    assert polished(ends, 20) == (True, 7, [20, 17], 2, 1.0)
    assert not polished([(3, 1.0, FITTED, None)], 20)[0]


def test_without_balance_or_steps_or_a_way_off_it_is_no_minimum(polished):
    assert polished([(3, 1e-8, 1.0, None)], 20) == (False, 3, [20], 2, 1e-8)
    assert polished([(3, 0.9e-8, 1.0, None)], 20)[0]
    assert polished([(20, 1e-9, 1.0, "down")], 20) == (False, 20, [20], 2, 1e-9)
    assert polished([(3, 1e-9, 1.0, "down")], 20, beside=False) == (False, 3, [20], 2, 1e-9)
    ends = [(3, 1e-9, 1.0, "down"), (4, 1.0, 1.0, "down")]
    assert polished(ends, 20) == (False, 7, [20, 17], 2, 1.0)


def test_steps_have_to_be_named():
    with pytest.raises(TypeError, match="positional"):
        polishing.polish(*network([0, -1], [-1, 1], [[1, 0], [1, 0]]), 9)
