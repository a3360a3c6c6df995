"""Exact jamming points of networks, and the constraints that hold them.

    python benchmarks/jamming_points.py [--seconds 1500] [--states FILE.npz]

Random patterns with ``|x| = √d``, ``d`` the width, are fitted at margin 1; at the norm that the
weights then have, the smallest that gives the same output, the margin is raised to where it is
largest, as ``jamscape jam network --exact`` does. Samples are kept in ``jamming_points.npz`` as
each ends, failures too, and the same command goes on where it was: the most telling come first.
One process of one thread. `jamming_points_report` says what came of it.
"""

import argparse
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")})

import numpy as np

from bridge.jamming import ExactJamming, exact_jamming
from networks import HingeNetwork, Mlp, SphericalNetwork, Trained, random_patterns, settle, train
from networks.models.symmetry import balanced

HOME = Path(__file__).with_suffix(".npz")
WIDTHS = {  # by depth: about 150, 300 and 600 weights
    1: (12, 17, 24),
    2: (8, 12, 17),
    3: (7, 10, 14),
}
SMALL, MIDDLE, LARGE = range(3)
CLASSES = ("relu", "tanh")
OTHERS = ("leaky", "softplus", "abs", "hardtanh")
LATE = ("silu", "gelu")
EASY, HARDER = 1.6, 2.0  # patterns per weight: narrow deep rectifiers seldom fit the second
FIRST, SECOND = (0, 1), (2, 3)  # seeds
STEPS, STARTS = 5_000, 6
POLISH, SOLVES = 50, 1_000  # linear solves after training, and at each margin
LIMIT = 150.0  # processor seconds after which an exact point is given up
NEAREST = 100  # gaps, and kinks, that are kept


@dataclass(frozen=True)
class Sample:
    """One network and its patterns."""

    activation: str
    depth: int
    width: int
    load: float
    seed: int

    @property
    def name(self) -> str:
        return f"{self.activation} {self.depth} {self.width} {self.load} {self.seed}"

    @property
    def mlp(self) -> Mlp:
        return Mlp(self.width, self.width, self.depth, self.activation)


def samples() -> list[Sample]:
    """Return all samples, the two classes at three depths first."""
    every = (1, 2, 3)
    stages: list[tuple[tuple[str, ...], tuple[int, ...], int, float, tuple[int, ...]]] = [
        (CLASSES, every, SMALL, EASY, FIRST),
        (CLASSES, (1, 2), MIDDLE, EASY, FIRST),
        (OTHERS, every, SMALL, EASY, FIRST),
        (CLASSES, every, SMALL, EASY, SECOND),
        (CLASSES, (3,), MIDDLE, EASY, FIRST),
        (CLASSES, every, MIDDLE, EASY, SECOND),
        (OTHERS, every, SMALL, EASY, SECOND),
        (CLASSES, (2,), MIDDLE, HARDER, FIRST + SECOND),
        (CLASSES, (2,), LARGE, EASY, FIRST + SECOND),
        (OTHERS, every, MIDDLE, EASY, FIRST + SECOND),
        (LATE, every, SMALL, EASY, FIRST + SECOND),
        (CLASSES, every, SMALL, HARDER, FIRST),
    ]
    return [
        Sample(activation, depth, WIDTHS[depth][size], load, seed)
        for activations, depths, size, load, seeds in stages
        for seed, depth, activation in product(seeds, depths, activations)
    ]


class TooLongError(Exception):
    """An exact point took more than its processor seconds."""


@contextmanager
def limited_to(seconds: float) -> Iterator[None]:
    """Raise `TooLongError` after so many processor seconds."""

    def end(number: int, frame: Any) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)


def fitted(sample: Sample) -> tuple[Trained, int]:
    """Return a network that fits at margin 1, or the last of the starts; and their number."""
    rng = np.random.default_rng(sample.seed)
    count = 2 * round(sample.load * sample.mlp.n_weights / 2)
    free = HingeNetwork(sample.mlp, random_patterns(count, sample.width, rng))
    ends: list[Trained] = []
    while not ends or (ends[-1].status != "unjammed" and len(ends) < STARTS):
        start = sample.mlp.init(rng)
        ends.append(train(free, start, steps=STEPS, newton_steps=POLISH))
    return ends[-1], len(ends)


def minimise(problem: SphericalNetwork, x: Any) -> Trained:
    """Descend at a fixed norm, as the command line does."""
    return settle(problem, x, newton_steps=SOLVES)


def measured(sample: Sample) -> dict[str, Any]:
    """Train a network and go to its jamming point; return numbers and arrays by name."""
    started = time.process_time()
    end, starts = fitted(sample)
    trained = time.process_time()
    numbers = {"starts": starts, "train_seconds": trained - started}
    free = end.problem.free if isinstance(end.problem, SphericalNetwork) else end.problem
    if end.status != "unjammed":
        return numbers | {"status": "not fitted", "reason": f"{end.status}: {end.reason}"}
    x = balanced(free.mlp, end.x) if free.mlp.sigma.homogeneous else end.x
    held = SphericalNetwork(free, float(np.linalg.norm(x)))
    try:
        with limited_to(LIMIT):
            found = exact_jamming(held, x, minimise=minimise)
    except TooLongError:
        return numbers | {"status": "given up", "reason": f"{LIMIT:.0f} s", "exact_seconds": LIMIT}
    except (ArithmeticError, LookupError, ValueError) as error:  # a fault, to be counted as well
        said = {"status": "raised", "reason": f"{type(error).__name__}: {error}"}
        return numbers | said | {"exact_seconds": time.process_time() - trained}
    return numbers | {"exact_seconds": time.process_time() - trained} | numbers_of(found)


def numbers_of(found: ExactJamming[SphericalNetwork]) -> dict[str, Any]:
    """Return what is kept of a jamming point: lengths in units of the margin, or of ``z``."""
    problem, proof = found.problem, found.certificate
    margin = problem.free.margin
    kept = {
        "status": str(found.status),
        "reason": found.reason,
        "margin": margin,
        "n_constraints": len(found.rows),
        "n_kinks": len(found.kinks),
        "stages": found.stages,
        "newton_steps": found.steps,
        "exchanges": found.exchanges,
        "dead": len(problem.frozen(found.x)),
    }
    if proof is None:
        return kept
    names = ("n", "n_self_stresses", "n_free_motions", "n_surface", "n_redundant")
    residuals = ("curvature", "condition", "min_force", "dual_residual", "concave")
    return (
        kept
        | {name: getattr(proof, name) for name in names}
        | {name: none_as_nan(getattr(proof, name)) for name in residuals}
        | {
            "x": found.x,
            "forces": found.relative_forces,
            "masks": found.masks,
            "gaps": np.sort(found.margins())[:NEAREST] / abs(margin),
            "open_kinks": np.sort(open_kinks(found))[:NEAREST],
        }
    )


def none_as_nan(value: float | None) -> float:
    return np.nan if value is None else value


def open_kinks(found: ExactJamming[SphericalNetwork]) -> Any:
    """Return ``|z|`` of the convex kinks of active gaps that are open, over the rms of ``z``."""
    problem, x = found.problem, found.x
    z = problem.kinks(x) if problem.free.mlp.sigma.kinks else np.empty(0)
    if not len(z):
        return z
    branch = problem.branch(x, found.kinks, found.masks)
    beside = np.isin(problem.kink_owners(), found.rows) & (branch.kink_strengths(x) > 0.0)
    beside[found.kinks] = False
    return np.abs(z[beside]) / np.sqrt(np.mean(z * z))


def keep(states: dict[str, Any], path: Path) -> None:
    """Write all states; the file is whole at any time."""
    part = path.with_name(f"part_of_{path.name}")
    np.savez_compressed(part, **states)
    os.replace(part, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1e9, help="after which to start no more")
    parser.add_argument("--states", type=Path, default=HOME)
    options = parser.parse_args()
    deadline = time.perf_counter() + options.seconds
    kept: dict[str, Any] = dict(np.load(options.states)) if options.states.exists() else {}
    for sample in samples():
        if f"{sample.name} status" in kept:
            continue
        if time.perf_counter() > deadline:
            break
        found = measured(sample)
        kept |= {f"{sample.name} {key}": np.asarray(value) for key, value in found.items()}
        keep(kept, options.states)
        shown = {k: v for k, v in found.items() if not isinstance(v, np.ndarray)}
        print(sample.name, shown, flush=True)


if __name__ == "__main__":
    main()
