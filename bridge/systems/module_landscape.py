"""The loss of a module of the user's own as a landscape on the command line."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bridge.landscape.case import Case
from bridge.systems.classifier import Lengths, OnTestSet, lengths
from bridge.systems.module import EXAMPLE, MODEL_HELP, file_of_model
from bridge.systems.ranges import option
from bridge.systems.system import expect

if TYPE_CHECKING:
    import numpy as np

    from networks.data.sets import PatternSet

_CROSS_ENTROPY = "cross-entropy"


@dataclass(frozen=True)
class ModuleLandscape:
    """The loss of a smooth torch.nn.Module of your own, with weight decay."""

    kind: ClassVar[str] = "module"
    rank: ClassVar[int] = 19
    small: ClassVar[Mapping[str, Any]] = {
        "model": f"{EXAMPLE}:digits",
        "patterns": 20,
    }
    built_in_data: ClassVar[tuple[str, ...]] = ("digits",)

    model: str = option("", MODEL_HELP, argument=True)
    data: str = option("digits", "digits (images of 1 x 8 x 8), a .npz, or a table such as a .csv.")
    loss: str = option(
        _CROSS_ENTROPY,
        "cross-entropy, or the name of a function of outputs and labels in the file of the module.",
    )
    l2: float = option(1e-3, "Weight decay λ.", 0, 1e6)
    patterns: int = option(200, "Training patterns; the others are the test set.", 2, 100_000)
    frozen: bool = option(False, "Hold dropout and batch norm as they are in evaluation.")
    label: str | None = option(
        None, "Column of a .csv with the labels, by name or by number from 1; the last if unset."
    )

    def kept_as(self) -> dict[str, str]:
        """Return what a record says of the file: what it holds, and the name in it."""
        return file_of_model(self.model)

    def file_names(self) -> dict[str, str]:
        """Return the name of the file without its path, for reading."""
        return {"model_file": Path(self.model).name} if self.model else {}

    def case(self, rng: "np.random.Generator") -> Case:
        """Return the loss; the test set gives each minimum its scores."""
        from networks.data.outcomes import Outcomes
        from networks.models.from_module import count_outputs
        from networks.models.made import made, read_in_file, read_make
        from networks.models.module_loss import ModuleLoss

        module, data = made(read_make(self.model), 0), self._data()
        order = rng.permutation(len(data.y))
        count = min(self.patterns, 2 * len(order) // 3)
        y, classes = data.asked(outputs := count_outputs(module, data.few())), data.classes(outputs)
        own = None if self.loss == _CROSS_ENTROPY else read_in_file(self.model, self.loss)
        first, rest = order[:count], order[count:]
        problem = ModuleLoss.of(
            module, data.x[first], y[first], loss=own, l2=self.l2, frozen=self.frozen
        )
        test = Outcomes(data.x[rest].reshape(len(rest), -1), classes[rest], max(2, outputs))
        observe = OnTestSet(problem, test)
        far = self.lengths()
        return Case(
            *(problem, problem.random_state, far.steps, far.hops),
            observe=observe,
            marks=observe.wrong,
        )

    def lengths(self) -> Lengths:
        """Return how far searches move: without the module, which takes seconds to try."""
        return lengths()

    def _data(self) -> "PatternSet":
        from networks.data.sets import PatternSet, digit_images

        if self.data in self.built_in_data:
            expect(self.label is None, "a file with label", self.data, "drop one of them")
            return digit_images()
        return PatternSet.read(self.data, self.label, values=False)
