"""The transition of a model of your own: the load at which half of its trainings fit random labels.

This runs in seconds; with --full the numbers mean something, after a minute and a half. The same on
the command line, where it goes on from what was trained:
jamscape transition module 06_a_model_of_your_own.py:make
"""

import sys

from torch.nn import Linear, Sequential, Tanh

from bridge import find_transition
from networks import random_patterns

FULL = "--full" in sys.argv
SAMPLES, STEPS, RANGE = (8, 10_000, (1.0, 5.0, 0.25)) if FULL else (2, 400, (0.5, 2.5, 0.5))


def make():
    """A new model with random parameters; torch is seeded for each sample."""
    return Sequential(Linear(8, 4), Tanh(), Linear(4, 1))


def patterns(count, rng):
    """``count`` patterns and their labels ±1: fewer are the first of more."""
    found = random_patterns(count, 8, rng)
    return found.x, found.y


def shown(point):
    ratio = point.constraint_ratio
    ends = "all fit" if ratio is None else f"N_Δ/N = {ratio:.2f} of those that do not"
    return f"P/N = {point.load:5.2f}: {point.fitted} of {point.tried} fit, {ends}"


if __name__ == "__main__":
    low, high, step = RANGE
    found = find_transition(
        make, patterns, low=low, high=high, step=step, samples=SAMPLES, steps=STEPS
    )
    for point in found.points:
        print(shown(point), f"({point.stalled} not certified)")
    print(found)
