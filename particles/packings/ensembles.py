"""Ensembles: packings from many seeds at one pressure, over threads."""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from particles.checks import check_iterable, whole
from particles.packings.compression import decompress
from particles.packings.driven import Decompressed
from particles.packings.packing import Packing, check_packing


def ensemble(
    problem: Packing,
    seeds: Iterable[int],
    pressure: float = 1e-6,
    *,
    workers: int | None = None,
    **options: Any,
) -> list[Decompressed]:
    """Return packings at one pressure, each from random positions drawn with its own seed.

    The compiled loops hold no lock, so that threads share one process and its memory; a packing
    runs on one thread, and its result does not depend on how many there are. What Python does
    between the loops is done by one thread at a time: little at a thousand bodies, half of all at
    64, where processes are the better choice.

    Parameters
    ----------
    problem : Discs or Ellipses
        The packing at the load to start from.
    seeds : iterable of int
        One packing each, in this order.
    pressure : float
        Pressure asked for, see `decompress`.
    workers : int
        Threads; by default as many as this process may use.
    **options
        Passed to `decompress`.

    Raises
    ------
    ValueError
        If there are no workers, or the pressure is not between 0 and 1.

    Examples
    --------
    >>> from particles import Discs
    >>> packings = ensemble(Discs.bidisperse(32, phi=0.88), seeds=range(3), pressure=1e-3)
    >>> [packing.status for packing in packings]
    ['jammed', 'jammed', 'jammed']
    """
    check_packing(problem)
    check_iterable("seeds", seeds, "pass such as range(8)")
    if workers is not None:
        whole("workers", workers, 1)

    def one(seed: int) -> Decompressed:
        start = problem.random_state(np.random.default_rng(seed))
        return decompress(problem, start, pressure, **options)

    with ThreadPoolExecutor(workers or len(os.sched_getaffinity(0))) as pool:
        return list(pool.map(one, seeds))
