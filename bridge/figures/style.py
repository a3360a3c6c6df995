"""The style of every figure: colours, sizes, and how a figure is written.

Colours are those of Okabe and Ito, told apart by all.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bridge.protocols import Vector
from bridge.records.writing import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLACK, ORANGE, SKY, GREEN, BLUE, RED, GREY = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#8A8A8A",
)  # fmt: skip


SPECTRA = {
    "eigenvalues_h0": ("H₀", ORANGE),
    "eigenvalues_hp": ("Hₚ", SKY),
    "eigenvalues": ("H", BLACK),
}


_STYLE: Any = {
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.labelsize": 8,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "lines.linewidth": 1.2,
    "lines.markersize": 4.5,
    "pdf.fonttype": 42,
    "savefig.dpi": 200,
}


@contextmanager
def style() -> Iterator[None]:
    """Draw in the project's style whatever the user's settings are, and leave those alone."""
    import matplotlib.style

    with matplotlib.style.context(["default", _STYLE]):
        yield


def new_figure(width: float, height: float) -> "Figure":
    """Return an empty figure of a size in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def save(
    figure: "Figure",
    path: Path,
    suffixes: Sequence[str] = (".pdf", ".png"),
    dpi: int | None = None,
) -> None:
    """Write the figure as ``.pdf`` and ``.png``, or in other formats, each file whole or not."""
    with style():
        for suffix in suffixes:
            with replacing(path.with_suffix(suffix)) as part:
                figure.savefig(part, format=suffix[1:], dpi=dpi)


def legend(axes: "Axes", **options: Any) -> None:
    """Draw a legend, unless there is nothing to name."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(**options)


def log_density(values: Vector, bins_per_decade: int = 5) -> tuple[Vector, Vector, Vector]:
    """Return centres, densities and their errors in logarithmic bins, empty ones left out.

    Errors ``(2, k)``, below and above, are those of ``n`` independent values in a bin: a factor of
    ``exp(1/√n)`` either way, so that a bar is whole on a logarithmic axis.

    >>> x, density, errors = log_density(np.array([1.0, 1.5, 10.0]), bins_per_decade=2)
    >>> len(x), bool(density[0] > density[-1]), np.log1p(errors[1] / density).round(3).tolist()
    (2, True, [0.707, 1.0])
    """
    low, high = np.log10(values.min()), np.log10(values.max())
    count = max(1, int(np.ceil((high - low) * bins_per_decade)))
    edges = np.logspace(low, high * (1 + 1e-12) + 1e-12, count + 1)
    counts, _ = np.histogram(values, bins=edges)
    filled = counts > 0
    density = counts[filled] / (np.diff(edges)[filled] * counts.sum())
    centres = np.sqrt(edges[1:] * edges[:-1])[filled]
    factor = np.exp(1 / np.sqrt(counts[filled]))
    return centres, density, np.array([density - density / factor, density * factor - density])
