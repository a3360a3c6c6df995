"""One set of observables for packings, perceptrons and networks.

Start with `bridge.protocols`: it says what a system is. Everything else in this package is
written once against it.
"""

from bridge.observables import Observables, observe
from bridge.protocols import ConstraintProblem, HasEquivalents, HasFrozenBodies, Landscape, Loaded
from bridge.spectra import Spectrum, hessian, spectrum

__all__ = [
    "ConstraintProblem",
    "HasEquivalents",
    "HasFrozenBodies",
    "Landscape",
    "Loaded",
    "Observables",
    "Spectrum",
    "hessian",
    "observe",
    "spectrum",
]
