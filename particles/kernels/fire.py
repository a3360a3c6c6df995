"""Fast inertial relaxation (FIRE 2.0), compiled: Guénolé et al., Comput. Mater. Sci. 175 (2020).

Two passes over the variables a step, shared by all laws: one reduces, one moves. The norm of the
velocity after the kick follows from the sums before it, so that kick, mixing and drift are one.
"""

import math

import numpy as np

from particles.kernels import discs, ellipses
from particles.kernels._jit import kernel

# Why the loop came back.
CONVERGED, UNJAMMED, STALE_LIST, OUT_OF_STEPS, NOT_FINITE = 0, 1, 2, 3, 4

# The schedule of the time step: growth, shrinkage, friction and its decay, delay.
GROW, SHRINK, FRICTION, CALMER, DELAY = 1.1, 0.5, 0.25, 0.99, 20


@kernel
def reduce_sums(v, force):
    """Return ``F·v``, ``v·v``, ``F·F`` and the largest ``|F_k|``."""
    power, speed, norm, largest = 0.0, 0.0, 0.0, 0.0
    for k in range(v.size):
        power += force[k] * v[k]
        speed += v[k] * v[k]
        norm += force[k] * force[k]
        largest = max(largest, abs(force[k]))
    return power, speed, norm, largest


@kernel
def move(u, v, force, keep, kick, dt):
    """Set ``v <- keep v + kick F``, ``u <- u + dt v``; return the largest ``|u_k|``."""
    farthest = 0.0
    for k in range(u.size):
        v[k] = keep * v[k] + kick * force[k]
        u[k] += dt * v[k]
        farthest = max(farthest, abs(u[k]))
    return farthest


@kernel
def step(u, v, force, clock, dt_max):
    """Advance one step of FIRE; return the largest ``|u_k|``.

    ``clock = (dt, friction, steps downhill in a row)`` is carried from step to step.
    """
    power, speed, norm, _ = reduce_sums(v, force)
    if power > 0.0:
        clock[2] += 1.0
        if clock[2] > DELAY:
            clock[0] = min(clock[0] * GROW, dt_max)
            clock[1] *= CALMER
    elif clock[2] > 0.0 or speed > 0.0:
        clock[0] = max(clock[0] * SHRINK, 0.02 * dt_max)
        clock[1] = FRICTION
        clock[2] = 0.0
        # Step back by half of what went uphill, and stop.
        move(u, v, force, 1.0, 0.0, -0.5 * clock[0])
        v[:] = 0.0
        speed, power = 0.0, 0.0
    dt, friction = clock[0], clock[1]
    kicked = math.sqrt(max(speed + 2.0 * dt * power + dt * dt * norm, 0.0))
    mix = friction * kicked / math.sqrt(norm) if norm > 0.0 else 0.0
    return move(u, v, force, 1.0 - friction, (1.0 - friction) * dt + mix, dt)


@kernel
def verdict(total, largest, rules):
    """Return whether to stop: ``rules = (relative, absolute, floor, n)``."""
    relative, absolute, floor, n = rules
    pressure = total / n
    if not math.isfinite(total + largest):
        return NOT_FINITE
    if pressure <= floor:
        return UNJAMMED
    if largest <= max(relative * pressure, absolute):
        return CONVERGED
    return -1


@kernel
def relax_discs(u, v, force, pairs, clock, dt_max, reach, rules, steps):
    """Run FIRE on discs or spheres until it converges or ``|u_k| > reach``.

    Returns the reason, the steps taken, ``U``, ``Σ max(Δ, 0)`` and the largest ``|F_k|``.
    """
    first, second, vector, inverse = pairs
    for n in range(steps):
        if vector.shape[1] == 2:
            energy, total = discs.forces_2d(u, first, second, vector, inverse, force)
        else:
            energy, total = discs.forces_3d(u, first, second, vector, inverse, force)
        largest = np.max(np.abs(force))
        reason = verdict(total, largest, rules)
        if reason >= 0:
            return reason, n + 1, energy, total, largest
        if step(u, v, force, clock, dt_max) > reach:
            return STALE_LIST, n + 1, energy, total, largest
    return OUT_OF_STEPS, steps, energy, total, largest


@kernel
def relax_ellipses(u, v, force, pairs, body, scratch, clock, dt_max, reach, rules, steps):
    """Run FIRE on ellipses; ``u`` is by ``(x, y, ℓθ)``. Returns what `relax_discs` does."""
    first, second, vector, start = pairs
    for n in range(steps):
        energy, total = ellipses.forces(u, first, second, vector, start, body, scratch, force)
        largest = np.max(np.abs(force))
        reason = verdict(total, largest, rules)
        if reason >= 0:
            return reason, n + 1, energy, total, largest
        if step(u, v, force, clock, dt_max) > reach:
            return STALE_LIST, n + 1, energy, total, largest
    return OUT_OF_STEPS, steps, energy, total, largest
