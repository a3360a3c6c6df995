"""A page of claims that is stored, and what is kept of it beside the runs of another store.

An experiment is taken whole from the one or from the other: a claim never rests on samples of both.
"""

import json
import math
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from bridge.claims.claim import Claim, Estimate
from bridge.claims.experiment import Records
from bridge.claims.render import counts, entry, version
from bridge.claims.trials import Conclusion


def read_page(path: Path) -> dict[str, Any]:
    """Return what a ``claims.json`` holds.

    Raises
    ------
    ValueError
        In one line, if it is none.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if {"claims", "experiments", "large", "with_full", "provenance"} <= found.keys():
            return dict(found)
    except (UnicodeDecodeError, json.JSONDecodeError, AttributeError):
        pass
    raise ValueError(f"expected a claims.json, got {path}: name one that jamscape claims wrote")


def lacking(
    page: Mapping[str, Any],
    claims: Iterable[Claim],
    records: Mapping[str, Records],
    large: Collection[str],
) -> set[str]:
    """Return the experiments that a page holds, and a store not whole, or not at that size."""
    experiments = {claim.experiment.name: claim.experiment for claim in claims}
    wanted = {name: sum(p.samples for p in each.default) for name, each in experiments.items()}
    small = {name for name in wanted if len(records[name]) >= wanted[name]} - set(page["large"])
    return {name for name in page["experiments"] if name in wanted} - small - set(large)


def kept(claim: Claim, old: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry of a claim, judged as it is now, by what a page holds of it."""
    value, error = (math.nan if old[key] is None else old[key] for key in ("value", "error"))
    found = Estimate(value, error, old["samples"], old["stalled"], old["note"])
    beside = {key: old[key] for key in ("at_default_size",) if key in old}
    return entry(Conclusion(claim, found, old["seconds"], old["runs"])) | beside


def merged(
    document: Mapping[str, Any],
    page: Mapping[str, Any],
    claims: Iterable[Claim],
    names: Collection[str],
) -> dict[str, Any]:
    """Return a document with what a page says of some experiments."""
    old = {each["name"]: each for each in page["claims"] if each["experiment"] in names}
    entries = [
        kept(claim, old[claim.name]) if claim.name in old else new
        for claim, new in zip(claims, document["claims"], strict=True)
    ]
    versions = page.get("versions", dict.fromkeys(names, version([page["provenance"]])))

    def either(key: str, of_page: Mapping[str, Any]) -> dict[str, Any]:
        return {name: of_page[name] if name in names else document[key][name]
                for name in document[key]}  # fmt: skip

    large = (set(document["large"]) - set(names)) | (set(page["large"]) & set(names))
    seconds = {each["experiment"]: each["seconds"] for each in entries}
    return {
        **document,
        "large": [name for name in document["experiments"] if name in large],
        "seconds": sum(seconds.values()),
        "verdicts": counts(entries),
        "claims": entries,
        "experiments": either("experiments", page["experiments"]),
        "with_full": either("with_full", page["with_full"]),
        "versions": either("versions", versions),
    }
