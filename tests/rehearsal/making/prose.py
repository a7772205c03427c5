"""Long texts for records that are to be as large as real ones: words of no language, in sentences.

Belongs here: text that says nothing and that no rule finds anything in. It holds no digit, so no number of a trial.
"""

from random import Random

PIECES = 512
"""Paragraphs that all texts are put together from: more than fit into the window of what packs them."""
_HEADS = [
    "be",
    "ca",
    "de",
    "fo",
    "ga",
    "hi",
    "ju",
    "ke",
    "la",
    "mo",
    "ne",
    "or",
    "pa",
    "qui",
    "ro",
    "su",
    "ta",
    "ul",
    "ve",
    "wi",
]
_MIDDLES = [
    "bar",
    "cen",
    "dim",
    "fer",
    "gol",
    "han",
    "ils",
    "kem",
    "lor",
    "men",
    "nis",
    "pol",
    "ran",
    "sit",
    "tum",
    "ver",
]
_TAILS = ["a", "al", "e", "ed", "en", "er", "es", "ing", "ion", "is", "o", "or", "um", "us", "y"]
_PLAIN = [
    "the",
    "of",
    "and",
    "in",
    "to",
    "with",
    "for",
    "was",
    "were",
    "by",
    "at",
    "from",
    "on",
    "or",
    "after",
    "before",
    "group",
    "patients",
    "treatment",
]


def paragraphs(seed: int, length: int = 400) -> list[str]:
    """PIECES paragraphs of about so many characters; the same for the same seed."""
    random = Random(seed)
    words = sorted({h + m + t for h in _HEADS for m in _MIDDLES for t in _TAILS})
    return [_paragraph(random, words, length) for _ in range(PIECES)]


def _paragraph(random: Random, words: list[str], length: int) -> str:
    said: list[str] = []
    size = 0
    while size < length:
        # Few words are frequent, as in any text, so that it packs like one.
        word = random.choice(_PLAIN) if random.random() < 0.45 else words[int(len(words) * random.random() ** 3)]
        said.append(word)
        size += len(word) + 1
    return " ".join(said).capitalize() + "."


def text(pieces: list[str], first: int, length: int) -> str:
    """Paragraphs from the first one on, until there are so many characters."""
    said: list[str] = []
    size, place = 0, first * 7
    while size < length:
        said.append(pieces[place % PIECES])
        size += len(said[-1]) + 1
        place += 1 + first % 5
    return " ".join(said)
