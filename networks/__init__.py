"""Deep networks as constraint satisfaction: the networks half of jamscape.

Callers run one thread per process (``OMP_NUM_THREADS=1`` or ``torch.set_num_threads(1)``):
these networks are too small to share, and the library never changes torch's settings.
"""

try:
    import torch as _torch  # noqa: F401 - all of this package is computed in it
except ImportError as error:
    raise ImportError(
        f"expected torch, in which networks are computed, got none ({error}): pip install torch"
    ) from error

from networks.data.patterns import Patterns, digits, mnist, random_patterns, read_patterns
from networks.models.activations import ACTIVATIONS, Activation, Kink
from networks.models.fixed_norm import SphericalNetwork
from networks.models.from_module import from_module
from networks.models.hinge import HingeNetwork
from networks.models.mlp import Mlp
from networks.models.module import ModuleProblem
from networks.training.anneal import Schedule
from networks.training.generalisation import Generalisation, generalise
from networks.training.optimisers import OPTIMISERS, Fire, Lbfgs, Momentum
from networks.training.train import Trained, settle, train, train_all

__all__ = [
    "ACTIVATIONS",
    "OPTIMISERS",
    "Activation",
    "Fire",
    "Generalisation",
    "HingeNetwork",
    "Lbfgs",
    "Kink",
    "Mlp",
    "ModuleProblem",
    "Momentum",
    "Patterns",
    "Schedule",
    "SphericalNetwork",
    "Trained",
    "digits",
    "from_module",
    "generalise",
    "mnist",
    "random_patterns",
    "read_patterns",
    "settle",
    "train",
    "train_all",
]
