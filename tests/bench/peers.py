"""The peers' environment: packages that do the same work, at pinned versions, away from our own.

`data/peers/venv` is made where it is missing, from the extra `peers` of pyproject.toml. A package that cannot be
installed stops nothing: what needs it is not measured. What the peers are asked to do stands in `peer_work`.
"""

import functools
import subprocess
import sys
import tomllib
import venv
from collections.abc import Callable
from typing import Any

from tests.bench.cost import ROOT, alone
from tests.peers import FOLDER

VENV = FOLDER / "venv"
PYTHON = VENV / "bin" / "python"
WORK = "tests.bench.peer_work"
NOT_THERE = "could not be installed"


def requirements() -> dict[str, str]:
    """The packages by name, as pinned."""
    with (ROOT / "pyproject.toml").open("rb") as handle:
        pins: list[str] = tomllib.load(handle)["project"]["optional-dependencies"]["peers"]
    return {pin.partition("==")[0]: pin for pin in pins}


@functools.cache
def versions() -> dict[str, str | None]:
    """The version of each package; None where it is not there and could not be installed either."""
    if not PYTHON.exists():
        venv.create(VENV, symlinks=True)
    for name, pin in requirements().items():
        if _installed()[name] != pin.partition("==")[2]:
            _install(pin)
    return _installed()


def _installed() -> dict[str, str | None]:
    found = alone(WORK, "installed", *requirements(), python=PYTHON)
    return {name: found[name] for name in requirements()}


def _install(pin: str) -> None:
    """One at a time: one that fails takes no other with it."""
    command = [sys.executable, "-m", "pip", "--python", str(PYTHON), "install", "--quiet", pin]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        print(f"{pin} {NOT_THERE}: {said}", file=sys.stderr)


def has(*packages: str) -> bool:
    return all(versions()[package] for package in packages)


def work(piece: str, *words: object) -> Callable[[], dict[str, Any]]:
    """A piece of a peer's work, to be run in a process of its own."""
    return functools.partial(alone, WORK, piece, *words, python=PYTHON)
