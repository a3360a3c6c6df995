"""Made-up records of each claim with a known answer: those that confirm it, those that refute it.

A claim without both is none: `CASES` has an entry for each.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from bridge.claims.avalanches import CONVEX_LOADING, ROUGH_LOADING, TANH_LOADING
from bridge.claims.deep import DEEP as DEEP_NET
from bridge.claims.deep import LITTLE, MUCH
from bridge.claims.glass import THRESHOLD_ENERGY
from bridge.claims.learning import BOTH, FEW, FIRST, LATE, MANY, MIDDLE, STRONG, WEAK
from bridge.claims.molecules import LINE, LJ7_MINIMA, TRIANGLE
from bridge.claims.perceptron import CONVEX
from bridge.claims.threshold import (
    DEEP,
    DIGITS,
    LARGE,
    RANDOM,
    SMALL,
    TANH,
    TANH_DEEP,
)  # fmt: skip
from bridge.claims.xor import DECAYED, NARROW_NET, WIDE_NET
from bridge.measure.power_laws import GAMMA, THETA
from bridge.records.store import Record


@dataclass(frozen=True)
class Case:
    """Records that confirm a claim, the number they hold, and records that refute it."""

    confirming: list
    value: float
    refuting: list
    within: float = 1e-9


def made(numbers, arrays=None, /, *, status="done", **parameters):
    """Records of runs: each of the ``numbers`` has a value for each run, or one for all."""
    arrays = arrays or {}
    count = max(np.size(values) for values in (*numbers.values(), *map(len_of, arrays.values())))
    rows = {key: np.broadcast_to(values, count).tolist() for key, values in numbers.items()}
    return [
        Record(
            "made", parameters, (0, i), status, 0.0,
            {key: values[i] for key, values in rows.items()}, {},
            {key: np.asarray(values[i]) for key, values in arrays.items()},
        )
        for i in range(count)
    ]  # fmt: skip


def len_of(values):
    return np.empty(len(values))


def around(centre, spread, count=6):
    """``count`` numbers of this mean."""
    return centre + spread * np.linspace(-1, 1, count)


def single(name, right, wrong, /, spread=1e-4, **parameters):
    """A claim on the mean of one number."""
    good, bad = (made({name: around(v, spread * abs(v))}, **parameters) for v in (right, wrong))
    return Case(good, right, bad)


def extreme(name, right, wrong, **parameters):
    """A claim that one run refutes."""
    good = made({name: np.full(6, right)}, **parameters)
    return Case(good, right, good[:5] + made({name: [wrong]}, **parameters))


def bisections(kind, load, n=210, ratio=0.9):
    """Transitions of networks at a load, where ``N_Δ/N`` is ``ratio``."""
    data = {"load": around(load, 0.02 * load), "n_weights": n, "constraint_ratio": ratio}
    return made(data, {"gaps": [np.empty(0)] * 6}, **kind)


def ratio_case(above, below, right, wrong):
    return Case(
        bisections(above, 2.0 * right) + bisections(below, 2.0), right,
        bisections(above, 2.0 * wrong) + bisections(below, 2.0),
    )  # fmt: skip


def scaling(power):
    """Transitions at ``N* ∝ P^power``."""
    n = (210, 406)
    at = [2.5 * (size / n[0]) ** (1 / power - 1) for size in n]
    return bisections(SMALL, at[0], n[0]) + bisections(LARGE, at[1], n[1])


def power_law(exponent, high, count=400, runs=12):
    """Values below ``high`` of a density ``v^exponent``, a little different in each run."""
    places = [(np.arange(count) + (k + 0.5) / runs) / count for k in range(runs)]
    return [high * place ** (1 / (1 + exponent)) for place in places]


def at_jamming(side, exponent, high, **parameters):
    values = power_law(exponent, high)
    return made({"alpha": np.full(len(values), 4.0)}, {side: values}, **parameters)


def exponent_case(side, exponent, high, sign, **parameters):
    good, bad = (at_jamming(side, sign * k, high, **parameters) for k in (exponent, 0.0))
    return Case(good, exponent, bad, within=0.02)


def violations(theta, kind):
    """Networks at their transition: violated patterns of a density ``Δ^theta``."""
    values = power_law(theta, 1.0)
    return made({"constraint_ratio": np.full(len(values), 0.8)}, {"gaps": values}, **kind)


def margins(gamma):
    """Networks at their transition: gaps of a density ``(-Δ)^-gamma`` beyond a small violation."""
    values = [np.append(-group, 1e-3) for group in power_law(-gamma, 0.5)]
    return made({"constraint_ratio": np.full(len(values), 0.8)}, {"gaps": values}, **SMALL)


def loadings(patterns, unstable=1.0):
    """Loadings of all three kinds, each with two avalanches of so many patterns."""
    each = [np.array([patterns - 1.0, patterns + 1.0])] * 6
    arrays = {"patterns": each, "unstable": [np.full(2, unstable)] * 6}
    kinds = (CONVEX_LOADING, ROUGH_LOADING, TANH_LOADING)
    return [r for kind in kinds for r in made({"avalanches": np.full(6, 2)}, arrays, **kind)]


def ones():
    """The same, with avalanches of one pattern."""
    return [
        Record(r.kind, r.parameters, r.seed, r.status, 0.0, r.data, {},
               r.arrays | {"patterns": np.ones(2)})
        for r in loadings(3.0)
    ]  # fmt: skip


def packings(exponent):
    """Ellipses whose contacts grow as a power of their asphericity."""
    return [
        r
        for aspect in (1.01, 1.02, 1.05)
        for r in made(
            {"coordination": 4 - 2 / 128 + around(3.2 * (aspect - 1) ** exponent, 1e-4)},
            n=128, aspect=aspect, pressure=1e-6,
        )
    ]  # fmt: skip


def descents(size, sizes, *, power=0.8, shift=0.0, slope=1.0, count=60):
    """End energies about the threshold, whose spread is ``N^-power``."""
    normal = ndtri((np.arange(count) + 0.5) / count)
    return [
        r
        for n in sizes
        for r in made(
            {"energy": THRESHOLD_ENERGY + shift + slope * n ** (-2 / 3) + normal * n**-power},
            **{size: n},
        )
    ]  # fmt: skip


def landscapes(hidden, weak, full=False):
    """Minima of classifiers: with 3 units 2 at each λ but the weak one."""
    kinds = (({"hidden": MANY, "l2": MIDDLE}, hidden), ({"hidden": FEW, "l2": MIDDLE}, 2),
             ({"hidden": FEW, "l2": WEAK}, weak), ({"hidden": FEW, "l2": STRONG}, 2))  # fmt: skip
    found = ((kind, 20 if full else count) for kind, count in kinds)
    return [r for kind, n in found for r in made({"minima": np.full(4, n)}, starts=20, **kind)]


def kinds_of(number, *pairs):
    """Four runs of each of two kinds, with their value of one number."""
    return [r for kind, v in pairs for r in made({number: np.full(4, v)}, starts=60, **kind)]


def growth(number, above, below, right, wrong):
    """A claim on the ln of a ratio: ``right`` and ``wrong`` times as many as 10."""
    good, bad = (kinds_of(number, (above, 10.0 * ratio), (below, 10.0)) for ratio in (right, wrong))
    return Case(good, np.log(right), bad)


def per_minimum(ratio):
    """XOR with 3 saddles a minimum of the narrow net, and ``ratio`` times as many of the wide."""
    return [r for kind, saddles in ((WIDE_NET, 3 * ratio), (NARROW_NET, 3)) for r in
            made({"minima": np.full(4, 10), "saddles": 10 * saddles}, **kind)]  # fmt: skip


def auc(drop):
    """Minima of which the lowest has a test AUC of 0.97, and the others one lower by ``drop``."""
    areas = [np.array([0.97, 0.97 - drop, 0.97 - drop + e, 0.97 - drop - e, 0.97 - drop])
             for e in around(0.002, 0.001)]  # fmt: skip
    return made({}, {"auc": areas, "energies": [np.arange(5.0)] * 6})


def of_table(listed, error=0.0):
    return made({}, {"energies": [np.sort(listed) + error] * 3})


ROUGH = {"n": 400, "alpha": 4.0, "sigma": -0.5}
RELU = {"depth": 2, "activation": "relu"}
FLAT = descents("n", (20, 40, 80), power=0.5, count=2000)  # the sum of independent parts

CASES = {
    "jump": Case(
        bisections(SMALL, 2.5) + bisections(LARGE, 2.5), 14 / 16,
        bisections(SMALL, 2.5, ratio=0.1) + bisections(LARGE, 2.5, ratio=0.1),
    ),
    "scaling": Case(scaling(1.0), 1.0, scaling(2.0)),
    "depth": ratio_case(DEEP, LARGE, 1.0, 0.6),
    "depth-tanh": ratio_case(TANH_DEEP, TANH, 1.0, 0.6),
    "real-data": ratio_case(DIGITS, RANDOM, 1.5, 1.0),
    "no-poor-minima": Case(
        made({"fitted": np.ones(12)}, status="unjammed"), 0,
        made({"fitted": np.ones(11)}, status="unjammed") + made({"fitted": [0.0]}, status="jammed"),
    ),
    "bound": Case(
        made({"at_norm": np.full(6, 40), "n_constraints": 80}), 0.5,
        made({"at_norm": np.array([40] * 5 + [88]), "n_constraints": 80}),
    ),
    "relu-trace": extreme("trace", 1e-15, 1e-6, **RELU),
    "relu-half-negative": Case(
        made({"negative": around(480, 10).round(), "n_dof": 1000}, **RELU), 0.48,
        made({"negative": around(400, 10).round(), "n_dof": 1000}, **RELU),
    ),
    "one-layer-negative": Case(
        made({"negative": np.full(4, 8), "units": 8}, depth=1), 0,
        made({"negative": np.array([8, 8, 9]), "units": 8}, depth=1),
    ),
    "isostatic-discs": extreme("excess", 0, 1, n=512),
    "hypostatic-ellipses": single("coordination", 5.275, 6.0, aspect=1.2),
    "nearly-round-ellipses": Case(packings(0.5), 0.5, packings(1.0)),
    "quartic-modes": extreme("quartic_excess", 0, -1, pressure=1e-9),
    "capacity": single("sigma", 0.5, 0.6, **CONVEX),
    "convex-contacts": Case(
        made({"contacts": around(265.84, 1.0)}, n=400, **CONVEX), 0.6646,
        made({"contacts": around(400.0, 1.0)}, n=400, **CONVEX),
    ),
    "isostaticity": Case(
        made({"contacts": np.full(5, 400)}, **ROUGH), 0,
        made({"contacts": np.array([400, 400, 401])}, **ROUGH),
    ),
    "marginality": single("marginality", 1.0, 0.7),
    "hessian-density": single("distance", 0.004, 0.1),
    "theta-perceptron": exponent_case("forces", THETA, 0.2, 1, **ROUGH),
    "gamma-perceptron": exponent_case("margins", GAMMA, 0.05, -1, **ROUGH),
    "gamma-discs": exponent_case("margins", GAMMA, 0.05, -1, n=512),
    "theta-relu": Case(violations(0.3, SMALL), 0.3, violations(0.0, SMALL), within=0.02),
    "gamma-relu": Case(margins(0.2), 0.2, margins(0.0), within=0.02),
    "activation": Case(
        violations(0.3, SMALL) + violations(0.0, TANH), 0.3,
        violations(0.3, SMALL) + violations(0.3, TANH), within=0.02,
    ),
    "avalanches-convex": extreme("avalanches", 0, 1, **CONVEX_LOADING),
    "avalanches-perceptron": single("avalanches", 3.0, 0.0, **ROUGH_LOADING),
    "avalanches-network": single("avalanches", 3.0, 0.0, **TANH_LOADING),
    "patterns-perceptron": Case(loadings(4.0), 4.0, ones()),
    "patterns-network": Case(loadings(4.0), 4.0, ones()),
    "instability": Case(loadings(4.0), 38 / 40, loadings(4.0, unstable=0.0)),
    "lj7-minima": single("minima", 4, 3, 0.0),
    "lj7-saddles": single("saddles", 12, 13, 0.0),
    "lj7-energies": Case(of_table(LJ7_MINIMA), 0, of_table(LJ7_MINIMA, 1e-4)),
    "lj13-global": single("lowest", -44.326801, -41.4719, 0.0),
    "ljat3-minima": single("labelled", 4, 2, 0.0),
    "ljat3-energies": Case(
        of_table((TRIANGLE, LINE)), 0, of_table((TRIANGLE, LINE), 1e-4)
    ),
    "heat-capacity": single("peak", 19.226, 15.0, 0.0),
    "heat-capacity-temperature": single("peak_temperature", 0.186, 0.2, 0.0),
    "detailed-balance": extreme("imbalance", 1e-16, 1e-6),
    "graph-transformation": extreme("passage_error", 1e-16, 1e-6),
    "small-world": single("small_world", 3.0, 1.0),
    "hubs": single("degree_energy", -0.5, 0.0),
    "noise-stays": Case(
        made({"excess": around(0.05, 0.05, 8)}), 0.05, made({"excess": around(-0.4, 0.05, 8)})
    ),
    "noise-where": single("distance", 0.2, 0.5),
    "minima-hidden": Case(landscapes(10, 4), np.log(5), landscapes(2, 4)),
    "minima-decay": Case(landscapes(10, 4), np.log(2), landscapes(10, 2)),
    "misclassification": single("distance", 0.4, 1.0),
    "auc-of-minima": Case(auc(0.0), 0.0, auc(0.05)),
    "late-point": growth("error", FIRST, LATE, 1.5, 1.0),
    "two-points": growth("error", LATE, BOTH, 1.5, 1.0),
    "digits": single("lowest_auc", 0.98, 0.5),
    "regression-minima": single("minima", 7.0, 1.0),
    "regression-global": single("residual", 0.95, 2.0),
    "xor-minima": growth("minima", WIDE_NET, NARROW_NET, 3.0, 1.2),
    "xor-saddles": Case(per_minimum(2), np.log(2), per_minimum(1)),
    "xor-decay": growth("minima", WIDE_NET, DECAYED, 3.0, 1.0),
    "xor-embedded": extreme("embedded", 1e-10, 1e-3),
    "deep-minima": growth("minima", DEEP_NET, LITTLE, 2.0, 1.0),
    "little-data-minima": growth("minima", LITTLE, MUCH, 2.0, 0.5),
    "little-data-barriers": growth("barrier", LITTLE, MUCH, 0.2, 1.0),
    "pspin-above": Case(
        descents("n", (20, 80), power=2.0), 80 ** (-2 / 3),
        descents("n", (20, 80), power=2.0, slope=0.0),
    ),
    "pspin-limit": Case(
        descents("n", (20, 40, 80)), THRESHOLD_ENERGY, descents("n", (20, 40, 80), shift=0.5)
    ),
    "pspin-narrowing": Case(descents("n", (20, 40, 80), count=300), 0.8, FLAT),
    "digits-narrowing": Case(
        descents("hidden", (3, 12), count=300), 0.8,
        descents("hidden", (3, 12), power=0.5, count=2000),
    ),
    "students-narrowing": Case(
        descents("hidden", (3, 12), count=300), 0.8,
        descents("hidden", (3, 12), power=0.5, count=2000),
    ),
}  # fmt: skip
