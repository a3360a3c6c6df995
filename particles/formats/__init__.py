"""Packings on disk, as other programs read them: extended XYZ and GSD."""
