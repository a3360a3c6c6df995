# %% [markdown]
# # 8 · Avalanches
#
# *Goal: you can load a system slowly, tell an elastic change from an avalanche, and say what the
# energy that is lost has to do with marginal stability. 45 minutes; lessons 1 and 2 come first.*
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


UP = np.linspace(0.0, 0.2, 51)
found = load_slowly(60, 4, UP)
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
drops = np.concatenate([load_slowly(40, seed, UP).drops for seed in range(6)])
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
# 1. *Mean and typical.* Complete the function: which fraction of all energy lost is lost by the
#    largest tenth of the avalanches?
# 2. *Way back.* Load a sample up to $t = 0.2$ and down again. Does it return to its first energy?


# %%
def share_of_largest(drops):
    """Return the part of ``sum(drops)`` that is in its largest tenth, rounded up."""
    # your turn


# %%
def check(function):
    """Try a function on avalanches that are known."""
    if function(np.ones(20)) != 0.1:
        return "not yet: of twenty equal ones the largest tenth are two, with a tenth of all"
    if function(np.array([1.0, 2.0, 7.0])) != 0.7:
        return "not yet: of three the largest tenth is one"
    return "right"


print(check(share_of_largest))

# %% [markdown]
# ### Solutions


# %% tags=["hide-cell"]
# 1. Most of it: the mean is that of a few large events, and says nothing of a typical one.
def share(drops):
    largest = np.sort(drops)[-int(np.ceil(len(drops) / 10)) :]
    return float(largest.sum() / np.sum(drops))


print(check(share))
print(f"{share(drops):.0%} of the energy is lost by a tenth of the avalanches")

# %% tags=["hide-cell"]
# 2. No: what avalanches have lost does not come back, and the way down has avalanches of its own.
there = load_slowly(60, 4, np.concatenate([UP, UP[-2::-1]]))
print(f"{there.status}: U = {there.energy[0]:.2e} before, {there.energy[-1]:.2e} after")
print(f"N_Δ = {there.n_constraints[0]} before, {there.n_constraints[-1]} after")
