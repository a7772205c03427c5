"""What a piece of work costs. Nothing but the standard library: the peers' environment imports this as well.

CPU seconds rather than wall time, so that a noisy machine matters less.
"""

import json
import re
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
RUNS = 3


def spent() -> float:
    """CPU seconds of this process and of the processes that it started and that have ended."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, kinds))


def cpu(work: Callable[[], object]) -> float:
    began = spent()
    work()
    return spent() - began


def in_turn(first: Callable[[], object], second: Callable[[], object]) -> tuple[float, float]:
    """Median CPU seconds of two pieces of work that are run in turn, after one run each that does not count."""
    first()
    second()
    costs = [(cpu(first), cpu(second)) for _ in range(RUNS)]
    return statistics.median(a for a, _ in costs), statistics.median(b for _, b in costs)


def peak_mb() -> float:
    """The most memory that this process held, or any that it started and that has ended."""
    # What getrusage says of a process itself begins with what its parent held when it was started.
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text()) if status.is_file() else None
    own = int(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


def tell(work: Callable[[], Mapping[str, Any]]) -> None:
    """Does the work and prints what it cost and what it returns as one line of JSON."""
    began, used = time.perf_counter(), spent()
    counts = work()
    cost = {"cpu": spent() - used, "wall": time.perf_counter() - began, "peak_mb": peak_mb()}
    print(json.dumps({**cost, **counts}))


def alone(module: str, *words: object, python: str | Path = sys.executable) -> dict[str, Any]:
    """The cost that a module tells, run in a process of its own. Raises RuntimeError where it fails."""
    command = [str(python), "-m", module, *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        what = f"{module.rpartition('.')[2]} {Path(str(words[0])).name}"  # the page names no folder of this machine
        raise RuntimeError(f"{what} failed; the output of the run says why")
    cost: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return cost


def medians(
    contenders: Mapping[str, Callable[[], dict[str, Any]]], once: Sequence[str] = ()
) -> dict[str, dict[str, Any]]:
    """The run of median CPU seconds of each contender, all run in turn; once: those too slow to be run again."""
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in contenders}
    for number in range(RUNS):
        for name, run in contenders.items():
            if number == 0 or name not in once:
                runs[name].append(run())
    return {name: sorted(costs, key=lambda cost: cost["cpu"])[len(costs) // 2] for name, costs in runs.items()}
