"""Programs that serve on this machine and end with the block, or with the process that started them.

Belongs here: a free port, waiting for an answer, storage that speaks S3. Does not: what is asked of them, a Dask cluster
(`cluster/clusters.py`), and servers of our own (`replay/server.py`, `faulty.py`).
"""

import contextlib
import ctypes
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

LOOPBACK = "127.0.0.1"
PORTS = range(20_000, 32_000)
PATIENCE = 60.0
"""Seconds after which whatever is waited for has failed."""


def free_port() -> int:
    """A port that a server may also take again later: none of those that systems give to connections that go out."""
    for port in random.sample(PORTS, len(PORTS)):
        with contextlib.suppress(OSError), socket.create_server((LOOPBACK, port)):
            return port
    raise AssertionError(f"no port of {LOOPBACK} is free between {PORTS[0]} and {PORTS[-1]}")


def wait_for(true: Callable[[], object], what: str) -> None:
    """Raises AssertionError where it does not come true."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)


def end_with_parent() -> None:
    """Asks the system to end this process when the one that started it is gone, however that ended."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def heed_keys() -> None:
    """Has this process end by the key that interrupts, also where the tests run in the background and ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextlib.contextmanager
def storage(program: Path | str, bucket: str = "") -> Iterator[str]:
    """Host and port of storage that speaks S3. program: moto's server; bucket: one that is made in it."""
    port = free_port()
    place = f"{LOOPBACK}:{port}"
    words = [str(program), "-H", LOOPBACK, "-p", str(port)]
    nowhere = subprocess.DEVNULL
    with subprocess.Popen(words, stdout=nowhere, stderr=nowhere, preexec_fn=end_with_parent) as server:
        try:
            wait_for(lambda: _answers(f"http://{place}/moto-api/"), "the storage")
            if bucket:
                made = urllib.request.Request(f"http://{place}/{bucket}", method="PUT")
                urllib.request.urlopen(made, timeout=10).close()
            yield place
        finally:
            server.terminate()
            server.wait(timeout=15)


def _answers(address: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5):
        return True
    return False
