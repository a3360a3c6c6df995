"""The claims of the two source papers, each as a small experiment with a verdict.

Read ``claims.toml`` first: what is claimed, by whom, and what would refute it; ``checks.toml``
holds checks of our own methods likewise. `bridge.claims.claim` says how they are judged. A theme is
one file, with its experiments, its estimates and its figure; `table` lists the themes and `trials`
runs them. Themes belong to the bridge's top floor: they import the halves inside functions.
"""
