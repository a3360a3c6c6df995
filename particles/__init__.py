"""Particles: packings, the perceptron, and landscapes of clusters and of the spin glass."""

from particles.formats.files import read_gsd, read_xyz, write_gsd, write_xyz
from particles.landscapes.clusters import AxilrodTeller, LennardJones
from particles.landscapes.muller_brown import MullerBrown
from particles.landscapes.spin_glass import SphericalSpinGlass
from particles.packings.breathing import Breathing
from particles.packings.compression import compress, decompress
from particles.packings.discs import Discs
from particles.packings.driven import Compressed, Decompressed, Stage
from particles.packings.elastic import Moduli, moduli, stress_anisotropy, stress_tensor
from particles.packings.ellipses import Ellipses
from particles.packings.ellipsoids import Ellipsoids
from particles.packings.ensembles import ensemble
from particles.packings.free_box import FreeBox
from particles.packings.gradient_flow import gradient_flow
from particles.packings.minimum import Minimum, minimise, relax
from particles.packings.packing import Packing
from particles.packings.pairs import Pairs
from particles.packings.pictures import plot
from particles.packings.sheared import Sheared
from particles.perceptron.descent import Descent, descend
from particles.perceptron.perceptron import Perceptron

__all__ = [
    "AxilrodTeller",
    "Breathing",
    "Compressed",
    "Decompressed",
    "Descent",
    "Discs",
    "Ellipses",
    "Ellipsoids",
    "FreeBox",
    "LennardJones",
    "Minimum",
    "Moduli",
    "MullerBrown",
    "Packing",
    "Pairs",
    "Perceptron",
    "Sheared",
    "SphericalSpinGlass",
    "Stage",
    "compress",
    "decompress",
    "descend",
    "ensemble",
    "gradient_flow",
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
