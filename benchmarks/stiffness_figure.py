"""Exponents of excess contacts and shear modulus, and their figure, from `stiffness.py`.

    python benchmarks/stiffness_figure.py    # prints the table of docs/packings.md, seconds
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.figures.style import BLACK, BLUE, GREEN, ORANGE, RED, legend, new_figure, save, style

HERE = Path(__file__).parent
Vector = NDArray[np.float64]
# Colour, sign, and pressures of the fit: above a few excess contacts, below where laws bend.
SHOWN = {
    "1": ("discs", BLUE, "o", (3e-5, 3e-3)),
    "1.02": ("ellipses, aspect 1.02", GREEN, "v", (1e-5, 1e-4)),
    "1.1": ("ellipses, aspect 1.1", ORANGE, "^", (1e-5, 3e-4)),
    "1.5": ("ellipses, aspect 1.5", RED, "s", (1e-4, 3e-3)),
}


@dataclass(frozen=True, eq=False)
class Ways:
    """Packings of one kind at falling pressures: arrays ``(packings, pressures)``.

    ``excess`` is ``z - z_J``, each from its own jamming point, and ``shear`` the modulus less its
    floor in a box of finite size.
    """

    pressure: Vector
    distance: Vector
    excess: Vector
    shear: Vector

    @classmethod
    def of(cls, found: list[dict[str, Any]]) -> "Ways":
        good = [one for one in found if one["status"] == "jammed"]
        good = [one for one in good if set(one["stages"]["status"]) == {"jammed"}]
        column = {key: np.array([one["stages"][key] for one in good]) for key in good[0]["stages"]}
        zero = {key: np.array([[one[key]] for one in good]) for key in ("surplus", "phi")}
        return cls(
            pressure=column["pressure"],
            distance=column["phi"] - zero["phi"],
            excess=2.0 * (column["surplus"] - zero["surplus"]) / column["bodies"],
            shear=column["shear"] - column["floor"],
        )


def exponent(at: Vector, values: Vector, window: tuple[float, float]) -> tuple[float, float]:
    """Return ``k`` of ``⟨values⟩ ∝ at^k`` inside of a window, and its error by jackknife.

    Whole packings are left out one by one, since its pressures are not independent.
    """
    inside = (at.mean(axis=0) > 0.95 * window[0]) & (at.mean(axis=0) < 1.05 * window[1])
    at, values = at[:, inside], values[:, inside]
    n = len(values)
    weights = values.mean(axis=0) / (values.std(axis=0, ddof=1) / n**0.5)

    def slope(kept: NDArray[np.bool_]) -> float:
        x, y = np.log(at[kept].mean(axis=0)), np.log(values[kept].mean(axis=0))
        return float(np.polyfit(x, y, 1, w=weights)[0])

    left_out = np.array([slope(np.arange(n) != k) for k in range(n)])
    error = ((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum()) ** 0.5
    return slope(np.ones(n, dtype=bool)), float(error)


def table(ways: dict[str, Ways]) -> None:
    print("| | packings | pressures | z - z_J ∝ p^k | G ∝ p^k | p ∝ (φ - φ_J)^k |")
    print("| --- | ---: | --- | ---: | ---: | ---: |")
    for name, way in ways.items():
        label, _, _, window = SHOWN[name]
        fits = [
            exponent(way.pressure, way.excess, window),
            exponent(way.pressure, way.shear, window),
            exponent(way.distance, way.pressure, tuple(w * 3.0 for w in window)),
        ]
        cells = " | ".join(f"{k:.3f} ± {error:.3f}" for k, error in fits)
        print(f"| {label} | {len(way.excess)} | {window[0]:.0e} to {window[1]:.0e} | {cells} |")
        print(np.c_[way.pressure.mean(0),way.excess.mean(0),way.excess.std(0)/len(way.excess)**.5,way.shear.mean(0),way.shear.std(0)/len(way.excess)**.5])


def draw(ways: dict[str, Ways]) -> None:
    figure = new_figure(7.0, 2.5)
    left, middle, right = figure.subplots(1, 3)
    for name, way in ways.items():
        label, colour, sign, _ = SHOWN[name]
        look = {"color": colour, "marker": sign, "ms": 3.5, "mfc": "none", "lw": 0.7}
        p = way.pressure.mean(axis=0)
        for axes, values in ((left, way.excess), (middle, way.shear)):
            mean, error = values.mean(axis=0), values.std(axis=0, ddof=1) / len(values) ** 0.5
            sure = mean > 2.0 * error
            axes.errorbar(p[sure], mean[sure], error[sure], label=label, **look)
        round_off = float(name) - 1.0
        if round_off > 0.0:
            right.plot(p / round_off, way.shear.mean(axis=0) / round_off**0.5, **look)
    p = np.array([1e-5, 1e-2])
    left.plot(p, 4.2 * p**0.5, color=BLACK, ls="--", label="$p^{1/2}$")
    left.plot(p[0:], 12.0 * p, color=BLACK, ls=":", label="$p$")
    middle.plot(p, 0.42 * p**0.5, color=BLACK, ls="--")
    middle.plot(p, 0.9 * p, color=BLACK, ls=":")
    x = np.array([2e-5, 1.0])
    right.plot(x, 0.55 * x**0.5, color=BLACK, ls="--")
    right.plot(x, 1.5 * x, color=BLACK, ls=":")
    for axes in (left, middle, right):
        axes.set(xscale="log", yscale="log")
    left.set(xlabel="pressure p", ylabel="excess contacts, $z - z_J$")
    middle.set(xlabel="pressure p", ylabel="shear modulus $G$")
    right.set(xlabel="p/(α − 1)", ylabel="$G/(α - 1)^{1/2}$")
    legend(left)
    save(figure, HERE.parent / "docs" / "stiffness.png", (".png",))


if __name__ == "__main__":
    kept = json.loads((HERE / "stiffness.json").read_text(encoding="utf-8"))
    ways = {name: Ways.of(kept[name]) for name in SHOWN}
    table(ways)
    with style():
        draw(ways)
