# %% [markdown]
# # 5 · Landscapes, from three wells to a network
#
# *Goals: you can find the minima and saddles of an energy, draw and read a disconnectivity graph,
# and get from it a heat capacity and rates. 60 minutes, 30 of them for the exercises; lesson 1
# comes first.*
#
# So far we asked where a descent ends. Now: how many ends are there, how are they connected, and
# how high are the passes between them? Chemists have drawn such maps of molecules for decades; the
# same tools work for anything with an energy, a gradient and Hessian products.

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch

from bridge import explore, hessian
from bridge.figures.landscape import thermodynamics
from bridge.landscape.completeness import completeness
from bridge.landscape.disconnectivity import barrier
from bridge.landscape.kinetics import mean_first_passage, rates
from bridge.landscape.thermodynamics import superposition
from bridge.systems.quench_outcomes import quench_outcomes
from networks.models.classifier import Classifier
from particles.landscapes.clusters import LennardJones
from particles.landscapes.muller_brown import MullerBrown
from particles.landscapes.spin_glass import SphericalSpinGlass

torch.set_num_threads(1)  # these networks are too small to share

# %% tags=["parameters"]
ATOMS, CLIMBS = 7, 150  # of the cluster, and searches for its saddles
PATTERNS, NETWORK_CLIMBS = 150, 16

# %% [markdown]
# ## Müller and Brown's surface
#
# Two variables, three minima, two saddles: everything can be seen.

# %%
surface = MullerBrown()
graph = explore(surface, searches=60)
x, y = np.meshgrid(np.linspace(-1.5, 1.2, 90), np.linspace(-0.3, 2.0, 90))
heights = [surface.energy_gradient(np.array(p))[0] for p in zip(x.flat, y.flat, strict=True)]
fig, ax = plt.subplots(figsize=(5, 3.6), layout="constrained")
levels = np.arange(-150, 60, 10)
ax.contour(x, y, np.reshape(heights, x.shape), levels, colors="0.7", linewidths=0.7)
for points, marker, name in ((graph.minima, "o", "minimum"), (graph.saddles, "x", "saddle")):
    ax.plot(*np.array([point.x for point in points]).T, marker, color="#D55E00", label=name)
ax.set(xlabel="x", ylabel="y")
ax.legend()
for a, b in graph.ends:
    print(f"minima {a} and {b} meet at energy {barrier(graph.tree(), a, b):.3f}")

# %% [markdown]
# ## Seven atoms
#
# With 21 variables nothing can be drawn, but a *disconnectivity graph* still can: the height is
# the energy, each branch ends at a minimum, and two branches join at the lowest pass between them.
# Minima that differ by a rotation, a reflection or the names of the atoms count as one. Seven
# Lennard-Jones atoms have four minima and twelve saddles.

# %%
atoms = LennardJones(ATOMS)
cluster = explore(atoms, searches=CLIMBS)
print(len(cluster.minima), "minima and", len(cluster.saddles), "saddles")
fig, ax = plt.subplots(figsize=(3.6, 3.6), layout="constrained")
cluster.tree().plot(ax)
_ = ax.set_ylabel("energy")

# %% [markdown]
# From the minima alone follows the thermodynamics, each well taken as harmonic. The heat capacity
# has a peak where the cluster leaves its ground state for the many ways to be less ordered: it
# melts.

# %%
heat = superposition(cluster.minima.points, np.linspace(0.05, 0.4, 120))
fig = thermodynamics(cluster.minima.points, heat)
where, height = heat.peak()
print(f"C/k = {height:.2f} at T = {where:.3f}")
fig  # noqa: B018 - a notebook shows what a cell ends with

# %% [markdown]
# With the saddles come the rates. How long does the cluster take, on average, to find its ground
# state?

# %%
lowest = int(np.argmin([point.energy for point in cluster.minima]))
for t in (0.05, 0.1, 0.2):
    times = mean_first_passage(rates(cluster, t), np.array([lowest]))
    print(f"T = {t}: {np.array2string(times, precision=3)} periods")

# %% [markdown]
# ## A network
#
# Let a network learn chemistry: from the three distances of three atoms before a minimisation it
# is to predict which of four minima they end in (Ballard et al., 2017). Its energy is the
# cross-entropy with a weight decay $\lambda|w|^2$; exchanging hidden units and flipping their
# signs are its permutations and reflections.

# %%
outcomes = quench_outcomes(PATTERNS, np.random.default_rng(0)).standardised()
graphs = {}
fig, axes = plt.subplots(1, 2, figsize=(7, 3.6), layout="constrained")
for ax, decay in zip(axes, (1e-2, 1e-3), strict=True):
    network = Classifier(outcomes, hidden=3, l2=decay)
    graphs[decay] = explore(network, searches=NETWORK_CLIMBS)
    graphs[decay].tree().plot(ax)
    ax.set_title(f"λ = {decay}: {len(graphs[decay].minima)} minima")
_ = axes[0].set_ylabel("cross-entropy")

# %% [markdown]
# Compare the shapes: the molecule has a deep ground state, the network a few minima of nearly the
# same quality with low passes between them. Less decay means a rougher landscape.
#
# ## Exercises
#
# ### 1. One way down
#
# A saddle between two minima has exactly one direction downhill. Complete the function with the
# eigenvalues of `hessian(problem, x)`, and check that of all saddles found. Rotations and
# translations cost nothing: how does a computer tell their eigenvalue from a negative one?


# %%
def downhill(problem, x):
    """Return the number of directions along which the energy falls from a stationary point."""
    # your turn


# %%
def check_downhill(function):
    """Ask at each minimum and saddle of the surface, and of the cluster with its six zeros."""
    for name, problem, found in (("surface", surface, graph), ("cluster", atoms, cluster)):
        for points, expected in ((found.minima, 0), (found.saddles, 1)):
            for point in points:
                if (given := function(problem, point.x)) != expected:
                    return f"not yet: {given} on the {name}, not {expected}"
    return "right"


print(check_downhill(downhill))

# %% [markdown]
# ### 2. Barriers by hand
#
# From minimum $a$ to $b$ one may go by way of other minima. The barrier is the highest saddle on
# the best way: add saddles from the lowest upwards until $a$ and $b$ are connected. Complete the
# function. (This is all that a disconnectivity graph is made of.)


# %%
def lowest_pass(saddles, a, b):
    """Return the energy where ``a`` and ``b`` join; a saddle is (energy, minimum, minimum)."""
    # your turn


# %%
def check_pass(function):
    """Try a chain of four minima with a direct way that is higher, and the cluster."""
    chain = [(5.0, 0, 3), (2.0, 1, 2), (1.0, 0, 1), (3.0, 2, 3)]
    if function(chain, 0, 3) != 3.0:
        return f"not yet: over 1 and 2 no saddle is above 3, you find {function(chain, 0, 3)}"
    ways = [(s.energy, *ends) for s, ends in zip(cluster.saddles, cluster.ends, strict=True)]
    for a in range(1, len(cluster.minima)):
        expected = barrier(cluster.tree(), 0, a)
        if abs(function(ways, 0, a) - expected) > 1e-9:
            return f"not yet: minima 0 and {a} of the cluster join at {expected:.4f}"
    return "right"


print(check_pass(lowest_pass))

# %% [markdown]
# ### 3. Morse's theorem
#
# On a sphere the number of minima, less that of saddles, plus that of maxima is 2, whatever the
# function. Complete the sum for points of any number of directions downhill. Then find all critical
# points of a spherical 3-spin glass with $N = 3$: `explore(glass, searches=90, every_index=True)`.


# %%
def morse_sum(downhill):
    """Return the alternating sum over points with so many directions downhill each."""
    # your turn


# %%
def check_morse(function):
    """Try a round hill, one with two tops, and saddles alone."""
    for points, expected in (([0, 2], 2), ([0, 1, 2, 2], 2), ([0, 0, 0, 1, 1, 2], 2), ([1], -1)):
        if function(points) != expected:
            return f"not yet: of points {points} the sum is {expected}, not {function(points)}"
    return "right"


print(check_morse(morse_sum))

# %% [markdown]
# ### Solutions


# %% tags=["hide-cell"]
# 1. It needs a bar between rounding and curvature; eigenvalues are of order one and more here.
def falling(problem, x):
    return int((np.linalg.eigvalsh(hessian(problem, x)) < -1e-6).sum())


print(check_downhill(falling))
for decay, found in graphs.items():
    network = Classifier(outcomes, hidden=3, l2=decay)
    ways = sorted({falling(network, saddle.x) for saddle in found.saddles})
    print(f"λ = {decay}: directions downhill of the saddles of the network: {ways}")


# %% tags=["hide-cell"]
# 2. Groups of connected minima, merged by one saddle after the other.
def joined(saddles, a, b):
    group = {}
    for energy, first, second in sorted(saddles):
        merged = group.get(first, {first}) | group.get(second, {second})
        group |= dict.fromkeys(merged, merged)
        if a in merged and b in merged:
            return energy
    return np.inf


print(check_pass(joined))


# %% tags=["hide-cell"]
# 3. Each direction downhill changes the sign.
def alternating(downhill):
    return sum((-1) ** number for number in downhill)


print(check_morse(alternating))
glass = SphericalSpinGlass.random(3, 3, np.random.default_rng(1))
points = completeness(explore(glass, searches=90, every_index=True))
print("minima - saddles + maxima =", points.morse_sum)
