"""The systems that the command line knows: their options, and how each is brought to its state.

This is the bridge's top floor: the halves are imported inside the functions that need them,
because they take seconds to import. A field of a class is an option of the command line, a
parameter of a stored record and a key of a configuration file, under the same name. To add a
system is to add a file and a name to ``SYSTEMS``.
"""

from typing import TypeAlias

from bridge.systems.network import NetworkSystem
from bridge.systems.packings import DiscSystem, EllipseSystem
from bridge.systems.perceptron import PerceptronSystem
from bridge.systems.system import Load, State, System

SystemClass: TypeAlias = type[DiscSystem | EllipseSystem | PerceptronSystem | NetworkSystem]
SYSTEMS: tuple[SystemClass, ...] = (
    DiscSystem,
    EllipseSystem,
    PerceptronSystem,
    NetworkSystem,
)

__all__ = [
    "SYSTEMS",
    "DiscSystem",
    "EllipseSystem",
    "Load",
    "NetworkSystem",
    "PerceptronSystem",
    "State",
    "System",
    "SystemClass",
]
