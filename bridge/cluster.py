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

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from bridge.runs import Failed, Mapper, Task

if TYPE_CHECKING:
    from bridge.store import Record

PATIENCE = "10s"  # for a scheduler to answer


def connect(address: str) -> Mapper:
    """Return a mapper that runs tasks on the Dask scheduler at ``address``.

    A task whose worker dies goes to another one; one that has taken several workers with it fails.

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
    try:
        client: Any = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(
            f"expected a Dask scheduler at {address}, got: {error}: start one there"
        ) from None

    def mapper(
        function: "Callable[[Task], Record | Failed]", tasks: Sequence[Task]
    ) -> "Iterator[Record | Failed]":
        with client:
            yield from _results(client, function, tasks)

    return mapper


def _results(client: Any, function: Any, tasks: Sequence[Task]) -> "Iterator[Record | Failed]":
    """Yield the results as they come, each let go by the cluster once it is here."""
    from dask import distributed

    futures = client.map(function, tasks, pure=False)
    task_of = {future.key: task for future, task in zip(futures, tasks, strict=True)}
    completed: Any = distributed.as_completed(futures, loop=client.loop, raise_errors=False)
    del futures
    for future in completed:
        if future.status == "cancelled":
            raise RuntimeError("the connection to the scheduler was lost: start it again")
        if future.status == "error":
            yield Failed(task_of[future.key], " ".join(str(future.exception()).split()))
        else:
            yield future.result()
        future.release()
