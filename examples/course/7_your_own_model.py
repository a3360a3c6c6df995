# %% [markdown]
# # 7 · Your own model
#
# *Goals: you can turn any model with constraints, or any module of PyTorch, into a problem that
# this program brings to its jamming, and check that it keeps its promises. 45 minutes, 25 of them
# for the exercises; lesson 4 comes first.*
#
# Nothing is inherited and nothing is registered. A problem is an object with a few methods:
#
# | method | what it returns |
# | --- | --- |
# | `n_dof` | number of variables |
# | `gaps(x)` | $\Delta_\mu(x)$, positive where violated |
# | `gap_jacobian(x, rows)` | $\partial\Delta_\mu/\partial x$ |
# | `energy_gradient(x)` | $U$ and $\nabla U$ |
# | `hvp(x, v)` | $H v$ |
# | `zero_modes(x)` | tangents of the continuous symmetries |
#
# ## Towns on a line
#
# Towns $x_i$ on a road want to be no further than 1 from each of their friends:
# $\Delta_{ij} = (x_i - x_j)^2/2 - \tfrac12$. Some would rather be far apart, which is the same with
# the other sign.

# %%
import numpy as np
import torch

from bridge import check_problem, exact_jamming, lbfgs, observe, plot, spectrum
from networks import from_module, train

torch.set_num_threads(1)  # this model is too small to share

# %% tags=["parameters"]
STEPS = 1500  # of training


# %%


class Towns:
    """Pairs of points on a line, no further than ``reach`` apart, or no closer."""

    def __init__(self, n, pairs, signs, reach=1.0):
        self.n_dof, self.reach = n, reach
        self.i, self.j = np.asarray(pairs).T
        self.signs = np.asarray(signs, dtype=float)

    def gaps(self, x):
        if not np.isfinite(x).all():
            raise ValueError("expected finite places, got NaN or inf: check x")
        return self.signs * ((x[self.i] - x[self.j]) ** 2 - self.reach**2) / 2

    def gap_jacobian(self, x, rows=None):
        jacobian = np.zeros((len(self.i), self.n_dof))
        at, slope = np.arange(len(self.i)), self.signs * (x[self.i] - x[self.j])
        jacobian[at, self.i], jacobian[at, self.j] = slope, -slope
        return jacobian if rows is None else jacobian[rows]

    def energy_gradient(self, x):
        forces = np.maximum(self.gaps(x), 0.0)
        return 0.5 * float(forces @ forces), forces @ self.gap_jacobian(x)

    def hvp(self, x, v):
        forces = np.maximum(self.gaps(x), 0.0)
        rows = self.gap_jacobian(x)[forces > 0]
        apart = (v[..., self.i] - v[..., self.j]) * (self.signs * forces)
        bent = np.zeros_like(v)
        np.add.at(bent.T, self.i, apart.T)
        np.add.at(bent.T, self.j, -apart.T)
        return (v @ rows.T) @ rows + bent

    def zero_modes(self, x):
        return np.full((1, self.n_dof), self.n_dof**-0.5)  # the whole road may shift


rng = np.random.default_rng(0)
n = 12
pairs = [(i, j) for i in range(n) for j in range(i) if rng.random() < 0.5]
towns = Towns(n, pairs, rng.choice([-1.0, 1.0], len(pairs)))

# %% [markdown]
# The check compares every method with finite differences and with the others, and names the first
# promise that is broken. It says nothing if all are kept.

# %%
x = rng.standard_normal(n)
check_problem(towns, x)
end = lbfgs(towns, x)
seen = observe(end)
print(f"{end.status}: U = {seen.energy:.3f}, N_Δ = {seen.n_constraints}, N = {seen.n}")
print(f"bound N_-(Hp) <= N_Δ holds: {spectrum(end).bound_holds}")
_ = plot(end)

# %% [markdown]
# A system without a picture of its own shows its gaps in order; give it
# `draw(x, ax, forces, mode)`, and `plot` calls that.
#
# ## Any module of PyTorch
#
# For a model with a forward pass the methods are written already, by automatic differentiation, and
# its rectifiers are found. A small network that asks for three classes of points in the plane:

# %%
points = rng.standard_normal((60, 2))
classes = (np.arctan2(*points.T) // (2 * np.pi / 3) + 2).astype(int) % 3
torch.manual_seed(0)
module = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
problem = from_module(module, points, classes)
trained = train(problem, problem.start, steps=STEPS)
print(trained)

# %% [markdown]
# Each point of class $c$ asks two things: its own output is to exceed each of the others by 1.
#
# ## Exercises
#
# ### 1. Break a promise
#
# Complete `Broken` such that the check finds a wrong derivative. What does it say?


# %%
class Broken(Towns):
    """Towns with a mistake."""

    # your turn: a method with a mistake


# %%
def check_broken(system):
    """Say which promise is broken."""
    try:
        check_problem(system(n, pairs, towns.signs), x)
    except AssertionError as error:
        return f"right: it is found, {str(error).splitlines()[0][:90]}"
    return "not yet: all promises are kept"


print(check_broken(Broken))

# %% [markdown]
# ### 2. A load
#
# Give `Towns` a load, so that `exact_jamming` can find where it jams. Let the load raise each gap
# by $t$. Two methods are missing: `tightening(x)`, the derivative of the gaps by $t$, and
# `tightened(t)`, the same problem at a load that is larger by $t$.


# %%
class Loaded(Towns):
    """Towns whose gaps are all raised by ``t``."""

    def __init__(self, *given, t=0.0):
        super().__init__(*given)
        self.given, self.t = given, t

    def gaps(self, x):
        return super().gaps(x) + self.t

    def tightening(self, x):
        return None  # your turn

    def tightened(self, t):
        return self  # your turn


# %%
def check_loaded(system):
    """Load twice, compare with a difference of gaps, and go to the jamming point."""
    loaded = system(n, pairs, towns.signs)
    raised = loaded.tightened(0.25).tightened(-0.5)
    if not np.allclose(raised.gaps(x), loaded.gaps(x) - 0.25):
        return "not yet: tightened by 1/4 and then by -1/2 all gaps are lower by 1/4"
    slopes = loaded.tightening(x)
    if slopes is None or not np.allclose(slopes, np.ones(len(pairs))):
        return "not yet: each gap grows with t, by t"
    point = exact_jamming(loaded, end.x)
    return f"right: {point.status} at t = {point.problem.t:.4f} with {len(point.rows)} pairs"


print(check_loaded(Loaded))

# %% [markdown]
# ### Solutions


# %% tags=["hide-cell"]
# 1. A factor of two in the gradient, as it is easily lost.
class Twice(Towns):
    def energy_gradient(self, x):
        energy, gradient = super().energy_gradient(x)
        return energy, 2.0 * gradient


print(check_broken(Twice))


# %% tags=["hide-cell"]
# 2. The load cannot grow beyond where a few pairs just touch their limits and block each other. It
# is negative: so much has to be given in to all of them before they are content.
class Tight(Loaded):
    def tightening(self, x):
        return np.ones(len(self.i))

    def tightened(self, t):
        return Tight(*self.given, t=self.t + t)


check_problem(Tight(n, pairs, towns.signs), x)
print(check_loaded(Tight))
