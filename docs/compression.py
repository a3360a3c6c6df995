"""Draw the animation of the README: a packing that is compressed beside a network that learns more.

    python docs/compression.py

Both go through their transitions together; the states are those that `jamscape compare` plays.
"""

import io
from itertools import chain
from pathlib import Path

import numpy as np
from matplotlib.colors import to_rgb
from PIL import Image

from bridge import observe, plot
from bridge.figures.style import BLUE, GREY, RED, new_figure, style
from bridge.records.seeds import generator
from bridge.systems import EllipseSystem, NetworkSystem

FILE = Path(__file__).parent / "compression.webp"
N_FRAMES, HOLD = 40, 8
MILLISECONDS = 130


def followed(system, name):
    """Return the states of a motion and the images of its patterns."""
    motion = next(motion for motion in system.motions() if motion.name == name)
    seed = (0, 0)
    states = list(motion.system.along(motion.loads, generator(seed)))
    return states, motion.system.pixels(motion.loads, generator(seed))


def ratios(states):
    """Return the violated constraints per degree of freedom; none where all fits."""
    return [observe(s.problem, s.x).constraint_ratio if s.status == "jammed" else 0 for s in states]


def place(share, states):
    """Return the frame at a share of the way, of which the transition is the middle."""
    jammed = [state.status == "jammed" for state in states].index(True)
    last = len(states) - 1
    way = 2 * share * jammed if share < 0.5 else jammed + (2 * share - 1) * (last - jammed)
    return round(way)


def mosaic(pixels, gaps, across=17):
    """Return the images side by side, blue where they are learned and red where they are not."""
    _, height, width = pixels.shape
    down = -(-len(pixels) // across)
    shown = np.ones((down * (height + 2), across * (width + 2), 3))
    for k, gap in enumerate(gaps):
        ink = np.array(to_rgb(RED if gap > 0 else BLUE))
        top, left = (k // across) * (height + 2) + 1, (k % across) * (width + 2) + 1
        image = 1.0 - pixels[k][:, :, None] * (1.0 - ink)
        shown[top : top + height, left : left + width] = image
    return shown


def draw_curve(axes, states, values, frame):
    """Draw the jump of the violated constraints, and where the state is."""
    loads = [state.load[1] for state in states]
    full = np.array([state.status == "jammed" for state in states])
    axes.axhline(1.0, color=GREY, lw=0.6, ls=":")
    for chosen, colour, filled in ((full, RED, True), (~full, BLUE, False)):
        marks = {"mfc": colour if filled else "white", "mec": colour}
        axes.plot(np.array(loads)[chosen], np.array(values)[chosen], "o", ms=3, **marks)
    axes.plot(loads[frame], values[frame], "o", ms=8, mfc="none", mec="black")
    axes.set(xlabel={"phi": "packing fraction φ"}.get(states[0].load[0], "patterns per weight P/N"))
    axes.set(ylabel="$N_Δ/N$", ylim=(-0.12, 2.05))


def picture(share, sides):
    """Return one frame as an image."""
    figure = new_figure(6.4, 4.2)
    axes = figure.subplots(2, 2, height_ratios=(2.6, 1.0))
    for (upper, lower), (title, states, pixels, values) in zip(axes.T, sides, strict=True):
        frame = place(share, states)
        state = states[frame]
        if pixels is None:
            plot(state, ax=upper)
            upper.set_xlabel("")
        else:
            gaps = state.problem.gaps(state.x)
            upper.imshow(mosaic(pixels, gaps if state.status == "jammed" else np.minimum(gaps, 0)))
            upper.set_axis_off()
        word = "everything fits" if state.status == "unjammed" else state.status
        upper.set_title(f"{title}: {word}", color=BLUE if state.status == "unjammed" else RED)
        draw_curve(lower, states, values, frame)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    return Image.open(buffer).convert("RGB")


def main():
    """Write the animation, forward and with a rest at its end."""
    sides = []
    for title, system, name in (
        ("ellipses", EllipseSystem, "ellipses"),
        ("digits, odd or even", NetworkSystem, "digits"),
    ):
        states, pixels = followed(system, name)
        sides.append((title, states, pixels, ratios(states)))
    with style():
        way = [picture(share, sides) for share in np.linspace(0.0, 1.0, N_FRAMES)]
    frames = list(chain(way, [way[-1]] * HOLD))
    frames[0].save(
        FILE, save_all=True, append_images=frames[1:], duration=MILLISECONDS, loop=0, quality=70
    )


if __name__ == "__main__":
    main()
