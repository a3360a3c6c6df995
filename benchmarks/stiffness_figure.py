"""Exponents of excess contacts and shear modulus, and their figure, from `stiffness.py`.

python benchmarks/stiffness_figure.py    # prints the table of docs/packings.md, seconds
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit

from bridge.figures.style import BLACK, BLUE, GREEN, GREY, ORANGE, RED, SKY, new_figure, save, style

HERE = Path(__file__).parent
Vector = NDArray[np.float64]
# Colour, sign, and pressures of the fits: of discs and spheres where `p N²` is large, of ellipses
# and spheroids well below where they begin to look like those.
SHOWN = {
    "512 discs": (SKY, "o", (1e-4, 1e-2)),
    "2048 discs": (BLUE, "o", (1e-4, 1e-2)),
    "aspect 1.02": (GREEN, "v", (1e-5, 1e-3)),
    "aspect 1.1": (ORANGE, "^", (1e-5, 1e-3)),
    "aspect 1.5": (RED, "s", (1e-5, 1e-3)),
    "spheres": (GREY, "D", (1e-4, 1e-2)),
    "spheroids 1.25": (BLACK, "x", (1e-5, 1e-3)),
}


@dataclass(frozen=True, eq=False)
class Ways:
    """Packings of one kind at falling pressures: arrays ``(packings, pressures)``.

    ``excess`` is ``z - z_J``, each from its own jamming point, and ``shear`` the modulus less its
    floor in a box of finite size. ``contact`` is what one contact of all packings is of ``z``.
    """

    pressure: Vector
    distance: Vector
    excess: Vector
    shear: Vector
    contact: float

    @classmethod
    def of(cls, found: list[dict[str, Any]]) -> "Ways":
        good = [one for one in found if one["status"] == "jammed"]
        good = [one for one in good if set(one["stages"]["status"]) == {"jammed"}]
        column = {key: np.array([one["stages"][key] for one in good]) for key in good[0]["stages"]}
        zero = {key: np.array([[one[key]] for one in good]) for key in ("surplus", "phi", "bodies")}
        return cls(
            pressure=column["pressure"],
            distance=column["phi"] - zero["phi"],
            excess=2.0 * (column["surplus"] - zero["surplus"]) / column["bodies"],
            shear=column["shear"] - column["floor"],
            contact=2.0 / float(zero["bodies"].sum()),
        )


def exponent(
    at: Vector, values: Vector, window: tuple[float, float], least: float = 0.0
) -> tuple[float, float]:
    """Return ``k`` of ``⟨values⟩ = a at^k`` inside of a window, and its error by jackknife.

    Means that are zero count as well, none with an error below ``least``. Whole packings are left
    out one by one: a packing at one pressure is not independent of it at another.
    """
    inside = (at.mean(axis=0) > 0.9 * window[0]) & (at.mean(axis=0) < 1.1 * window[1])
    at, values = at[:, inside], values[:, inside]
    n = len(values)
    sigma = np.maximum(values.std(axis=0, ddof=1) / n**0.5, least)

    def fitted(kept: NDArray[np.bool_]) -> float:
        x, y = at[kept].mean(axis=0), values[kept].mean(axis=0)
        x = x / x[0]
        found, _ = curve_fit(lambda x, a, k: a * x**k, x, y, p0=(y[0], 0.7), sigma=sigma)
        return float(found[1])

    left_out = np.array([fitted(np.arange(n) != k) for k in range(n)])
    error = ((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum()) ** 0.5
    return fitted(np.ones(n, dtype=bool)), float(error)


def table(ways: dict[str, Ways]) -> None:
    print("| | packings | pressures of the fit | z - z_J ∝ p^k | G ∝ p^k |")
    print("| --- | ---: | --- | ---: | ---: |")
    for name, way in ways.items():
        window = SHOWN[name][2]
        fits = [
            exponent(way.pressure, way.excess, window, way.contact),
            exponent(way.pressure, way.shear, window),
        ]
        cells = " | ".join(f"{k:.3f} ± {error:.3f}" for k, error in fits)
        print(f"| {name} | {len(way.excess)} | {window[0]:.0e} to {window[1]:.0e} | {cells} |")


def draw(ways: dict[str, Ways]) -> None:
    figure = new_figure(7.0, 3.0)
    left, middle, right = figure.subplots(1, 3)
    for name, way in ways.items():
        colour, sign, _ = SHOWN[name]
        look: dict[str, Any] = {
            "color": colour,
            "marker": sign,
            "ms": 3.5,
            "mfc": "none",
            "lw": 0.7,
        }
        p = way.pressure.mean(axis=0)
        for axes, values in ((left, way.excess), (middle, way.shear)):
            mean, error = values.mean(axis=0), values.std(axis=0, ddof=1) / len(values) ** 0.5
            sure = mean > 2.0 * error
            axes.errorbar(p[sure], mean[sure], error[sure], label=name, **look)
        if name.startswith("aspect"):
            rise = float(name.split()[1]) - 1.0
            right.plot(p / rise, way.shear.mean(axis=0) / rise**0.5, **look)
    # Guides to the eye, of the slopes of both classes.
    slopes = {0.5: ("--", "½"), 1.0: (":", "1")}
    for axes, low, high, roots, lines in (
        (left, 1e-5, 1e-2, 5.4, 22.0),
        (middle, 1e-5, 1e-2, 0.42, 0.9),
        (right, 2e-5, 1.0, 0.55, 1.1),
    ):
        at = np.array([low, high])
        for k, factor in ((0.5, roots), (1.0, lines)):
            dash, word = slopes[k]
            axes.plot(at, factor * at**k, color=BLACK, ls=dash, lw=0.8, label=f"slope {word}")
        axes.set(xscale="log", yscale="log")
    left.set(xlabel="pressure p", ylabel="excess contacts, z − z$_J$")
    middle.set(xlabel="pressure p", ylabel="shear modulus G")
    right.set(xlabel="p/(α − 1)", ylabel="G/(α − 1)$^{1/2}$")
    handles, names = left.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=5)
    save(figure, HERE.parent / "docs" / "stiffness.png", (".png",))


if __name__ == "__main__":
    kept = json.loads((HERE / "stiffness.json").read_text(encoding="utf-8"))
    ways = {name: Ways.of(kept[name]) for name in SHOWN if len(kept[name]) > 2}
    table(ways)
    with style():
        draw(ways)
