"""Text read in blocks of whole lines: the memory that a file takes depends neither on its size nor on the length of its lines."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

BLOCK_CHARACTERS = 1 << 20
MAX_LINE = 1 << 20
"""Longest line, in characters with its end: a file without line ends must not fill the memory."""
_SHOWN = 1_000


@dataclass(frozen=True)
class Block:
    """Some whole lines. Where the last of them is longer than MAX_LINE, only its beginning is there."""

    text: str
    too_long: bool

    def lines(self) -> list[str]:
        """The lines with their ends, which are those of text files: `str.splitlines` knows others."""
        return io.StringIO(self.text, newline="").readlines()


def read_blocks(text: TextIO, characters: int = BLOCK_CHARACTERS) -> Iterator[Block]:
    """The lines of a text that was opened with `newline=""`, about `characters` at a time, no more than MAX_LINE."""
    while block := text.read(characters):
        # The block may have ended with a line; another one then does no harm.
        block += text.readline(MAX_LINE)
        last = block[_last_line(block) :]
        too_long = len(last) > MAX_LINE or (len(last) == MAX_LINE and not last.endswith(("\n", "\r")))
        if too_long:
            if not last.endswith(("\n", "\r")):
                _skip_line(text)
            block = block[: len(block) - len(last) + _SHOWN]
        yield Block(block, too_long)


def _last_line(block: str) -> int:
    """Where the last line begins."""
    end = len(block.removesuffix("\n").removesuffix("\r"))
    return max(block.rfind("\n", 0, end), block.rfind("\r", 0, end)) + 1


def _skip_line(text: TextIO) -> None:
    while (rest := text.readline(MAX_LINE)) and not rest.endswith(("\n", "\r")):
        pass
