"""Draw the rooms of the house from their imports: ``python docs/architecture.py``.

Floors are the layers of the import contract in ``pyproject.toml``, arrows are imports. An arrow
that follows from others is left out.
"""

import io
import tomllib
from pathlib import Path

import grimp
import networkx as nx
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch
from matplotlib.transforms import ScaledTranslation
from PIL import Image

HERE = Path(__file__).parent
HALVES = ("particles", "networks")

# Where a room stands on its floor, and what it holds.
ROOMS = {
    "bridge.cli": (2.0, "options and output"),
    "bridge.claims": (1.25, "two papers, tested"),
    "bridge.report": (2.75, "pages and data sets"),
    "bridge.runs": (2.0, "kinds of run, grids"),
    "bridge.figures": (2.0, "what a record shows"),
    "bridge.systems": (1.25, "a file a system"),
    "bridge.landscape": (1.25, "minima and saddles"),
    "bridge.avalanches": (2.75, "slow loading"),
    "bridge.jamming": (2.75, "exact jamming points"),
    "bridge.testing": (4.0, "conformance suite"),
    "bridge.descent": (2.75, "L-BFGS, Newton"),
    "bridge.measure": (2.75, "observables, spectra"),
    "bridge.records": (1.25, "store, provenance"),
    "bridge.protocols": (2.75, "what a system is"),
    "particles": (1.25, "numpy, numba"),
    "networks": (2.75, "numpy, torch"),
}

# The packing fraction of `jamscape jam discs --at-load 0.86`: its room, the code, what happens.
STEPS = (
    ("bridge.cli", "bridge.cli.run_commands:command_of", "an option, read and checked"),
    ("bridge.runs", "bridge.runs.kinds.jam:JamRun", "a field of one run, with key and seed"),
    ("bridge.systems", "bridge.systems.packings:DiscSystem.at", "the load to build discs at"),
    ("particles", "particles:Discs.bidisperse", "the box of a problem"),
    ("particles", "particles:minimise", "a descent in it, to a state x"),
    ("bridge.measure", "bridge.measure.observables:observe", "the observables of x"),
    ("bridge.records", "bridge.records.store:Record", "the load of a record, kept in SQLite"),
    ("bridge.report", "bridge.report.dataset:write", "a column of table.csv"),
    (
        "bridge.figures",
        "bridge.figures.state:state_figure",
        "a title; a point where many are compared",
    ),
)

WIDTH, HEIGHT = 1.1, 0.66  # of a box; floors are 1 apart
RAIL = 0.4  # where arrows over many floors go down
INK, SOFT, TINT, PATH = "#222222", "#666666", "#cfe3f3", "#d55e00"


def floors() -> list[list[str]]:
    """Return the rooms of each floor, the lowest first, as the import contract has them."""
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    (layers,) = (c["layers"] for c in contracts if c["type"] == "layers")
    return [layer.split(" | ") for layer in reversed(layers)]


def imports() -> nx.DiGraph:
    """Return the graph of rooms, with an edge from each to those that it imports."""
    modules = grimp.build_graph("bridge", *HALVES, cache_dir=None)
    graph = nx.DiGraph()
    for module in modules.modules:
        for imported in modules.find_modules_directly_imported_by(module):
            ends = room(module), room(imported)
            if ends[0] != ends[1] and "bridge" not in ends:
                graph.add_edge(*ends)
    return graph


def room(module: str) -> str:
    """Return the room of a module: a part of the bridge, a half, or "bridge" for its front door."""
    if module == "bridge.__main__":
        return "bridge"
    return ".".join(module.split(".")[: 1 + module.startswith("bridge.")])


def draw() -> Figure:
    """Draw floors, rooms, arrows, and the way of a packing fraction."""
    figure = Figure(figsize=(13.33, 7.5), facecolor="white")
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    levels = {name: level for level, floor in enumerate(floors()) for name in floor}
    for level in range(0, max(levels.values()) + 1, 2):
        axes.axhspan(level - 0.5, level + 0.5, 0, 0.585, color="#f5f5f5", zorder=0)
    for name, level in levels.items():
        _draw_room(axes, name, level)
    for upper, lower in nx.transitive_reduction(imports()).edges:
        _draw_arrow(axes, upper, lower, levels)
    _draw_steps(axes, levels)
    axes.set(xlim=(0.15, 8.1), ylim=(-0.6, max(levels.values()) + 0.6))
    axes.axis("off")
    return figure


def _draw_room(axes: Axes, name: str, level: int) -> None:
    x, text = ROOMS[name]
    knows = name in ("bridge.systems", "bridge.claims", *HALVES)
    corner = x - WIDTH / 2, level - HEIGHT / 2
    box = FancyBboxPatch(
        corner, WIDTH, HEIGHT, boxstyle="round,pad=0,rounding_size=0.06",
        facecolor=TINT if knows else "white", edgecolor=INK, linewidth=1.2, zorder=3,
    )  # fmt: skip
    axes.add_patch(box)
    label = f"{name.removeprefix('bridge.')}/"
    if name == "bridge.protocols":
        label = "protocols.py"
    style = {"ha": "center", "va": "center", "zorder": 4}
    axes.text(x, level + 0.13, label, fontsize=12.5, weight="bold", color=INK, **style)
    axes.text(x, level - 0.17, text, fontsize=9.5, color=SOFT, **style)


def _draw_arrow(axes: Axes, upper: str, lower: str, levels: dict[str, int]) -> None:
    """Draw an import: straight down where the boxes allow it, along the rail if it is long."""
    top, bottom = levels[upper] - HEIGHT / 2, levels[lower] + HEIGHT / 2
    (a, _), (b, _) = ROOMS[upper], ROOMS[lower]
    if levels[upper] - levels[lower] > 4:
        corner, turn = levels[upper], bottom + 0.2
        axes.plot([a - WIDTH / 2, RAIL, RAIL, b], [corner, corner, turn, turn], color=SOFT, lw=1.4)
        start, end = (b, turn), (b, bottom)
    elif abs(a - b) < WIDTH:
        start, end = ((a + b) / 2, top), ((a + b) / 2, bottom)
    else:
        side = 0.9 * WIDTH / 2 * (1 if b > a else -1)
        start, end = (a + side, top), (b - side, bottom)
    style = {"arrowstyle": "-|>", "color": SOFT, "lw": 1.4, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", xy=end, xytext=start, arrowprops=style, zorder=2)


def _draw_steps(axes: Axes, levels: dict[str, int]) -> None:
    """Mark the rooms on the way of a packing fraction, and say beside them what it is there."""
    left, top = 5.0, max(levels.values())
    axes.text(left, top, "The way of a packing fraction", fontsize=16, weight="bold", color=INK)
    command = "jamscape jam discs --at-load 0.86"
    axes.text(left, top - 0.6, command, fontsize=12, family="monospace", color=PATH)
    passed: dict[str, int] = {}
    for number, (name, code, text) in enumerate(STEPS, 1):
        before = passed.get(name, 0)
        _badge(axes, ROOMS[name][0] + WIDTH / 2 + 0.03 + 0.2 * before, levels[name], number)
        passed[name] = before + 1
        y = top - 0.5 - 0.85 * number
        _badge(axes, left + 0.1, y, number)
        axes.text(left + 0.28, y + 0.14, text, fontsize=12.5, color=INK, va="center")
        code = code.removeprefix("bridge.").replace(":", ".")
        style = {"fontsize": 10, "family": "monospace", "color": SOFT, "va": "center"}
        axes.text(left + 0.28, y - 0.2, code, **style)
    note = (
        "Arrows are imports; those that follow from others are left out.\n"
        "Blue: the halves, and the two rooms that know them."
    )
    axes.text(left, -0.2, note, fontsize=10, color=SOFT, va="center")


def _badge(axes: Axes, x: float, y: float, number: int) -> None:
    """Draw a number in a circle, as large on either side of the picture."""
    shift = axes.figure.dpi_scale_trans + ScaledTranslation(x, y, axes.transData)
    axes.add_patch(Circle((0, 0), 0.13, color=PATH, transform=shift, zorder=5))
    style = {"color": "white", "weight": "bold", "fontsize": 10.5, "zorder": 6}
    axes.text(x, y, str(number), ha="center", va="center_baseline", **style)


def save(figure: Figure, path: Path) -> None:
    """Write a PNG of few colours, a third as large as one of all."""
    with io.BytesIO() as file:
        figure.savefig(file, dpi=120, format="png")
        Image.open(file).convert("RGB").quantize(64).save(path, optimize=True)


if __name__ == "__main__":
    save(draw(), HERE / "architecture.png")
