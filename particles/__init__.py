"""Particles: packings of discs, spheres and ellipses, and the spherical perceptron."""

from particles.compress import Compressed, Decompressed, Stage, compress, decompress
from particles.discs import Discs
from particles.ellipses import Ellipses
from particles.minimise import Minimum, minimise
from particles.packing import Packing
from particles.pairs import Pairs
from particles.perceptron import Descent, Perceptron, descend

__all__ = [
    "Compressed",
    "Decompressed",
    "Descent",
    "Discs",
    "Ellipses",
    "Minimum",
    "Packing",
    "Pairs",
    "Perceptron",
    "Stage",
    "compress",
    "decompress",
    "descend",
    "minimise",
]
