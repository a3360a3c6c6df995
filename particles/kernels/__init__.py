"""Jitted loops only: floats and arrays in, floats and arrays out."""
