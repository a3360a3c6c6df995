# %% [markdown]
# # 5 · Landscapes, from three wells to a network
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
from bridge.landscape.disconnectivity import barrier
from bridge.landscape.kinetics import mean_first_passage, rates
from bridge.landscape.thermodynamics import superposition
from bridge.systems.quench_outcomes import quench_outcomes
from networks.models.classifier import Classifier
from particles.landscapes.clusters import LennardJones
from particles.landscapes.muller_brown import MullerBrown

torch.set_num_threads(1)  # these networks are too small to share

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
atoms = LennardJones(7)
graph = explore(atoms, searches=150)
print(len(graph.minima), "minima and", len(graph.saddles), "saddles")
fig, ax = plt.subplots(figsize=(3.6, 3.6), layout="constrained")
graph.tree().plot(ax)
_ = ax.set_ylabel("energy")

# %% [markdown]
# From the minima alone follows the thermodynamics, each well taken as harmonic. The heat capacity
# has a peak where the cluster leaves its ground state for the many ways to be less ordered: it
# melts.

# %%
heat = superposition(graph.minima.points, np.linspace(0.05, 0.4, 120))
fig = thermodynamics(graph.minima.points, heat)
where, height = heat.peak()
print(f"C/k = {height:.2f} at T = {where:.3f}")
fig  # noqa: B018 - a notebook shows what a cell ends with

# %% [markdown]
# With the saddles come the rates. How long does the cluster take, on average, to find its ground
# state?

# %%
lowest = int(np.argmin([point.energy for point in graph.minima]))
for t in (0.05, 0.1, 0.2):
    times = mean_first_passage(rates(graph, t), np.array([lowest]))
    print(f"T = {t}: {np.array2string(times, precision=3)} periods")

# %% [markdown]
# ## A network
#
# Let a network learn chemistry: from the three distances of three atoms before a minimisation it
# is to predict which of four minima they end in (Ballard et al., 2017). Its energy is the
# cross-entropy with a weight decay $\lambda|w|^2$; exchanging hidden units and flipping their
# signs are its permutations and reflections.

# %%
outcomes = quench_outcomes(150, np.random.default_rng(0)).standardised()
graphs = {}
fig, axes = plt.subplots(1, 2, figsize=(7, 3.6), layout="constrained")
for ax, decay in zip(axes, (1e-2, 1e-3), strict=True):
    network = Classifier(outcomes, hidden=3, l2=decay)
    graphs[decay] = explore(network, searches=16)
    graphs[decay].tree().plot(ax)
    ax.set_title(f"λ = {decay}: {len(graphs[decay].minima)} minima")
_ = axes[0].set_ylabel("cross-entropy")

# %% [markdown]
# Compare the shapes: the molecule has a deep ground state, the network a few minima of nearly the
# same quality with low passes between them. Less decay means a rougher landscape.
#
# ## Exercises
#
# 1. *Alone at the top.* Every saddle must have exactly one direction downhill. Check that of all
#    saddles found.
# 2. *Morse's theorem.* On the sphere, minima minus saddles plus maxima is 2. Find all critical
#    points of a spherical 3-spin glass with $N = 3$ and check.
#
# ### Solutions

# %% tags=["hide-cell"]
# 1. The certificate of a saddle: one negative eigenvalue, besides the zeros of the symmetries.
for decay, graph in graphs.items():
    network = Classifier(outcomes, hidden=3, l2=decay)
    modes = [np.linalg.eigvalsh(hessian(network, saddle.x)) for saddle in graph.saddles]
    negative = [int((values < -1e-9).sum()) for values in modes]
    print(f"λ = {decay}: negative eigenvalues of each saddle {negative}")

# %% tags=["hide-cell"]
# 2. Look for critical points of every index, and add their signs.
from bridge.landscape.completeness import completeness  # noqa: E402
from particles.landscapes.spin_glass import SphericalSpinGlass  # noqa: E402

glass = SphericalSpinGlass.random(3, 3, np.random.default_rng(1))
graph = explore(glass, searches=90, every_index=True)
print("minima - saddles + maxima =", completeness(graph).morse_sum)
