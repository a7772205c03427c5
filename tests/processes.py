"""What Linux tells of running processes under /proc: who started whom, what they spent, hold and read.

Nothing but the standard library. Of a process that has gone nothing is told, and elsewhere than on Linux of none.
"""

import os
import re
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")


def stat(pid: int) -> list[str]:
    """The fields behind the program's name, which may itself hold blanks; none where the process is gone."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and waits for its parent does not."""
    fields = stat(pid)
    return bool(fields) and fields[0] != "Z"


def tree(root: int) -> list[int]:
    """The process and those that it and they started, as far as they live."""
    parents = {pid: stat(pid)[1:2] for pid in (int(p.name) for p in PROC.glob("[0-9]*"))}
    found = [root]
    for known in found:  # grows as it goes
        found += [pid for pid, parent in parents.items() if parent == [str(known)]]
    return found


def cpu(pid: int, *, ended: bool = False) -> float:
    """CPU seconds of a process; ended: and of those that it started, that have ended and that it awaited."""
    return sum(map(int, stat(pid)[11 : 15 if ended else 13])) / TICKS


def pss_mb(pid: int) -> float:
    """Megabytes that a process holds now; of pages that it shares, its part."""
    return _kilobytes(pid, "smaps_rollup", "Pss") / 1024


def peak_mb(pid: int) -> float:
    """The most megabytes that a process has held."""
    return _kilobytes(pid, "status", "VmHWM") / 1024


def _kilobytes(pid: int, file: str, name: str) -> int:
    try:
        found = re.search(rf"^{name}:\s*(\d+) kB", (PROC / str(pid) / file).read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) if found else 0


def holds(pid: int, path: Path) -> bool:
    """Whether the process has the file open."""
    try:
        return any(fd.readlink() == path for fd in (PROC / str(pid) / "fd").iterdir())
    except OSError:
        return False
