"""Curvature at the minima of networks: the spectrum of the Hessian's prestress part ``Hp``."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bridge.claims.claim import GEIGER, Claim, Expected, Theme
from bridge.claims.estimates import farthest, finished, mean
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
        _point(4, 1, "relu", 4.0, 8),
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


_claim = partial(
    Claim, experiment=PRESTRESS, source=f"{GEIGER}, abstract: the curvature of the minima"
)

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
            "one minimum with more negative modes than violated patterns",
            estimate=partial(
                farthest, number=lambda r: r.data["at_norm"] / r.data["n_constraints"]
            ),
        ),
        _claim(
            "relu-trace",
            "The prestress of a ReLU network is traceless.",
            "|tr Hp| over the sum of the moduli of its eigenvalues, the largest of all minima",
            Expected(1e-10, 0.0, "each parameter enters the output linearly", "<="),
            "one minimum with a trace beyond rounding",
            estimate=partial(farthest, number="trace", activation="relu"),
            check=True,
        ),
        _claim(
            "relu-half-negative",
            "About half of the modes of the prestress of a deep ReLU network are negative.",
            "N_-(Hp) over the number of parameters at minima, two and three layers",
            Expected(0.48, 0.04, "symmetric spectrum; reference runs"),
            "a spectrum of one sign, or one with a sixth more modes on one side",
            estimate=partial(
                mean,
                number=lambda r: r.data["negative"] / r.data["n_dof"],
                activation="relu",
                depth=(2, 3),
            ),
        ),
        _claim(
            "one-layer-negative",
            "With one hidden layer each unit has one negative mode.",
            "N_-(Hp) at minima less the number of units that are alive",
            Expected(0.0, 0.0, "a unit's prestress has rank two, and no trace"),
            "one minimum with a negative mode more or fewer",
            estimate=partial(
                farthest, number=lambda r: r.data["negative"] - r.data["units"], depth=1
            ),
        ),
    ),
    draw,
)
