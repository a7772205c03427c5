"""Shards: one of 2^n small gzip files, named by the last bits of the CRC-32 of what is looked up in them.

Belongs here: how many there are, in which one a key lies, and how one is written. Does not: what they hold (`lookup`,
`reviewing`), and the key of a number (`spelling`). `static/shards.js` finds the same file.
"""

import gzip
import zlib
from pathlib import Path


def count(entries: int, most: int) -> int:
    """The power of two that gives each shard at most so many entries, on average."""
    found = 1
    while entries > most * found:
        found *= 2
    return found


def shard_of(key: str, shards: int) -> int:
    return zlib.crc32(key.encode()) % shards


def write(folder: Path, shard: int, content: bytes) -> None:
    """Writes a shard: the same content is the same bytes."""
    (folder / f"{shard}.json.gz").write_bytes(gzip.compress(content, 6, mtime=0))
