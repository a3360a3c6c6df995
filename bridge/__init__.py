"""One set of observables for packings, perceptrons and networks.

Start with `bridge.protocols`: it says what a system is. Everything else in this package is
written once against it. ``observe``, ``spectrum`` and ``exact_jamming`` take the end of any
minimisation; ``explore`` finds minima and saddles, and ``find_transition`` the load at which half
of the models of a kind fit; ``load`` reopens what a command has saved.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.descent.lbfgs import Minimum, lbfgs
    from bridge.descent.linear_hinge import LinearMinimum, linear_minimum
    from bridge.figures.picture import plot
    from bridge.jamming.certificate import Certificate
    from bridge.jamming.exact import ExactJamming, exact_jamming
    from bridge.landscape.graph import Graph
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
    from bridge.protocols import ConstraintProblem, End, HasTightening, Landscape, Status
    from bridge.report.sweep import Runs, sweep
    from bridge.runs.explore import explore
    from bridge.runs.find_transition import find_transition
    from bridge.runs.reopen import load
    from bridge.testing import check_landscape, check_problem

    __version__: str

_HOMES = {
    "Certificate": "jamming.certificate",
    "ConstraintProblem": "protocols",
    "End": "protocols",
    "ExactJamming": "jamming.exact",
    "Graph": "landscape.graph",
    "Landscape": "protocols",
    "HasTightening": "protocols",
    "LinearMinimum": "descent.linear_hinge",
    "Minimum": "descent.lbfgs",
    "Observables": "measure.observables",
    "Runs": "report.sweep",
    "SpectralDensity": "measure.lanczos",
    "Spectrum": "measure.spectra",
    "Status": "protocols",
    "check_landscape": "testing",
    "check_problem": "testing",
    "eigenmodes": "measure.spectra",
    "exact_jamming": "jamming.exact",
    "explore": "runs.explore",
    "find_transition": "runs.find_transition",
    "hessian": "measure.spectra",
    "jacobian_rank": "measure.spectra",
    "lbfgs": "descent.lbfgs",
    "linear_minimum": "descent.linear_hinge",
    "load": "runs.reopen",
    "observe": "measure.observables",
    "participation_ratio": "measure.spectra",
    "plot": "figures.picture",
    "spectral_density": "measure.lanczos",
    "spectrum": "measure.spectra",
    "sweep": "report.sweep",
}

__all__ = [
    "Certificate",
    "ConstraintProblem",
    "End",
    "ExactJamming",
    "Graph",
    "Landscape",
    "HasTightening",
    "LinearMinimum",
    "Minimum",
    "Observables",
    "Runs",
    "SpectralDensity",
    "Spectrum",
    "Status",
    "check_landscape",
    "check_problem",
    "eigenmodes",
    "exact_jamming",
    "explore",
    "find_transition",
    "hessian",
    "jacobian_rank",
    "lbfgs",
    "linear_minimum",
    "load",
    "observe",
    "participation_ratio",
    "plot",
    "spectral_density",
    "spectrum",
    "sweep",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: ``jamscape --help`` needs none of them."""
    if name == "__version__":
        return import_module("bridge.records.provenance").version("jamscape") or "0+unknown"
    if name not in _HOMES:
        raise AttributeError(f"module 'bridge' has no attribute '{name}'")
    return getattr(import_module(f"bridge.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names, whether they have been imported yet or not."""
    return sorted([*__all__, "__version__"])
