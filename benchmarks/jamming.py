"""The known values of jamming, with ensembles larger than a test can have.

usage: python benchmarks/jamming.py

Prints what was measured beside what is known. It takes some six minutes on two cores.
"""

import sys

import numpy as np

from particles import Discs, Ellipses, compress, decompress, ensemble


def counts(end):
    """Contacts, bodies that are held, and modes that may vanish: 3N' - 1 - N_c of ellipses."""
    held = end.problem.n_bodies - int(end.problem.rattlers(end.x).sum())
    contacts = int((end.problem.gaps(end.x) > 0).sum())
    return contacts, held


def row(what, got, known):
    print(f"| {what} | {got} | {known} |", flush=True)


def jammed(problem, seeds, pressure, **options):
    """Packings at a pressure, and a line if any run stalled."""
    ends = ensemble(problem, seeds, pressure, **options)
    stalled = sum(end.status != "jammed" for end in ends)
    if stalled:
        print(f"{stalled} of {len(ends)} runs stalled", file=sys.stderr)
    return [end for end in ends if end.status == "jammed"]


def discs(n, count, accepted):
    ends = jammed(Discs.bidisperse(n, 0.86), range(count), 1e-7)
    phis = np.array([end.phi for end in ends])
    pairs = [counts(end) for end in ends]
    excess = np.array([contacts - (2 * held - 1) for contacts, held in pairs])
    loose = 1.0 - np.mean([held for _, held in pairs]) / n
    name = f"discs, N = {n}, {count} packings"
    row(f"{name}: φ_J", f"{phis.mean():.4f}, standard deviation {phis.std(ddof=1):.4f}", accepted)
    row(
        f"{name}: N_c = 2N' - 1 exactly",
        f"{(excess == 0).sum()}",
        f"within 1: {(abs(excess) <= 1).sum()}",
    )
    row(f"{name}: rattlers", f"{100 * loose:.1f} %", "5.2 %")
    return ends


def polydisperse(n, count):
    """No two sizes are equal, so that no seven discs close a hexagon with a contact to spare."""
    exact = 0
    for seed in range(count):
        rng = np.random.default_rng(100 + seed)
        problem = Discs(rng.uniform(1.0, 1.4, n), Discs.bidisperse(n, 0.86).box).with_phi(0.86)
        end = decompress(problem, problem.random_state(rng), 1e-7)
        end = decompress(end.problem, end.x, 1e-8, relative=1e-7, tolerance=0.1)
        contacts, held = counts(end)
        exact += contacts == 2 * held - 1
    row(f"discs of {n} sizes, p = 1e-8: N_c = 2N' - 1 exactly", f"{exact} of {count}", "all")


def cycles(count=8, top=0.95, turns=4):
    """Decompress, compress to ``top`` and decompress again: where it jams each time."""
    phis = np.empty((count, turns + 1))
    for seed in range(count):
        problem = Discs.bidisperse(256, 0.80)
        end = decompress(problem, problem.random_state(np.random.default_rng(seed)), 1e-5)
        phis[seed, 0] = end.phi
        for turn in range(turns):
            up = compress(end.problem, end.x, np.linspace(end.phi, top, 30))
            end = decompress(up.problem, up.x, 1e-5)
            phis[seed, turn + 1] = end.phi
    row(f"discs, N = 256, φ_J of cycles to {top:g}", phis.mean(axis=0).round(4), "grows")


def above_jamming(ends):
    """Pressure and coordination against the distance from each packing's own φ_J."""
    distances = np.array([1e-4, 3e-4, 1e-3, 3e-3, 7e-3])
    slopes, excess = [], []
    for end in ends:
        paths = compress(end.problem, end.x, [end.phi])
        for distance in distances:
            paths = compress(paths.problem, paths.x, [end.phi + distance])
            contacts, held = counts(paths)
            slopes.append(paths.problem.virial_pressure(paths.x) / distance)
            excess.append(2 * contacts / held - (4 - 2 / held))
    slopes = np.reshape(slopes, (len(ends), -1)).mean(axis=0)
    excess = np.reshape(excess, (len(ends), -1)).mean(axis=0)
    exponent, _ = np.polyfit(np.log(distances[1:]), np.log(excess[1:]), 1)
    row("discs, virial pressure over Δφ at 1e-3", f"{slopes[2]:.3f}", "0.273")
    row("discs, ΔZ/√Δφ at 7e-3", f"{excess[-1] / np.sqrt(distances[-1]):.2f}", "3.4")
    row("discs, exponent of ΔZ", f"{exponent:.3f}", "½ ± 0.05")


def spheres():
    # The weakest of three thousand contacts is a thousandth of the mean.
    ends = jammed(Discs.bidisperse(512, 0.68, dim=3), range(6), 1e-8, relative=1e-7)
    excess = [contacts - (3 * held - 2) for contacts, held in map(counts, ends)]
    phis = np.array([end.phi for end in ends])
    row("spheres, N = 512: φ_J", f"{phis.mean():.4f} ± {phis.std(ddof=1):.4f}", "0.63-0.65")
    row("spheres, N = 512: N_c - (3N' - 2)", f"{excess}", "0")


def ellipses(aspect, count, known):
    ends = jammed(Ellipses.bidisperse(256, 0.93, aspect=aspect), range(count), 1e-6)
    z = np.array([2 * contacts / held for contacts, held in map(counts, ends)])
    phis = np.array([end.phi for end in ends])
    row(
        f"ellipses, aspect {aspect:g}, N = 256, {count} packings: φ_J, z",
        f"{phis.mean():.4f}, {z.mean():.3f} (standard deviation {z.std(ddof=1):.3f})",
        known,
    )
    return z.mean()


def quartic_modes():
    """Count the modes between the zero modes and a gap, and compare with 3N' - 1 - N_c."""
    right = 0
    for seed in range(10):
        problem = Ellipses.bidisperse(64, 0.93, aspect=1.5)
        end = decompress(problem, problem.random_state(np.random.default_rng(seed)), 1e-9)
        contacts, held = counts(end)
        modes = np.linalg.eigvalsh(end.problem.hessian(end.x).toarray())[2 + 3 * (64 - held) :]
        soft = int((modes < 1e3 * end.pressure).sum())
        right += end.status == "jammed" and soft == 3 * held - 1 - contacts
    row("ellipses, N = 64, p = 1e-9: 3N' - 1 - N_c modes below 1e3 p", f"{right} of 10", "10 of 10")


def main():
    print("| what | measured | known |\n| --- | --- | --- |")
    discs(256, 30, "0.838-0.845, 0.0023")
    above_jamming(discs(1024, 10, "0.840-0.845, 0.0010"))
    polydisperse(1024, 10)
    cycles()
    spheres()
    near = {}
    for aspect in (1.001, 1.003, 1.01, 1.02, 1.04, 1.08):
        near[aspect] = ellipses(aspect, 5, "0.8506, 4.46" if aspect == 1.02 else "")
    known = {1.2: "0.8818, 5.275", 2.0: "0.8846, 5.750"}
    for aspect in (1.1, 1.2, 1.35, 1.5, 2.0, 3.0, 5.0, 10.0):
        ellipses(aspect, 5, known.get(aspect, ""))
    distance = np.array(list(near)) - 1.0
    excess = np.array(list(near.values())) - 4.0
    exponent, _ = np.polyfit(np.log(distance), np.log(excess), 1)
    row("ellipses, (z - 4)/√(α - 1)", np.round(excess / np.sqrt(distance), 2), "3.2 ± 0.3")
    row("ellipses, exponent of z - 4", f"{exponent:.3f}", "½ ± 0.1")
    quartic_modes()


if __name__ == "__main__":
    main()
