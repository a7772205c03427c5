"""The fast engine of `pubmed_scan`, where it has been compiled: its library found, proved to be of this source, called.

Belongs here: the calls of `pubmed_scan.c`, whose comments say what it does. Does not belong here: anything that would
make a result depend on whether it is there.
"""

import ctypes
import hashlib
import platform
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SOURCE = Path(__file__).with_name("pubmed_scan.c")
LIBRARY = SOURCE.with_name("libpubmed_scan.so")

SILENT, ASKED, IRREGULAR = range(3)
_SHORTEST = len(b"</PubmedArticle>")


class RawCut(NamedTuple):
    """What `cut` says of the articles of a buffer.

    ends, pmids, versions: as in `pubmed_scan.Cut`. signs: SILENT, ASKED (the pattern decides) or IRREGULAR.
    text: the parts of the asked, each with a line's end behind it. text_ends: how far it reaches with each article.
    """

    ends: NDArray[np.int64]
    pmids: NDArray[np.int64]
    versions: NDArray[np.int64]
    signs: NDArray[np.uint8]
    text: bytes
    text_ends: NDArray[np.int64]


class Engine:
    """The loaded library, with the room that its answers take: every call would have to fetch it anew."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._cut = library.cut
        self._cut.restype = ctypes.c_int64
        self._cut.argtypes = (ctypes.c_void_p, ctypes.c_int64, *[ctypes.c_void_p] * 7)
        self._make_room(1 << 18)

    def _make_room(self, size: int) -> None:
        self._size, most = size, size // _SHORTEST + 1
        self._numbers = np.empty((4, most), np.int64)
        self._signs = np.empty(most, np.uint8)
        self._text = np.empty(2 * size + most, np.uint8)  # two lists can lie in one another, and be copied twice
        ends, pmids, versions, text_ends = (row.ctypes.data for row in self._numbers)
        self._places = ends, pmids, versions, self._signs.ctypes.data, self._text.ctypes.data, text_ends

    def cut(self, text: NDArray[np.uint8], sieve: NDArray[np.uint64]) -> RawCut | None:
        """The articles that end in the text, whose bytes lie one behind the other; None where it is no UTF-8."""
        if len(text) > self._size:
            self._make_room(2 * len(text))
        count = self._cut(text.ctypes.data, len(text), sieve.ctypes.data, *self._places)
        if count < 0:
            return None
        ends, pmids, versions, text_ends = self._numbers[:, :count].copy()
        asked = self._text[: text_ends[-1]].tobytes() if count else b""
        return RawCut(ends, pmids, versions, self._signs[:count].copy(), asked, text_ends)


def digest() -> str:
    """What the library must be built from and for: this source, and a processor that can do what this one can."""
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text(encoding="utf-8").splitlines() if cpu.is_file() else [platform.processor()]
    can = sorted({line for line in lines if line.startswith(("flags", "Features", "isa"))}) or lines[:1]
    return hashlib.sha256("\n".join([platform.machine(), *can]).encode() + SOURCE.read_bytes()).hexdigest()


def compile_library(compiler: str) -> None:
    """Compiles the engine for this very machine. Raises OSError or CalledProcessError where that cannot be done."""
    aside = LIBRARY.with_suffix(".part")
    options = ["-O3", "-march=native", "-shared", "-fPIC", f'-DSOURCE_DIGEST="{digest()}"']
    subprocess.run([compiler, *options, "-o", str(aside), str(SOURCE)], check=True)
    aside.replace(LIBRARY)


def _engine() -> Engine | None:
    try:
        library = ctypes.CDLL(str(LIBRARY))
        built_from = ctypes.c_char_p.in_dll(library, "source_digest")
    except (OSError, ValueError):  # never compiled, for another kind of machine, or no library of ours
        return None
    return Engine(library) if (built_from.value or b"").decode() == digest() else None


ENGINE = _engine()
"""None where the portable engine does the work."""

if __name__ == "__main__":
    compile_library(*sys.argv[1:])
