# %% [markdown]
# # 2 · A perceptron and its capacity
#
# *Goals: you can derive the capacity of a perceptron, compare its energy and the spectrum of its
# Hessian with closed formulas, and tell what of a difference is the finite size. 60 minutes, 30 of
# them for the exercises; lesson 1 comes first.*
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
# ### 1. Capacity
#
# At the capacity a pattern has a field $z$, normally distributed, and where $z < \sigma$ the
# weights have to turn it up to $\sigma$. Gardner's result is that $N$ weights can do so for $M =
# \alpha_J N$ patterns with
#
# $$ \frac{1}{\alpha_J} = \int_{-\infty}^{\sigma} \frac{dz}{\sqrt{2\pi}}\, e^{-z^2/2}
# (\sigma - z)^2 . $$
#
# Do the integral by numbers, such as with `np.trapezoid`. Then find the transition at $\sigma = 0$
# from descents at $N = 30$ and $100$. Which way does it move with $N$, and how sharp is it?


# %%
def capacity(sigma):
    """Return the load at which nothing is left of the allowed region, for ``sigma >= 0``."""
    # your turn


# %%
def check_capacity(function):
    """Compare with Cover's 2, and with the integral in closed form."""
    for margin in (0.0, 0.5, 1.5):
        found, expected = function(margin), float(theory.capacity(margin))
        if found is None or abs(found - expected) > 1e-3:
            return f"not yet: at σ = {margin} you find {found}"
    return "right"


print(check_capacity(capacity))

# %% [markdown]
# ### 2. Marginality
#
# The eigenvalues of the stiffness lie between $(\sqrt c - 1)^2$ and $(\sqrt c + 1)^2$, with $c =
# N_\Delta/N$, and the prestress shifts them by $-\zeta$. Where is the lower edge of the spectrum of
# $H$? In the jammed phase at $\sigma = -0.5$ compare $\zeta$ with the value at which that edge is
# zero, at several $N$. What does it mean when they agree?


# %%
def lower_edge(c, zeta):
    """Return the smallest eigenvalue of the band of H, as N grows without end."""
    # your turn


# %%
def check_edge(function):
    """Try it where it is known: no prestress, a marginal state, and what theory says."""
    for c, zeta in ((4.0, 0.0), (4.0, 1.0), (2.0, 0.1)):
        found, expected = function(c, zeta), float(theory.hessian_edges(c, zeta)[0])
        if found is None or abs(found - expected) > 1e-12:
            return f"not yet: for c = {c} and ζ = {zeta} you find {found}"
    return "right"


print(check_edge(lower_edge))

# %% [markdown]
# ### Solutions


# %% tags=["hide-cell"]
# 1. At σ = 0 half of the integral of z² is left: α_J = 2. The width of the transition shrinks as N
# grows; it crosses one half close to α = 2.
def integrated(sigma):
    z = np.linspace(-8.0, sigma, 4001)
    weight = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return 1 / np.trapezoid(weight * (sigma - z) ** 2, z)


print(check_capacity(integrated))
fig, ax = plt.subplots(figsize=(4, 3), layout="constrained")
loads = np.linspace(1.4, 2.6, 5)
for n, colour in ((30, "#E69F00"), (100, "#0072B2")):
    satisfied = []
    for alpha in loads:
        problems = [Perceptron.random(n, alpha, 0.0, rng) for _ in range(6)]
        ends = [descend(problem, problem.random_state(rng)) for problem in problems]
        satisfied.append(np.mean([end.status == "unjammed" for end in ends]))
    ax.plot(loads, satisfied, "o-", color=colour, label=f"N = {n}")
ax.axvline(integrated(0.0), color="0.5", ls=":")
ax.set(xlabel="patterns per component α", ylabel="fraction satisfied")
_ = ax.legend()


# %% tags=["hide-cell"]
# 2. (√c - 1)² - ζ. It vanishes all through the jammed phase as N grows without end: the system sits
# at the edge of an instability however hard it is pressed. At finite N the two do not agree: ζ is
# larger, by a fifth or so at N = 100, and by half as much each time that N doubles. That is the
# finite size: the lowest eigenvalue of a finite random matrix lies a little inside its band, so
# that a minimum can carry a little more.
def edge_of_band(c, zeta):
    return (np.sqrt(c) - 1) ** 2 - zeta


print(check_edge(edge_of_band))
for n, samples in ((100, 24), (200, 8), (400, 3)):
    pairs = []
    for _ in range(samples):
        problem = Perceptron.random(n, 6.0, -0.5, rng)
        end = descend(problem, problem.random_state(rng))
        zeta = theory.prestress_of(problem.gaps(end.x), -0.5, n)
        pairs.append((zeta, theory.marginal_prestress(observe(end).n_constraints / n)))
    zeta, marginal = np.mean(pairs, axis=0)
    print(f"N = {n}: ζ = {zeta:.3f}, (√c - 1)² = {marginal:.3f}, ratio {zeta / marginal:.2f}")
