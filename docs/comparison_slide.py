"""The transitions of the comparison alone, for a slide: ``comparison_slide.png``.

python docs/comparison_slide.py compare/compare.sqlite
"""

import sys
from pathlib import Path

from bridge.figures.comparison import transitions
from bridge.figures.style import save
from bridge.records.columns import columns
from bridge.records.store import Store

SYSTEMS = ("discs", "ellipses", "perceptron", "network", "digits")

if __name__ == "__main__":
    with Store(Path(sys.argv[1]), read_only=True) as store:
        figure = transitions(columns(list(store.records()), SYSTEMS))
    save(figure, Path(__file__).with_suffix(""), suffixes=(".png",))
