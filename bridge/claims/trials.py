"""Run the experiments behind claims, and conclude.

Every sample of an experiment is one record of the store, under a key of its own: samples may be
computed in any order by any number of processes, and one that is there is not computed again.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bridge.claims.claim import Claim, Estimate, Verdict, judge
from bridge.claims.experiment import Records
from bridge.claims.table import experiments
from bridge.records.seeds import generator
from bridge.records.store import Record, Store, record_key


@dataclass(frozen=True)
class Trial:
    """One sample of one experiment, a `bridge.runs.task.Task`.

    It names the experiment by ``label``, so that other processes find it.

    Attributes
    ----------
    given
        The keywords of the experiment.
    settings
        What else its result depends on.
    """

    label: str
    given: dict[str, Any]
    seed: tuple[int, ...]
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def parameters(self) -> dict[str, Any]:
        """What is run, for the record."""
        return self.given | ({"settings": self.settings} if self.settings else {})

    @property
    def key(self) -> str:
        """The key of the record it will give."""
        return record_key(self.label, self.parameters, self.seed)

    def compute(self) -> Record:
        """Run the sample; its cost is the processor time of this process."""
        from bridge.records.provenance import provenance

        rng = generator(self.seed)
        started = time.process_time()
        found = experiments()[self.label].sample(rng, **self.given)
        return Record(
            kind=self.label,
            parameters=self.parameters,
            seed=self.seed,
            status=found.status,
            seconds=time.process_time() - started,
            data=found.values,
            provenance=provenance(),
            arrays=found.arrays,
        )


@dataclass(frozen=True)
class Conclusion:
    """A claim, what was measured for it, and its cost in processor seconds.

    The cost is that of all ``runs`` of its experiment, also where other claims rest on them too.
    """

    claim: Claim
    found: Estimate
    seconds: float
    runs: int

    @property
    def verdict(self) -> Verdict:
        """What follows."""
        return judge(self.claim.expected, self.found, self.claim.fewest)


def trials(claims: Iterable[Claim], seed: int, *, full: bool) -> list[Trial]:
    """Return every sample that the claims rest on, each once."""
    chosen = {claim.experiment.name: claim.experiment for claim in claims}
    return [
        Trial(name, dict(point.parameters), (seed, sample), dict(experiment.settings()))
        for name, experiment in chosen.items()
        for point in (experiment.full if full else experiment.default)
        for sample in range(point.samples)
    ]


def stored(
    claims: Iterable[Claim], store: Store, seed: int, *, full: bool
) -> dict[str, list[Record]]:
    """Return the records of each experiment that the store holds, in the order of its samples."""
    found: dict[str, list[Record]] = {}
    for trial in trials(claims, seed, full=full):
        record = store.get(trial.key)
        found.setdefault(trial.label, []).extend([record] if record else [])
    return found


def largest(
    claims: Sequence[Claim], store: Store, seed: int
) -> tuple[dict[str, list[Record]], set[str]]:
    """Return the records of each experiment, the large ones where all of them are stored.

    Returns
    -------
    The records, and the names of the experiments whose records are the large ones.
    """
    small, large = (stored(claims, store, seed, full=full) for full in (False, True))
    wanted = Counter(trial.label for trial in trials(claims, seed, full=True))
    whole = {name for name, found in large.items() if len(found) == wanted[name]}
    return {name: large[name] if name in whole else small[name] for name in large}, whole


def gather(todo: Iterable[Trial], store: Store, others: Iterable[Path]) -> int:
    """Keep what other stores hold of the trials, such as those of shards; return how many."""
    missing = [trial.key for trial in todo if trial.key not in store]
    found = 0
    for path in others:
        with Store(path, read_only=True) as other:
            for record in filter(None, map(other.get, missing)):
                store.put(record)
                found += 1
    return found


def conclude(claims: Iterable[Claim], records: Mapping[str, Records]) -> list[Conclusion]:
    """Judge each claim by the records of its experiment."""
    return [conclusion(claim, records[claim.experiment.name]) for claim in claims]


def conclusion(claim: Claim, records: Records) -> Conclusion:
    """Judge one claim by its records."""
    seconds = sum(record.seconds for record in records)
    return Conclusion(claim, claim.estimate(records), seconds, len(records))
