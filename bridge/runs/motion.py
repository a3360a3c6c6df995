"""A small system on its way through the transition, kept frame by frame for the page that plays it.

It is no command: `jamscape compare` runs one of each of its systems beside its states.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bridge.records.seeds import generator
from bridge.runs.run import Found, Run

if TYPE_CHECKING:
    import numpy as np

    from bridge.protocols import Vector
    from bridge.systems import State
    from bridge.systems.system import Sweep

KIND = "motion"
NUMBERS = ("load", "ratio", "n", "n_constraints", "energy")
N_MODES = 3  # of the softest motions of each jammed frame of bodies
_ZERO = 1e-11  # of the largest eigenvalue: symmetries and loose bodies are below it


@dataclass(frozen=True)
class MotionRun(Run):
    """Follow a system through ``loads``, each minimum from the one before.

    Arrays hold the frames one after another: ``frame_load`` and other numbers, ``(F,)``;
    of patterns their gaps, as many as ``frame_count`` says, always in the same order; of bodies
    ``bodies`` ``(F, n, d)`` in sides of the box, ``shapes`` ``(F, n, 2)`` likewise and ``held``
    ``(F, n)``, and of those pairs that overlap, as many as ``frame_count`` says, ``pairs``,
    ``images`` and ``gaps``; ``frame_curvatures`` ``(F, 3)`` and ``modes`` ``(F, 3, n, d)`` are the
    softest motions of a jammed frame. Patterns that are images have them as ``pixels``
    ``(P, h, w)``, from 0 to 255.
    """

    loads: tuple[float, ...]
    name: str

    @property
    def label(self) -> str:
        """The kind of the record."""
        return KIND

    @property
    def cost(self) -> float:
        """About the seconds it takes: each frame begins where the one before has ended."""
        return 0.5 * super().cost * len(self.loads)

    def chosen(self) -> dict[str, Any]:
        """Return the loads, and the name under which it is shown."""
        return {"loads": list(self.loads), "name": self.name}

    def settings(self) -> dict[str, Any]:
        """Return how many modes are kept."""
        return {"modes": N_MODES}

    def find(self, rng: "np.random.Generator") -> Found:
        """Follow it, and keep what a picture of each minimum needs."""
        import numpy as np

        frames = [_frame(state) for state in self.system.along(self.loads, rng)]
        joined = {"gaps", "pairs", "images"}
        arrays = {
            name: (np.concatenate if name in joined else np.stack)([each[name] for each in frames])
            for name in frames[0]
        }
        pixels = self.system.pixels(self.loads, generator(self.seed))
        if pixels is not None:
            arrays["pixels"] = np.rint(255 * pixels).astype(np.uint8)
        return Found("done", {"name": self.name, "load_name": self._load_name}, arrays)

    @property
    def _load_name(self) -> str:
        return str(next(iter(self.system.load_words)))


def motions(sweeps: "Sequence[Sweep]", seed: int) -> Iterator[MotionRun]:
    """Yield the motions of the systems of a comparison, each kind once."""
    for kind in dict.fromkeys(type(sweep.system) for sweep in sweeps):
        for motion in kind.motions():
            yield MotionRun(motion.system, (seed, 0), loads=motion.loads, name=motion.name)


def _frame(state: "State") -> "Mapping[str, Any]":
    """Return the numbers of a minimum, and its bodies or gaps in the precision of a picture."""
    import numpy as np

    from bridge.measure.observables import observe
    from bridge.protocols import HasBodies

    problem, x = state.problem, state.x
    seen = observe(problem, x)
    values = (state.load[1], seen.constraint_ratio, seen.n, seen.n_constraints, seen.energy)
    numbers = {f"frame_{name}": np.array(v) for name, v in zip(NUMBERS, values, strict=True)}
    numbers["frame_jammed"] = np.array(state.status == "jammed")
    numbers["frame_decided"] = np.array(state.status in ("jammed", "unjammed"))
    if not isinstance(problem, HasBodies):
        gaps = problem.gaps(x).astype(np.float32)
        gaps = np.minimum(gaps, 0.0) if state.status == "unjammed" else gaps
        return numbers | {"frame_count": np.array(gaps.size), "gaps": gaps}
    scene = problem.scene(x)
    side = scene["box"][0]
    bodies = x.reshape(problem.n_bodies, -1).copy()
    bodies[:, : scene["box"].size] /= side
    overlap = scene["pair_gaps"] > (0.0 if state.status == "jammed" else np.inf)
    curvatures, modes = _softest(problem, x, jammed=state.status == "jammed")
    return numbers | {
        "frame_curvatures": curvatures,
        "modes": modes.astype(np.float32),
        "frame_count": np.array(overlap.sum()),
        "bodies": bodies.astype(np.float32),
        "shapes": (scene["shapes"] / side).astype(np.float32),
        "held": scene["held"],
        "pairs": scene["pairs"][overlap],
        "images": scene["images"][overlap],
        "gaps": scene["pair_gaps"][overlap],
    }


def _softest(problem: Any, x: "Vector", *, jammed: bool) -> "tuple[Vector, Vector]":
    """Return curvatures ``(3,)`` and modes ``(3, n, d)``, zeros for a mode that there is not.

    In the longest motion of a mode a body goes by 1 diameter of the smallest, or turns by 1.
    """
    import numpy as np

    from bridge.measure.spectra import eigenmodes

    curvatures = np.zeros(N_MODES)
    found = np.zeros((N_MODES, problem.n_bodies, x.size // problem.n_bodies))
    if not jammed:
        return curvatures, found
    values, modes = eigenmodes(problem, x)
    moving = np.flatnonzero(np.abs(values) > _ZERO * np.abs(values).max())[:N_MODES]
    scene = problem.scene(x)
    for k, mode in enumerate(modes[moving].reshape(len(moving), *found.shape[1:])):
        steps = mode.copy()
        steps[:, : scene["box"].size] /= scene["shapes"].min()
        found[k] = steps / np.abs(steps).max()
    curvatures[: len(moving)] = values[moving]
    return curvatures, found
