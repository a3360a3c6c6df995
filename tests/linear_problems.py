"""Constraints whose gaps are linear, and small systems of every kind for the linear hinge."""

from dataclasses import dataclass

import numpy as np

from particles import Discs, Ellipses, Perceptron

from problems import Halfspaces


@dataclass(frozen=True, eq=False)
class FlatHalfspaces(Halfspaces):
    """Linear gaps, whose curvature vanishes."""

    def curvature(self, x, forces):
        return np.zeros((self.n_dof, self.n_dof))


class RoundedHalfspaces(FlatHalfspaces):
    """The same, as rounding leaves the curvature of what is flat along its first variable."""

    def curvature(self, x, forces):
        return np.diag([1e-17, 1.0])


def energy(problem, x):
    """Return ``Σ max(Δ, 0)``."""
    return float(np.maximum(problem.gaps(x), 0.0).sum())


def small(kind, rng):
    """Return a system of twelve bodies or components that jams."""
    if kind == "perceptron":
        return Perceptron.random(12, 8.0, -0.5, rng)
    if kind == "ellipses":
        return Ellipses.bidisperse(12, 0.95)
    return Discs.bidisperse(12, {"discs": 0.9, "spheres": 0.7}[kind], dim=2 + (kind == "spheres"))


KINDS = ["perceptron", "discs", "spheres", "ellipses"]
