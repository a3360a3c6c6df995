# %% [markdown]
# # 2 · A perceptron and its capacity
#
# A perceptron is a point $x$ on the sphere $|x|^2 = N$. Each pattern $\xi_\mu$ forbids half of the
# sphere, or a little more or less of it:
#
# $$ \Delta_\mu = \sigma - \frac{\xi_\mu\cdot x}{\sqrt N} \le 0 . $$
#
# The margin $\sigma$ is how clearly a pattern has to be classified. With more and more patterns
# the allowed region shrinks until nothing is left of it: the load is $\alpha = M/N$, patterns per
# component. It is the packing of lesson 1 with patterns for discs, and unlike the packing it can
# be solved on paper.

# %%
import matplotlib.pyplot as plt
import numpy as np

from bridge import observe, spectrum
from bridge.jamming import exact_jamming
from particles import Perceptron, descend
from particles.perceptron import theory

rng = np.random.default_rng(2)

# %% [markdown]
# ## The capacity
#
# For $\sigma \ge 0$ the allowed region is convex and Gardner's calculation is exact: $1/\alpha_J =
# (1+\sigma^2)\Phi(\sigma) + \sigma\varphi(\sigma)$. At $\sigma = 0$ this is $\alpha_J = 2$, which
# Cover found by counting in 1965. Let us descend from random points at $\sigma = 0.5$, through
# $\alpha_J = 0.961$.

# %%
N, sigma = 150, 0.5
loads = np.linspace(0.6, 2.0, 15)
violated, energies = [], []
for alpha in loads:
    perceptron = Perceptron.random(N, alpha, sigma, rng)
    end = descend(perceptron, perceptron.random_state(rng))
    seen = observe(end)
    violated.append(seen.n_constraints / N)
    energies.append(seen.energy / N)

fine = np.linspace(0.6, 2.0, 400)
fig, (left, right) = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
left.plot(fine, theory.violated_per_component(fine, sigma), color="0.5", label="exact, N → ∞")
left.plot(loads, violated, "o", color="#D55E00", label=f"N = {N}")
left.set(xlabel="patterns per component α", ylabel="violated, N_Δ/N")
left.legend()
right.plot(fine, theory.energy_per_component(fine, sigma), color="0.5")
right.plot(loads, energies, "o", color="#D55E00")
_ = right.set(xlabel="patterns per component α", ylabel="energy U/N")

# %% [markdown]
# The energy grows from zero without a jump, the number of violated patterns jumps to
# $\alpha_J\Phi(\sigma)$: 0.665 here. That is a packing: pressure zero, contacts all at once. But
# there are fewer contacts than degrees of freedom: the sphere's own curvature holds what the
# patterns do not.
#
# ## The spectrum, on paper and measured
#
# Patterns are random, so the stiffness $\frac1N\sum_{\rm viol}\xi\xi^T$ is a Wishart matrix, whose
# density is the law of Marčenko and Pastur; the prestress shifts it by a number $-\zeta$.

# %%
perceptron = Perceptron.random(300, 3.0, sigma, rng)
end = descend(perceptron, perceptron.random_state(rng))
seen = observe(end)
values = spectrum(end).eigenvalues
c = seen.n_constraints / 300
zeta = theory.prestress_of(perceptron.gaps(end.x), sigma, 300)
grid = np.linspace(values.min() - 0.2, values.max() + 0.2, 500)
fig, ax = plt.subplots(figsize=(5, 3), layout="constrained")
ax.hist(values[np.abs(values) > 1e-9], bins=40, density=True, color="#56B4E9", label="N = 300")
ax.plot(grid, theory.hessian_density(grid, c, zeta), color="black", label="exact, N → ∞")
ax.set(xlabel="eigenvalue λ of H", ylabel="density")
_ = ax.legend()

# %% [markdown]
# ## Negative margins
#
# For $\sigma < 0$ each pattern forbids a cap of the sphere instead of all but a cap: the allowed
# region is what is left between spheres, as in a packing, and no longer convex. There are many
# jamming points. Each of them has exactly $N$ contacts: $N - 1$ degrees of freedom, one
# self-stress.

# %%
for sample in range(4):
    problem = Perceptron.random(50, 4.0, -0.3, np.random.default_rng(sample))
    start = descend(problem, problem.random_state(np.random.default_rng(sample)))
    point = exact_jamming(start)
    print(
        f"{point.status} at σ = {point.problem.sigma:.4f} with {len(point.rows)} contacts, N = 50"
    )

# %% [markdown]
# ## Exercises
#
# 1. *Capacity.* Find $\alpha_J$ at $\sigma = 0$ from descents at $N = 30$ and $100$. Which way
#    does the transition move with $N$, and how sharp is it?
# 2. *Marginality.* In the jammed phase at $\sigma = -0.5$ compare $\zeta$ with $(\sqrt c - 1)^2$,
#    at several $N$. What does it mean for the lowest eigenvalue when they agree?
#
# ### Solutions

# %% tags=["hide-cell"]
# 1. The width of the transition shrinks as N grows; it crosses one half close to α = 2.
fig, ax = plt.subplots(figsize=(4, 3), layout="constrained")
loads = np.linspace(1.4, 2.6, 5)
for n, colour in ((30, "#E69F00"), (100, "#0072B2")):
    satisfied = []
    for alpha in loads:
        problems = [Perceptron.random(n, alpha, 0.0, rng) for _ in range(6)]
        ends = [descend(problem, problem.random_state(rng)) for problem in problems]
        satisfied.append(np.mean([end.status == "unjammed" for end in ends]))
    ax.plot(loads, satisfied, "o-", color=colour, label=f"N = {n}")
ax.axvline(theory.capacity(0.0), color="0.5", ls=":")
ax.set(xlabel="patterns per component α", ylabel="fraction satisfied")
_ = ax.legend()

# %% tags=["hide-cell"]
# 2. They approach each other as N grows: the band of the spectrum touches zero all through the
# jammed phase, and the system sits at the edge of an instability however hard it is pressed. At
# finite N the prestress is somewhat larger, by a tenth or so at N = 100: the lowest eigenvalue of a
# finite random matrix lies a little inside its band, so that a minimum can carry a little more.
for n in (100, 200, 400):
    pairs = []
    for _ in range(3):
        problem = Perceptron.random(n, 6.0, -0.5, rng)
        end = descend(problem, problem.random_state(rng))
        zeta = theory.prestress_of(problem.gaps(end.x), -0.5, n)
        pairs.append((zeta, theory.marginal_prestress(observe(end).n_constraints / n)))
    zeta, edge = np.mean(pairs, axis=0)
    print(f"N = {n}: ζ = {zeta:.3f}, (√c - 1)² = {edge:.3f}, ratio {zeta / edge:.2f}")
