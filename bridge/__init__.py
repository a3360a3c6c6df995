"""One set of observables for packings, perceptrons and networks.

Start with `bridge.protocols`: it says what a system is. Everything else in this package is
written once against it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.descent.lbfgs import Minimum, lbfgs
    from bridge.measure.lanczos import SpectralDensity, spectral_density
    from bridge.measure.observables import Observables, observe
    from bridge.measure.spectra import (
        Spectrum,
        eigenmodes,
        hessian,
        jacobian_rank,
        participation_ratio,
        spectrum,
    )
    from bridge.protocols import ConstraintProblem, HasTightening, Landscape
    from bridge.testing import check_landscape, check_problem

    __version__: str

_HOMES = {
    "ConstraintProblem": "protocols",
    "Landscape": "protocols",
    "HasTightening": "protocols",
    "Minimum": "descent.lbfgs",
    "Observables": "measure.observables",
    "SpectralDensity": "measure.lanczos",
    "Spectrum": "measure.spectra",
    "check_landscape": "testing",
    "check_problem": "testing",
    "eigenmodes": "measure.spectra",
    "hessian": "measure.spectra",
    "jacobian_rank": "measure.spectra",
    "lbfgs": "descent.lbfgs",
    "observe": "measure.observables",
    "participation_ratio": "measure.spectra",
    "spectral_density": "measure.lanczos",
    "spectrum": "measure.spectra",
}

__all__ = [
    "ConstraintProblem",
    "Landscape",
    "HasTightening",
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
    if name == "__version__":
        return import_module("bridge.records.provenance").version("jamscape") or "0+unknown"
    if name not in _HOMES:
        raise AttributeError(f"module 'bridge' has no attribute '{name}'")
    return getattr(import_module(f"bridge.{_HOMES[name]}"), name)
