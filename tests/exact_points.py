"""What a jamming point is, checked from its definition and not from its certificate."""

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import linprog


def check_point(point):
    """Check a jamming point from its definition, without its certificate."""
    assert point.status == "jammed", point.reason
    problem, x, rows = point.problem, point.x, point.rows
    gaps, load = problem.gaps(x), problem.tightening(x)
    assert np.abs(gaps[rows]).max() < 1e-12
    assert gaps.max() < 1e-12
    assert point.forces.min() > 0.0
    residual = problem.gap_jacobian(x, rows).T @ point.forces
    assert np.abs(residual).max() < 1e-10 * point.forces.mean()
    assert point.forces @ load[rows] == pytest.approx(1.0, abs=1e-10)
    return point


def no_program_improves(point, step=1e-3):
    """Ask an independent solver for a motion that lets the load grow to first order."""
    problem, x = point.problem, point.x
    jacobian, n = problem.gap_jacobian(x), problem.n_dof
    jacobian = jacobian.toarray() if sparse.issparse(jacobian) else jacobian
    program = linprog(
        np.append(np.zeros(n), -1.0),
        A_ub=np.column_stack([jacobian, problem.tightening(x)]),
        b_ub=-problem.gaps(x),
        bounds=[(-step, step)] * n + [(None, None)],
    )
    assert program.status == 0
    return -program.fun
