"""The two papers, figure by figure, beside ours: ``python docs/papers.py`` writes ``papers.md``.

What each shows stands in ``papers.toml``; the verdicts are those of ``claims.json``, the stored run
of ``jamscape claims``.
"""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bridge.claims.render import measured

HERE = Path(__file__).parent
HEAD = """# The two papers, figure by figure

What each shows and at what size, ours beside it, and what follows. Verdicts are those of the
[page of claims](claims.md), which says what is measured, what is allowed, and what would refute it;
they are of its sizes, which are smaller than those of the papers."""


def page(papers: Mapping[str, Any], stored: Mapping[str, Any]) -> str:
    """Return the gallery, with the verdicts of a stored run of the claims."""
    entries = {entry["name"]: entry for entry in stored["claims"]}
    parts = [HEAD]
    for paper in papers.values():
        parts += [f"## {paper['title']}", f"{paper['source']}."]
        for figure in paper["figures"]:
            parts += [
                f"### {figure['title']}",
                f"**The paper.** {figure['shows']}",
                f"**Ours.** {figure['ours']}",
                f"![{figure['title']}]({figure['picture']})",
                f"**Verdict.** {', '.join(_verdict(entries[name]) for name in figure['claims'])}.",
                f"    {figure['command']}",
            ]
    return "\n\n".join(parts) + "\n"


def _verdict(entry: Mapping[str, Any]) -> str:
    name, verdict = entry["name"], entry["verdict"]
    shown = verdict if verdict == "confirmed" else f"**{verdict}**"
    return f"[{name}](claims.md#{name}) {shown} ({measured(entry)}; allowed {entry['allowed']})"


def stored_page() -> str:
    """Return the gallery of what is stored."""
    papers = tomllib.loads((HERE / "papers.toml").read_text(encoding="utf-8"))
    return page(papers, json.loads((HERE / "claims.json").read_text(encoding="utf-8")))


if __name__ == "__main__":
    (HERE / "papers.md").write_text(stored_page(), encoding="utf-8")
