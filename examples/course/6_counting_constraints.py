# %% [markdown]
# # 6 · Counting constraints: two classes of packings, and of networks
#
# *Goals: you can say from a count alone whether a jammed state is held by its constraints or by
# their curvature, and know to which class a packing or a network belongs. 45 minutes, 15
# of them for the exercises; lessons 1 and 3 come first.*
#
# At jamming the forces balance, $\sum_\mu \lambda_\mu \nabla\Delta_\mu = 0$, and nothing can move
# without violating a constraint. To first order, holding $N$ degrees of freedom takes $N$
# constraints, and one more lets forces balance:
#
# $$ N_\Delta = N + 1 \quad\text{(isostatic)}. $$
#
# With fewer the state is *hypostatic*: some motions meet no resistance to first order, and if it is
# rigid all the same, then by the curvature of what touches.

# %%
import numpy as np
import torch

from bridge import exact_jamming, observe, plot, spectrum
from networks import HingeNetwork, Mlp, random_patterns, settle, train
from particles import Discs, Ellipses, decompress

torch.set_num_threads(1)  # these networks are too small to share

# %% [markdown]
# ## Spheres: the count is exact
#
# At the exact jamming point contacts are told by the certificate and not by a tolerance.


# %%
def jammed(packing, seed):
    """Return the exact jamming point next to a random packing."""
    start = packing.random_state(np.random.default_rng(seed))
    return exact_jamming(decompress(packing, start, pressure=1e-5))


for name, packing in (
    ("discs", Discs.bidisperse(48, phi=0.88)),
    ("spheres", Discs.bidisperse(32, phi=0.70, dim=3)),
):
    point = jammed(packing, seed=1)
    count = point.certificate
    print(f"{name:8} {len(point.rows)} contacts, N = {count.n}: N + 1 = {count.n_isostatic}")

# %% [markdown]
# ## Ellipses: a degree of freedom each, and too few contacts for them
#
# An ellipse can also turn. Squeeze a disc a little, and each body has a third degree of freedom at
# once, but contacts grow with the aspect ratio only gradually.

# %%
for aspect in (1.02, 1.1, 1.3, 2.0):
    eggs = Ellipses.bidisperse(48, phi=0.90, aspect=aspect)
    end = decompress(eggs, eggs.random_state(np.random.default_rng(2)), pressure=1e-6)
    seen = observe(end)
    missing = seen.n + 1 - seen.n_constraints
    print(f"aspect {aspect}: {end.status}, {missing:3} contacts short of N + 1")

# %% [markdown]
# What holds them? The prestress of a contact between curved bodies: for ellipses it resists some
# turns. So the modes that are missing are soft, and their stiffness vanishes with the pressure.

# %%
_ = plot(end)
values = spectrum(end)
stiff = np.sort(values.eigenvalues[values.eigenvalues > 1e-12])
print(f"{missing} soft modes up to λ = {stiff[missing - 1]:.1e}; the next has {stiff[missing]:.1e}")

# %% [markdown]
# ## Networks: rectifiers are nearly spheres, smooth units are ellipses
#
# At the largest margin that a network can reach at its norm, count the patterns that touch it. A
# rectifier adds constraints of another kind: a pattern at the kink of a unit, where the slope
# jumps.

# %%
for activation, width, load in (("relu", 5, 2), ("tanh", 3, 3)):
    mlp = Mlp(input_dim=width, width=width, depth=1, activation=activation)
    rng = np.random.default_rng(0)
    problem = HingeNetwork(mlp, random_patterns(load * mlp.n_weights, width, rng))
    end = train(problem, mlp.init(rng), steps=2000)
    point = exact_jamming(end, minimise=settle)
    patterns, kinks, needed = len(point.rows), len(point.kinks), point.certificate.n_isostatic
    print(
        f"{activation}: {point.status}, {patterns} patterns + {kinks} kinks"
        f" = {patterns + kinks}, N + 1 = {needed}"
    )

# %% [markdown]
# With the kinks counted, this network of rectifiers is isostatic, as spheres are. Larger ones come
# close: 0.2 to 11 % of $N + 1$ are missing, which packings of spheres never show. tanh bends
# smoothly: no kinks, far fewer patterns than $N + 1$ (15 to 49 % missing), and the curvature of the
# constraints holds the rest, as in ellipses.
#
# ## Exercises
#
# ### 1. Maxwell's count
#
# How many contacts does an isostatic packing of `bodies` (no rattlers, periodic box) have, in `dim`
# dimensions, if each body also has `angles` that can be told apart by its shape?


# %%
def contacts(bodies, dim, angles):
    """Return the number of contacts of an isostatic packing."""
    # your turn


# %%
def check_contacts(function):
    """Compare a count with packings of which it is known."""
    for given, expected in (((10, 2, 0), 19), ((10, 3, 0), 28), ((10, 2, 1), 29), ((5, 3, 3), 28)):
        if function(*given) != expected:
            return f"not yet: of {given} bodies, dimensions and angles comes {function(*given)}"
    return "right"


print(check_contacts(contacts))

# %% [markdown]
# ### 2. Contacts a body
#
# What is $z = 2N_\Delta/N'$ of discs, spheres, ellipses and ellipsoids of three different axes for
# large packings, if all were isostatic? Fill in the four.


# %%
def coordination():
    """Return the number of contacts of a body in each kind of packing."""
    return {"discs": None, "spheres": None, "ellipses": None, "ellipsoids": None}  # your turn


# %%
def check_coordination(function):
    """Compare with twice the degrees of freedom of a body."""
    kinds = {"discs": (2, 0), "spheres": (3, 0), "ellipses": (2, 1), "ellipsoids": (3, 3)}
    wrong = [name for name, kind in kinds.items() if function()[name] != 2 * sum(kind)]
    return f"not yet: {', '.join(wrong)}" if wrong else "right"


print(check_coordination(coordination))

# %% [markdown]
# ### Solutions


# %% tags=["hide-cell"]
# 1. Each body has dim + angles variables, the box leaves dim translations, and forces take one.
def counted(bodies, dim, angles):
    return bodies * (dim + angles) - dim + 1


print(check_contacts(counted))


# %% tags=["hide-cell"]
# 2. Twice the number of variables of a body. Ellipses only come near it at large aspect.
def doubled():
    return {"discs": 4, "spheres": 6, "ellipses": 6, "ellipsoids": 12}


print(check_coordination(doubled))
