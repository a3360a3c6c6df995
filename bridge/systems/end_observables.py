"""What a minimum is besides its energy: numbers that the landscapes of the command line report.

Classes and not closures, so that a case can be sent to another process.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.protocols import ConstraintProblem, Landscape, Mask, Vector
    from networks.data.outcomes import Outcomes
    from networks.models.classifier import Classifier


@dataclass(frozen=True, eq=False)
class PerSpin:
    """Energy per spin."""

    problem: "Landscape"

    def __call__(self, x: "Vector") -> dict[str, float]:
        """Return ``H/N``."""
        return {"energy_per_spin": self.problem.energy_gradient(x)[0] / self.problem.n_dof}


@dataclass(frozen=True, eq=False)
class Constraints:
    """Numbers of violated constraints."""

    problem: "ConstraintProblem"

    def __call__(self, x: "Vector") -> dict[str, float]:
        """Return ``N_Δ``."""
        return {"n_constraints": float(self.violated(x).sum())}

    def violated(self, x: "Vector") -> "Mask":
        """Return which constraints are violated, in the order of the gaps, ``(m,)``."""
        return self.problem.gaps(x) > 0


@dataclass(frozen=True, eq=False)
class OnTestSet:
    """How a classifier does on patterns that it has not seen."""

    problem: "Classifier"
    test: "Outcomes"

    def __call__(self, x: "Vector") -> dict[str, float]:
        """Return the area under the curve and the accuracy."""
        from networks.models.scores import accuracy, area_under_curve

        probabilities = self.problem.outputs(x, self.test)
        return {
            "test_auc": area_under_curve(probabilities, self.test),
            "test_accuracy": accuracy(probabilities, self.test),
        }

    def wrong(self, x: "Vector") -> "Mask":
        """Return which patterns of the test set are misclassified, ``(P,)``."""
        import numpy as np

        likely = self.problem.outputs(x, self.test).argmax(axis=1)
        return np.asarray(likely != self.test.label)
