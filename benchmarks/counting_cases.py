"""What `counting` runs, in its order, and the windows of its fits: fixed before the run."""

from dataclasses import dataclass
from itertools import product

from networks import Mlp

# By depth: widths of about 150, 300, 600 and 1200 weights, with as many inputs.
WIDTHS = {1: (12, 17, 24, 34), 2: (8, 12, 17, 24), 3: (7, 10, 14, 20)}
SMALL, MIDDLE, LARGE, LARGEST = range(4)
KINKED, SMOOTH = ("relu", "leaky", "hardtanh", "abs"), ("tanh", "softplus", "silu", "gelu")
LOAD, LOADS = 1.6, (1.2, 2.0, 2.4)  # patterns per weight, of all networks and of some
SHARPNESS = (3, 10, 30, 100, 300, 1000)  # β of softplus(βx)/β; 1 is softplus itself
ASPECTS = (2.0, 1.5, 1.2, 1.1, 1.03, 1.01, 1.003, 1.001)
ELLIPSES, DISCS, COMPONENTS = 128, (64, 256), (150, 300, 600)
CONVEX, NON_CONVEX = (1.5, 0.3), (4.0, -0.5)  # α of a perceptron, and the margin σ it starts from
SEEDS, TWO = 8, (0, 1)  # of all cases, and of those with 1200 weights
LIMIT, LONG_LIMIT = 100.0, 240.0  # processor seconds of a case, and of one with 1200 weights

# Ends of windows: of forces in units of their mean, of distances of masks from 0 and 1, of gaps
# in units of the mean open one (of packings in diameters), and of |z| of open kinks over its rms.
WINDOWS = {"forces": (0.1, 0.3), "masks": (0.05, 0.1), "gaps": (0.1, 0.3), "kinks": (0.01, 0.03)}
KEPT = {"forces": 0.5, "masks": 0.2, "gaps": 0.5, "kinks": 0.05}  # what is stored lies below
NEAR_KINK = 0.01, 0.1  # masks σ'(z) this far from 0 and 1 are those of a rounded kink in use


@dataclass(frozen=True)
class Case:
    """One exact point: a network, or what stands beside it.

    ``size`` is a width, a number of bodies or of components; ``load`` is patterns per weight, an
    aspect ratio or patterns per component. ``depth`` is 0 of what is no network.
    """

    system: str
    depth: int
    size: int
    load: float
    seed: int

    @property
    def name(self) -> str:
        return f"{self.system} {self.depth} {self.size} {self.load:g} {self.seed}"

    @property
    def mlp(self) -> Mlp:
        return Mlp(self.size, self.size, self.depth, self.system)

    @property
    def limit(self) -> float:
        """Processor seconds after which it is given up."""
        largest = self.depth > 0 and self.size == WIDTHS[self.depth][LARGEST]
        return LONG_LIMIT if largest else LIMIT


def networks(
    names: tuple[str, ...], sizes: tuple[int, ...], loads: tuple[float, ...], seed: int
) -> list[Case]:
    return [
        Case(name, depth, WIDTHS[depth][size], load, seed)
        for size, load, depth, name in product(sizes, loads, WIDTHS, names)
    ]


def dial(seed: int) -> list[Case]:
    """Return softplus from smooth to sharp, and ellipses from long to round."""
    sharp = [
        Case(f"softplus:{beta}", depth, WIDTHS[depth][MIDDLE], LOAD, seed)
        for beta, depth in product(SHARPNESS, (1, 2))
    ]
    return sharp + [Case("ellipses", 0, ELLIPSES, aspect, seed) for aspect in ASPECTS]


def beside(seed: int) -> list[Case]:
    """Return discs, and perceptrons of a negative and of a positive margin."""
    discs = [Case("discs", 0, n, 1.0, seed) for n in DISCS]
    return discs + [
        Case("perceptron", 0, n, alpha, 10 * seed + i)
        for (alpha, _), n, i in product((NON_CONVEX, CONVEX), COMPONENTS, range(3))
    ]


def cases() -> list[Case]:
    """Return all cases: round after round of seeds, small before large in each.

    A round is about 40 minutes of one core, most of them for networks of 600 weights.
    """
    found = [Case("discs", 0, DISCS[0], 1.0, 0), Case("ellipses", 0, ELLIPSES, ASPECTS[0], 0)]
    for seed in range(SEEDS):
        found += networks(KINKED + SMOOTH, (SMALL,), (LOAD,), seed)
        found += networks((*KINKED, "tanh"), (MIDDLE,), (LOAD,), seed)
        found += beside(seed)
        found += dial(seed)
        found += networks((*KINKED, "tanh"), (LARGE,), (LOAD,), seed)
        found += networks(SMOOTH[1:], (MIDDLE,), (LOAD,), seed)
        found += networks(("relu", "hardtanh", "tanh"), (MIDDLE,), LOADS, seed)
        if seed in TWO:
            width = WIDTHS[2][LARGEST]
            found += [Case(name, 2, width, LOAD, seed) for name in ("relu", "tanh")]
    return list(dict.fromkeys(found))
