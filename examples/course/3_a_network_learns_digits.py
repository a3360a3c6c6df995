# %% [markdown]
# # 3 · A network learns digits
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
rng = np.random.default_rng(3)
DIM = 8  # principal components of an image that the network sees
patterns, unseen = digits(DIM, rng=rng).split(500)

# %% [markdown]
# ## Too small, and large enough
#
# Two hidden layers of growing width, trained on the same 500 digits.

# %%
widths, ends = (3, 5, 8, 12, 16), []
for width in widths:
    problem = HingeNetwork(Mlp(DIM, width, 2), patterns)
    trained = train(problem, problem.mlp.init(rng), steps=4000)
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
# of rectifiers (exercise 2), and $N_\Delta$ what descent leaves of fitted constraints, some
# $10^{-8}$ above zero.
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
# The large network has pushed every gap below zero, and not much further: many digits sit just at
# $\Delta = 0$, as the discs of a marginal packing just touch.
#
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
# 1. *Random labels.* Give the images coin-toss labels. How many parameters does a network need
#    then?
# 2. *Symmetry.* Multiply the weights into one hidden rectifier by 3 and divide those out of it by
#    3. What happens to the gaps, and how many zero modes does the Hessian have for that reason?
# 3. *Smooth units.* Replace the rectifiers by `tanh`. Does the trace of $H_p$ still vanish?
#
# ### Solutions

# %% tags=["hide-cell"]
# 1. More: structure in the data makes the task easier than coin tosses of the same number.
for width in (8, 12, 16):
    problem = HingeNetwork(Mlp(DIM, width, 2), random_patterns(500, DIM, rng))
    trained = train(problem, problem.mlp.init(rng), steps=4000)
    print(f"random labels, width {width:2}: {trained.status:9} U = {trained.energy:.1e}")

# %% tags=["hide-cell"]
# 2. Nothing happens, max(0, 3z)/3 = max(0, z): one zero mode for every hidden unit that is alive.
problem, trained = ends[0]
print("zero modes from rescaling:", len(problem.zero_modes(trained.x)), "of", 2 * 3, "hidden units")
name, rescaled = next(
    (name, x) for name, x in problem.equivalents(trained.x, rng) if "rescal" in name
)
print(f"{name}: largest change of a gap", np.ptp(problem.gaps(rescaled) - problem.gaps(trained.x)))

# %% tags=["hide-cell"]
# 3. No. A bent activation has a curvature of its own, and its sign depends on the data.
problem = HingeNetwork(Mlp(DIM, 3, 2, "tanh"), patterns)
trained = train(problem, problem.mlp.init(rng), steps=4000)
found = spectrum(problem, trained.x)
print(f"tanh: trace of Hp {found.eigenvalues_hp.sum():.3g}, of H0 {found.eigenvalues_h0.sum():.3g}")
