"""The document: one HTML file with everything in it."""

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from bridge.records.documents import dumps
from bridge.records.provenance import provenance
from bridge.records.writing import replacing
from bridge.report.comparison import systems
from bridge.report.landscapes import landscape
from bridge.report.motions import motions
from bridge.report.sources import Sources, read_sources
from bridge.report.tables import states, tables

LARGEST = 2_000_000  # bytes of a page
AIM = 500_000  # bytes that it should not have: what is sent, opened and kept with ease
# States of each system, and the bytes that the page may then have: the first that fits is taken.
_STATES = ((24, AIM), (16, AIM), (11, AIM), *((most, LARGEST) for most in (8, 6, 4, 2, 1, 0)))
_SCRIPTS = (
    "drawing.js", "address.js", "bodies.js", "solids.js", "patterns.js", "histogram.js", "curve.js",
    "spectrum.js", "minimum.js", "tree.js", "tables.js", "columns.js", "images.js", "motion.js",
    "followed.js", "column.js", "playback.js", "overlay.js",
    "forces.js", "live.js", "tour.js", "lecture.js",
)  # fmt: skip


def write_report(paths: Sequence[Path], out: Path) -> int:
    """Write the page of some stores and landscapes; return its size in bytes.

    Raises
    ------
    ValueError
        If a file cannot be read, or the page would be larger than 2 MB. Nothing is written then.
    OSError
        If the page cannot be written.
    """
    if out.is_dir() or out.resolve() in [path.resolve() for path in paths]:
        raise ValueError(f"expected the name of a new page, got {out}: name another file")
    return write_page(read_sources(paths), out, ", ".join(path.name for path in paths))


def write_page(sources: Sources, out: Path, names: str = "this run") -> int:
    """Write the page of records and landscapes that were read; errors as `write_report`."""
    try:
        with np.errstate(divide="raise", over="raise", invalid="raise"):
            page = fitting(gather(sources))
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise ValueError(
            f"expected records as this version writes them in {names}, got {error!r}: run it again"
        ) from error
    if len(page) > LARGEST:
        raise ValueError(
            f"expected a page of at most {LARGEST:,} bytes, got {len(page):,}: "
            "give fewer files or smaller systems"
        )
    with replacing(out) as part:
        part.write_bytes(page)
    return len(page)


def fitting(content: dict[str, Any]) -> bytes:
    """Return the page with as many states of each system as it has room for.

    Of large systems fewer are shown; if not even one of each fits, their curves alone.
    """
    for most, limit in _STATES:
        systems = [_thinned(system, most) for system in content["systems"]]
        page = assemble({**content, "systems": systems}).encode("utf-8")
        if len(page) <= limit:
            break
    return page


def _thinned(system: dict[str, Any], most: int) -> dict[str, Any]:
    """Return a system with ``most`` of its states, the last among them; 0 leaves its numbers."""
    frames = system["frames"]
    if not most:
        return system | {"frames": [{"run": frame["run"]} for frame in frames]}
    last = len(frames) - 1
    places = np.linspace(last, 0, min(most, len(frames))).round().astype(int)[::-1]
    return system | {"frames": [frames[k] for k in places]}


def gather(sources: Sources) -> dict[str, Any]:
    """Return everything that the page draws, as one JSON document."""
    return {
        "motions": motions(sources.records),
        "systems": systems(states(sources.records)),
        "landscapes": [landscape(stored) for stored in sources.landscapes],
        "tables": tables(sources.records),
    }


def assemble(content: dict[str, Any]) -> str:
    """Return the page. Its policy forbids every request, and any code but its own."""
    style = _short(_file("style.css"))
    script = "\n".join(_short(_file(name)) for name in _SCRIPTS)
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    return Template(_file("template.html")).substitute(
        policy=escape(policy),
        style=style,
        tour=_file("tour.html"),
        script=script,
        content=embedded(content),
        version=escape(_version()),
    )


def _version() -> str:
    found = provenance()
    commit = f", commit {found['commit']}" if found["commit"] else ""
    return f"jamscape {found['jamscape']}{commit}"


def embedded(content: dict[str, Any]) -> str:
    """Return a document that can stand in a ``script`` element, whatever its strings hold."""
    text = dumps(content, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _file(name: str) -> str:
    return files("bridge.report").joinpath("page", name).read_text(encoding="utf-8")


def _short(text: str) -> str:
    """Return code without its indents and the lines that are comments."""
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _digest(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()
