"""The minimisers that know no more of a system than the protocols: L-BFGS and Newton's method."""
