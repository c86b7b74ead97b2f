"""Our own words coming back: the surest sign of a quote, in any language and however it was wrapped again."""

import re
from collections.abc import Sequence
from itertools import pairwise

from chalicelib.domain.quoting import MAX_LINE_CHARS

MAX_KNOWN_MESSAGES = 10
MAX_KNOWN_CHARS = 50_000
MAX_MATCHED_CHARS = 200_000
SHINGLE = 24
"""Characters, blanks not counted, that must agree before a stretch counts as ours."""


def repeated_lines(lines: Sequence[str], known: Sequence[str]) -> list[int]:
    """Lines that repeat what we wrote, however they were wrapped again or marked."""
    shingles: set[str] = set()
    short: set[str] = set()
    for message in known[:MAX_KNOWN_MESSAGES]:
        squeezed = _squeezed(message[:MAX_KNOWN_CHARS])
        shingles.update(squeezed[start : start + SHINGLE] for start in range(max(0, len(squeezed) - SHINGLE + 1)))
        short.update(filter(None, map(_squeezed, message[:MAX_KNOWN_CHARS].split("\n"))))
    if not shingles:
        return []
    covered = _covered(lines, shingles)
    return _with_short_neighbours(lines, covered, short)


def _squeezed(text: str) -> str:
    return re.sub(r"[\s>*_|]+", "", text).casefold()


def _covered(lines: Sequence[str], shingles: set[str]) -> list[bool]:
    """True for lines four fifths of whose characters lie in a stretch of ours."""
    squeezed: list[str] = []
    total = 0
    for line in lines:
        squeezed.append(_squeezed(line) if total < MAX_MATCHED_CHARS else "")
        total += len(squeezed[-1])
    stream = "".join(squeezed)[: 2 * MAX_MATCHED_CHARS]
    hits = bytearray(len(stream) + SHINGLE)
    reach = 0
    for start in range(len(stream) - SHINGLE + 1):
        if stream[start : start + SHINGLE] in shingles:
            for place in range(max(reach, start), start + SHINGLE):
                hits[place] = 1
            reach = start + SHINGLE
    covered: list[bool] = []
    position = 0
    for line in squeezed:
        inside = hits.count(1, position, position + len(line))
        covered.append(bool(line) and inside * 5 >= len(line) * 4)
        position += len(line)
    return covered


def _with_short_neighbours(lines: Sequence[str], covered: Sequence[bool], short: set[str]) -> list[int]:
    """Greetings and names are too short to match alone; next to matched lines they are part of the quote."""
    marked = list(covered)
    squeezed = [_squeezed(line[:MAX_LINE_CHARS]) for line in lines]
    for order in (range(1, len(lines)), range(len(lines) - 2, -1, -1)):
        step = -1 if order.step == 1 else 1
        for index in order:
            neighbour = index + step
            while 0 <= neighbour < len(lines) and not squeezed[neighbour] and abs(neighbour - index) < 3:
                neighbour += step
            inside = 0 <= neighbour < len(lines)
            if not marked[index] and inside and marked[neighbour] and squeezed[index] in short:
                marked[index] = True
    filled = [index for index, line in enumerate(squeezed) if line]
    for above, below in pairwise(filled):
        if marked[above] and marked[below]:
            marked[above:below] = [True] * (below - above)
    return [index for index, mark in enumerate(marked) if mark]
