"""What runs of claims cost: as measured, at the large sizes, and until a claim is decided."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bridge.claims.claim import SIGMAS, Claim, Estimate, Expected
from bridge.claims.experiment import Experiment, GridPoint, Records
from bridge.runs.progress import duration


@dataclass(frozen=True)
class Cost:
    """The runs of one experiment at one point, and what each costs.

    ``seconds`` is None where no run of the experiment is known: run its default size first.
    """

    experiment: str
    point: GridPoint
    seconds: float | None

    @property
    def total(self) -> float:
        """Processor seconds of all runs of the point; 0 if they are not known."""
        return self.point.samples * (self.seconds or 0.0)

    def __str__(self) -> str:
        sizes = ", ".join(f"{name} = {value}" for name, value in self.point.parameters.items())
        each = "cost not known" if self.seconds is None else f"about {duration(self.seconds)} each"
        return f"{self.point.samples} runs, {each}: {sizes}"


def costs(
    claims: Sequence[Claim], records: Mapping[str, Records], *, full: bool
) -> dict[str, list[Cost]]:
    """Estimate the cost of each point of each experiment from the runs of any size that are known.

    It is taken to grow as the experiment's ``work``: right within a factor of a few.
    """
    found = {}
    for name, experiment in {claim.experiment.name: claim.experiment for claim in claims}.items():
        points, known = experiment.full if full else experiment.default, records.get(name, ())
        found[name] = [_cost(experiment, point, known) for point in points]
    return found


def _cost(experiment: Experiment, point: GridPoint, known: Records) -> Cost:
    """Scale the cost of the known runs of this point; else of all of them."""
    alike = [r for r in known if _given(r.parameters) == dict(point.parameters)] or known
    work = sum(experiment.work(**_given(record.parameters)) for record in alike)
    if not work:
        return Cost(experiment.name, point, None)
    rate = sum(record.seconds for record in alike) / work
    return Cost(experiment.name, point, rate * experiment.work(**point.parameters))


def _given(parameters: Mapping[str, object]) -> dict[str, object]:
    """Return the keywords of a run, as they were before they were written as JSON."""
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in parameters.items()
        if name != "settings"
    }


def text(claims: Sequence[Claim], found: Mapping[str, Sequence[Cost]]) -> str:
    """Return the grids of each experiment, the claims that rest on it, and the costs."""
    lines = []
    for name, points in found.items():
        on_it = ", ".join(claim.name for claim in claims if claim.experiment.name == name)
        total = duration(sum(cost.total for cost in points))
        lines += [f"{name} ({on_it}): {total}", *(f"  {cost}" for cost in points)]
    every = [cost for points in found.values() for cost in points]
    unknown = any(cost.seconds is None for cost in every)
    least = "at least " if unknown else ""
    runs, seconds = sum(c.point.samples for c in every), sum(c.total for c in every)
    return "\n".join([*lines, f"{runs} runs: {least}{duration(seconds)} of one processor"])


def runs_to_decide(expected: Expected, found: Estimate) -> int | None:
    """Return how many runs would bring two errors within the bar that is nearest to the value.

    The value is taken to stay and its error to fall as ``1/√n``; None if it is not known.

    >>> runs_to_decide(Expected(0.5, 0.1), Estimate(0.55, 0.05, 10))
    40
    """
    known = math.isfinite(found.value) and math.isfinite(found.error) and found.error > 0
    away = min(abs(found.value - edge) for edge in (expected.low, expected.high))
    if not known or not away or not found.samples > found.stalled:
        return None
    return math.ceil(found.samples * (SIGMAS * found.error / away) ** 2 - 1e-9)
