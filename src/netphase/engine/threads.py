"""Threads for many runs at once; those in flight give up when something goes wrong."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from netphase import engine

_PREFIX = "netphase"


def cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def spare_cores() -> int:
    """Cores for one run: all of them, or one where it is itself one of many in `run_threads`."""
    return 1 if threading.current_thread().name.startswith(_PREFIX) else cores()


@contextmanager
def run_threads(count: int | None = None) -> Iterator[ThreadPoolExecutor]:
    """Threads whose runs give up where the caller is interrupted or fails, instead of finishing.

    Args:
        count: how many; one a core by default.

    Yields:
        The pool; all of its runs have ended when the context ends.
    """
    pool = ThreadPoolExecutor(cores() if count is None else count, thread_name_prefix=_PREFIX)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        engine.request_stop(True)
        try:
            pool.shutdown(wait=True)
        finally:
            engine.request_stop(False)
        raise
    pool.shutdown()
