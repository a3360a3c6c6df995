"""Draw what the README opens with: a jammed packing beside a jammed network.

    python docs/packing_and_network.py

Bars are forces, lines weights; white are rattlers and dead units.
"""

from pathlib import Path

import numpy as np

from bridge import plot
from bridge.figures.style import new_figure, save, style
from networks import HingeNetwork, Mlp, random_patterns, train
from particles import Ellipses, decompress

FILE = Path(__file__).parent / "packing_and_network.png"


def packing(rng):
    crowded = Ellipses.bidisperse(150, phi=0.94, aspect=1.5)
    return decompress(crowded, crowded.random_state(rng), pressure=1e-4)


def network(rng):
    mlp = Mlp(input_dim=12, width=12, depth=3)
    problem = HingeNetwork(mlp, random_patterns(round(3.4 * mlp.n_weights), 12, rng))
    return train(problem, mlp.init(rng), steps=4000)


def main():
    ends = {"a packing of ellipses": packing, "a deep network": network}
    with style():
        figure = new_figure(8.4, 4.0)
        axes = figure.subplots(1, 2, width_ratios=(1.0, 1.1))
        for panel, (name, found) in zip(axes, ends.items(), strict=True):
            end = found(np.random.default_rng(1))
            plot(end, ax=panel)
            panel.set_title(f"{name}, {end.status}")
        save(figure, FILE, (".png",), dpi=150)


if __name__ == "__main__":
    main()
