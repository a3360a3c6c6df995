"""Particles: packings of discs, spheres and ellipses, and the spherical perceptron."""

from particles.compress import Decompressed, Stage, decompress
from particles.discs import Discs
from particles.ellipses import Ellipses
from particles.minimise import Minimum, minimise
from particles.packing import Packing
from particles.pairs import Pairs

__all__ = [
    "Decompressed",
    "Discs",
    "Ellipses",
    "Minimum",
    "Packing",
    "Pairs",
    "Stage",
    "decompress",
    "minimise",
]
