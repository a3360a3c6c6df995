"""A module of the user's own on the command line: ``FILE.py:NAME`` makes it, and data teach it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bridge.records.content import content
from bridge.systems.learner import NORM_HELP, POLISH_HELP, Learner
from bridge.systems.ranges import option
from bridge.systems.system import LARGEST, check_size, expect, newton_on_sphere

if TYPE_CHECKING:
    import numpy as np
    import torch

    from bridge.protocols import Vector
    from networks import ModuleProblem, SphericalNetwork
    from networks.data.sets import DrawnSet, PatternSet, RandomSet
    from networks.models.made import Make

_RANDOM_LOAD = 3.4  # patterns per weight, where no number is asked for
MODEL_HELP = "FILE.py:NAME, a function without arguments that returns the module, or its class."
EXAMPLE = Path(__file__).parents[2] / "networks" / "models" / "example.py"
_SEEDS = 2**63  # of torch


@dataclass(frozen=True)
class ModuleSystem(Learner):
    """A torch.nn.Module of your own, made by a function or a class in a file."""

    kind: ClassVar[str] = "module"
    rank: ClassVar[int] = 6
    small: ClassVar[Mapping[str, Any]] = {
        "model": f"{EXAMPLE}:make",
        "input_dim": 4,
        "load": 3.0,
        "steps": 50,
    }
    built_in_data: ClassVar[tuple[str, ...]] = ("random", "digits")

    model: str = option("", MODEL_HELP, argument=True)
    data: str = option(
        "random", "random, digits (images of 1 x 8 x 8), a .npz, or a table such as a .csv."
    )
    input_dim: int = option(8, "Components of a random pattern.", 1, 100_000)
    load: float | None = option(None, "Patterns per weight, P/N.", 1e-6, 1e6)
    patterns: int | None = option(None, "Number of patterns P, instead of the load.", 2, 1_000_000)
    margin: float = option(1.0, "Margin asked for.", -1e6, 1e6)
    epsilon: float | None = option(
        None, "Regress on the labels as numbers, to this distance.", 0, 1e6
    )
    frozen: bool = option(False, "Hold dropout and batch norm as they are in evaluation.")
    steps: int = option(10_000, "Steps of Adam.", 1, 1_000_000_000)
    polish: int = option(1000, POLISH_HELP, 0, 1_000_000)
    norm: str = option("held", NORM_HELP)
    label: str | None = option(
        None, "Column of a .csv with the labels, by name or by number from 1; the last if unset."
    )

    def check(self) -> None:
        """Raise ``ValueError`` if an option is wrong, or the module cannot be made or taught."""
        self.check_norm()
        if self.data in self.built_in_data:
            expect(self.label is None, "a file with label", self.data, "drop one of them")
        self._problem(self.load)

    def check_search(self, *, loading: bool) -> None:
        """Raise ``ValueError`` if it has a load already, or a number of patterns."""
        super().check_search(loading=loading)
        if self.patterns is not None:
            raise ValueError(
                f"expected a load from low to high, got {self.patterns} patterns: drop patterns"
            )

    def check_linear(self) -> None:
        """Refuse weights that can grow, and units with kinks: these hold it as constraints do."""
        expect(self.norm == "held", "norm held with the linear energy", self.norm, "hold it")
        self.check_slow_loading()

    def check_slow_loading(self) -> None:
        """Refuse units with kinks, which hide instabilities from the Hessian."""
        units = self._problem(self.load)[0].units
        smooth = not len(units) and not units.not_resolved
        expect(smooth, "a smooth module", "one with kinks", "use such as tanh or softplus")

    def settings(self) -> dict[str, Any]:
        """Return the schedule of Adam, and the load where none is asked for."""
        from networks.training.anneal import Schedule

        return {"optimiser": asdict(Schedule()), "random_load": _RANDOM_LOAD}

    def kept_as(self) -> dict[str, str]:
        """Return what a record says of the file: what it holds, and the name in it."""
        return file_of_model(self.model)

    def file_names(self) -> dict[str, str]:
        """Return the name of the file without its path, for reading."""
        return {"model_file": Path(self.model).name} if self.model else {}

    def untrained(
        self, load: float | None, data: "np.random.Generator", init: "np.random.Generator"
    ) -> "tuple[ModuleProblem, Vector]":
        """Return the module with patterns drawn from ``data``, made with a seed from ``init``."""
        from networks import from_module
        from networks.models.from_module import count_outputs
        from networks.models.module import count_weights

        source = self.source
        trial = self.made(0)
        outputs = count_outputs(trial, source.few())
        count = self._count(load, count_weights(trial))
        x, y = source.drawn(count, outputs, data)
        module = self.made(int(init.integers(_SEEDS)))
        options: dict[str, Any] = {"epsilon": self.epsilon, "frozen": self.frozen}
        problem = from_module(module, x, y, margin=self.margin, **options)
        return problem, problem.start

    @property
    def source(self) -> "PatternSet | RandomSet | DrawnSet":
        """The patterns, or what draws them."""
        from networks.data.sets import PatternSet, RandomSet, digit_images

        if self.data == "random":
            return RandomSet(self.input_dim, self.epsilon is None)
        if self.data == "digits":
            images = digit_images()
            return images if self.epsilon is None else replace(images, has_classes=False)
        return PatternSet.read(self.data, self.label, values=self.epsilon is not None)

    @property
    def make(self) -> "Make":
        """What makes the module."""
        from networks.models.made import read_make

        return read_make(self.model)

    def made(self, seed: int) -> "torch.nn.Module":
        """Return the module of a seed."""
        from networks.models.made import made

        return made(self.make, seed, self.model.rpartition(":")[2] or "make")

    def sizes(self, problem: "ModuleProblem") -> tuple[int, int]:
        """Return the numbers of weights and of patterns."""
        return problem.n_weights, len(problem.demands)

    def with_margin(self, problem: "ModuleProblem", margin: float) -> "ModuleProblem":
        """Return the module that is asked for another margin."""
        return replace(problem, demands=replace(problem.demands, margin=margin))

    def balanced(self, problem: "ModuleProblem", x: "Vector") -> "Vector":
        """Return the same function with rectifiers rescaled to the smallest norm."""
        from networks.models.module_symmetry import balanced

        return balanced(problem.generators, x)

    def follow(self, problem: "SphericalNetwork", x: "Vector") -> Any:
        """Descend by Newton's method; over kinks by the polish of modules."""
        from networks import settle

        module: Any = problem.free
        return settle(problem, x) if len(module.units) else newton_on_sphere(problem, x)

    @classmethod
    def title(cls, given: Mapping[str, Any]) -> str:
        """Return the name of the module, and the data."""
        data = "patterns of a file" if given["data"].startswith("sha256:") else given["data"]
        return f"module {given['model'].rpartition(':')[2]}, {data}"

    def __str__(self) -> str:
        return f"modules by {Path(self.model).name or 'a function'}"

    def _count(self, load: float | None, weights: int) -> int | None:
        """Return the number of patterns that was asked for; None for all there are."""
        if load is None and self.patterns is None and self.data == "random":
            load = _RANDOM_LOAD
        if load is None:
            return self.patterns
        count = round(load * weights)
        least = f"two patterns or more, a load of {2 / weights:.2g} for {weights} weights"
        expect(count >= 2, least, count, "raise the load")
        size = self.input_dim if self.data == "random" else 1
        check_size("components of all patterns", count * size, most=10 * LARGEST)
        return count


def file_of_model(model: str) -> dict[str, str]:
    """Return ``model``, where ``FILE.py`` of ``FILE.py:NAME`` is given by what it holds."""
    if not model:
        return {}
    from networks.models.made import file_and_name

    path, name = file_and_name(model)
    return {"model": f"{content(path)}:{name}"}
