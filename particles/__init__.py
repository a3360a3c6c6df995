"""Particles: packings of discs, spheres and ellipses, and the spherical perceptron."""

from particles.compression import Compressed, Decompressed, Stage, compress, decompress
from particles.descent import Descent, descend
from particles.discs import Discs
from particles.elastic import Moduli, moduli, stress_anisotropy, stress_tensor
from particles.ellipses import Ellipses
from particles.ensembles import ensemble
from particles.files import read_gsd, read_xyz, write_gsd, write_xyz
from particles.minimum import Minimum, minimise, relax
from particles.packing import Packing
from particles.pairs import Pairs
from particles.perceptron import Perceptron
from particles.pictures import plot

__all__ = [
    "Compressed",
    "Decompressed",
    "Descent",
    "Discs",
    "Ellipses",
    "Minimum",
    "Moduli",
    "Packing",
    "Pairs",
    "Perceptron",
    "Stage",
    "compress",
    "decompress",
    "descend",
    "ensemble",
    "minimise",
    "moduli",
    "plot",
    "read_gsd",
    "read_xyz",
    "relax",
    "stress_anisotropy",
    "stress_tensor",
    "write_gsd",
    "write_xyz",
]
