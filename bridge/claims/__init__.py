"""The claims of the two source papers, each as a small experiment with a verdict.

Read `bridge.claims.claim` first: what a claim is, and how it is judged. A theme is one file, with
its experiments, its claims and its figure; `table` lists the themes and `run` runs them. Themes
belong to the bridge's top floor: they import the halves inside functions.
"""
