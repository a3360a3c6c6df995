"""Limited-memory BFGS on clusters of atoms, as one compiled loop: with bounded steps."""

import math

import numpy as np

from particles.kernels._jit import kernel
from particles.kernels.clusters import add_axilrod_teller, lennard_jones

MEMORY = 10


@kernel
def quench(x, z, tolerance, max_step, most):
    """Descend from ``x``, in place; return energy, evaluations, and whether it converged.

    No step is longer than ``max_step`` (2-norm per root variable), one that raises the energy is
    halved until it does not, and every ``|∂U/∂x_i|`` is below ``tolerance`` at the end.
    """
    n = x.size
    gradient, trial, slope = np.empty(n), np.empty(n), np.empty(n)
    moved, turned = np.empty((MEMORY, n)), np.empty((MEMORY, n))
    curvature, step = np.empty(MEMORY), np.empty(n)
    energy, evaluations, kept = evaluate(x, z, gradient), 1, 0
    while evaluations < most and math.isfinite(energy):
        if np.abs(gradient).max() < tolerance:
            return energy, evaluations, True
        direct(gradient, moved, turned, curvature, kept, step)
        if (step * gradient).sum() > 0.0:
            kept = 0
            step[:] = -gradient
        step *= min(1.0, max_step * math.sqrt(n) / math.sqrt((step * step).sum()))
        lower = False
        for _ in range(30):
            trial[:] = x + step
            there = evaluate(trial, z, slope)
            evaluations += 1
            if there <= energy + 1e-14 * abs(energy):
                lower = True
                break
            step *= 0.5
        if not lower:
            if kept == 0:
                break
            kept = 0
            continue
        row = kept % MEMORY
        moved[row] = trial - x
        turned[row] = slope - gradient
        curvature[row] = (moved[row] * turned[row]).sum()
        if curvature[row] > 0.0:
            kept += 1
        x[:] = trial
        gradient[:] = slope
        energy = there
    return energy, evaluations, False


@kernel
def evaluate(x, z, gradient):
    """Write the gradient of Lennard-Jones with triples of strength ``z``; return the energy."""
    energy = lennard_jones(x, gradient)
    if z != 0.0:
        energy += add_axilrod_teller(x, z, gradient)
    return energy


@kernel
def direct(gradient, moved, turned, curvature, kept, step):
    """Write minus the inverse Hessian of the last ``kept`` steps times the gradient."""
    step[:] = -gradient
    if kept == 0:
        return
    first = max(0, kept - MEMORY)
    weights = np.empty(MEMORY)
    for k in range(kept - 1, first - 1, -1):
        row = k % MEMORY
        weights[row] = (moved[row] * step).sum() / curvature[row]
        step -= weights[row] * turned[row]
    last = (kept - 1) % MEMORY
    step *= curvature[last] / (turned[last] * turned[last]).sum()
    for k in range(first, kept):
        row = k % MEMORY
        step += (weights[row] - (turned[row] * step).sum() / curvature[row]) * moved[row]
