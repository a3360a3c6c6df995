"""Classifiers with cross-entropy on the command line."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from bridge.landscape.case import Case
from bridge.systems.quench_outcomes import quench_outcomes
from bridge.systems.ranges import option
from bridge.systems.system import expect

if TYPE_CHECKING:
    import numpy as np

    from bridge.landscape.basin_hopping import Hops
    from bridge.landscape.search import Steps
    from bridge.protocols import Mask, Vector
    from networks.data.outcomes import Outcomes
    from networks.models.classifier import Classifier
    from networks.models.module_loss import ModuleLoss


class Lengths(NamedTuple):
    """How far searches and basin hopping move."""

    steps: "Steps"
    hops: "Hops"


def lengths() -> Lengths:
    """Return how far searches move in the landscape of a loss: weights are numbers about one."""
    from bridge.landscape.basin_hopping import Hops
    from bridge.landscape.search import Steps

    steps = Steps(climb=1.0, scatter=1.5, kick=0.5, push=0.1, descend=0.2, max_steps=200)
    return Lengths(steps, Hops(temperature=0.05, size=2.0, descend=0.5))


@dataclass(frozen=True)
class ClassifierLandscape:
    """A classifier with one tanh hidden layer, cross-entropy and weight decay."""

    kind: ClassVar[str] = "classifier"
    small: ClassVar[Mapping[str, Any]] = {"hidden": 2, "patterns": 20}
    built_in_data: ClassVar[tuple[str, ...]] = ("quench", "digits")

    data: str = option("quench", "quench (outcomes of LJAT3), digits, or a .npz or .csv file.")
    hidden: int = option(3, "Number of hidden units.", 1, 1000)
    l2: float = option(1e-3, "Weight decay λ.", 0, 1e6)
    patterns: int = option(
        1000, "Training patterns; as many more, or the rest, are the test set.", 2, 100_000
    )
    label: str | None = option(
        None, "Column of a .csv with the labels, by name or by number from 1; the last if unset."
    )

    def case(self, rng: "np.random.Generator") -> Case:
        """Return the network; the test set gives each minimum an area under the curve."""
        from networks.models.classifier import Classifier

        train, test = self._data(rng)
        problem = Classifier(train, self.hidden, self.l2)
        observe = OnTestSet(problem, test)
        return Case(
            *(problem, problem.random_state, *lengths()), observe=observe, marks=observe.wrong
        )

    def sketch(self, rng: "np.random.Generator") -> Case:
        """Return the same from a few patterns where all would take seconds: to check it."""
        few = replace(self, patterns=min(self.patterns, 10)) if self.data == "quench" else self
        return few.case(rng)

    def _data(self, rng: "np.random.Generator") -> "tuple[Outcomes, Outcomes]":
        from networks.data.outcomes import digit_outcomes, read_outcomes

        expect(self.patterns >= 2, "at least 2 patterns", self.patterns, "raise it")
        if self.data in self.built_in_data:
            expect(self.label is None, "a file with label", self.data, "drop one of them")
        if self.data == "quench":
            found = quench_outcomes(2 * self.patterns, rng)
        elif self.data == "digits":
            found = digit_outcomes().shuffled(rng)
        else:
            found = read_outcomes(Path(self.data), self.label).shuffled(rng)
        return found.standardised().split(min(self.patterns, 2 * len(found) // 3))


@dataclass(frozen=True, eq=False)
class OnTestSet:
    """How a classifier does on patterns that it has not seen."""

    problem: "Classifier | ModuleLoss"
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
