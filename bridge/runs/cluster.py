"""Tasks on a cluster: the mapper of `runs.run_all` that asks a Dask scheduler.

A scheduler and its workers are started by the user, on SLURM for example with dask-jobqueue::

    from dask.distributed import Client
    from dask_jobqueue import SLURMCluster

    cluster = SLURMCluster(cores=1, processes=1, memory="4GB", walltime="12:00:00")
    cluster.scale(jobs=100)
    print(cluster.scheduler_address)    # for --scheduler

or by hand with ``dask scheduler`` and, on each machine, ``dask worker ADDRESS --nworkers 8
--nthreads 1``. Where no process may listen on the network, ``--shard I/K`` in an array of jobs
needs no scheduler.
"""

import asyncio
import logging
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from bridge.runs.pool import Failed, title
from bridge.runs.task import Mapper, Task

if TYPE_CHECKING:
    from bridge.records.store import Record

ANSWER_WITHIN = 10.0  # seconds for a scheduler to answer
_LIBRARIES = ("distributed", "tornado", "asyncio")


def connect(address: str) -> Mapper:
    """Return a mapper that runs tasks on the Dask scheduler at ``address``.

    A task whose worker dies goes to another one; one that has taken several workers with it fails.
    A worker that falls silent is the scheduler's to give up (``distributed.scheduler.worker-ttl``).

    Raises
    ------
    ValueError
        If dask is not installed, or no scheduler answers.
    """
    try:
        from dask import distributed
    except ImportError:
        raise ValueError(
            "expected dask for --scheduler, got none: pip install 'jamscape[cluster]'"
        ) from None
    _quieten()
    try:
        asyncio.run(_ask(address))
        client: Any = distributed.Client(address, timeout=ANSWER_WITHIN, set_as_default=False)
    except Exception as error:  # noqa: BLE001 - whatever a service of another kind answers
        raise ValueError(
            f"expected a Dask scheduler at {address}, got: {_said(error)}: start one there"
        ) from None

    def mapper(
        function: "Callable[[Task], Record | Failed]", tasks: Sequence[Task]
    ) -> "Iterator[Record | Failed]":
        try:
            yield from _results(client, function, tasks)
        finally:
            with suppress(Exception):  # of a scheduler that is gone
                client.close(timeout=ANSWER_WITHIN)

    return mapper


async def _ask(address: str) -> None:
    """Find a wrong address at once: a client would try it again and again, and not close either.

    Raises
    ------
    ValueError, OSError
        And what a service of another kind makes of the question.
    """
    from distributed.comm.addressing import get_address_host_port, parse_address
    from distributed.comm.registry import get_backend
    from distributed.core import rpc

    scheme, place = parse_address(address)
    get_backend(scheme)
    if scheme in ("tcp", "tls", "ws", "wss"):
        host, port = get_address_host_port(f"{scheme}://{place}", strict=True)
        socket.create_connection((host, port), timeout=ANSWER_WITHIN).close()
    async with rpc(f"{scheme}://{place}", timeout=ANSWER_WITHIN) as service:
        known = await asyncio.wait_for(service.identity(), ANSWER_WITHIN)
    if known["type"] != "Scheduler":
        raise ValueError(f"a {known['type']}")


def _said(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _quieten() -> None:
    """Let the libraries write nothing of their own: what they find out comes as an exception."""
    for name in [*_LIBRARIES, *logging.root.manager.loggerDict]:
        if name.split(".")[0] in _LIBRARIES:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _results(client: Any, function: Any, tasks: Sequence[Task]) -> "Iterator[Record | Failed]":
    """Yield the results as they come, each let go by the cluster once it is here."""
    from dask import distributed

    left: dict[str, Task] = {}
    try:
        futures = client.map(function, tasks, pure=False)
        left = {future.key: task for future, task in zip(futures, tasks, strict=True)}
        completed: Any = distributed.as_completed(futures, loop=client.loop, raise_errors=False)
        del futures
        for future in completed:
            found = _result(future, left[future.key])
            future.release()
            del left[future.key]
            yield found
    except (OSError, RuntimeError, distributed.CancelledError) as error:
        first = title(next(iter(left.values()), "all runs"))
        raise RuntimeError(
            f"{first} and {max(len(left), 1) - 1} others: the connection to the scheduler was lost "
            f"({_said(error)}): start it again, and the same command goes on"
        ) from None


def _result(future: Any, task: Task) -> "Record | Failed":
    if future.status == "cancelled":
        raise RuntimeError("cancelled")
    if future.status == "error":
        return Failed(task, _said(future.exception()))
    found: Record | Failed = future.result()
    return found
