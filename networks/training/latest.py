"""Where a training is, for whoever shows it: the loops write it down, and nobody has to read it."""

from dataclasses import dataclass


@dataclass
class Latest:
    """The last that a loop of this process has said.

    >>> here = Latest()
    >>> here.note("Adam", 300, 10_000, 2.5)
    >>> here.text
    'Adam, step 300 of 10,000, U = 2.5'
    """

    text: str = ""

    def note(self, loop: str, step: int, steps: int, energy: float) -> None:
        """Take down a step of at most so many, and the energy there."""
        self.text = f"{loop}, step {step:,} of {steps:,}, U = {energy:.3g}"


LATEST = Latest()
EVERY = 50  # steps of Adam between two notes
