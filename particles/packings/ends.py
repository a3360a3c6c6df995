"""The base of all ends of minimisations of packings: a line of text, and a picture."""

from abc import ABC, abstractmethod
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from particles.packings.packing import Packing
from particles.packings.pictures import png

Status = Literal["unjammed", "jammed", "stalled"]


class PackingEnd(ABC):
    """Where a packing ended: its problem, its state ``x`` ``(n_dof,)``, a status and the reason."""

    problem: Packing
    x: NDArray[np.float64]
    status: Status
    reason: str

    def __repr__(self) -> str:
        bodies = f"{self.problem.n_bodies} {type(self.problem).__name__}"
        reason = f" ({self.reason})" if self.reason else ""
        shown = f"phi = {self.problem.phi:.8g}, {self._numbers()}"
        return f"<{type(self).__name__} of {bodies}: {self.status}{reason}, {shown}>"

    @abstractmethod
    def _numbers(self) -> str:
        """Return what else the line of text says."""

    def _repr_png_(self) -> bytes:
        """Return a picture, for notebooks."""
        return png(self.problem, self.x)
