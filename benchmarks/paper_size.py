"""Networks at the size of Geiger et al. on an accelerator: each end certified, stopped ones too.

    python benchmarks/paper_size.py --out FILE.json [--device cuda] [--seconds 440]
    python benchmarks/paper_size.py --smoke [--device cuda]

The networks of `large_networks` with other seeds. All of a shape are annealed together; while the
next shape anneals, those that do not fit are polished at their norm, several at a time, lowest
energy first. Near the transition a network of depth 3 leaves its state half way through its anneal
as well, as a run that was stopped too early, and every network the first one to four violated
patterns that are met: both are polished like ends, after them, and say what such states are when
they are certified. Layers of depth 5 collapse at the usual rates, so that theirs are lower.

Numbers are kept as they come, and states in a ``.npz`` beside them: the same command goes on from
both. ``--smoke`` checks a device against the processor in less than a minute, and times the parts
of a step of the anneal and of a linear solve.
"""

import argparse
import itertools
import queue
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from large_networks import LOADS, STRICT, WIDTHS, Kept, Sample, numbers_of, waits

from networks import HingeNetwork, SphericalNetwork, settle
from networks.models import backprop
from networks.models.symmetry import balanced
from networks.training.anneal import Schedule, anneal

SEEDS = {3: (2, 3), 2: (1,), 5: (1,)}  # 0 and 1, or 0, are those of large_networks
SCHEDULES = {2: Schedule(), 3: Schedule(), 5: Schedule(first=3e-3)}
STEPS, SOLVES, WORKERS = 40_000, 400, 3
EVERY, SELDOM, CLOSE = 10, 400, 1e-8  # looks every 10 steps below that energy, every 400 above
FEW = range(1, 5)  # violated patterns that the paper's record has left in fourteen runs
STOPPED = (3.0, 3.05, 3.1, 3.15, 3.2)  # loads at which states half way are kept
FIRST_PACE = 0.3  # seconds a solve, before one is measured


@dataclass(frozen=True)
class Task:
    """A state to be certified: the ``end`` of an anneal, ``few`` violated, or half ``way``."""

    sample: Sample
    kind: str

    @property
    def name(self) -> str:
        return f"{self.sample.name} {self.kind}"


def samples(depth: int) -> list[Sample]:
    """Return the networks of a depth."""
    pairs = itertools.product(LOADS, SEEDS[depth])
    return [Sample(depth, WIDTHS[depth], load, seed) for load, seed in pairs]


@dataclass
class Run:
    """What anneals and polishes share: the store, the device, the queue and the end of the time."""

    kept: Kept
    device: str
    deadline: float
    pace: float = FIRST_PACE
    lock: Any = field(default_factory=threading.Lock)
    waiting: Any = field(default_factory=queue.PriorityQueue)
    count: Any = field(default_factory=itertools.count)

    def put(self, task: Task, x: Any = None, **numbers: Any) -> dict[str, Any]:
        """Keep numbers of a task, and its state if that is given, in the files."""
        with self.lock:
            if x is not None:
                self.kept.states[task.name] = x
            found = self.kept.put(task, **numbers)  # type: ignore[arg-type]
            self.kept.save()
            return found

    def note(self, task: Task, problem: HingeNetwork, x: Any, steps: int) -> None:
        """Keep a state of an anneal, and queue it unless it fits."""
        gaps = problem.gaps(x)
        forces = np.maximum(gaps, 0.0)
        fits = problem.satisfied(gaps)
        found = self.put(
            task,
            x.copy(),
            patterns=len(gaps),
            adam_steps=steps,
            adam_energy=0.5 * float(forces @ forces),
            adam_violated=int((gaps > 0).sum()),
            active=least_active(problem, x),
            strict=is_strict(problem, x),
            status="unjammed" if fits else "annealed",
        )
        if not fits:
            self.queue(task, found)

    def queue(self, task: Task, numbers: dict[str, Any]) -> None:
        """Queue a state: ends before others, and the lowest energies first."""
        energy = numbers["adam_energy"] / task.sample.mlp.n_weights
        self.waiting.put((task.kind != "end", energy, next(self.count), task))

    def work(self) -> None:
        """Polish what is queued until the last."""
        stream = torch.cuda.Stream() if self.device.startswith("cuda") else None
        with torch.cuda.stream(stream):
            while (task := self.waiting.get()[-1]) is not None:
                allowed = min(SOLVES, int((self.deadline - time.perf_counter()) / self.pace))
                if allowed <= 0:
                    continue
                try:
                    self.polish(task, allowed)
                except RuntimeError as error:  # such as no memory left: the others go on
                    self.put(task, reason=str(error).splitlines()[0])

    def polish(self, task: Task, solves: int) -> None:
        """Descend from a kept state by so many linear solves, and keep the end."""
        started = time.perf_counter()
        problem, _ = task.sample.made(self.device)
        x = balanced(task.sample.mlp, self.kept.states[task.name])
        end = settle(SphericalNetwork(problem, float(np.linalg.norm(x))), x, newton_steps=solves)
        seconds = time.perf_counter() - started
        self.pace = 0.5 * self.pace + 0.6 * seconds / max(end.newton_steps, 10)
        found = self.put(
            task,
            end.x,
            **numbers_of(end, self.kept.numbers[task.name], seconds),
            strict=is_strict(problem, end.x),
            peak_so_far=peak(),
        )
        print(f"{task.name}: {found}", flush=True)


def least_active(problem: HingeNetwork, x: Any) -> float:
    """Return the share of active (pattern, unit) pairs in the least active layer."""
    w = torch.tensor(x, device=problem.inputs.device)
    state = backprop.forward(problem.mlp, w, problem.inputs)
    return min(float((slope > 0).double().mean()) for slope in state.slopes)


def is_strict(problem: HingeNetwork, x: Any) -> bool:
    """Tell whether a last layer larger by one part in 10⁷ leaves no pattern violated."""
    worst, there = max(float(problem.gaps(x).max()), 0.0), x.copy()
    there[problem.mlp.slices[-1]] *= 1 + 2 * worst
    return bool(worst < STRICT and (problem.gaps(there) <= 0).all())


def peak() -> float:
    """Return the largest memory taken so far by all that runs on the accelerator, in GB."""
    return 1e-9 * torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0.0


def anneal_together(run: Run, chosen: list[Sample], schedule: Schedule) -> None:
    """Anneal networks of one shape, and queue what they leave."""
    problems, starts = zip(*(sample.made(run.device) for sample in chosen), strict=True)
    close: set[int] = set()
    few: set[int] = set()

    def look(i: int, step: int, x: Any) -> None:
        if step == STEPS // 2 and chosen[i].depth == 3 and chosen[i].load in STOPPED:
            run.note(Task(chosen[i], "way"), problems[i], x, step)
        if i in few or (step % SELDOM and i not in close):
            return
        forces = np.maximum(problems[i].gaps(x), 0.0)
        (close.add if 0.5 * float(forces @ forces) < CLOSE else close.discard)(i)
        if int((forces > 0).sum()) in FEW:
            few.add(i)
            run.note(Task(chosen[i], "few"), problems[i], x, step)

    rules = {"steps": STEPS, "schedule": schedule, "look": look, "looks": STEPS // EVERY}
    for i, end in anneal(problems, starts, **rules):  # type: ignore[arg-type]
        run.note(Task(chosen[i], "end"), problems[i], end.x, end.steps)


def full(run: Run, depths: list[int]) -> None:
    """Anneal one shape after another and polish beside it."""
    workers = [threading.Thread(target=run.work) for _ in range(WORKERS)]
    for sample in itertools.chain.from_iterable(map(samples, depths)):
        for task in (Task(sample, kind) for kind in ("end", "few", "way")):
            numbers = run.kept.numbers.get(task.name)
            if numbers is not None and waits(numbers):
                run.queue(task, numbers)
    torch.linalg.inv(torch.eye(2, device=run.device))  # torch loads it once, and not from threads
    for worker in workers:
        worker.start()
    try:
        for depth in depths:
            missing = [s for s in samples(depth) if f"{s.name} end" not in run.kept.numbers]
            if missing and time.perf_counter() < run.deadline:
                started = time.perf_counter()
                anneal_together(run, missing, SCHEDULES[depth])
                took = time.perf_counter() - started
                print(f"depth {depth}: {len(missing)} annealed, {took:.0f} s", flush=True)
    finally:
        for _ in workers:
            run.waiting.put((True, np.inf, next(run.count), None))
        for worker in workers:
            worker.join()
    table(run.kept)


def table(kept: Kept) -> None:
    """Print a line for each state."""
    print("| depth width P/N seed | state | U, N_Δ/N, violated before | solves, s | status | U | "
          "N_Δ/N, violated | kinks | residual | strict |")  # fmt: skip
    print("|" + " --- |" * 10)
    for name, numbers in sorted(kept.numbers.items(), key=lambda item: item[0].split()[::-1]):
        *sample, kind = name.split()
        depth, width = int(sample[0]), int(sample[1])
        weights = (depth * width + 1) * width
        violated, after = numbers["adam_violated"], numbers.get("constraints", 0)
        cells = [
            " ".join(sample),
            kind,
            f"{numbers['adam_energy']:.2g}, {violated / weights:.2f}, {violated}",
            f"{numbers.get('solves', 0)}, {numbers.get('seconds', 0):.1f}",
            numbers["status"] + (" (collapsed layer)" if numbers["active"] < 0.25 else ""),
            f"{numbers.get('energy', numbers['adam_energy']):.3g}",
            f"{after / weights:.3f}, {after}",
            str(numbers.get("kinks", 0)),
            f"{numbers.get('residual', np.nan):.0e}",
            str(numbers["strict"]),
        ]
        print("| " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seconds", type=float, default=440.0, help="after which to start no more")
    parser.add_argument("--depths", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--smoke", action="store_true", help="check and time the device alone")
    options = parser.parse_args()
    if options.smoke:
        from paper_size_smoke import smoke

        smoke(options.device)
    else:
        kept = Kept(options.out.with_suffix(".npz"))
        full(Run(kept, options.device, time.perf_counter() + options.seconds), options.depths)


if __name__ == "__main__":
    main()
