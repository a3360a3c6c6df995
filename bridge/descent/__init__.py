"""The minimisers that know no more of a system than the protocols: L-BFGS and Newton's method.

A minimiser is called with a problem and a state, ``(n_dof,)``, and returns a `Minimum`. L-BFGS
needs gradients only, and is for starts far from a minimum:

>>> import numpy as np
>>> from bridge.descent.lbfgs import lbfgs
>>> from bridge.descent.newton import Newton
>>> from particles import Perceptron
>>> problem = Perceptron(np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]]), sigma=0.5)
>>> start = np.array([0.5, 0.8])
>>> rough = lbfgs(problem, start, tolerance=1e-3)

Newton's method forms the Hessian, and takes a minimum to rounding in a few steps. Here the two
patterns ``±e_1`` cannot both be met with a margin of 1/2; at ``x_1 = 0`` each is violated by it:

>>> exact = Newton()(problem, rough.x)
>>> exact.status, round(exact.energy, 12), bool(abs(exact.x[0]) < 1e-12)
('jammed', 0.25, True)

A failure is a status with its reason, and no exception:

>>> lbfgs(problem, start, max_evaluations=1).reason
'1 evaluations were not enough'
"""
