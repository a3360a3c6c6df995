"""The load at which networks cease to fit, by Adam alone and certified, over sizes and depths.

    python benchmarks/thresholds.py [--seconds 4000] [--digits FOLDER] [--numbers FILE.json]

Each stage of `stages` is a shape, its data and an anneal: the load at which half of the networks
fit is bracketed on a grid, once by the ends of Adam alone and, where the stage is polished, once
by what the polish makes of the same ends. Networks of one seed have the same start and the first
of the same patterns at all loads and in all anneals. Whatever a network came to is written at
once, and the same command goes on where it was; one process of one thread. ``--digits`` is the
folder that `mnist_idx` makes; without it the stages of digits are left out. `thresholds_report`
says what came of it.
"""

import argparse
import json
import os
import time
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")})

from bridge.measure.midpoint import bracket
from bridge.measure.observables import observe
from bridge.records.writing import write_text
from bridge.systems import NetworkSystem
from bridge.systems.network_batches import untrained
from networks import HingeNetwork, train
from networks.training.anneal import Annealed, Schedule, anneal

HOME = Path(__file__).with_suffix(".json")
SCHEDULES = {
    "usual": Schedule(),
    "fast": Schedule(first=3e-2),  # three times the rate
    "stepwise": Schedule(1e-2, 1e-4, stages=3, warmup=0.0, momentum=0.9, by_factors=True),
}
SEED = 0
EIGHT, FOUR = tuple(range(8)), tuple(range(4))
COMPONENTS = 10  # of a digit


@dataclass(frozen=True)
class Shape:
    """Networks of one shape, their data ("random" or "digits"), and the loads ``P/N`` to try."""

    depth: int
    width: int
    low: float
    high: float
    step: float = 0.1
    data: str = "random"

    @property
    def loads(self) -> list[float]:
        count = round((self.high - self.low) / self.step) + 1
        return [round(self.low + self.step * i, 3) for i in range(count)]


@dataclass(frozen=True)
class Stage:
    """Networks to be trained in one way."""

    shape: Shape
    steps: int
    schedule: str = "usual"
    polished: bool = True
    seeds: tuple[int, ...] = EIGHT


SMALL = {1: Shape(1, 12, 1.2, 3.3), 2: Shape(2, 8, 1.2, 3.3), 3: Shape(3, 7, 1.2, 3.3)}
MIDDLE = {1: Shape(1, 17, 1.2, 3.3), 2: Shape(2, 12, 1.2, 3.3), 3: Shape(3, 10, 1.2, 3.3)}
LARGE = {1: Shape(1, 24, 1.6, 3.1), 2: Shape(2, 17, 1.6, 3.1), 3: Shape(3, 14, 1.6, 3.1)}
LARGEST = {1: Shape(1, 34, 2.3, 3.0), 2: Shape(2, 24, 2.3, 3.0), 3: Shape(3, 20, 2.3, 3.0)}
DIGITS = [
    Shape(1, 10, 4.0, 16.0, 1.0, "digits"),
    Shape(3, 8, 2.0, 14.0, 1.0, "digits"),
    Shape(1, 16, 4.0, 16.0, 1.0, "digits"),
    Shape(3, 12, 2.0, 14.0, 1.0, "digits"),
]


def stages() -> list[Stage]:
    """Return all stages in their order: what may refute the others before more sizes."""
    return [
        Stage(MIDDLE[2], 1_500),
        Stage(MIDDLE[2], 6_000),
        Stage(LARGE[2], 6_000, seeds=FOUR),
        Stage(MIDDLE[2], 24_000),
        Stage(MIDDLE[2], 6_000, "fast", polished=False),
        Stage(MIDDLE[2], 6_000, "stepwise", polished=False),
        Stage(LARGEST[2], 6_000, seeds=FOUR),
        Stage(MIDDLE[1], 6_000, seeds=FOUR),
        Stage(LARGE[1], 6_000, seeds=FOUR),
        Stage(LARGE[3], 6_000, seeds=FOUR),
        *(Stage(shape, 6_000, seeds=FOUR) for shape in DIGITS),
        Stage(MIDDLE[3], 6_000, seeds=FOUR),
        Stage(LARGEST[1], 6_000, seeds=FOUR),
        Stage(MIDDLE[1], 6_000),
        Stage(SMALL[1], 6_000),
        Stage(MIDDLE[3], 6_000),
        Stage(LARGEST[3], 6_000, seeds=FOUR),
        Stage(LARGE[2], 6_000),
        Stage(LARGE[2], 1_500, polished=False),
        Stage(MIDDLE[2], 24_000, "stepwise", polished=False),
        Stage(LARGE[1], 6_000),
        Stage(LARGE[3], 6_000),
        Stage(LARGE[2], 24_000, polished=False),
        Stage(SMALL[2], 1_500),
        Stage(SMALL[2], 6_000),
        Stage(LARGEST[2], 6_000),
    ]


@dataclass(frozen=True)
class Ended:
    """How one network ended, after Adam and, if it was polished, after that.

    ``n``, ``constraints`` and ``kinks`` are those of the polished end, without frozen units, and
    ``n`` without symmetries. Seconds are those of the processor, of Adam since the network that
    ended before in the same group.
    """

    data: str
    depth: int
    width: int
    schedule: str
    steps: int
    load: float
    seed: int
    weights: int
    patterns: int
    adam_status: str  # "unjammed", "dead", or "stalled" of what is not certified
    adam_steps: int
    adam_energy: float
    adam_violated: int
    adam_seconds: float
    polished: bool
    status: str
    energy: float
    n: int
    constraints: int
    kinks: int
    solves: int
    residual: float
    polish_seconds: float

    @property
    def place(self) -> tuple[Any, ...]:
        """What was trained: the network, its patterns and its anneal."""
        return astuple(self)[:7]


NAMES = [field.name for field in fields(Ended)]


def place(stage: Stage, load: float, seed: int) -> tuple[Any, ...]:
    shape = stage.shape
    return shape.data, shape.depth, shape.width, stage.schedule, stage.steps, load, seed


def read(path: Path) -> list[Ended]:
    """Return the networks of a file; none if there is no file."""
    if not path.exists():
        return []
    return [Ended(*row) for row in json.loads(path.read_text(encoding="utf-8"))["rows"]]


class OverError(Exception):
    """The time for starting networks is over."""


class Run:
    """What has been trained, and until when more is."""

    def __init__(self, path: Path, seconds: float, digits: Path | None) -> None:
        self.path, self.digits = path, digits
        self.deadline = time.perf_counter() + seconds
        self.known = {end.place: end for end in read(path)}

    def fraction(self, stage: Stage, load: float, *, adam: bool) -> float:
        """Return the fraction of living networks that fit at a load; train what is missing."""
        places = [place(stage, load, seed) for seed in stage.seeds]
        missing = [at[-1] for at in places if at not in self.known]
        if missing:
            self._train(stage, load, missing)
        ends = [self.known[at] for at in places]
        found = [end.adam_status if adam else end.status for end in ends]
        living = [status for status in found if status != "dead"]
        return living.count("unjammed") / len(living) if living else 0.0

    def _train(self, stage: Stage, load: float, seeds: list[int]) -> None:
        """Anneal the networks of some seeds together, and polish each as it comes."""
        problems, starts = untrained(self._system(stage.shape, load), [(SEED, s) for s in seeds])
        schedule, clock = SCHEDULES[stage.schedule], time.process_time()
        for i, annealed in anneal(problems, starts, steps=stage.steps, schedule=schedule):
            seconds = time.process_time() - clock
            self.keep(ended(place(stage, load, seeds[i]), problems[i], annealed, seconds, stage))
            if time.perf_counter() > self.deadline:
                raise OverError
            clock = time.process_time()

    def _system(self, shape: Shape, load: float) -> NetworkSystem:
        digits = shape.data == "digits"
        return NetworkSystem(
            depth=shape.depth,
            width=shape.width,
            input_dim=COMPONENTS if digits else None,
            load=load,
            data=str(self.digits) if digits else shape.data,
        )

    def keep(self, end: Ended) -> None:
        """Write what is known with one network more; the file is whole at any time."""
        self.known[end.place] = end
        rows = ",\n".join(json.dumps(astuple(known)) for known in self.known.values())
        write_text(self.path, f'{{"columns": {json.dumps(NAMES)},\n"rows": [\n{rows}\n]}}\n')


def ended(
    at: tuple[Any, ...], problem: HingeNetwork, annealed: Annealed, seconds: float, stage: Stage
) -> Ended:
    """Return the end of Adam, polished if the stage is, with the seconds of the anneal given."""

    def adam(*_: Any, **__: Any) -> Annealed:
        return annealed

    started = time.process_time()
    bare = train(problem, annealed.x, optimiser=adam, newton_steps=0)
    end = train(problem, annealed.x, optimiser=adam) if stage.polished else bare
    polishing = time.process_time() - started
    seen = observe(end)
    return Ended(
        *at,
        weights=problem.mlp.n_weights,
        patterns=len(problem.patterns),
        adam_status=bare.status,
        adam_steps=annealed.steps,
        adam_energy=shortened(bare.energy),
        adam_violated=bare.n_constraints,
        adam_seconds=round(seconds, 2),
        polished=stage.polished,
        status=end.status,
        energy=shortened(end.energy),
        n=seen.n,
        constraints=seen.n_constraints,
        kinks=end.n_kinks,
        solves=end.newton_steps,
        residual=shortened(end.max_residual),
        polish_seconds=round(polishing, 2),
    )


def shortened(value: float) -> float:
    return float(f"{value:.4g}")


def find(run: Run, stage: Stage) -> None:
    """Bracket the load at which half fit, by Adam alone and then by the polished ends."""
    loads = stage.shape.loads
    for adam in (True, False)[: 1 + stage.polished]:
        low, high = bracket(
            lambda i, adam=adam: run.fraction(stage, loads[i], adam=adam), len(loads)
        )
        between = f"{loads[low] if low >= 0 else '-'} - {loads[high] if high < len(loads) else '-'}"
        print(stage, "Adam" if adam else "polished", between, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1e9, help="after which to start no more")
    parser.add_argument("--digits", type=Path, help="folder with MNIST's IDX files")
    parser.add_argument("--numbers", type=Path, default=HOME)
    options = parser.parse_args()
    run = Run(options.numbers, options.seconds, options.digits)
    for stage in stages():
        if stage.shape.data == "digits" and options.digits is None:
            continue
        try:
            find(run, stage)
        except OverError:
            break


if __name__ == "__main__":
    main()
