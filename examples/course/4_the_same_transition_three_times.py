# %% [markdown]
# # 4 · The same transition three times
#
# A packing, a perceptron and a network, brought through their transitions and measured by one
# piece of code. What is asked of each is only the protocol in `bridge/protocols.py`: energy,
# gradient, Hessian products, gaps.

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch

from bridge import hessian, observe, spectrum
from networks import HingeNetwork, Mlp, random_patterns, train
from particles import Discs, Perceptron, descend, minimise

torch.set_num_threads(1)  # these networks are too small to share


def packing(load, rng):
    """Discs at packing fraction φ."""
    problem = Discs.bidisperse(100, phi=load)
    return problem, minimise(problem, problem.random_state(rng))


def perceptron(load, rng):
    """A perceptron of margin -0.5 with α patterns per component."""
    problem = Perceptron.random(80, load, -0.5, rng)
    return problem, descend(problem, problem.random_state(rng))


def network(load, rng):
    """A network of two hidden layers with P/N patterns per weight."""
    mlp = Mlp(12, 12, 2)
    problem = HingeNetwork(mlp, random_patterns(round(load * mlp.n_weights), 12, rng))
    return problem, train(problem, mlp.init(rng), steps=4000)


SYSTEMS = {
    "packing": (packing, np.linspace(0.80, 0.90, 9), "packing fraction φ"),
    "perceptron": (perceptron, np.linspace(3.0, 6.0, 9), "patterns per component α"),
    "network": (network, np.linspace(1.5, 4.5, 7), "patterns per weight P/N"),
}
COLOURS = {"unjammed": "#0072B2", "jammed": "#D55E00", "stalled": "0.6", "dead": "black"}

# %% [markdown]
# ## The jump
#
# The number of violated constraints per degree of freedom does not grow from zero. It jumps,
# because a minimum with fewer constraints than it takes cannot hold.

# %%
found = {}
fig, axes = plt.subplots(2, 3, figsize=(9, 5), layout="constrained")
for (top, bottom), (name, (system, loads, label)) in zip(axes.T, SYSTEMS.items(), strict=True):
    found[name] = [system(load, np.random.default_rng(4)) for load in loads]
    for load, (problem, end) in zip(loads, found[name], strict=True):
        seen = observe(problem, end.x)
        colour = COLOURS[end.status]
        top.plot(load, seen.constraint_ratio, "o", color=colour)
        bottom.semilogy(load, max(seen.energy / problem.n_dof, 1e-9), "o", color=colour)
    top.set(title=name, ylim=(-0.1, 3))
    top.axhline(1, color="0.7", lw=0.8, ls=":")
    bottom.set(xlabel=label)
axes[0, 0].set_ylabel("constraints N_Δ/N")
axes[1, 0].set_ylabel("energy per variable")
for status, colour in COLOURS.items():
    axes[0, 0].plot([], [], "o", color=colour, label=status)
_ = axes[0, 0].legend(fontsize=7)

# %% [markdown]
# What differs is as telling. The packing jumps to one constraint per degree of freedom, exactly.
# So does the perceptron of negative margin. The network jumps too. It also rests on kinks of its
# rectifiers, which are constraints beside the violated patterns; at its jamming point, for two
# patterns a weight or more, the two together come to one, since rescalings of units are no degrees
# of freedom. Grey points did not converge in the few steps given to them here, and say so.
#
# ## The Hessian
#
# One function for three systems; the most loaded state of each.

# %%
fig, axes = plt.subplots(1, 3, figsize=(9, 2.8), layout="constrained")
for ax, (name, states) in zip(axes, found.items(), strict=True):
    problem, end = states[-1]
    values = spectrum(problem, end.x)
    unit = values.eigenvalues_h0[values.eigenvalues_h0 > 0].mean()
    bins = np.linspace(-1, 3, 60)
    for part, colour, label in (
        (values.eigenvalues_hp, "#56B4E9", "prestress Hp"),
        (values.eigenvalues, "black", "H"),
    ):
        ax.hist(part / unit, bins=bins, histtype="step", color=colour, label=label, log=True)
    ax.set(title=name, xlabel="eigenvalue / mean of H0")
    print(f"{name:10} N_-(Hp) = {values.negative_modes_hp:4} <= N_Δ = {values.n_violated}")
_ = axes[0].legend(fontsize=7)

# %% [markdown]
# ## Exercises
#
# 1. *The bound, tight.* Write a system of your own for which $N_-(H_p)$ is as large as it can be:
#    points that must stay outside of spheres, $\Delta_i = (1 - |x - c_i|^2)/2$. With how few
#    spheres can a minimum with $U > 0$ exist in two dimensions?
# 2. *One minimiser for all.* Descend in each system with `bridge.lbfgs` instead of its own
#    minimiser. Does the transition move?
#
# ### Solutions


# %% tags=["hide-cell"]
# 1. Each violated sphere adds -Δ to both directions: two unstable directions need two constraints
# at the least. Two never suffice: they push along one line, and the other direction stays
# unstable. It takes three.
class Outside:
    """A point in the plane outside of discs with centres ``c``."""

    n_dof = 2

    def __init__(self, centres):
        self.c = np.asarray(centres, dtype=float)

    def gaps(self, x):
        return (1 - ((x - self.c) ** 2).sum(axis=1)) / 2

    def gap_jacobian(self, x, rows=None):
        jacobian = self.c - x
        return jacobian if rows is None else jacobian[rows]

    def energy_gradient(self, x):
        force = np.maximum(self.gaps(x), 0)
        return 0.5 * force @ force, self.gap_jacobian(x).T @ force

    def hvp(self, x, v):
        force = np.maximum(self.gaps(x), 0)
        rows = self.gap_jacobian(x)[force > 0]
        return (v @ rows.T) @ rows - force.sum() * v

    def zero_modes(self, x):
        return np.empty((0, 2))


for n in (2, 3, 4):
    angles = 2 * np.pi * np.arange(n) / n
    ring = Outside(0.9 * np.stack([np.cos(angles), np.sin(angles)], axis=1))
    lowest = np.linalg.eigvalsh(hessian(ring, np.zeros(2)))[0]
    print(f"{n} discs around a point: lowest eigenvalue {lowest:+.3f}")

# %% tags=["hide-cell"]
# 2. Hardly: where the two disagree, each has found another of many minima.
from bridge import lbfgs  # noqa: E402

for name, (system, loads, _) in SYSTEMS.items():
    if name == "network":
        continue  # the descent of a rectifier network ends on kinks, where L-BFGS stalls
    generic = []
    for load in loads:
        problem, _ = system(load, np.random.default_rng(4))
        generic.append(lbfgs(problem, problem.random_state(np.random.default_rng(5))).status)
    native = [end.status for _, end in found[name]]
    print(f"{name:10} own     {native.count('unjammed')} of {len(loads)} loads satisfied")
    print(f"{'':10} generic {generic.count('unjammed')} of {len(loads)} loads satisfied")
