"""The systems that the command line knows: their options, and how each is brought to its state.

A file a system. The halves are imported inside the functions that need them, because they take
seconds to import. A class of options has a ``kind``, by which it is named, and its fields are
options of the command line, parameters of a stored record and keys of a configuration file, under
the same names. One that can be brought to its jamming has the methods of `system.System`; one
whose landscape can be searched has ``case``. To add a system is to add a file here: it is found.
"""

from bridge.systems.network import NetworkSystem
from bridge.systems.packings import DiscSystem, EllipseSystem, EllipsoidSystem, SphereSystem
from bridge.systems.perceptron import PerceptronSystem
from bridge.systems.registry import landscapes, load_words, systems
from bridge.systems.system import Load, State, System

__all__ = [
    "DiscSystem",
    "EllipseSystem",
    "EllipsoidSystem",
    "Load",
    "NetworkSystem",
    "PerceptronSystem",
    "SphereSystem",
    "State",
    "System",
    "landscapes",
    "load_words",
    "systems",
]
