"""The exact merge tree of a landscape: which minima communicate below which energy."""

from collections.abc import Sequence

import numpy as np

from bridge.landscape.stationary_points import StationaryPoint
from bridge.landscape.thermodynamics import free_energies
from bridge.landscape.trees import MergeTree
from bridge.protocols import Indices, Vector


def merge_tree(
    energies: Sequence[float] | Vector,
    barriers: Sequence[float] | Vector,
    ends: Sequence[tuple[int, int]],
) -> MergeTree:
    """Return the merge tree of minima, and of saddles between two of them each.

    Saddles are taken from the lowest up; one that joins two parts makes a node of the tree (union
    and find), and one within a part changes nothing. Saddles of one energy make one node.
    """
    wells = np.asarray(energies, dtype=np.float64)
    n = len(wells)
    depth = np.empty(n, dtype=np.intp)  # place of each minimum from the lowest up
    depth[np.argsort(wells, kind="stable")] = np.arange(n)
    heights = np.asarray(barriers, dtype=np.float64)
    part = list(range(n))  # by union and find: the lowest minimum that stands for a part
    top = list(range(n))  # node at the top of the part of a minimum
    pairs: list[tuple[int, int]] = []
    levels: list[float] = []
    for k in np.argsort(heights, kind="stable").tolist():
        low, high = sorted((_root(part, end) for end in ends[k]), key=depth.__getitem__)
        if low != high:
            pairs.append((top[low], top[high]))
            levels.append(float(heights[k]))
            part[high] = low
            top[low] = n - 1 + len(pairs)
    return _tree(wells, np.array(levels), pairs, depth)


def tree_of_points(
    minima: Sequence[StationaryPoint],
    saddles: Sequence[StationaryPoint],
    ends: Sequence[tuple[int, int]],
    temperature: float | None = None,
) -> MergeTree:
    """Return the merge tree of minima and saddles by their energies, or free energies at ``T``.

    At a temperature several saddles between two minima add up: ``F = -T ln Σ exp(-F_t/T)``, and the
    barrier is that of the rate ``k = ν exp(-ΔF/T)`` with ``ν`` the geometric mean frequency of the
    lowest minimum. (With ``kT/h`` in its place, the barrier of a classical system would depend on
    the unit of time, and vanish wherever rates exceed it.) A pass that entropy puts below one of
    its wells all the same stands level with that well.
    """
    if temperature is None:
        energies = [point.energy for point in minima]
        return merge_tree(energies, [point.energy for point in saddles], ends)
    wells = free_energies(minima, temperature)
    passes = free_energies(saddles, temperature)
    lowest = min(minima, key=lambda point: point.energy)
    frequency = np.exp(0.5 * lowest.log_det / max(lowest.n_modes, 1))
    passes += temperature * np.log(frequency / temperature)
    summed: dict[tuple[int, int], float] = {}
    for pair, energy in zip(ends, passes, strict=True):
        before = -summed.get(pair, np.inf) / temperature
        summed[pair] = -temperature * float(np.logaddexp(before, -energy / temperature))
    pairs = list(summed)
    levels = [max(summed[a, b], wells[a], wells[b]) for a, b in pairs]
    return merge_tree(wells, levels, pairs)


def barrier(tree: MergeTree, a: int, b: int) -> float | None:
    """Return the lowest energy over which ``a`` and ``b`` communicate, or None if they do not."""
    below = set()
    while a != -1:
        below.add(a)
        a = int(tree.above[a])
    while b != -1 and b not in below:
        b = int(tree.above[b])
    return None if b == -1 else float(tree.energy[b])


def escapes(tree: MergeTree) -> tuple[Indices, Vector]:
    """Return the lower minimum that each minimum reaches first, and the energy of the way there.

    Both are ``(n_minima,)``. The minimum reached is the lowest of the part that is joined; for the
    lowest of a connected part there is none: -1, and an infinite energy. Of two minima of one
    energy the one with the smaller number counts as the lower.
    """
    inner = tree.above != -1
    target = np.full(tree.n_minima, -1, dtype=np.intp)
    height = np.full(tree.n_minima, np.inf)
    lowest, above = tree.lowest[inner], tree.above[inner]
    climbs = lowest != tree.lowest[above]
    target[lowest[climbs]] = tree.lowest[above[climbs]]
    height[lowest[climbs]] = tree.energy[above[climbs]]
    return target, height


def lowest_part(tree: MergeTree, count: int) -> tuple[Indices, MergeTree]:
    """Return the ``count`` lowest minima, and the merge tree of these alone.

    It is a piece of the whole one, with every barrier between them: on the way from a minimum to a
    lower one only lower ones are reached. A minimum ``k`` of the new tree is number ``k`` of those
    returned.
    """
    order = np.argsort(tree.energy[: tree.n_minima], kind="stable")[:count]
    kept = np.sort(order)
    target, height = escapes(tree)
    target, height = target[kept], height[kept]
    climbing = np.flatnonzero(target != -1)
    ends = zip(climbing.tolist(), np.searchsorted(kept, target[climbing]).tolist(), strict=True)
    return kept, merge_tree(tree.energy[kept], height[climbing], list(ends))


def _tree(wells: Vector, levels: Vector, pairs: list[tuple[int, int]], depth: Indices) -> MergeTree:
    """Lay out a binary tree whose node ``n + k`` joins ``pairs[k]``, the deeper part first."""
    n = len(wells)
    above, size, lowest = [-1] * (n + len(pairs)), [1] * n, list(range(n))
    for node, (low, high) in enumerate(pairs, start=n):
        above[low] = above[high] = node
        size.append(size[low] + size[high])
        lowest.append(lowest[low])
    first, begin = [0] * len(above), 0
    tops = [node for node, joined in enumerate(above) if joined == -1]
    for node in sorted(tops, key=lambda top: int(depth[lowest[top]])):
        first[node], begin = begin, begin + size[node]
    for node in range(len(above) - 1, n - 1, -1):
        low, high = pairs[node - n]
        first[low], first[high] = first[node], first[node] + size[low]
    above_, first_, size_ = (np.array(numbers, dtype=np.intp) for numbers in (above, first, size))
    energy, leaves = np.concatenate([wells, levels]), np.argsort(first_[:n])
    return _merged(MergeTree(n, energy, above_, first_, size_, leaves))


def _merged(tree: MergeTree) -> MergeTree:
    """Make one node of merges that are joined at one energy."""
    k = len(tree.energy)
    keeper = np.arange(k)
    for node in range(k - 1, tree.n_minima - 1, -1):
        top = tree.above[node]
        if top != -1 and tree.energy[top] == tree.energy[node]:
            keeper[node] = keeper[top]
    kept = keeper == np.arange(k)
    number = np.cumsum(kept) - 1
    above = np.where(tree.above != -1, number[keeper[tree.above]], -1)
    energy, first, size = tree.energy[kept], tree.first[kept], tree.size[kept]
    return MergeTree(tree.n_minima, energy, above[kept], first, size, tree.leaves)


def _root(parent: list[int], i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i
