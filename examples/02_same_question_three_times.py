"""A packing, a perceptron and a network, asked the same question by the same code."""

import numpy as np

from bridge import observe
from networks import HingeNetwork, Mlp, random_patterns, train
from particles import Discs, Perceptron, descend, minimise


def packing(load, rng):
    problem = Discs.bidisperse(64, phi=load)
    return problem, minimise(problem, problem.random_state(rng))


def perceptron(load, rng):
    problem = Perceptron.random(60, alpha=load, sigma=-0.5, rng=rng)
    return problem, descend(problem, problem.random_state(rng))


def network(load, rng):
    mlp = Mlp(input_dim=8, width=8, depth=2)
    problem = HingeNetwork(mlp, random_patterns(round(load * mlp.n_weights), 8, rng))
    return problem, train(problem, mlp.init(rng), steps=3000)


print(f"{'system':12}{'load':>6}  {'status':10}{'U':>12}{'N_Δ/N':>8}")
for system, loads in ((packing, (0.80, 0.88)), (perceptron, (3.0, 6.0)), (network, (1.0, 5.0))):
    for load in loads:
        problem, end = system(load, np.random.default_rng(3))
        seen = observe(problem, end.x)
        print(
            f"{system.__name__:12}{load:6.2f}  {end.status:10}{seen.energy:12.3e}"
            f"{seen.constraint_ratio:8.3f}"
        )
