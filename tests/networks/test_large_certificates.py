"""What makes a certificate affordable: factorisations in place of spectra, and its Hessian."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from networks import HingeNetwork, Mlp, Patterns, random_patterns
from networks.training.kinks import _complement, _is_positive


@settings(max_examples=40)
@given(st.integers(1, 9), st.integers(0, 5), st.integers(0, 8), st.integers(0, 1000))
def test_the_complement_is_all_that_lies_across_the_rows(n, independent, repeated, seed):
    """Rows may be dependent, vanish all, or be more than there are dimensions."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(min(independent, n), n, generator=generator, dtype=torch.float64)
    mixed = torch.randn(repeated, len(rows), generator=generator, dtype=torch.float64) @ rows
    found = _complement(torch.cat([rows, mixed]), n)
    assert found.shape == (n - len(rows), n)
    assert (found @ found.T).numpy() == pytest.approx(np.eye(len(found)), abs=1e-12)
    assert (found @ torch.cat([rows, mixed]).T).abs().sum() < 1e-9


@pytest.mark.parametrize(
    ("smallest", "positive"), [(1e-3, True), (0.0, True), (-0.9e-9, True), (-1.1e-9, False)]
)
def test_a_factorisation_tells_the_sign_of_the_smallest_eigenvalue(smallest, positive):
    generator = torch.Generator().manual_seed(0)
    modes = torch.linalg.qr(torch.randn(6, 6, generator=generator, dtype=torch.float64))[0]
    values = torch.tensor([smallest, 0.1, 0.2, 0.5, 0.7, 1.0], dtype=torch.float64)
    matrix = (modes * values) @ modes.T
    before = matrix.clone()
    assert _is_positive(matrix, 1e-9) == positive
    assert torch.equal(matrix, before)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_hessian_is_the_sum_of_those_of_its_patterns(activation):
    """And zero of a network that fits, which has none."""
    rng = np.random.default_rng(0)
    mlp = Mlp(4, 5, 3, activation)
    patterns = random_patterns(40, 4, rng)
    x = mlp.init(rng)
    whole = HingeNetwork(mlp, patterns).hessian(x)
    pairs = np.column_stack([np.flatnonzero(patterns.y == sign) for sign in (-1.0, 1.0)])
    for size in (1, 7):  # pairs, since patterns are of two labels
        chosen = [pairs[start : start + size].ravel() for start in range(0, len(pairs), size)]
        parts = [HingeNetwork(mlp, Patterns(patterns.x[s], patterns.y[s])) for s in chosen]
        assert sum(part.hessian(x) for part in parts) == pytest.approx(whole, abs=1e-12)
    assert not HingeNetwork(mlp, patterns, margin=-100.0).hessian(x).any()
