"""Packings of discs, spheres and ellipses: their laws, minima, compression, moduli."""
