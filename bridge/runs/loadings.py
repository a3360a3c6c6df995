"""Where networks stop to fit while patterns are added to them, as packings are compressed.

Each sample is one network with one stream of patterns, those of the largest load that is asked
for. It is trained at the lowest, and then loaded until it fits no more. Its load is the largest
that it fitted, to one pattern. Each loading is one record: what was interrupted begins again.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import nan
from statistics import fmean, median, stdev
from typing import TYPE_CHECKING, Any

from bridge.records.store import Record, Store
from bridge.runs.batch import BatchMapper, LoadedBatch, kept
from bridge.runs.transition_search import LoadSearch, Transition

if TYPE_CHECKING:
    from bridge.measure.midpoint import Midpoint


def find_loaded(
    search: LoadSearch,
    store: Store,
    *,
    progress: Callable[[int, int], None],
    workers: int = 1,
    mapper: BatchMapper = map,
) -> Transition:
    """Load each sample; the transition is the mean of their loads, with its standard error."""
    seeds = tuple((search.seed, sample) for sample in range(search.samples))
    (full,) = search.system.ladder([search.high])
    whole = LoadedBatch(full, search.protocol, seeds, search.low, search.add, search.retrain)
    records = kept(whole, store, workers, mapper, progress)
    seconds = sum(record.seconds for record in records)
    loadings = tuple(_loading(record) for record in records)
    return Transition(search, (), _mean(loadings), seconds, loadings)


def _loading(record: Record) -> dict[str, Any]:
    """Return the largest load that a network fitted, and how it ended with one pattern more."""
    data = record.data
    jammed = record.status in ("jammed", "stalled")
    return {
        "sample": data["sample"],
        "patterns": data["fitted_patterns"],
        "n_weights": data["n_weights"],
        "load": data["fitted_patterns"] / data["n_weights"],
        "status": record.status,
        "constraint_ratio": data["n_constraints"] / data["n_weights"] if jammed else None,
        "trainings": data["trainings"],
    }


def counted(loadings: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the loadings that began with a network that fits, and did not end with a dead one."""
    return [each for each in loadings if each["patterns"] > 0 and each["status"] != "dead"]


def _mean(loadings: Sequence[Mapping[str, Any]]) -> "Midpoint | None":
    """Return mean, standard error and deviation of the loads; None if some have no upper end."""
    from bridge.measure.midpoint import Midpoint

    found = counted(loadings)
    if not found or any(each["status"] == "unjammed" for each in found):
        return None
    loads = [each["load"] for each in found]
    width = stdev(loads) if len(loads) > 1 else nan
    return Midpoint(fmean(loads), width / len(loads) ** 0.5, width)


def numbers(loadings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what a document says of loadings: each of them, their median, and how they ended."""
    loads = [each["load"] for each in counted(loadings)]
    return {
        "loadings": list(loadings),
        "median": median(loads) if loads else None,
        "ends": dict(Counter(each["status"] for each in loadings if each["patterns"] > 0)),
        "unfitted": sum(each["patterns"] == 0 for each in loadings),
    }


def as_text(document: Mapping[str, Any]) -> str:
    """Return a document for reading: a line a loading, then the transition."""
    lines = [f"{'sample':>7}{'P':>7}{'N':>7}{'P/N':>8}{'N_Δ/N':>8}  one pattern more"]
    for each in document["loadings"]:
        ratio = "" if each["constraint_ratio"] is None else f"{each['constraint_ratio']:.3f}"
        lines.append(
            f"{each['sample']:7}{each['patterns']:7}{each['n_weights']:7}{each['load']:8.3f}"
            f"{ratio:>8}  {_end(each)}"
        )
    left_out = document["unfitted"] + document["ends"].get("dead", 0)
    if left_out:
        lines.append(f"{left_out} dead or unfitted at the lowest load are not counted")
    middle = document["load"]
    if middle is None:
        return "\n".join([*lines, "no transition among these: widen the range"])
    error = "" if middle["error"] != middle["error"] else f" ± {middle['error']:.3f}"
    lines.append(
        f"loaded slowly they stop to fit at P/N = {middle['value']:.3f}{error}, "
        f"median {document['median']:.3f}, after {document['steps']} steps and "
        f"{document['retrain']} with each addition"
    )
    return "\n".join(lines)


def _end(loading: Mapping[str, Any]) -> str:
    if loading["status"] == "unjammed":
        return "none left"
    return loading["status"] if loading["patterns"] else f"{loading['status']} at the lowest load"
