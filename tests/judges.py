"""Programs of others that judge a release, in environments of their own below `data/peers`.

Belongs here: where they are, and how they get there. `python -m tests.judges` installs them. What they are asked stands
in `integration/test_release_outside.py`.
"""

import subprocess
import sys
import tomllib
import venv
from pathlib import Path

from tests.peers import FOLDER

EXTRAS = ("release", "citation", "remote")


def program(extra: str, name: str) -> Path:
    """Where a program of an extra lies, installed or not."""
    return FOLDER / f"judges-{extra}" / "bin" / name


def install() -> None:
    """Installs what pyproject.toml names. Raises RuntimeError where that cannot be."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for extra in EXTRAS:
        python = program(extra, "python")
        if not python.exists():
            venv.create(python.parents[1], symlinks=True)
        wanted = project["optional-dependencies"][extra]
        command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", *wanted]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise RuntimeError(f"The judges {extra!r} could not be installed ({last}): check the network.")


if __name__ == "__main__":
    install()
