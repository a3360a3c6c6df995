"""Measurements in a state: observables, spectra, and power laws of gaps and forces."""
