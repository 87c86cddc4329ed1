"""The Dask cluster of a run: one that there is, or one of this machine's processes."""

from __future__ import annotations

import logging
import shutil
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from distributed import Client, Scheduler, SpecCluster, Worker

if TYPE_CHECKING:
    from collections.abc import Iterator

_NEEDS = ("tap-analytics",)
_NO_DASHBOARD = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
"""Dask serves its state over HTTP, on all addresses of the machine unless told otherwise."""


class ClusterError(Exception):
    """There is no cluster to work with; the text says why."""


@contextmanager
def connected(
    scheduler: str | None, *, workers: int, threads: int, timeout: float
) -> Iterator[Client]:
    """Yield a client of a scheduler, or of workers that live as long as the block.

    Args:
        scheduler: The scheduler's address; TLS and the like are as Dask is configured.
        workers: Without it, how many workers to start in this process.
        threads: How many accounts each of them reads at once.
        timeout: Seconds to wait for the scheduler and a first worker.

    Raises:
        ClusterError: Nobody answers.
    """
    if scheduler is None:
        with _local(workers, threads) as cluster, Client(cluster) as client:
            yield client
        return
    try:
        client = Client(scheduler, timeout=timeout)
    except (OSError, ValueError) as error:
        text = f"no scheduler answers at {scheduler}: {error}"
        raise ClusterError(text) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=timeout)
        except TimeoutError:
            text = f"the scheduler at {scheduler} has no worker after {timeout:.0f} s"
            raise ClusterError(text) from None
        yield client


def _local(workers: int, threads: int) -> SpecCluster:
    """Return a cluster within this process.

    Taps and targets are processes anyhow, and Ctrl-C would end workers of their own with us.
    """
    worker = {"nthreads": threads, "memory_limit": 0, "protocol": "inproc://", **_NO_DASHBOARD}
    return SpecCluster(
        scheduler={"cls": Scheduler, "options": {"protocol": "inproc://", **_NO_DASHBOARD}},
        workers={number: {"cls": Worker, "options": worker} for number in range(workers)},
        # What becomes of an account is said by us, once it is final.
        silence_logs=logging.CRITICAL,
    )


def inspect(client: Client, program: str) -> list[str]:
    """Return what keeps workers from doing their work."""
    ours = version(_NEEDS[0])
    found: dict[str, Any] = client.run(look, program, on_error="return")
    troubles = []
    for address, answer in found.items():
        if isinstance(answer, BaseException):
            troubles.append(f"worker {address} cannot run tap-analytics: {answer}")
            continue
        theirs, has_program = answer
        if theirs != ours:
            troubles.append(f"worker {address} has tap-analytics {theirs}, and not {ours}")
        if not has_program:
            troubles.append(f"worker {address} finds no program '{program}'")
    return troubles


def look(program: str) -> tuple[str, bool]:
    """Return, on a worker, its version of the tap and whether it finds a program."""
    return version(_NEEDS[0]), shutil.which(program) is not None
