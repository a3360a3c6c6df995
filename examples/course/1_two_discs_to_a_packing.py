# %% [markdown]
# # 1 · From two discs to a jammed packing
#
# *Goals: you can write down gaps, energy and Hessian of a packing, say from a count of contacts
# whether it is at its jamming point, and find that point. 60 minutes, 30 of them for the exercises;
# you need Newton's laws and eigenvalues.*
#
# Two discs that overlap push each other apart. Two hundred that cannot all find room become a
# solid, at a sharp density and with an exact number of contacts. This lesson goes from the first
# to the second with the one equation that the whole course is about:
#
# $$ U(x) = \tfrac12 \sum_\mu \max(\Delta_\mu(x), 0)^2 . $$
#
# For discs $\Delta_{ij} = 1 - r_{ij}/d_{ij}$ is the overlap: the distance of two centres falls
# short of the mean of their diameters by a fraction $\Delta_{ij}$. A negative gap is room that is
# left.

# %%
import matplotlib.pyplot as plt
import numpy as np

from bridge import hessian, observe, spectrum
from bridge.jamming import exact_jamming
from particles import Discs, Ellipses, decompress, minimise, plot

# %% [markdown]
# ## Two discs
#
# Diameter 1, centres 0.9 apart: the gap is 0.1, the energy $0.1^2/2$.

# %%
pair = Discs(diameters=np.ones(2), box=np.array([5.0, 5.0]))
x = np.array([1.0, 1.0, 1.9, 1.0])  # x and y of the first disc, then of the second
energy, gradient = pair.energy_gradient(x)
print("gap     ", pair.gaps(x))
print("energy  ", energy)
print("gradient", gradient)

# %% [markdown]
# The Hessian is a sum of two matrices. The *stiffness* $H_0 = \nabla\Delta\,\nabla\Delta^T$
# resists a change of the gap: one mode of eigenvalue $2/d^2$, along the line of centres. The
# *prestress* $H_p = \Delta\,\nabla^2\Delta$ is what the compressed contact itself does: it would
# like to buckle, and the mode across the line of centres is unstable with $-2\Delta/(r d)$.

# %%
eigenvalues = np.linalg.eigvalsh(hessian(pair, x))
print("eigenvalues", eigenvalues.round(6))
print("by hand    ", -2 * 0.1 / 0.9, 0, 0, 2)

# %% [markdown]
# Every contact softens the packing by one direction and stiffens it by one. A stable solid needs
# at least as many contacts as there are directions to hold: the bound $N_-(H_p) \le N_\Delta$,
# which packings share with deep networks.
#
# ## Two hundred discs
#
# Random positions, minimised at two packing fractions. Below the transition all overlaps vanish.

# %%
rng = np.random.default_rng(1)
fig, axes = plt.subplots(1, 2, figsize=(9, 4.7), layout="constrained")
for ax, phi in zip(axes, (0.80, 0.88), strict=True):
    packing = Discs.bidisperse(200, phi=phi)
    end = minimise(packing, packing.random_state(rng))
    plot(end, ax=ax)
    ax.set_title(f"φ = {phi}: {end.status}, U = {end.energy:.2g}")

# %% [markdown]
# Lines are forces. The white discs are *rattlers*: nothing holds them. Below the transition all
# are.
#
# ## The edge of rigidity
#
# Let the jammed packing grow smaller until its pressure has all but vanished, and count. $N'$
# discs without the rattlers have $2N' - 2$ degrees of freedom, because moving all of them together
# costs nothing. With that many contacts each can be opened at will. One more, and there is one way
# for forces to balance: a *self-stress*. A packing with a pressure needs one; at the edge it has
# no second.

# %%
crowded = Discs.bidisperse(200, phi=0.88)
edge = decompress(crowded, crowded.random_state(rng), pressure=1e-7)
seen = observe(edge)
moving = 200 - seen.n_frozen
print(f"{edge.status} at φ_J = {edge.phi:.4f}")
print(f"{seen.n_constraints} contacts, 2N' - 1 = {2 * moving - 1}")

# %% [markdown]
# A small pressure is not the transition itself. The exact jamming point is a corner of the set of
# allowed states; its contacts close to rounding error, and the forces are what its linear program
# returns as the price of each constraint.

# %%
point = exact_jamming(edge)
closed = point.problem.gaps(point.x)[point.rows]
print(f"{point.status}, largest |Δ| of a contact {np.abs(closed).max():.1e}")
print(f"{len(point.rows)} contacts, all forces positive: {(point.forces > 0).all()}")

# %% [markdown]
# ## What the solid is like
#
# So close to losing a contact, the packing has soft modes down to zero frequency: the density of
# $\omega = \sqrt\lambda$ is flat instead of falling as it does in a crystal.

# %%
values = spectrum(edge).eigenvalues
omega = np.sqrt(values[values > 1e-10])
fig, ax = plt.subplots(figsize=(5, 3), layout="constrained")
ax.hist(omega, bins=25, density=True, color="#0072B2")
_ = ax.set(xlabel="frequency ω", ylabel="density of modes")

# %% [markdown]
# ## Exercises
#
# Fill in what is missing; the cell below each one tells whether it is right.
#
# ### 1. Spheres
#
# How many contacts does a packing have at the edge, if `bodies` of `dim` coordinates carry forces?
# Count directions and self-stresses. The check asks packings.


# %%
def contacts_at_the_edge(bodies, dim):
    """Return the number of contacts of an isostatic packing in a periodic box."""
    # your turn


# %%
def check_contacts(function):
    """Compare a count with exact jamming points in two and in three dimensions."""
    for dim, phi in ((2, 0.88), (3, 0.70)):
        packing = Discs.bidisperse(32, phi=phi, dim=dim)
        start = packing.random_state(np.random.default_rng(1))
        count = exact_jamming(decompress(packing, start, pressure=1e-5)).certificate
        expected = function((count.n + dim) // dim, dim)
        if expected != count.n_isostatic:
            return f"not yet: in {dim} dimensions you expect {expected} contacts, not the packing"
    return "right"


print(check_contacts(contacts_at_the_edge))

# %% [markdown]
# ### 2. Ellipses
#
# An ellipse has three degrees of freedom, so $3N' - 1$ contacts would be isostatic. Complete the
# function with what `observe` says of an end, `n` degrees of freedom and `n_constraints`. Then ask
# it of ellipses at two small pressures. What holds the modes that no contact resists?


# %%
def missing(end):
    """Return how many contacts a packing is short of isostatic; negative if it has more."""
    # your turn


# %%
def check_missing(function):
    """Ask of discs at the edge, and of discs that are pressed hard."""
    hard = Discs.bidisperse(200, phi=0.88)
    hard = minimise(hard, hard.random_state(np.random.default_rng(1)))
    if function(edge) != 0:
        return f"not yet: of discs at the edge none is missing, you say {function(edge)}"
    if function(hard) != -(observe(hard).n_constraints - observe(hard).n - 1):
        return "not yet: discs that are pressed have more than they need"
    return "right"


print(check_missing(missing))

# %% [markdown]
# ### 3. Away from the edge
#
# Complete the function: by how many contacts a body, $2(N_\Delta - N_{\rm iso})/N'$, does a packing
# of discs exceed the isostatic one? Each contact belongs to two bodies. Then minimise at several
# $\varphi$ above $\varphi_J$ and plot it against $\varphi - \varphi_J$ on double logarithmic axes.
# Which power do you see?


# %%
def excess(contacts, moving):
    """Return the excess contacts a body of ``moving`` discs, those that are no rattlers."""
    # your turn


# %%
def check_excess(function):
    """Try it on the edge, and on a crystal: each of its 16 discs touches six."""
    crystal = 16 * 6 // 2
    if function(seen.n_constraints, moving) != 0:
        return "not yet: at the edge there is no excess"
    if function(crystal, 16) != 2 * (48 - 31) / 16:
        return "not yet: a crystal of 16 has 48 contacts, and 31 would do"
    return "right"


print(check_excess(excess))

# %% [markdown]
# ### Solutions


# %% tags=["hide-cell"]
# 1. Each body has dim directions, dim of all are translations, and one self-stress comes to it.
def counted(bodies, dim):
    return dim * bodies - dim + 1


print(check_contacts(counted))


# %% tags=["hide-cell"]
# 2. Ellipses are hypostatic. The missing modes have no stiffness to first order; the prestress of
# curved contacts holds them, so that their eigenvalues vanish in proportion to the pressure.
def short(end):
    seen = observe(end)
    return seen.n + 1 - seen.n_constraints


print(check_missing(short))
for pressure in (1e-4, 1e-6):
    eggs = Ellipses.bidisperse(48, phi=0.94, aspect=1.5)
    solid = decompress(eggs, eggs.random_state(np.random.default_rng(2)), pressure=pressure)
    values = spectrum(solid).eigenvalues
    soft = np.sort(values[values > 1e-12])[: short(solid)]
    print(f"p = {pressure:.0e}: {short(solid)} contacts too few, softest modes", end=" ")
    print(*(f"{value:.1e}" for value in soft[:3]))


# %% tags=["hide-cell"]
# 3. In large packings the square root, Δz ~ Δφ^(1/2). Two hundred discs are few: close to the edge
# they have hardly a contact to gain, and the power looks larger. A thousand discs show 0.53.
def gained(contacts, moving):
    return 2 * (contacts - (2 * moving - 1)) / moving


print(check_excess(gained))
more, distance, x = [], np.array([0.003, 0.01, 0.03]), edge.x
for growth in distance:
    grown = edge.problem.with_phi(edge.phi + growth)
    x = minimise(grown, x).x
    pressed = observe(grown, x)
    more.append(gained(pressed.n_constraints, 200 - pressed.n_frozen))
slope = np.polyfit(np.log(distance), np.log(more), 1)[0]
fig, ax = plt.subplots(figsize=(4, 3), layout="constrained")
ax.loglog(distance, more, "o", color="#D55E00")
ax.loglog(distance, more[1] * (distance / distance[1]) ** 0.5, color="0.5", label="power ½")
ax.set(xlabel="φ - φ_J", ylabel="excess contacts z - z_iso", xlim=(1e-3, 1e-1), ylim=(0.05, 2))
ax.legend()
print(f"measured power {slope:.2f}")
