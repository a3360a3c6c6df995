"""Conclusions as text, as one document, as markdown, and in figures."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bridge.claims.claim import SIGMAS, Theme
from bridge.claims.experiment import Records
from bridge.claims.table import THEMES
from bridge.claims.trials import Conclusion
from bridge.records.documents import dumps
from bridge.records.provenance import provenance
from bridge.records.writing import write_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_VERDICTS = ("confirmed", "not confirmed", "undecided")


def document(
    conclusions: Sequence[Conclusion], records: Mapping[str, Records], *, full: bool
) -> dict[str, Any]:
    """Return what ``--json`` prints; ``seconds`` counts runs that several claims share once."""
    return {
        "full": full,
        "seconds": sum(record.seconds for found in records.values() for record in found),
        "verdicts": {
            verdict: sum(found.verdict == verdict for found in conclusions) for verdict in _VERDICTS
        },
        "claims": [_entry(found) for found in conclusions],
        "provenance": provenance(),
    }


def _entry(conclusion: Conclusion) -> dict[str, Any]:
    claim, found = conclusion.claim, conclusion.found
    return {
        "name": claim.name,
        "theme": theme_of(claim.name),
        "sentence": claim.sentence,
        **asdict(claim.source),
        "quantity": claim.quantity,
        "expected": claim.expected.value,
        "tolerance": claim.expected.tolerance,
        "sense": claim.expected.sense,
        "allowed": str(claim.expected),
        "basis": claim.expected.basis,
        **asdict(found),
        "value": found.value if math.isfinite(found.value) else None,
        "error": found.error if math.isfinite(found.error) else None,
        "verdict": conclusion.verdict,
        "seconds": conclusion.seconds,
    }


def theme_of(name: str) -> str:
    """Return the name of the theme of a claim."""
    return next(theme.name for theme in THEMES if any(claim.name == name for claim in theme.claims))


def text(found: Mapping[str, Any]) -> str:
    """Return the table to print: one line a claim."""
    lines = [f"{'claim':27}{'measured':>25}  {'allowed':22}verdict"]
    lines += [
        f"{entry['name']:27}{measured(entry):>25}  {entry['allowed']:22}{entry['verdict']}"
        for entry in found["claims"]
    ]
    counts = ", ".join(f"{count} {verdict}" for verdict, count in found["verdicts"].items())
    return "\n".join([*lines, "", f"{counts}; {found['seconds']:.0f} s of one processor"])


def measured(entry: Mapping[str, Any]) -> str:
    """Return value and error with as many digits as the error bears.

    >>> measured({"value": 0.51234, "error": 0.0123}), measured({"value": 3.0, "error": 0.0})
    ('0.512 ± 0.012', '3')
    """
    value, error = entry["value"], entry["error"]
    if value is None:
        return "none"
    if error == 0.0:
        return f"{value:.9g}" if value == round(value) or abs(value) > 1e-3 else f"{value:.1e}"
    if error is None:
        return f"{value:.4g} ± ?"
    digits = min(12, max(0, 1 - math.floor(math.log10(error))))
    return f"{value:.{digits}f} ± {error:.{digits}f}"


def markdown(found: Mapping[str, Any]) -> str:
    """Return ``docs/claims.md`` of a stored run."""
    claims = found["claims"]
    parts = [_head(found)]
    for theme in THEMES:
        entries = [entry for entry in claims if entry["theme"] == theme.name]
        if entries:
            parts += [f"## {theme.title}", f"![{theme.title}](claims/{theme.name}.png)"]
            parts += [_paragraph(entry) for entry in entries]
    return "\n\n".join(parts) + "\n"


def _head(found: Mapping[str, Any]) -> str:
    counts = ", ".join(f"**{count} {verdict}**" for verdict, count in found["verdicts"].items())
    size = "full" if found["full"] else "default"
    origin = found["provenance"]
    return "\n".join(
        [
            "# What the two papers claim, and what we measure",
            "",
            f"{counts}. This page is what `jamscape claims` wrote at its {size} size: "
            f"{found['seconds']:.0f} s of one processor ({origin['processor']}; jamscape "
            f"{origin['jamscape']}, numpy {origin['numpy']}, torch {origin['torch']}).",
            "",
            f"± is one standard error over seeds. A claim is confirmed if the value and "
            f"{SIGMAS:g} errors around it lie among those allowed, not confirmed if they lie "
            "outside, and undecided if they do both, or if more than a quarter of the runs came "
            "to no end. Sizes of avalanches were set after pilots: `jamscape claims --full` "
            "repeats everything at sizes closer to the limits that the papers speak of.",
            "",
            "| claim | measured | allowed | verdict | s |",
            "| --- | ---: | --- | --- | ---: |",
            *[_row(entry) for entry in found["claims"]],
        ]
    )


def _row(entry: Mapping[str, Any]) -> str:
    name, verdict = entry["name"], entry["verdict"]
    return (
        f"| [{name}](#{name}) | {measured(entry)} | {entry['allowed']} | "
        f"{verdict if verdict == 'confirmed' else f'**{verdict}**'} | {entry['seconds']:.0f} |"
    )


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
            f"{entry['paper']}, {entry['place']}.",
            "",
            f"- measured: {entry['quantity']}",
            f"- allowed: {entry['allowed']} ({entry['basis']})",
            f"- found: {measured(entry)}, {runs}{note}",
            f"- verdict: **{entry['verdict']}**, {entry['seconds']:.1f} s",
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
