"""One set of observables for packings, perceptrons and networks.

Start with `bridge.protocols`: it says what a system is. Everything else in this package is
written once against it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.lanczos import SpectralDensity, spectral_density
    from bridge.minimise import Minimum, lbfgs
    from bridge.observables import Observables, observe
    from bridge.protocols import ConstraintProblem, Landscape, Loaded
    from bridge.spectra import (
        Spectrum,
        eigenmodes,
        hessian,
        jacobian_rank,
        participation_ratio,
        spectrum,
    )
    from bridge.testing import check_landscape, check_problem

_HOMES = {
    "ConstraintProblem": "protocols",
    "Landscape": "protocols",
    "Loaded": "protocols",
    "Minimum": "minimise",
    "Observables": "observables",
    "SpectralDensity": "lanczos",
    "Spectrum": "spectra",
    "check_landscape": "testing",
    "check_problem": "testing",
    "eigenmodes": "spectra",
    "hessian": "spectra",
    "jacobian_rank": "spectra",
    "lbfgs": "minimise",
    "observe": "observables",
    "participation_ratio": "spectra",
    "spectral_density": "lanczos",
    "spectrum": "spectra",
}

__all__ = [
    "ConstraintProblem",
    "Landscape",
    "Loaded",
    "Minimum",
    "Observables",
    "SpectralDensity",
    "Spectrum",
    "check_landscape",
    "check_problem",
    "eigenmodes",
    "hessian",
    "jacobian_rank",
    "lbfgs",
    "observe",
    "participation_ratio",
    "spectral_density",
    "spectrum",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: `jamscape --help` needs none of them."""
    if name not in _HOMES:
        raise AttributeError(f"module 'bridge' has no attribute '{name}'")
    return getattr(import_module(f"bridge.{_HOMES[name]}"), name)
