"""Landscapes without gaps: clusters of atoms, a spin glass, a surface in the plane."""
