"""Networks of the size of Geiger et al. through their transition, certified: for an accelerator.

    python benchmarks/large_networks.py run [--device cuda] [--seconds 500] [--depths 3 2 5]
    python benchmarks/large_networks.py check

Random labels on ``|x| = √d``, about 7854 weights, ``P/N`` from 2.8 to 3.3: Geiger et al., Phys.
Rev. E 100, 012115 (2019). ``run`` anneals all networks of a shape together, and then polishes
those that do not fit, lowest energy first, until the seconds are over. States are kept as they
come in the file ``--states``, from which the same command goes on, and their numbers in a ``.json``
beside it. ``check`` looks at the states on a processor: a fit is strict if a last layer that is
larger by less than one part in 10⁷ leaves no pattern violated, and minima are certified again,
some minutes each. `large_networks_report` says what came of it.
"""

import argparse
import json
import os
import time
from collections import deque
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch

from networks import HingeNetwork, Mlp, SphericalNetwork, random_patterns, settle
from networks.models import backprop
from networks.models.symmetry import balanced
from networks.training.anneal import anneal
from networks.training.kinks import Kinks, KinkState
from networks.training.polish import BALANCED

HOME = Path(__file__).with_suffix(".npz")
WIDTHS = {3: 51, 2: 62, 5: 40}  # by depth: 7854, 7750 and 8040 weights
SEEDS = {3: 2, 2: 1, 5: 1}
LOADS = tuple(round(2.8 + 0.05 * i, 2) for i in range(11))
STEPS, SOLVES = 40_000, 300
LOOKS, SELDOM, CLOSE = 800, 400, 1e-8  # every 50 steps below that energy, every 400 above
FEW = 0.05  # violated patterns per weight: states with fewer, but some, are noted
FIRST_PACE = 0.3  # seconds a solve, before one is measured
STRICT = 1e-7  # largest gap that a larger last layer may close
AT_KINK, ROUNDS = 1e-10, 10

State = dict[str, Any]  # arrays and numbers by "name of the network, what"


@dataclass(frozen=True)
class Sample:
    """One network and its patterns."""

    depth: int
    width: int
    load: float
    seed: int

    @property
    def name(self) -> str:
        return f"{self.depth} {self.width} {self.load} {self.seed}"

    @property
    def mlp(self) -> Mlp:
        return Mlp(self.width, self.width, self.depth)

    def made(self, device: str) -> tuple[HingeNetwork, Any]:
        """Return the network, and where its anneal starts."""
        rng = np.random.default_rng([self.seed, self.depth, round(1000 * self.load)])
        patterns = random_patterns(2 * round(self.load * self.mlp.n_weights / 2), self.width, rng)
        return HingeNetwork(self.mlp, patterns, device=device), self.mlp.init(rng)


def samples() -> list[Sample]:
    """Return all networks, those of the paper's own size first."""
    return [
        Sample(depth, WIDTHS[depth], load, seed)
        for depth in WIDTHS
        for load, seed in product(LOADS, range(SEEDS[depth]))
    ]


class Kept:
    """States by name and numbers of each network, in two files that are whole at any time."""

    def __init__(self, path: Path) -> None:
        self.paths = path, path.with_suffix(".json")
        states, numbers = self.paths
        self.states: State = dict(np.load(states)) if states.exists() else {}
        self.numbers: dict[str, State] = (
            json.loads(numbers.read_text(encoding="utf-8")) if numbers.exists() else {}
        )

    def put(self, sample: Sample, **numbers: Any) -> State:
        """Add numbers of a network and return all of them."""
        known = self.numbers.setdefault(sample.name, {})
        known |= numbers
        return known

    def save(self) -> None:
        parts = [path.with_name(f"part_of_{path.name}") for path in self.paths]
        np.savez(parts[0], **self.states)
        text = json.dumps(self.numbers, indent=1, sort_keys=True)
        parts[1].write_text(text, encoding="utf-8")
        for part, path in zip(parts, self.paths, strict=True):
            os.replace(part, path)


def run(kept: Kept, device: str, seconds: float, depths: list[int]) -> None:
    deadline = time.perf_counter() + seconds
    for depth in depths:
        missing = [s for s in samples() if s.depth == depth and s.name not in kept.numbers]
        if missing:
            started = time.perf_counter()
            anneal_together(missing, kept, device)
            took = time.perf_counter() - started
            print(f"depth {depth}: {len(missing)} annealed, {took:.0f} s", flush=True)
    polish_until(deadline, kept, device, depths)


def anneal_together(chosen: list[Sample], kept: Kept, device: str) -> None:
    """Anneal networks of one shape; note steps, N_Δ and U where few patterns are violated."""
    problems, starts = zip(*(sample.made(device) for sample in chosen), strict=True)
    few: list[list[tuple[int, int, float]]] = [[] for _ in chosen]
    close = set()

    def look(i: int, step: int, x: Any) -> None:
        if step % SELDOM and i not in close:
            return
        forces = np.maximum(problems[i].gaps(x), 0.0)
        violated, energy = int((forces > 0).sum()), 0.5 * float(forces @ forces)
        (close.add if energy < CLOSE else close.discard)(i)
        if 0 < violated <= FEW * chosen[i].mlp.n_weights:
            few[i].append((step + 1, violated, energy))

    for i, end in anneal(problems, starts, steps=STEPS, look=look, looks=LOOKS):
        gaps = problems[i].gaps(end.x)
        kept.states[chosen[i].name] = end.x
        kept.put(
            chosen[i],
            patterns=len(gaps),
            adam_steps=end.steps,
            adam_energy=end.energy,
            adam_violated=int((gaps > 0).sum()),
            few=few[i],
            status="unjammed" if problems[i].satisfied(gaps) else "annealed",
        )
    kept.save()


def polish_until(deadline: float, kept: Kept, device: str, depths: list[int]) -> None:
    """Polish what does not fit, lowest energy first, until the time is over."""
    waiting = [s for s in samples() if s.depth in depths and waits(kept.numbers[s.name])]
    waiting.sort(key=lambda s: kept.numbers[s.name]["adam_energy"] / s.mlp.n_weights)
    queue, pace = deque(waiting), FIRST_PACE
    while queue and (allowed := int((deadline - time.perf_counter()) / pace)) > 0:
        sample = queue.popleft()
        started, most = time.perf_counter(), min(SOLVES, allowed)
        made = polish(sample, kept, device, most)
        took = time.perf_counter() - started
        pace = 1.2 * took / max(made, 10)
        numbers = kept.numbers[sample.name]
        if waits(numbers) and made >= most:
            queue.append(sample)
        print(f"{sample.name}: {took:.1f} s, {numbers}", flush=True)


def waits(numbers: State) -> bool:
    """Tell whether an end is neither fitted nor certified."""
    return numbers["status"] in ("annealed", "stalled")


def polish(sample: Sample, kept: Kept, device: str, solves: int) -> int:
    """Descend from the kept state by so many linear solves, keep the end; return those made."""
    started = time.perf_counter()
    problem, _ = sample.made(device)
    x = balanced(sample.mlp, kept.states[sample.name])
    end = settle(SphericalNetwork(problem, float(np.linalg.norm(x))), x, newton_steps=solves)
    kept.states[sample.name] = end.x
    kept.put(
        sample,
        **numbers_of(end, kept.numbers[sample.name], time.perf_counter() - started),
    )
    kept.save()
    return end.newton_steps


def numbers_of(end: Any, before: State, seconds: float) -> State:
    """Return what is kept of a polished end; solves and seconds add to those of ``before``."""
    return {
        "status": str(end.status),
        "reason": end.reason,
        "energy": end.energy,
        "constraints": end.n_constraints,
        "kinks": end.n_kinks,
        "residual": end.max_residual,
        "solves": before.get("solves", 0) + end.newton_steps,
        "seconds": before.get("seconds", 0.0) + seconds,
    }


def check(kept: Kept) -> None:
    """Note, for each state, the share of active units in its least active layer, and if it fits."""
    for sample in samples():
        problem, _ = sample.made("cpu")
        x = kept.states[sample.name].copy()
        state = backprop.forward(sample.mlp, torch.tensor(x), problem.inputs)
        worst = max(float(problem.gaps(x).max()), 0.0)
        x[sample.mlp.slices[-1]] *= 1 + 2 * worst
        kept.put(
            sample,
            active=min(float((slope > 0).double().mean()) for slope in state.slopes),
            strict=bool(worst < STRICT and (problem.gaps(x) <= 0).all()),
        )
        if kept.numbers[sample.name]["status"] == "jammed":
            here = with_masks(problem, kept.states[sample.name])
            kept.put(sample, error_again=here.error, minimum_again=here.way_down() is None)
    kept.save()


def with_masks(problem: HingeNetwork, x: Any) -> KinkState:
    """Return a state with the masks that balance its forces, by Newton's method on them alone.

    What is at a kink is seen from ``z``: nothing is taken over from the polish.
    """
    w = torch.tensor(x)
    norm = float(w.norm())
    here = KinkState(problem, w, Kinks.none(problem), norm)
    held = here.z.abs() < AT_KINK
    masks = torch.where(held, 0.5, 0.0).to(w.dtype)
    for _ in range(ROUNDS):
        kinks = Kinks.none(problem)
        kinks.held[:, here.violated], kinks.masks[:, here.violated] = held, masks
        here = KinkState(problem, w, kinks, norm)
        if here.error < BALANCED / 10:
            break
        rows = here.e[here.held][:, None] * here.rows(here.held)
        rows -= torch.outer(rows @ w, w) / (w @ w)
        held = here.held
        masks = torch.where(held, here.masks, 0.0)
        masks[held] -= torch.linalg.lstsq(rows.T, here.gradient[:, None]).solution[:, 0]
        masks.clamp_(0.0, 1.0)
    return here


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=["run", "check"])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seconds", type=float, default=500.0, help="after which to start no more")
    parser.add_argument("--depths", type=int, nargs="+", default=list(WIDTHS))
    parser.add_argument("--states", type=Path, default=HOME)
    options = parser.parse_args()
    if options.part == "run":
        run(Kept(options.states), options.device, options.seconds, options.depths)
    else:
        check(Kept(options.states))


if __name__ == "__main__":
    main()
