"""Order parameters of the pairs of minima of a stored landscape."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bridge.landscape.graph import Graph
from bridge.landscape.identity import identity_of
from bridge.landscape.likeness import hamming, jaccard, overlap
from bridge.records.content import content
from bridge.records.seeds import generator
from bridge.systems import landscapes

if TYPE_CHECKING:
    from bridge.landscape.case import Case

MOST_COMPARED = 30  # minima whose pairs are compared, the lowest


@dataclass(frozen=True)
class Likeness:
    """How alike two minima are.

    Attributes
    ----------
    first, second
        Their numbers.
    overlap
        ``q`` of the nearest images, 1 for equal states: `bridge.landscape.likeness.overlap`.
    distance
        Euclidean distance of the nearest images, in the units of ``x``.
    hamming, jaccard
        Of the sets of violated constraints, or of misclassified patterns, where Hamming's is the
        misclassification distance; None for a system without such a list.
    """

    first: int
    second: int
    overlap: float
    distance: float
    hamming: float | None = None
    jaccard: float | None = None


def case_of(about: dict[str, Any], folder: Path | None = None) -> "Case":
    """Return the case of a stored landscape, made again from what the file says of itself.

    Data from a file are looked for in the current folder, and then in ``folder``: a landscape keeps
    their name and what they held, not where they were.

    Raises
    ------
    ValueError
        If the system is not known, or its data are gone.
    """
    kinds = landscapes()
    name = about.get("system")
    if name not in kinds:
        raise ValueError(f"expected a system of {', '.join(kinds)}, got {name}: explore it anew")
    given = dict(about["parameters"])
    for file in ("data", "model"):
        if f"{file}_file" in about:
            given[file] = _found(about[f"{file}_file"], given[file], folder)
    system = kinds[name](**given)
    case: Case = system.case(generator((about["seed"],)))
    return case


def _found(name: str, held: str, folder: Path | None) -> str:
    """Return where a file lies that held this; of ``FILE.py:NAME``, with the name."""
    file, *inside = name.split(":")
    for path in [Path(file)] + ([] if folder is None else [folder / file]):
        if path.exists() and ":".join([content(path), *inside]) == held:
            return ":".join([str(path), *inside])
    raise ValueError(f"expected {name} as it was searched, got none: put it beside the landscape")


def likenesses(case: "Case", graph: Graph) -> Iterator[Likeness]:
    """Yield the order parameters of every pair of the 30 lowest minima."""
    identity = identity_of(case.problem)
    energies = [point.energy for point in graph.minima]
    lowest = sorted(int(i) for i in np.argsort(energies, kind="stable")[:MOST_COMPARED])
    marks = None if case.marks is None else {i: case.marks(graph.minima[i].x) for i in lowest}
    for a, b in combinations(lowest, 2):
        x, other = graph.minima[a].x, graph.minima[b].x
        distance = float(np.linalg.norm(identity.aligned(other, x) - x))
        sets = None if marks is None else (marks[a], marks[b])
        likeness = (None, None) if sets is None else (hamming(*sets), jaccard(*sets))
        yield Likeness(a, b, overlap(identity, other, x), distance, *likeness)
