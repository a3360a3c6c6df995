"""Power laws of weak forces and small gaps at the transition of each kind of system."""

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bridge.claims.claim import Estimate, theme_of
from bridge.claims.estimates import finished, of_kind
from bridge.claims.experiment import Records
from bridge.claims.packings import DISCS
from bridge.claims.perceptron import JAMMING
from bridge.claims.threshold import THRESHOLD, network
from bridge.measure.power_laws import GAMMA, THETA, finite_size_floor, fit_power_law

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bridge.protocols import Vector

# Windows at exact jamming points: forces in units of their mean, gaps in their own.
_FORCES, _GAPS = 0.2, 0.05
# Networks are not exactly at their transition, and give up a few patterns for good, with Δ of order
# one: forces are taken below their median, and gaps above it, where no force blurs them.
_WIDE_GAPS = 0.5
_FEWEST_AT_TRANSITION = 0.2  # N_Δ/N: states with fewer have lost units, they are not near jamming


def _at_jamming(records: Records, side: str, **where: Any) -> "list[Vector]":
    return [r.arrays[side] for r in finished(records, **where) if side in r.arrays]


def _widest(records: Records, activation: str) -> dict[str, Any]:
    """Return the kind of the widest networks of two hidden layers and random labels."""
    kinds = of_kind(records, activation=activation, depth=2, data="random")
    width = max((r.parameters["width"] for r in kinds), default=0)
    return network(2, width, width, activation=activation)


def _of_networks(records: Records, side: str, activation: str) -> "list[Vector]":
    """Return violations in units of their median, or margins above that, next to the transition."""
    found = []
    for record in finished(records, **_widest(records, activation)):
        gaps = record.arrays["gaps"]
        if gaps.size and record.data["constraint_ratio"] > _FEWEST_AT_TRANSITION:
            median = float(np.median(gaps[gaps > 0]))
            found.append(gaps[gaps > 0] / median if side == "forces" else -gaps[gaps < -median])
    return found


def _fitted(groups: "list[Vector]", runs: Records, high: float, low: float = 0.0) -> Estimate:
    """Return the exponent ``k`` of ``v^k`` in a window; runs without values came to no end."""
    samples, stalled = len(runs), len(runs) - len(groups)
    if not groups:
        return Estimate(math.nan, math.nan, samples, stalled, "no state at the transition")
    fit = fit_power_law(groups, high, low=low)
    note = fit.reason or f"{fit.count} values in {fit.low:.2g} to {fit.high:.2g}"
    return Estimate(fit.exponent, fit.error, samples, stalled, note)


def _gamma_of(fit: Estimate) -> Estimate:
    """Return ``γ`` of a fit of ``v^-γ``."""
    return replace(fit, value=-fit.value)


def _theta(records: Records, **where: Any) -> Estimate:
    groups = _at_jamming(records, "forces", **where)
    return _fitted(groups, of_kind(records, **where), _FORCES)


def _gamma(records: Records, **where: Any) -> Estimate:
    groups = _at_jamming(records, "margins", **where)
    low = finite_size_floor(groups) if groups else 0.0
    return _gamma_of(_fitted(groups, of_kind(records, **where), _GAPS, low))


def _network_theta(records: Records, activation: str = "relu") -> Estimate:
    groups = _of_networks(records, "forces", activation)
    return _fitted(groups, of_kind(records, **_widest(records, activation)), 1.0)


def _network_gamma(records: Records) -> Estimate:
    """Fit above the largest of the states' medians, where none of them is cut off."""
    groups = _of_networks(records, "margins", "relu")
    low = max((float(group.min()) for group in groups), default=0.0)
    runs = of_kind(records, **_widest(records, "relu"))
    return _gamma_of(_fitted(groups, runs, _WIDE_GAPS, low))


def _by_activation(records: Records) -> Estimate:
    """Return how far the exponents θ of the two activations are apart."""
    relu, tanh = (_network_theta(records, kind) for kind in ("relu", "tanh"))
    note = (
        f"θ = {relu.value:.2f} ± {relu.error:.2f} for ReLU, "
        f"{tanh.value:.2f} ± {tanh.error:.2f} for tanh"
    )
    samples, stalled = relu.samples + tanh.samples, relu.stalled + tanh.stalled
    error = math.hypot(relu.error, tanh.error)
    return Estimate(abs(relu.value - tanh.value), error, samples, stalled, note)


def draw(figure: "Figure", records: Mapping[str, Records]) -> None:
    """Draw cumulated distributions of forces and of gaps at the transition of each system."""
    from bridge.figures.style import BLACK, BLUE, GREEN, ORANGE, RED, legend

    networks = records[THRESHOLD.name]
    left, right = figure.subplots(1, 2)
    for axes, side in ((left, "forces"), (right, "margins")):
        kinds = (
            ("discs", RED, _at_jamming(records[DISCS.name], side)),
            ("perceptron", BLUE, _at_jamming(records[JAMMING.name], side, alpha=4.0)),
            ("ReLU network", GREEN, _of_networks(networks, side, "relu")),
            ("tanh network", ORANGE, _of_networks(networks, side, "tanh")),
        )
        for name, colour, groups in kinds:
            if groups:
                values = np.sort(np.concatenate(groups))
                rank = np.arange(1, len(values) + 1) / len(values)
                inside = (values > 0) & (rank < 0.8)
                axes.plot(values[inside], rank[inside], color=colour, lw=1.0, label=name)
        axes.set(xscale="log", yscale="log", ylim=(1e-4, 1.0))
    guide = np.array([1e-2, 0.3])
    named = "mean field: slope"
    left.plot(
        guide, 0.5 * guide ** (1 + THETA), color=BLACK, ls="--", lw=0.8, label=f"{named} 1 + θ"
    )
    guide = np.array([1e-4, 1e-2])
    right.plot(
        guide, 1.5 * guide ** (1 - GAMMA), color=BLACK, ls="--", lw=0.8, label=f"{named} 1 − γ"
    )
    left.set(xlabel="force, over the mean\n(networks: Δ > 0, over the median)")
    left.set_ylabel("share of smaller values")
    right.set(xlabel="gap h = −Δ")
    legend(left, loc="upper left")
    right.legend(*[part[-1:] for part in right.get_legend_handles_labels()])


THEME = theme_of(
    "exponents",
    "Power laws of forces and gaps",
    {
        "theta-perceptron": (JAMMING, partial(_theta, alpha=4.0)),
        "gamma-perceptron": (JAMMING, partial(_gamma, alpha=4.0)),
        "gamma-discs": (DISCS, _gamma),
        "theta-relu": (THRESHOLD, _network_theta),
        "gamma-relu": (THRESHOLD, _network_gamma),
        "activation": (THRESHOLD, _by_activation),
    },
    draw,
)
