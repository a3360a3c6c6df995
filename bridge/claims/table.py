"""All themes and claims, by name."""

from collections.abc import Sequence
from functools import cache
from importlib import import_module

from bridge.claims.claim import Claim, Theme
from bridge.claims.experiment import Experiment

# Each is a file of its name, in the order of the page.
_THEMES = (
    "transition", "curvature", "packings", "perceptron", "exponents", "avalanches", "molecules",
    "kinetics", "noise", "learning", "xor", "deep", "glass",
)  # fmt: skip
THEMES: tuple[Theme, ...] = tuple(import_module(f"bridge.claims.{name}").THEME for name in _THEMES)
CLAIMS: tuple[Claim, ...] = tuple(claim for theme in THEMES for claim in theme.claims)


@cache
def experiments() -> dict[str, Experiment]:
    """Return every experiment by its name."""
    return {claim.experiment.name: claim.experiment for claim in CLAIMS}


def chosen(names: Sequence[str]) -> list[Claim]:
    """Return the claims of these names, or of the themes of these names; all if none is given.

    Raises
    ------
    ValueError
        If a name is neither a claim's nor a theme's.
    ImportError
        If one of the claims is on networks, and torch is not there.
    """
    by_theme = {theme.name: theme.claims for theme in THEMES}
    known = {claim.name: (claim,) for claim in CLAIMS} | by_theme
    for name in names:
        if name not in known:
            raise ValueError(
                f"expected claims or themes, got {name!r}: name some of {', '.join(by_theme)}, "
                f"or of {', '.join(claim.name for claim in CLAIMS)}"
            )
    wanted = {claim.name for name in names for claim in known[name]}
    found = [claim for claim in CLAIMS if claim.name in wanted or not names]
    if any(claim.experiment.on_networks for claim in found):
        import_module("networks")
    return found
