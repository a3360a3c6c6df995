"""Curvature at the minima of networks: the spectrum of the Hessian's prestress part ``Hp``."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bridge.claims.claim import theme_of
from bridge.claims.estimates import farthest, finished, mean
from bridge.claims.experiment import Experiment, GridPoint, Records, Sample
from bridge.claims.threshold import adam, step_work
from bridge.records.store import Record

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


def _work(
    *, depth: int, width: int, activation: str, load: float, steps: int, polish: int
) -> float:
    from networks import Mlp

    del polish  # which ends long before so many solves
    return steps * step_work(Mlp(width, width, depth, activation), load)


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
        _point(10, *kind, 12)
        for kind in ((1, "relu", 4.0), (2, "relu", 3.2), (3, "relu", 3.2), (2, "tanh", 4.0))
    ),
    work=_work,
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


def _part(record: Record) -> float:
    return float(record.data["negative"] / record.data["n_dof"])


def _bound(record: Record) -> float:
    return float(record.data["at_norm"] / record.data["n_constraints"])


def _excess(record: Record) -> float:
    return float(record.data["negative"] - record.data["units"])


THEME = theme_of(
    "curvature",
    "Curvature at the minima of networks",
    {
        "bound": (PRESTRESS, partial(farthest, number=_bound)),
        "relu-trace": (PRESTRESS, partial(farthest, number="trace", activation="relu")),
        "relu-half-negative": (
            PRESTRESS,
            partial(mean, number=_part, activation="relu", depth=(2, 3)),
        ),
        "one-layer-negative": (PRESTRESS, partial(farthest, number=_excess, depth=1)),
    },
    draw,
)
