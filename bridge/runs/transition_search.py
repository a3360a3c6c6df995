"""Where a learner stops to fit: ``P*(N)`` of one shape, or ``N*(P)`` at fixed patterns.

Each sample trained is a record, whose key tells its shape, data, anneal and seed: a search that
was interrupted, or is repeated with more samples, trains only what is missing. Everything that a
sample needs follows from its own seed, and fewer patterns are the first of more patterns.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from bridge.records.store import Record, Store
from bridge.runs.batch import Batch, BatchMapper, kept
from bridge.systems.learner import Learner
from bridge.systems.ranges import check_ranges

if TYPE_CHECKING:
    from bridge.measure.midpoint import Midpoint

LOADING = "loading"
PROTOCOLS = ("quench", LOADING)
_FINEST = 1e-6  # distance of loads that are told apart


@dataclass(frozen=True)
class LoadSearch:
    """What is looked for, and how.

    Attributes
    ----------
    system
        What is trained; its `Learner.ladder` says what is varied, usually the load.
    low, high, step
        The values of it to try.
    samples
        How many are trained at each point.
    protocol
        "quench": bisection, with fresh networks at each load; "loading": patterns are added to the
        same networks, see `loadings`.
    add, retrain
        Of "loading": patterns per weight that are added at once, at most, and the steps of Adam
        after each addition.
    """

    system: Learner
    low: float
    high: float
    step: float
    samples: int
    seed: int
    protocol: str = "quench"
    add: float = 0.02
    retrain: int = 300

    def check(self) -> None:
        """Raise ``ValueError`` if an option is wrong."""
        if self.protocol not in PROTOCOLS:
            raise ValueError(
                f"expected a protocol of {', '.join(PROTOCOLS)}, got {self.protocol}: name one"
            )
        if not (0 < self.low < self.high < np.inf and _FINEST <= self.step < np.inf):
            raise ValueError(
                f"expected 0 < low < high and step >= {_FINEST:g}, got {self.low:g}, "
                f"{self.high:g} and {self.step:g}: pass a range such as --low 1 --high 5"
            )
        self.system.check_search(loading=self.protocol == LOADING)
        ends = [*self.system.ladder([self.low]), *self.system.ladder([self.high])]
        for system in ends:
            try:
                check_ranges(system)
            except ValueError as error:
                raise ValueError(f"low to high: {error}") from None
        for system in ends:
            system.check()

    def count(self) -> int:
        """Return about the number of trainings, at most, or of loads if that is more."""
        return max(self.samples * self._tried, self._count)

    def systems(self) -> list[Learner]:
        """Return the systems to choose from, in order of their load."""
        return self.system.ladder([round(self.low + self.step * i, 6) for i in range(self._count)])

    @property
    def _count(self) -> int:
        """Number of loads, or widths, from low to high."""
        return round((self.high - self.low) / self.step) + 1

    @property
    def _tried(self) -> int:
        """Number of loads at which a network is trained; loading tries some more at its end."""
        if self.protocol == LOADING:
            return round((self.high - self.low) / self.add) + 1
        return self._count.bit_length() + 1


def check_convergence(steps: int, convergence: int) -> None:
    """Raise ``ValueError`` if the steps cannot be halved so many times."""
    most = steps.bit_length() - 1
    if not 0 <= convergence <= most:
        raise ValueError(
            f"expected a convergence from 0 to {most} for {steps} steps, got {convergence}: "
            "halve them less often"
        )


@dataclass(frozen=True)
class LoadPoint:
    """The samples trained at one load.

    ``constraint_ratio`` is the mean ``N_Δ/N`` of those that did not fit, with ``N`` the number of
    weights; dead ones are not counted as tried. ``width`` is that of layers, where they have one.
    """

    width: int | None
    patterns: int
    n_weights: int
    fitted: int
    tried: int
    dead: int
    stalled: int
    constraint_ratio: float | None

    @property
    def load(self) -> float:
        """``P/N``."""
        return self.patterns / self.n_weights

    @property
    def fraction(self) -> float:
        """Fraction that fits; 0 if all are dead."""
        return self.fitted / self.tried if self.tried else 0.0


@dataclass(frozen=True, repr=False)
class Transition:
    """The points that were tried, in order of their load, and the load at which half fit.

    Of slow loading there are no points: ``loadings`` are its samples, the load their mean.
    """

    search: LoadSearch
    points: tuple[LoadPoint, ...]
    midpoint: "Midpoint | None"
    seconds: float  # of processor time, records that were there included
    loadings: tuple[dict[str, Any], ...] = ()

    def __repr__(self) -> str:
        middle = self.midpoint
        if middle is None:
            return "<Transition: none in this range>"
        tried = sum(point.tried for point in self.points) or len(self.loadings)
        where = f" at {len(self.points)} loads" if self.points else ""
        return (
            f"<Transition: half fit at P/N = {middle.value:.3f} ± {middle.error:.3f}, "
            f"{tried} models{where}>"
        )

    def jump(self) -> tuple[float, float] | None:
        """Return the mean ``N_Δ/N`` of networks that do not fit, and the mean load of their points.

        The points are those at which some of the others fit, or the lowest at which none does; of
        slow loading all ends.
        """
        ends = [each for each in self.loadings if each["patterns"] > 0]
        if jammed := [each for each in ends if each["constraint_ratio"] is not None]:
            return fmean(e["constraint_ratio"] for e in jammed), fmean(e["load"] for e in jammed)
        found = [(p.constraint_ratio, p) for p in self.points if p.constraint_ratio is not None]
        mixed = [(ratio, p) for ratio, p in found if p.fitted > 0]
        if not found:
            return None
        ratios, points = zip(*(mixed if mixed else found[:1]), strict=True)
        return fmean(ratios), fmean(p.load for p in points)


def find(
    search: LoadSearch,
    store: Store,
    *,
    progress: Callable[[int, int], None],
    workers: int = 1,
    mapper: BatchMapper = map,
) -> Transition:
    """Find the transition; networks are kept as their batches end.

    ``mapper`` says where batches are trained, on ``workers`` processes: here, if not given.
    """
    from bridge.measure.midpoint import bracket

    if search.protocol == LOADING:
        from bridge.runs.loadings import find_loaded

        return find_loaded(search, store, progress=progress, workers=workers, mapper=mapper)
    systems = search.systems()
    points: dict[int, LoadPoint] = {}
    seconds = 0.0

    def fitted(i: int) -> float:
        nonlocal seconds
        records = trained(search, systems[i], store, workers, mapper)
        points[i] = _point(records)
        seconds += sum(record.seconds for record in records)
        progress(len(points), len(systems).bit_length())
        return points[i].fraction

    low, high = bracket(fitted, len(systems))
    found = tuple(points[i] for i in sorted(points))
    enclosed = low >= 0 and high < len(systems)
    return Transition(search, found, _midpoint(found) if enclosed else None, seconds)


def trained(
    search: LoadSearch, system: Learner, store: Store, workers: int, mapper: BatchMapper
) -> list[Record]:
    """Return the record of each sample at one point; train those that are not in the store."""
    seeds = tuple((search.seed, sample) for sample in range(search.samples))
    return kept(Batch(system, search.protocol, seeds), store, workers, mapper)


def _point(records: Sequence[Record]) -> LoadPoint:
    count = dict.fromkeys(("unjammed", "jammed", "stalled", "dead"), 0)
    for record in records:
        count[record.status] += 1
    unfitted = [
        record.data["n_constraints"] / record.data["n_weights"]
        for record in records
        if record.status in ("jammed", "stalled")
    ]
    return LoadPoint(
        width=records[0].parameters.get("width"),
        patterns=records[0].data["patterns"],
        n_weights=records[0].data["n_weights"],
        fitted=count["unjammed"],
        tried=len(records) - count["dead"],
        dead=count["dead"],
        stalled=count["stalled"],
        constraint_ratio=fmean(unfitted) if unfitted else None,
    )


def _midpoint(points: Sequence[LoadPoint]) -> "Midpoint | None":
    from bridge.measure.midpoint import midpoint

    loads, fitted, tried = (
        np.array([getattr(p, name) for p in points]) for name in ("load", "fitted", "tried")
    )
    try:
        return midpoint(loads, fitted, tried)
    except ValueError:  # a few small networks can fit at a higher load and not at a lower one
        return None


def as_json(found: Transition) -> dict[str, Any]:
    """Return the document of one transition; a number that was not found is null."""
    from bridge.runs.loadings import numbers

    middle = found.midpoint
    fixed = found.search.system.patterns
    jump = found.jump()
    search = found.search
    names = ("low", "high", "add", "retrain") if found.loadings else ()
    return {
        **Batch(found.search.system, found.search.protocol, ()).parameters,
        **{name: getattr(search, name) for name in names},
        "samples": search.samples,
        "seed": search.seed,
        "load": None if middle is None else {"name": "P/N", **asdict(middle)},
        "n_star": None if middle is None or fixed is None else fixed / middle.value,
        "constraints_per_dof_at_transition": None if jump is None else jump[0],
        "measured_at": None if jump is None else {"name": "P/N", "value": jump[1]},
        "points": [{**asdict(p), "load": p.load} for p in found.points],
        "processor_seconds": found.seconds,
        **(numbers(found.loadings) if found.loadings else {}),
    }


def as_text(document: dict[str, Any]) -> str:
    """Return the same for reading: a line a point, then the transition."""
    from bridge.runs import loadings

    if "loadings" in document:
        return loadings.as_text(document)
    lines = [f"{'P':>7}{'N':>7}{'P/N':>8}{'fitted':>9}{'dead':>6}{'stalled':>9}{'N_Δ/N':>8}"]
    for p in document["points"]:
        ratio = "" if p["constraint_ratio"] is None else f"{p['constraint_ratio']:.3f}"
        share = f"{p['fitted']}/{p['tried']}"
        lines.append(
            f"{p['patterns']:7}{p['n_weights']:7}{p['load']:8.3f}{share:>9}{p['dead']:6}"
            f"{p['stalled']:9}{ratio:>8}"
        )
    middle = document["load"]
    if middle is None:
        return "\n".join([*lines, "no transition among these: widen the range"])
    where = f"half fit at P/N = {middle['value']:.3f} ± {middle['error']:.3f}"
    if document["n_star"] is not None:
        where += f", N* = {document['n_star']:.0f}"
    lines.append(f"{where} after {document['steps']} steps")
    if document["measured_at"] is not None:
        ratio, load = (document["constraints_per_dof_at_transition"], document["measured_at"])
        lines.append(f"N_Δ/N = {ratio:.3f} of those that do not fit at P/N = {load['value']:.3f}")
    return "\n".join(lines)
