# %% [markdown]
# # 8 · Avalanches
#
# *Goals: you can load a system slowly, tell an elastic change from an avalanche, and say what the
# energy that is lost has to do with marginal stability. 45 minutes, 20 of them for the exercises;
# lessons 1 and 2 come first.*
#
# So far each state came from a random start. Now we follow one state while the load grows in small
# steps, descending after each. Mostly the state moves a little, and would come back: it is elastic.
# Now and then a mode goes soft, the state slides to another minimum, and energy is lost for good:
# an avalanche. Sand does this, and so do magnets, the crust of the Earth, and a perceptron.

# %%
import matplotlib.pyplot as plt
import numpy as np

from bridge.avalanches import drive
from bridge.runs.kinds.avalanche import loading_start
from bridge.systems import PerceptronSystem

# %% tags=["parameters"]
N = 60  # components of a perceptron
SAMPLES = 6
UP = np.linspace(0.0, 0.2, 51)  # loads to be added

# %% [markdown]
# ## One sample
#
# A perceptron of negative margin, brought to a minimum just above its jamming point. From there the
# load is raised: the margin $\sigma$ grows by $t$.


# %%
def load_slowly(n, seed, loads):
    """Load a perceptron of ``n`` components slowly from its jamming point."""
    start = loading_start(PerceptronSystem(n=n), np.random.default_rng(seed))
    return drive(start.problem, start.x, loads)


found = load_slowly(N, 4, UP)
drops = found.drops
unstable = sum(a.unstable for a in found.avalanches)
print(f"{found.status}: {len(drops)} avalanches, {unstable} of them at an instability")
fig, (top, bottom) = plt.subplots(2, 1, figsize=(5, 4.5), sharex=True, layout="constrained")
top.plot(found.loads, found.n_constraints, color="#0072B2", drawstyle="steps-post")
bottom.vlines([a.load for a in found.avalanches], 1e-9, drops, color="#D55E00")
top.set(ylabel="violated N_Δ")
_ = bottom.set(xlabel="load added t", ylabel="energy lost", yscale="log", ylim=(1e-9, None))

# %% [markdown]
# Each avalanche is an instability: the lowest eigenvalue of the Hessian reaches zero there, and the
# program says so (`unstable`). No energy disappears elsewhere: work done by the load, less what the
# avalanches lost, is what is stored.

# %%
stored = found.energy[-1] - found.energy[0]
work, lost = found.work.sum(), found.lost.sum()
print(f"work {work:.4f} - lost {lost:.4f} = {work - lost:.4f}, stored {stored:.4f}")

# %% [markdown]
# ## Many samples: no typical size
#
# The sizes of avalanches spread over decades. That is what marginality means: a system at the edge
# of instability answers to a small push by an event of any size, up to one that the whole system
# takes part in.

# %%
drops = np.concatenate([load_slowly(N, seed, UP).drops for seed in range(SAMPLES)])
drops = np.sort(drops[drops > 0])
fig, ax = plt.subplots(figsize=(4.5, 3), layout="constrained")
ax.loglog(drops, 1 - np.arange(len(drops)) / len(drops), "o", ms=4, color="#D55E00")
ax.set(xlabel="energy lost D", ylabel="fraction that lost D or more")
print(f"{len(drops)} avalanches, sizes over {np.log10(drops[-1] / drops[0]):.1f} decades")

# %% [markdown]
# With hundreds of samples the density falls as $P(D) \sim D^{-\tau}$ up to a cutoff that grows with
# $N$: `jamscape avalanche perceptron --samples 100`, and the page of results.
#
# ## Exercises
#
# ### 1. Mean and typical
#
# Complete the function: which fraction of all energy lost is lost by the largest tenth of the
# avalanches?


# %%
def share_of_largest(drops):
    """Return the part of ``sum(drops)`` that is in its largest tenth, rounded up."""
    # your turn


# %%
def check_share(function):
    """Try a function on avalanches that are known."""
    if function(np.ones(20)) != 0.1:
        return "not yet: of twenty equal ones the largest tenth are two, with a tenth of all"
    if function(np.array([1.0, 2.0, 7.0])) != 0.7:
        return "not yet: of three the largest tenth is one"
    return "right"


print(check_share(share_of_largest))

# %% [markdown]
# ### 2. There and back
#
# Load a sample up to $t = 0.2$ and down again. Does it return to its first energy? Complete the
# function: how much energy has the loop turned into heat? It knows the work of each step,
# `path.work`, and the energy of each state, `path.energy`.


# %%
def heat(path):
    """Return the energy that a path has lost for good, by the balance of work and energy."""
    # your turn


# %%
loop = load_slowly(N, 4, np.concatenate([UP, UP[-2::-1]]))


def check_heat(function):
    """Compare with what the avalanches have lost."""
    found, expected = function(loop), loop.lost.sum()
    if found is None or abs(found - expected) > 1e-4:  # the work is a sum over steps
        return f"not yet: the avalanches of the loop lose {expected:.6f}, you find {found}"
    return "right"


print(check_heat(heat))

# %% [markdown]
# ### Solutions


# %% tags=["hide-cell"]
# 1. Most of it: the mean is that of a few large events, and says nothing of a typical one.
def share(drops):
    largest = np.sort(drops)[-int(np.ceil(len(drops) / 10)) :]
    return float(largest.sum() / np.sum(drops))


print(check_share(share))
print(f"{share(drops):.0%} of the energy is lost by a tenth of the avalanches")


# %% tags=["hide-cell"]
# 2. No: what avalanches have lost does not come back, and the way down has avalanches of its own.
# Here the loop ends in a state that satisfies all constraints.
def dissipated(path):
    return path.work.sum() - (path.energy[-1] - path.energy[0])


print(check_heat(dissipated))
print(f"{loop.status}: U = {loop.energy[0]:.2e} before, {loop.energy[-1]:.2e} after")
print(f"N_Δ = {loop.n_constraints[0]} before, {loop.n_constraints[-1]} after")
