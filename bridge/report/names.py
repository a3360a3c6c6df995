"""What the variables of a data set are called in words, and their units.

Options of systems and of kinds of run say so themselves, by the help of the command line. Lengths
are in diameters of a small body, stiffnesses and the depth of a pair of atoms are 1: all
numbers but times are dimensionless, ``1`` in the units of UDUNITS that netCDF has. What an
experiment of a user's own measures has the name that it was given, and no units.
"""

from dataclasses import fields
from functools import cache

from bridge.runs.registry import kinds
from bridge.systems.registry import option_classes

_TEXTS = {
    "system": "system, or kind of record",
    "status": "how the run ended",
    "key": "hash of what was run",
    "settings": "numbers of the program that the result depends on",
    "name": "name of the column in a comparison",
    "law": "energy that was minimised, where not the harmonic one",
    "reason": "why it ended so",
    "load_name": "parameter that is the load",
    "data_file": "name of the file of data",
    "model_file": "name of the file of a module, and the name in it",
    "protocol": "how the loads are searched",
    "start": "load at which slow loading starts",
}
_NUMBERS = {
    # Labels.
    "seed": "entropy of the random numbers",
    "sample": "last number of the seed",
    "low_overlap": "overlap per variable to unload to",
    "by": "load added by slow loading",
    "load_steps": "steps in which it is added",
    # States.
    "seconds": "time of the run on one core",
    "load": "load of the state",
    "n_dof": "number of variables",
    "n_symmetries": "continuous symmetries",
    "n_frozen": "rattlers or dead units",
    "n": "degrees of freedom N, without frozen bodies and symmetries",
    "n_constraints": "violated constraints N_Δ",
    "n_isostatic": "constraints of an isostatic state, N + 1",
    "constraints_per_dof": "violated constraints per degree of freedom N_Δ/N",
    "n_marginal": "marginal constraints, Δ = 0, of the linear hinge",
    "coordination": "contacts per body Z, rattlers left out",
    "energy": "energy U",
    "pressure": "pressure Σ max(Δ, 0)/N",
    "max_residual": "largest component of the gradient",
    "min_force": "weakest violation",
    "smallest_gap": "smallest margin of a satisfied constraint",
    "lowest_curvature": "least curvature off the symmetries",
    "n_kinks": "kinks that hold the state",
    "negative_modes": "negative eigenvalues of the Hessian",
    "negative_modes_hp": "negative eigenvalues of the prestress N_-(Hp)",
    "zero_modes": "vanishing eigenvalues of the Hessian",
    "bound_holds": "whether N_-(Hp) <= N_Δ",
    "gaps": "gaps Δ",
    "eigenvalues": "eigenvalues of the Hessian H",
    "eigenvalues_h0": "eigenvalues of the stiffness H0",
    "eigenvalues_hp": "eigenvalues of the prestress Hp",
    # Networks and their transition.
    "n_weights": "weights, biases left out",
    "patterns": "number of patterns P",
    "fitted_patterns": "largest number of patterns that a network fitted while it was loaded",
    "trainings": "trainings of a loading",
    "steps": "steps of the optimiser that were made",
    "newton_steps": "linear solves of the polish",
    "load_error": "standard error of the load at the transition",
    "load_width": "width of the transition in the load",
    "n_star": "weights at the transition N*",
    "point_load": "load P/N",
    "point_n_weights": "weights of the networks",
    "point_patterns": "number of patterns P",
    "point_fitted": "networks that fit",
    "point_tried": "networks that were trained",
    "point_dead": "dead networks",
    "point_stalled": "stalled networks",
    # Slow loading.
    "avalanches": "number of avalanches",
    "unstable": "avalanches whose lowest eigenvalue turned negative",
    "lost": "energy lost in avalanches",
    "work": "work of the load",
    "unaccounted": "part of the work that is neither stored nor lost",
    "elastic_changes": "constraints opened or closed between avalanches",
    "avalanche_changes": "constraints opened or closed by avalanches",
    "largest_drop": "largest energy lost at once",
    "resolution": "smallest drop that can be told from none",
    "descents": "minimisations",
    "step_loads": "load added",
    "step_energy": "energy U at each step",
    "step_overlap_per_variable": "overlap per variable Σ max(Δ, 0)/n_dof at each step",
    "step_n_constraints": "violated constraints at each step",
    "step_lost": "energy lost in each step",
    "step_work": "work in each step",
    "step_changes": "constraints opened or closed elastically in each step",
    "avalanche_load": "load before an avalanche",
    "avalanche_width": "step of the load in which it happened",
    "avalanche_energy": "energy before an avalanche",
    "avalanche_drop": "energy lost in an avalanche",
    "avalanche_error": "half width of the bounds of that energy",
    "avalanche_closed": "constraints violated after and not before",
    "avalanche_opened": "constraints violated before and not after",
    "avalanche_displacement": "distance moved in an avalanche",
    "avalanche_participation": "part of the variables that moved",
    "avalanche_softest": "lowest eigenvalue before an avalanche",
    "avalanche_sliding": "lowest eigenvalue met on its first tenth",
    # Landscapes.
    "n_minima": "number of minima",
    "n_saddles": "number of saddles",
    "lowest_energy": "energy of the lowest minimum",
    "n_searches": "number of searches",
    "estimated_minima": "number of minima to expect in all",
    "estimated_saddles": "number of saddles to expect in all",
    "morse_sum": "alternating sum of stationary points over their index",
    "expected_morse_sum": "Euler characteristic of the space",
    "saddle_ends": "the two minima of a saddle",
    "minimum_energy": "energy of a minimum",
    "minimum_order": "order of the symmetry of a minimum",
    "minimum_log_det": "logarithm of the determinant of the Hessian of a minimum",
    "minimum_energy_per_spin": "energy per spin of a minimum",
    "minimum_n_constraints": "violated constraints of a minimum",
    "minimum_test_auc": "area under the curve on the test set",
    "minimum_test_accuracy": "accuracy on the test set",
    "saddle_energy": "energy of a saddle",
    "saddle_order": "order of the symmetry of a saddle",
    "saddle_log_det": "logarithm of the determinant of the Hessian of a saddle",
}


def attributes(name: str, *, asked: bool, number: bool) -> dict[str, str]:
    """Return ``long_name``, and ``units`` of a number, of a variable of a data set.

    Parameters
    ----------
    name
        As it is in the record.
    asked
        Whether it is a parameter of the run, rather than a result.
    number
        Whether its values are numbers.

    Examples
    --------
    >>> attributes("energy", asked=False, number=True)
    {'long_name': 'energy U', 'units': '1'}
    >>> attributes("aspect", asked=True, number=True)
    {'long_name': 'long axis over short axis, at least 1', 'units': '1'}
    >>> attributes("my_number", asked=False, number=True)
    {'long_name': 'my number'}
    """
    known = _NUMBERS | _TEXTS | (_options() if asked else {})
    if name not in known:
        return {"long_name": name.replace("_", " ")}
    units = {"units": "s" if name == "seconds" else "1"} if number else {}
    return {"long_name": known[name]} | units


@cache
def _options() -> dict[str, str]:
    """Return what each option is, by the help of the first class that has it."""
    classes = (*option_classes(), *kinds().values())
    items = [item for kind in classes for item in fields(kind) if "help" in item.metadata]
    return {item.name: _phrase(item.metadata["help"]) for item in reversed(items)}


def _phrase(text: str) -> str:
    """Return a help text as a phrase: without its capital, if it is no symbol, and full stop."""
    phrase = text.rstrip(".")
    return phrase[:1].lower() + phrase[1:] if phrase[1:2].islower() else phrase
