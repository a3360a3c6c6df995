# %% [markdown]
# # 3 · A network learns digits
#
# *Goals: you can read the training of a network as the jamming of constraints, tell a network that
# fits from one that is jammed, and say what holds the minimum of a jammed one. 75 minutes, 40 of
# them for the exercises; lessons 1 and 2 come first.*
#
# A deep network $f(x; w)$ that is to tell odd digits from even ones faces one constraint for each
# image:
#
# $$ \Delta_\mu(w) = 1 - y_\mu f(x_\mu; w) \le 0 . $$
#
# $\Delta < 0$: learned, with a margin. $\Delta > 0$: learned badly, or wrongly if $\Delta > 1$.
# Training it with the quadratic hinge loss means minimising $U = \frac12\sum_\mu\max(\Delta_\mu,
# 0)^2$. Nothing else of lessons 1 and 2 changes.

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch

from bridge import hessian, observe, plot, spectrum
from networks import HingeNetwork, Mlp, digits, random_patterns, train

torch.set_num_threads(1)  # these networks are too small to share

# %% tags=["parameters"]
DIM = 8  # principal components of an image that the network sees
IMAGES = 500  # to learn; the other 1297 are for tests
STEPS = 4000  # of training

# %%
rng = np.random.default_rng(3)
patterns, unseen = digits(DIM, rng=rng).split(IMAGES)

# %% [markdown]
# ## Too small, and large enough
#
# Two hidden layers of growing width, trained on the same 500 digits.

# %%
widths, ends = (3, 5, 8, 12, 16), []
for width in widths:
    problem = HingeNetwork(Mlp(DIM, width, 2), patterns)
    trained = train(problem, problem.mlp.init(rng), steps=STEPS)
    ends.append((problem, trained))
    error = np.mean(HingeNetwork(problem.mlp, unseen).gaps(trained.x) >= 1)  # the wrong sign
    seen = observe(trained)
    print(
        f"width {width:2}: P/N = {problem.load:5.2f}  {trained.status:9} U = {trained.energy:8.2e}"
        f"  N_Δ/N = {seen.constraint_ratio:5.2f}  test error {error:.1%}"
    )

# %% [markdown]
# Small networks are jammed: too many constraints for their parameters, like a crowded packing.
# What `train` returns is the network on a sphere, as the perceptron is: a polish holds the norm of
# the weights, without which few networks have a minimum. $N$ leaves out the norm and the rescalings
# of rectifiers (exercise 2). Where $U$ is below $10^{-14}$ all constraints count as satisfied.
# From some width on there is a network that satisfies every constraint, and plain descent finds
# it. There, no poor minima stop it: a minimum with $U > 0$ needs constraints, violated or at a kink
# of a unit, for each direction in which the prestress alone would give way, and a network with many
# more parameters than patterns cannot find them.
#
# ## How well is each digit learned?

# %%
fig, ax = plt.subplots(figsize=(6, 3), layout="constrained")
bins = np.linspace(-6, 2.5, 50)
for (problem, trained), colour in ((ends[0], "#D55E00"), (ends[-1], "#0072B2")):
    gaps = problem.gaps(trained.x)
    ax.hist(gaps, bins=bins, color=colour, alpha=0.6, label=f"{problem.n_dof} parameters")
ax.axvline(0, color="black", lw=0.8)
ax.set(xlabel="gap Δ of a digit (violated: Δ > 0)", ylabel="digits")
_ = ax.legend()

# %% [markdown]
# The large network has pushed every gap below zero. There they spread, but for a peak just at
# $\Delta = 0$: once a pattern is satisfied nothing pushes it further, just as nothing pulls at
# discs that have come apart.

# %%
for problem, trained in (ends[0], ends[-1]):
    gaps = problem.gaps(trained.x)
    print(
        f"{problem.n_dof:3} parameters: {np.mean(gaps > 1e-6):4.0%} violated,"
        f" {np.mean(np.abs(gaps) < 0.1):3.0%} within 0.1 of zero"
    )

# %% [markdown]
# ## What the small network's minimum looks like
#
# $H = H_0 + H_p$ again. The norm of the weights is held, and some units sit at their kinks, which
# are constraints too: the bound counts both.

# %%
problem, trained = ends[0]
found = spectrum(trained)
held = found.n_violated + found.n_kinks
print(f"{found.n_violated} violated and {found.n_kinks} kinks hold {observe(trained).n} directions")
print(f"bound: {found.negative_modes_hp} <= N_Δ + kinks = {held}: {found.bound_holds}")
_ = plot(trained)

# %% [markdown]
# Darker units have more digits at their kink. Let the norm and the kinks go, and look at the
# weights alone: a rectifier is linear on either side of its kink, so that $f$ is linear in each
# single weight, and the diagonal of $H_p$ vanishes, its trace with it. Its positive and negative
# modes come in comparable numbers.

# %%
x = trained.x
pulls = problem.gap_jacobian(x, np.flatnonzero(problem.gaps(x) > 0))
prestress = hessian(problem, x) - pulls.T @ pulls
modes = np.linalg.eigvalsh(prestress)
print(
    f"Hp: {(modes < -1e-9).sum()} negative, {(modes > 1e-9).sum()} positive modes of {len(modes)}"
)
print(f"trace of Hp: {np.trace(prestress):.0e}, its largest eigenvalue: {modes[-1]:.3g}")

# %% [markdown]
# ## Exercises
#
# ### 1. Random labels
#
# How many digits have the right sign? Complete the function. Then give patterns coin-toss labels:
# `random_patterns(500, DIM, rng)`. How many parameters does a network need now?


# %%
def right(gaps):
    """Return the fraction of patterns that are told rightly, whatever their margin."""
    # your turn


# %%
def check_right(function):
    """Try four gaps: learned, learned badly, at the border, and wrong."""
    found = function(np.array([-0.2, 0.6, 0.99, 1.3]))
    if found != 0.75:
        return f"not yet: of Δ = -0.2, 0.6, 0.99 and 1.3 three have y f > 0, you find {found}"
    return "right"


print(check_right(right))

# %% [markdown]
# ### 2. Symmetry
#
# Multiply the weights and the bias into the first hidden rectifier by a factor and divide those
# out of it by the same. What happens to the gaps? How many zero modes does the Hessian have for
# that reason? The layer $k$ of a network is `x[mlp.slices[k]].reshape(mlp.shapes[k])`: a row for
# each unit, with its bias last.


# %%
def rescale(mlp, x, factor):
    """Return new parameters, with the first unit of the first hidden layer rescaled."""
    layers = [
        x[part].reshape(shape).copy() for part, shape in zip(mlp.slices, mlp.shapes, strict=True)
    ]
    # your turn: change layers[0] and layers[1]
    return np.concatenate([layer.ravel() for layer in layers])


# %%
def check_rescale(function):
    """Compare all gaps before and after, and see that the unit is another."""
    problem, _ = ends[0]
    x = problem.mlp.init(np.random.default_rng(0)) + 0.1
    found = function(problem.mlp, x.copy(), 3.0)
    if not np.allclose(found[: DIM + 1], 3.0 * x[: DIM + 1]):
        return "not yet: what goes into the unit is not three times what it was"
    if np.ptp(problem.gaps(found) - problem.gaps(x)) > 1e-9:
        return "not yet: the gaps have changed"
    return "right"


print(check_rescale(rescale))

# %% [markdown]
# ### 3. Smooth units
#
# Complete the function as above. Then replace the rectifiers by `tanh`: `Mlp(DIM, 3, 2, "tanh")`.
# Does the trace of $H_p$ still vanish?


# %%
def trace_of_prestress(problem, x):
    """Return the trace of H less that of H0."""
    # your turn


# %%
def check_trace(function):
    """Try it on rectifiers, and on the single constraint of a tanh, by its eigenvalues."""
    problem, trained = ends[0]
    bent = HingeNetwork(Mlp(DIM, 3, 2, "tanh"), patterns)
    x = bent.mlp.init(np.random.default_rng(0))
    expected = spectrum(bent, x).eigenvalues_hp.sum()
    for name, found, value in (
        ("rectifiers", function(problem, trained.x), 0.0),
        ("tanh", function(bent, x), expected),
    ):
        if found is None or abs(found - value) > 1e-6 * max(1.0, abs(value)):
            return f"not yet: of {name} you find {found}"
    return "right"


print(check_trace(trace_of_prestress))

# %% [markdown]
# ### Solutions


# %% tags=["hide-cell"]
# 1. y f = 1 - Δ > 0. It takes more parameters than the digits did: what digits have in common makes
# them easier than as many coin tosses.
def told(gaps):
    return np.mean(gaps < 1)


print(check_right(told))
for width in (5, 8, 12):
    problem = HingeNetwork(Mlp(DIM, width, 2), random_patterns(IMAGES, DIM, rng))
    trained = train(problem, problem.mlp.init(rng), steps=STEPS)
    share = told(problem.gaps(trained.x))
    print(f"random labels, width {width:2}: {trained.status:9} {share:.0%} told rightly")


# %% tags=["hide-cell"]
# 2. Nothing happens, max(0, 3z)/3 = max(0, z): one zero mode for every hidden unit that is alive.
def rescaled(mlp, x, factor):
    layers = [
        x[part].reshape(shape).copy() for part, shape in zip(mlp.slices, mlp.shapes, strict=True)
    ]
    layers[0][0] *= factor
    layers[1][:, 0] /= factor
    return np.concatenate([layer.ravel() for layer in layers])


print(check_rescale(rescaled))
problem, trained = ends[0]
print("zero modes from rescaling:", len(problem.zero_modes(trained.x)), "of", 2 * 3, "hidden units")


# %% tags=["hide-cell"]
# 3. No. A bent activation has a curvature of its own, and its sign depends on the data.
def trace(problem, x):
    pulls = problem.gap_jacobian(x, np.flatnonzero(problem.gaps(x) > 0))
    return np.trace(hessian(problem, x)) - (pulls**2).sum()


print(check_trace(trace))
problem = HingeNetwork(Mlp(DIM, 3, 2, "tanh"), patterns)
trained = train(problem, problem.mlp.init(rng), steps=STEPS)
found = spectrum(problem, trained.x)
print(f"tanh: trace of Hp {trace(problem, trained.x):.3g}, of H0 {found.eigenvalues_h0.sum():.3g}")
