"""Conclusions as text, as one document, as markdown, and in figures."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bridge.claims import cost
from bridge.claims.claim import SIGMAS, Theme
from bridge.claims.experiment import Records
from bridge.claims.table import THEMES
from bridge.claims.trials import Conclusion
from bridge.records.documents import dumps
from bridge.records.provenance import provenance
from bridge.records.writing import write_text
from bridge.runs.progress import duration

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_VERDICTS = ("confirmed", "not confirmed", "undecided")


def document(
    conclusions: Sequence[Conclusion],
    records: Mapping[str, Records],
    *,
    large: Collection[str] = (),
    beside: Sequence[Conclusion] = (),
) -> dict[str, Any]:
    """Return what ``--json`` prints; ``seconds`` counts runs that several claims share once.

    ``large`` are the experiments that were run at the large size. With ``beside``, conclusions from
    the default size, entries that rest on these hold the verdict of both.
    """
    entries = [entry(conclusion) for conclusion in conclusions]
    claims = [conclusion.claim for conclusion in conclusions]
    small, full = (cost.costs(claims, records, full=size) for size in (False, True))
    for found, other in zip(entries, beside, strict=bool(beside)):
        if found["experiment"] in large:
            found["at_default_size"] = other.verdict if other.found.samples else "not run"
    return {
        "large": [name for name in records if name in large],
        "seconds": sum(record.seconds for found in records.values() for record in found),
        "verdicts": counts(entries),
        "claims": entries,
        "experiments": {
            name: [str(point) for point in (full if name in large else small)[name]]
            for name in records
        },
        "with_full": {name: sum(c.total for c in full[name]) for name in records},
        "versions": {name: version([r.provenance for r in runs]) for name, runs in records.items()},
        "provenance": provenance(),
    }


def version(origins: Sequence[Mapping[str, Any]]) -> str:
    """Return the versions and commits that runs are of.

    >>> version([{"jamscape": "0.1.0", "commit": c} for c in ("1a2b", "1a2b", None)])
    'jamscape 0.1.0 (1a2b)'
    """
    numbers, commits = (
        sorted({str(origin[key]) for origin in origins if origin.get(key)})
        for key in ("jamscape", "commit")
    )
    return f"jamscape {', '.join(numbers)} ({', '.join(commits)})" if numbers else ""


def counts(entries: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many entries have each verdict."""
    found = [entry["verdict"] for entry in entries]
    return {verdict: found.count(verdict) for verdict in _VERDICTS}


def entry(conclusion: Conclusion) -> dict[str, Any]:
    """Return a claim, what was measured for it, and the verdict."""
    claim, found = conclusion.claim, conclusion.found
    return {
        "name": claim.name,
        "theme": next(t.name for t in THEMES if claim.name in {c.name for c in t.claims}),
        "check": claim.check,
        "sentence": claim.sentence,
        "source": claim.source,
        "quantity": claim.quantity,
        "allowed": str(claim.expected),
        "basis": claim.expected.basis,
        "refuted_by": claim.refuted_by,
        "experiment": claim.experiment.name,
        "fewest": claim.fewest,
        **asdict(found),
        "value": found.value if math.isfinite(found.value) else None,
        "error": found.error if math.isfinite(found.error) else None,
        "verdict": conclusion.verdict,
        "to_decide": _to_decide(conclusion),
        "runs": conclusion.runs,
        "seconds": conclusion.seconds,
    }


def _to_decide(conclusion: Conclusion) -> str:
    """Say of a claim that is left open how many runs would decide it, and their cost."""
    runs = cost.runs_to_decide(conclusion.claim.expected, conclusion.found)
    if conclusion.verdict != "undecided" or runs is None or runs <= conclusion.found.samples:
        return ""
    price = duration(conclusion.seconds / conclusion.runs * runs)
    return f"about {runs} runs of this size, {price}, if the value stays"


def text(found: Mapping[str, Any]) -> str:
    """Return the tables to print: one line a claim, and one a check."""
    lines = []
    for title, entries in _tables(found):
        lines += [f"{title:27}{'measured':>25}  {'allowed':22}verdict"]
        lines += [
            f"{entry['name']:27}{measured(entry):>25}  {entry['allowed']:22}{entry['verdict']}"
            for entry in entries
        ]
        lines += [""]
    return "\n".join(
        [*lines, f"{_said(found['claims'])}; {found['seconds']:.0f} s of one processor"]
    )


def _tables(found: Mapping[str, Any]) -> "list[tuple[str, list[Mapping[str, Any]]]]":
    """Return the claims of papers, and the checks of our methods; without what is empty."""
    kinds = (("claim of a paper", False), ("check of our methods", True))
    tables = [(title, [e for e in found["claims"] if e["check"] is kind]) for title, kind in kinds]
    return [(title, entries) for title, entries in tables if entries]


def _said(entries: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{count} {verdict}" for verdict, count in counts(entries).items())


def measured(entry: Mapping[str, Any]) -> str:
    """Return value and error with as many digits as the error bears.

    >>> measured({"value": 0.51234, "error": 0.0123}), measured({"value": 3.0, "error": 0.0})
    ('0.512 ± 0.012', '3')
    """
    value, error = entry["value"], entry["error"]
    if value is None:
        return "none"
    if error is not None and error <= 1e-11 * abs(value):  # rounding
        return f"{value:.9g}" if value == round(value) or abs(value) > 1e-3 else f"{value:.1e}"
    if error is None:
        return f"{value:.4g} ± ?"
    digits = min(12, max(0, 1 - math.floor(math.log10(error))))
    return f"{value:.{digits}f} ± {error:.{digits}f}"


def markdown(found: Mapping[str, Any]) -> str:
    """Return ``docs/claims.md`` of a stored run."""
    parts = [_head(found), *(_table(title, entries) for title, entries in _tables(found))]
    for theme in THEMES:
        entries = [entry for entry in found["claims"] if entry["theme"] == theme.name]
        if entries:
            parts += [f"## {theme.title}", f"![{theme.title}](claims/{theme.name}.png)"]
            parts += [_paragraph(entry) for entry in entries]
    parts += ["## What was run"]
    for name, sizes in found["experiments"].items():
        large = name in found["large"]
        said = ["the large size" if large else "the default size", found["versions"][name]]
        if not large and (seconds := found["with_full"][name]):
            said += [f"with `--full` about {duration(seconds)}"]
        parts += ["; ".join([f"**{name}**", *filter(None, said)])]
        parts += ["\n".join(f"- {size}" for size in sizes)]
    return "\n\n".join(parts) + "\n"


def _head(found: Mapping[str, Any]) -> str:
    origin, large = found["provenance"], found["large"]
    mixed = large and len(large) < len(found["experiments"])
    said = (
        " Claims are judged at the large size where two verdicts are given; the other experiments "
        "were run at the default size."
        if mixed
        else ""
    )
    return (
        "# What the papers claim, and what we measure\n\n"
        f"This page is what `jamscape claims{' --full' if large else ''}` wrote: "
        f"{found['seconds']:.0f} s of one processor ({origin['processor']}; jamscape "
        f"{origin['jamscape']}, numpy {origin['numpy']}, torch {origin['torch']}). "
        "`jamscape claims --full` repeats everything at sizes closer to the limits that the papers "
        f"speak of.{said}\n\n"
        f"± is one standard error over seeds. A claim is confirmed if the value and {SIGMAS:g} "
        "errors around it lie among those allowed, not confirmed if they lie outside, and "
        "undecided if they do both, if more than a quarter of the runs came to no end, or if fewer "
        "came to one than are asked for. Below each stands what would refute it. Sizes of "
        "avalanches were set after pilots."
    )


def _table(title: str, entries: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        f"## {'Checks of our methods' if entries[0]['check'] else 'Claims of papers'}",
        "",
        f"{_said(entries)}.",
        "",
        f"| {title} | made by | measured | allowed | verdict | s |",
        "| --- | --- | ---: | --- | --- | ---: |",
    ]
    for entry in entries:
        name, verdict = entry["name"], entry["verdict"]
        shown = verdict if verdict == "confirmed" else f"**{verdict}**"
        if "at_default_size" in entry:
            shown += f"; at the default size {entry['at_default_size']}"
        rows += [
            f"| [{name}](#{name}) | {entry['source'].split(',')[0]} | {measured(entry)} | "
            f"{entry['allowed']} | {shown} | {entry['seconds']:.0f} |"
        ]
    return "\n".join(rows)


def _paragraph(entry: Mapping[str, Any]) -> str:
    runs = f"{entry['samples']} runs"
    runs += f", {entry['stalled']} of them without an end" if entry["stalled"] else ""
    note = f" ({entry['note']})" if entry["note"] else ""
    return "\n".join(
        [
            f"### {entry['name']}",
            "",
            f"> {entry['sentence']}",
            "",
            f"{entry['source']}.",
            "",
            f"- measured: {entry['quantity']}",
            f"- allowed: {entry['allowed']} ({entry['basis']}), of {entry['fewest']} runs or more",
            f"- refuted by: {entry['refuted_by']}",
            f"- found: {measured(entry)}, {runs}{note}",
            f"- verdict: **{entry['verdict']}**",
            *([f"- to decide it: {entry['to_decide']}"] if entry["to_decide"] else []),
            f"- runs: {entry['experiment']}, {entry['seconds']:.1f} s",
        ]
    )


def figures(names: Collection[str], records: Mapping[str, Records]) -> "dict[str, Figure]":
    """Return the figures of the themes all of whose claims are among ``names``."""
    return {
        theme.name: _figure(theme, records)
        for theme in THEMES
        if all(claim.name in names for claim in theme.claims)
    }


def _figure(theme: Theme, records: Mapping[str, Records]) -> "Figure":
    from bridge.figures.style import new_figure, style

    with style():
        drawn = new_figure(5.6, 2.6)
        theme.draw(drawn, records)
        return drawn


def write(out: Path, found: Mapping[str, Any], drawn: "Mapping[str, Figure]") -> None:
    """Write ``claims.json``, ``claims.md`` and ``claims/THEME.png`` into a folder."""
    from bridge.figures.style import save

    write_text(out / "claims.json", dumps(found, indent=1, ensure_ascii=False) + "\n")
    write_text(out / "claims.md", markdown(found))
    (out / "claims").mkdir(exist_ok=True)
    for name, figure in drawn.items():
        save(figure, out / "claims" / name, suffixes=(".png",), dpi=150)
