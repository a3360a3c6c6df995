"""Fast inertial relaxation (FIRE 2.0), compiled: Guénolé et al., Comput. Mater. Sci. 175 (2020).

Two passes over the variables a step, shared by all laws: one reduces, one moves. The norm of the
velocity after the kick follows from the sums before it, so that kick, mixing and drift are one.
"""

import math

from particles.kernels import breathing, discs, ellipses, ellipsoids
from particles.kernels._jit import kernel

# Why the loop came back.
RUNNING, CONVERGED, UNJAMMED, STALE_LIST, OUT_OF_STEPS, NOT_FINITE = range(6)

# The schedule of the time step: growth, shrinkage, friction and its decay. Against the values of
# the paper (1.1, 0.5, 0.25, 0.99 after a delay of 20 steps) these save a third of the steps from a
# random start at N = 1024, φ = 0.86 to forces of 1e-10 (medians of 80 seeds: 3600 and 5500).
GROW, SHRINK, FRICTION, CALMER = 1.3, 0.5, 0.1, 0.98


@kernel
def reduce_sums(v, force, limit):
    """Return ``F·v``, ``v·v``, ``F·F`` and how many ``|F_k|`` exceed ``limit``.

    Counted rather than maximised: a maximum that heeds NaN is no vector instruction.
    """
    power, speed, norm, loud = 0.0, 0.0, 0.0, 0
    square = limit * limit
    for k in range(v.size):
        power += force[k] * v[k]
        speed += v[k] * v[k]
        norm += force[k] * force[k]
        loud += not force[k] * force[k] <= square
    return power, speed, norm, loud


@kernel
def move(u, v, force, keep, kick, dt, reach):
    """Set ``v <- keep v + kick F``, ``u <- u + dt v``; return how many ``|u_k| > reach``."""
    outside = 0
    square = reach * reach
    for k in range(u.size):
        v[k] = keep * v[k] + kick * force[k]
        u[k] += dt * v[k]
        outside += u[k] * u[k] > square
    return outside


@kernel
def step(u, v, force, sums, clock, dt_max, reach):
    """Advance one step of FIRE; return how many ``|u_k| > reach``.

    ``clock = (dt, friction)`` is carried from step to step.
    """
    power, speed, norm, _ = sums
    if power > 0.0:
        clock[0] = min(clock[0] * GROW, dt_max)
        clock[1] *= CALMER
    elif speed > 0.0:
        clock[0] = max(clock[0] * SHRINK, 0.02 * dt_max)
        clock[1] = FRICTION
        # Step back by half of what went uphill, and stop.
        move(u, v, force, 1.0, 0.0, -0.5 * clock[0], reach)
        v[:] = 0.0
        speed, power = 0.0, 0.0
    dt, friction = clock[0], clock[1]
    kicked = math.sqrt(max(speed + 2.0 * dt * power + dt * dt * norm, 0.0))
    mix = friction * kicked / math.sqrt(norm) if norm > 0.0 else 0.0
    return move(u, v, force, 1.0 - friction, (1.0 - friction) * dt + mix, dt, reach)


@kernel
def advance(motion, total, clock, dt_max, reach, rules):
    """Judge the forces and take a step, unless they say to stop.

    ``rules = (relative, absolute, floor, n)``: with the overlap ``s = total/n``, forces below
    ``max(relative s, absolute)`` are balanced, and ``s`` below ``floor`` is none.
    """
    u, v, force = motion
    relative, absolute, floor, n = rules
    overlap = total / n
    sums = reduce_sums(v, force, max(relative * overlap, absolute))
    # Not `math.isfinite`: it subtracts a number from itself, which sums that may be reordered
    # turn into zero.
    if not abs(sums[0] + sums[1] + sums[2] + total) < math.inf:
        return NOT_FINITE
    if overlap <= floor:
        return UNJAMMED
    if sums[3] == 0:
        return CONVERGED
    if step(u, v, force, sums, clock, dt_max, reach) > 0:
        return STALE_LIST
    return RUNNING


@kernel
def multiplied(a, b, product):
    """Write ``a b``, element by element of ``a``."""
    for k in range(a.size):
        product[k] = a[k] * b[k]


@kernel(inline=True)
def lengths(u, units):
    """Return ``u`` in units of length: itself where all variables are."""
    unit, moved = units
    if not unit.size:
        return u
    multiplied(unit, u, moved)
    return moved


@kernel
def relax_discs(motion, units, pairs, pulls, clock, dt_max, reach, rules, steps):
    """Run FIRE on discs or spheres until it stops, or some ``|u_k| > reach``.

    ``motion = (u, v, force)``, by coordinates of which one is ``units[0]`` in length, ``(n_dof,)``,
    or all are if that is empty; ``units[1]`` is room for as many. Returns the reason, the steps
    taken, ``U`` and ``Σ max(Δ, 0)``.
    """
    u, _, force = motion
    for n in range(steps):
        energy, total = discs.forces(lengths(u, units), pairs, pulls, force)
        multiplied(units[0], force, force)
        reason = advance(motion, total, clock, dt_max, reach, rules)
        if reason != RUNNING:
            return reason, n + 1, energy, total
    return OUT_OF_STEPS, steps, energy, total


@kernel
def relax_ellipses(motion, units, pairs, body, work, turned, clock, dt_max, reach, rules, steps):
    """Run FIRE on ellipses, by ``(x, y, ℓθ)`` in ``units``. Returns what `relax_discs` does."""
    u, _, force = motion
    for n in range(steps):
        energy, total = ellipses.forces(lengths(u, units), pairs, body, work, turned, force)
        multiplied(units[0], force, force)
        reason = advance(motion, total, clock, dt_max, reach, rules)
        if reason != RUNNING:
            return reason, n + 1, energy, total
    return OUT_OF_STEPS, steps, energy, total


@kernel
def relax_ellipsoids(motion, units, pairs, body, work, turned, clock, dt_max, reach, rules, steps):
    """Run FIRE on ellipsoids, by ``(x, y, z, ℓω)`` in ``units``: as `relax_discs` does."""
    u, _, force = motion
    for n in range(steps):
        energy, total = ellipsoids.forces(lengths(u, units), pairs, body, work, turned, force)
        multiplied(units[0], force, force)
        reason = advance(motion, total, clock, dt_max, reach, rules)
        if reason != RUNNING:
            return reason, n + 1, energy, total
    return OUT_OF_STEPS, steps, energy, total


@kernel
def relax_breathing(motion, units, pairs, body, clock, dt_max, reach, rules, steps):
    """Run FIRE on discs or spheres and their radii, by ``(x, y, ℓw)``: as `relax_discs` does."""
    u, _, force = motion
    for n in range(steps):
        energy, total = breathing.forces(lengths(u, units), pairs, body, force)
        multiplied(units[0], force, force)
        reason = advance(motion, total, clock, dt_max, reach, rules)
        if reason != RUNNING:
            return reason, n + 1, energy, total
    return OUT_OF_STEPS, steps, energy, total
