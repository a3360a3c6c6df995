"""Hessians of torch modules beside curvlinops: products, matrices, and densities by Lanczos.

    python benchmarks/curvature_peers.py

Needs ``pip install curvlinops-for-pytorch``. Seconds; prints a table of largest deviations.
"""

import os
import time

os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")})

import numpy as np
import torch

from bridge import hessian, spectral_density
from networks import from_module

DIM, WIDTH, PATTERNS = 10, 12, 600
STEPS, PROBES, KAPPA = 30, 40, 3.0
# curvlinops differentiates forward over backward, which torch lacks for silu.
ACTIVATIONS = (torch.nn.ReLU, torch.nn.Tanh, torch.nn.Softplus)


class SquaredHinge(torch.nn.Module):
    """``½ Σ_μ max(1 - y_μ f_μ, 0)²``; curvlinops wants a module that names its reduction."""

    reduction = "sum"

    def forward(self, output, labels):
        return 0.5 * (1 - labels * output[:, 0]).clamp(min=0).square().sum()


def smoothed(values, grid, width):
    peaks = np.exp(-0.5 * ((grid[:, None] - values) / width) ** 2)
    return peaks.mean(axis=1) / (width * np.sqrt(2 * np.pi))


def densities(operator, problem, values):
    """Return the largest deviations of both densities from the exact one, in their errors.

    Both smear an eigenvalue to the width that curvlinops takes for its number of steps.
    """
    from curvlinops import lanczos_approximate_spectrum

    ends = float(values[0]), float(values[-1])
    half = 0.5 * 1.1 * (ends[1] - ends[0])  # curvlinops pads the spectrum by 5 % on either side
    width = half * 2 / (STEPS - 1) / np.sqrt(8 * np.log(KAPPA))
    torch.manual_seed(0)
    runs = [
        lanczos_approximate_spectrum(operator, STEPS, 200, kappa=KAPPA, boundaries=ends)
        for _ in range(PROBES)
    ]
    grid = runs[0][0].numpy()
    theirs = np.array([density.numpy() for _, density in runs])
    lanczos = spectral_density(problem, problem.start, probes=PROBES, steps=STEPS)
    ours, error = lanczos.at(grid, width)
    exact = smoothed(values, grid, width)
    seen = exact > 1e-2 * exact.max()
    their_error = theirs.std(axis=0, ddof=1) / np.sqrt(PROBES)
    both = (ours, error), (theirs.mean(axis=0), their_error)
    return [float((np.abs(found - exact)[seen] / error[seen]).max()) for found, error in both]


def clocked(function, *arguments):
    started = time.process_time()
    found = function(*arguments)
    return found, 1e3 * (time.process_time() - started)


def row(activation):
    from curvlinops import HessianLinearOperator

    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Linear(DIM, WIDTH), activation(),
        torch.nn.Linear(WIDTH, WIDTH), activation(), torch.nn.Linear(WIDTH, 1),
    ).double()  # fmt: skip
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((PATTERNS, DIM)), rng.choice([-1.0, 1.0], PATTERNS)
    problem = from_module(module, x, y)
    data = [(torch.tensor(x), torch.tensor(y))]
    operator = HessianLinearOperator(module, SquaredHinge(), list(module.parameters()), data)
    v = rng.standard_normal(problem.n_dof)
    product = problem.hvp(problem.start, v)
    theirs = (operator @ torch.tensor(v)).detach().numpy()
    identity = torch.eye(problem.n_dof, dtype=torch.float64)
    dense, ms = clocked(hessian, problem, problem.start)
    other, their_ms = clocked(lambda: (operator @ identity).detach().numpy())
    ours_off, theirs_off = densities(operator, problem, np.linalg.eigvalsh(other))
    return (
        f"| {activation.__name__} | {problem.n_dof} "
        f"| {np.abs(product - theirs).max() / np.abs(theirs).max():.1e} "
        f"| {np.abs(dense - other).max() / np.abs(other).max():.1e} "
        f"| {ms:.0f}, {their_ms:.0f} | {ours_off:.1f}, {theirs_off:.1f} |"
    )


if __name__ == "__main__":
    print("| activation | parameters | H v | H | ms for H, theirs | density, theirs |")
    print("| --- | --- | --- | --- | --- | --- |")
    for activation in ACTIVATIONS:
        print(row(activation), flush=True)
