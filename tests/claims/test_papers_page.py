"""The gallery of the papers: every claim has its place, and the page cannot drift from it."""

import runpy
import tomllib
from pathlib import Path

from bridge.claims.table import CLAIMS

DOCS = Path(__file__).parent.parent.parent / "docs"


def papers():
    return tomllib.loads((DOCS / "papers.toml").read_text(encoding="utf-8"))


def test_the_gallery_is_what_is_stored():
    """After another run of the claims: ``python docs/papers.py``."""
    made = runpy.run_path(str(DOCS / "papers.py"))["stored_page"]()
    assert (DOCS / "papers.md").read_text(encoding="utf-8") == made


def test_every_claim_stands_under_one_figure():
    figures = [figure for paper in papers().values() for figure in paper["figures"]]
    placed = [name for figure in figures for name in figure["claims"]]
    assert sorted(placed) == sorted(claim.name for claim in CLAIMS)
    for figure in figures:
        assert (DOCS / figure["picture"]).exists()
        for script in (word for word in figure["command"].split() if word.endswith(".py")):
            assert (DOCS.parent / script).exists()
