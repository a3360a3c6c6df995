"""Curvature at the minima of networks: the spectrum of the Hessian's prestress part ``Hp``."""

import math
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bridge.claims.claim import GEIGER, Claim, Estimate, Expected, Source, Theme
from bridge.claims.estimates import exact, finished, mean_of, of_kind
from bridge.claims.experiment import Experiment, GridPoint, Records, Sample
from bridge.claims.threshold import adam

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ZERO = 1e-9  # eigenvalues below this part of the largest cannot be told from zero


def spectra(
    rng: np.random.Generator,
    *,
    depth: int,
    width: int,
    activation: str,
    load: float,
    steps: int,
    polish: int,
) -> Sample:
    """Train beyond the transition and diagonalise ``Hp`` where the training ended.

    The sample is ``stalled`` where training certified no minimum. The minimum is one at its norm,
    whose multiplier adds to ``Hp``: ``at_norm`` counts the negative modes of the sum, ``negative``
    those of the network's own. Kinks are constraints beside the violated patterns.
    """
    from bridge.measure.spectra import hessian, spectrum, stiffness
    from networks import HingeNetwork, Mlp, SphericalNetwork, random_patterns, train

    mlp = Mlp(width, width, depth, activation)
    problem = HingeNetwork(mlp, random_patterns(round(load * mlp.n_weights), width, rng))
    end = train(problem, mlp.init(rng), steps=steps, newton_steps=polish)
    h0 = stiffness(problem, end.x)
    hp = hessian(problem, end.x) - h0
    values = np.linalg.eigvalsh(hp)
    largest = float(np.abs(values).max())
    held = SphericalNetwork(problem, float(np.linalg.norm(end.x)))
    return Sample(
        values={
            "negative": int((values < -_ZERO * largest).sum()),
            "at_norm": spectrum(held, end.x).negative_modes_hp,
            "n_constraints": end.n_constraints,
            "n_kinks": end.n_kinks,
            "n_dof": problem.n_dof,
            "units": mlp.n_hidden - len(problem.frozen(end.x)),
            "trace": abs(float(np.trace(hp))) / float(np.abs(values).sum()),
        },
        arrays={"hp": values, "h": np.linalg.eigvalsh(hp + h0)},
        status="done" if end.status == "jammed" else "stalled",
    )


def _point(samples: int, depth: int, activation: str, load: float, width: int) -> GridPoint:
    parameters = {"depth": depth, "width": width, "activation": activation, "load": load}
    return GridPoint(samples, {**parameters, "steps": 10_000, "polish": 1000})


PRESTRESS = Experiment(
    "network spectra",
    spectra,
    default=(
        _point(2, 1, "relu", 4.0, 8),
        _point(3, 2, "relu", 3.0, 8),
        _point(2, 3, "relu", 3.0, 8),
        _point(3, 2, "tanh", 4.0, 6),
    ),
    full=tuple(
        GridPoint(10, {**_point(1, *kind, width).parameters, "steps": 60_000, "polish": 2000})
        for width in (12, 24)
        for kind in ((1, "relu", 4.0), (2, "relu", 3.2), (3, "relu", 3.2), (2, "tanh", 4.0))
    ),
    settings=adam,
    on_networks=True,
)


def _bound(records: Records) -> Estimate:
    found = finished(records)
    ratios = [r.data["at_norm"] / r.data["n_constraints"] for r in found]
    note = f"the largest of {len(found)} certified minima"
    return exact(max(ratios, default=math.nan), records, note)


def _trace(records: Records) -> Estimate:
    relu = of_kind(records, activation="relu")
    largest = max((r.data["trace"] for r in relu), default=math.nan)
    return Estimate(largest, 0.0, len(relu), 0, "an identity: it holds wherever training ends")


def _half(records: Records) -> Estimate:
    """Take the ReLU networks of at least two layers: stalled or not, ``Hp`` is what it is."""
    deep = [r for r in of_kind(records, activation="relu") if r.parameters["depth"] > 1]
    return mean_of([r.data["negative"] / r.data["n_dof"] for r in deep])


def _single(records: Records) -> Estimate:
    one = of_kind(records, depth=1)
    excess = [r.data["negative"] - r.data["units"] for r in one]
    largest = max(excess, key=abs, default=math.nan)
    return Estimate(float(largest), 0.0, len(one), 0, "the largest of all, either way")


def draw(figure: "Figure", records: Mapping[str, Records]) -> None:
    """Draw the spectra of ``Hp`` of networks with ReLU and with tanh."""
    from bridge.figures.style import BLUE, ORANGE, legend

    axes = figure.subplots()
    bins = np.linspace(-6.0, 6.0, 61).tolist()
    for activation, label, colour in (("relu", "ReLU", BLUE), ("tanh", "tanh", ORANGE)):
        found = finished(records[PRESTRESS.name], depth=2, activation=activation)
        if found:
            values = [r.arrays["hp"] / np.abs(r.arrays["hp"]).mean() for r in found]
            joined = np.concatenate(values)
            axes.hist(joined, bins, density=True, histtype="step", color=colour, label=label)
    axes.axvline(0, color="black", lw=0.6)
    axes.set(xlabel="eigenvalue of H$_p$ / mean modulus", ylabel="density", yscale="log")
    legend(axes)


_claim = partial(Claim, source=Source(GEIGER, "abstract: the curvature of the minima of the loss"))

THEME = Theme(
    "curvature",
    "Curvature at the minima of networks",
    (
        _claim(
            "bound",
            "A minimum needs a violated pattern for each negative mode of the prestress, which is "
            "why minima cannot be poor where parameters abound.",
            "N_-(Hp)/N_Δ, the largest",
            Expected(1.0, 0.0, "H0 has rank N_Δ at most", "<="),
            PRESTRESS,
            _bound,
        ),
        _claim(
            "relu-trace",
            "The prestress of a ReLU network is traceless.",
            "|tr Hp| over the sum of the moduli of its eigenvalues, the largest",
            Expected(1e-10, 0.0, "each parameter enters the output linearly", "<="),
            PRESTRESS,
            _trace,
        ),
        _claim(
            "relu-half-negative",
            "About half of the modes of the prestress of a deep ReLU network are negative.",
            "N_-(Hp) over the number of parameters, two and three layers",
            Expected(0.48, 0.04, "symmetric spectrum; reference runs"),
            PRESTRESS,
            _half,
        ),
        _claim(
            "one-layer-negative",
            "With one hidden layer each unit has one negative mode.",
            "N_-(Hp) less the number of units that are alive",
            Expected(0.0, 0.0, "a unit's prestress has rank two, and no trace"),
            PRESTRESS,
            _single,
        ),
    ),
    draw,
)
