"""A QR code as inline SVG, for setting up a second factor: byte mode, error level M, versions 1 to 10.

Own code, since a library would ship to every function for this one picture.  Always mask 0: readers take any.
Source: ISO/IEC 18004:2015; numbers of the clauses in the comments.
"""

from collections.abc import Iterator
from functools import lru_cache

from markupsafe import Markup

# 7.5.1, table 9, level M: error codewords in a block, then (blocks, data codewords in each)
BLOCKS: tuple[tuple[int, tuple[tuple[int, int], ...]], ...] = (
    (10, ((1, 16),)), (16, ((1, 28),)), (26, ((1, 44),)), (18, ((2, 32),)), (24, ((2, 43),)),
    (16, ((4, 27),)), (18, ((4, 31),)), (22, ((2, 38), (2, 39))), (22, ((3, 36), (2, 37))), (26, ((4, 43), (1, 44))),
)  # fmt: skip
ALIGNMENT = ((), (18,), (22,), (26,), (30,), (34,), (22, 38), (24, 42), (26, 46), (28, 50))  # annex E, beside 6
LEVEL_M, MASK = 0b00, 0
FORMAT_GENERATOR, FORMAT_MASK = 0b10100110111, 0b101010000010010  # 7.9
VERSION_GENERATOR = 0b1111100100101  # 7.10
FIELD = 0x11D  # 7.5.2: x^8 + x^4 + x^3 + x^2 + 1
PADDING = (0xEC, 0x11)
QUIET_ZONE = 4

Grid = list[list[bool | None]]
"""Rows of modules: dark, light, or not placed yet."""


def qr_svg(text: str, label: str) -> Markup:
    """The picture, scaling with its box; "" when the text is too long for one."""
    grid = qr_grid(text)
    if grid is None:
        return Markup("")
    size = len(grid) + 2 * QUIET_ZONE
    path = "".join(
        f"M{x + QUIET_ZONE} {y + QUIET_ZONE}h1v1h-1z"
        for y, row in enumerate(grid)
        for x, dark in enumerate(row)
        if dark
    )
    return Markup(
        '<svg class="qr" viewBox="0 0 {0} {0}" width="{1}" height="{1}" role="img" aria-label="{2}" '
        'shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{0}v{0}H0z"/><path fill="#000" d="{3}"/></svg>'
    ).format(size, size * 4, label, path)


def qr_grid(text: str) -> list[list[bool]] | None:
    """Rows of modules, True is dark; None when the text does not fit version 10."""
    data = text.encode()
    version = next((each for each in range(1, 11) if len(data) + (2 if each < 10 else 3) <= _capacity(each)), None)
    if version is None:
        return None
    grid = _with_patterns(version)
    _place(grid, _interleaved(version, _codewords(version, data)))
    return [[bool(module) for module in row] for row in grid]


# Codewords (7.4 and 7.5)


def _capacity(version: int) -> int:
    return sum(count * size for count, size in BLOCKS[version - 1][1])


def _codewords(version: int, data: bytes) -> list[int]:
    bits = f"{0b0100:04b}{len(data):0{8 if version < 10 else 16}b}" + "".join(f"{byte:08b}" for byte in data)
    room = _capacity(version) * 8
    bits += "0" * min(4, room - len(bits))
    bits += "0" * (-len(bits) % 8)
    words = [int(bits[at : at + 8], 2) for at in range(0, len(bits), 8)]
    return words + [PADDING[n % 2] for n in range(_capacity(version) - len(words))]


def _interleaved(version: int, words: list[int]) -> list[int]:
    errors, groups = BLOCKS[version - 1]
    blocks, at = [], 0
    for count, size in groups:
        for _ in range(count):
            blocks.append(words[at : at + size])
            at += size
    checks = [_remainder(block, errors) for block in blocks]
    longest = max(map(len, blocks))
    data = [block[n] for n in range(longest) for block in blocks if n < len(block)]
    return data + [check[n] for n in range(errors) for check in checks]


@lru_cache(maxsize=1)
def _logarithms() -> tuple[list[int], dict[int, int]]:
    powers, value = [], 1
    for _ in range(255):
        powers.append(value)
        value = (value << 1) ^ (FIELD if value & 0x80 else 0)
    return powers, {power: exponent for exponent, power in enumerate(powers)}


def _times(a: int, b: int) -> int:
    powers, exponents = _logarithms()
    return powers[(exponents[a] + exponents[b]) % 255] if a and b else 0


def _remainder(block: list[int], errors: int) -> list[int]:
    """Reed-Solomon: the block divided by the product of (x - 2^n) for n below ``errors``."""
    generator = [1]
    for n in range(errors):
        root = _logarithms()[0][n]
        generator = [a ^ _times(b, root) for a, b in zip([*generator, 0], [0, *generator], strict=True)]
    rest = [*block, *([0] * errors)]
    for at in range(len(block)):
        factor = rest[at]
        for offset, coefficient in enumerate(generator):
            rest[at + offset] ^= _times(coefficient, factor)
    return rest[len(block) :]


# Modules (6.3, 7.7 to 7.10)


def _with_patterns(version: int) -> Grid:
    size = 17 + 4 * version
    grid: Grid = [[None] * size for _ in range(size)]
    for top, left in ((0, 0), (0, size - 7), (size - 7, 0)):
        _finder(grid, top, left)
    centres = (6, *ALIGNMENT[version - 1]) if version > 1 else ()
    for row in centres:
        for column in centres:
            if grid[row][column] is None:
                _square(grid, row, column)
    for at in range(8, size - 8):
        grid[6][at] = grid[at][6] = at % 2 == 0
    grid[size - 8][8] = True
    _format(grid)
    if version >= 7:
        _version(grid, version)
    return grid


def _finder(grid: Grid, top: int, left: int) -> None:
    size = len(grid)
    for row in range(max(0, top - 1), min(size, top + 8)):
        for column in range(max(0, left - 1), min(size, left + 8)):
            ring = max(abs(row - top - 3), abs(column - left - 3))
            grid[row][column] = ring not in (2, 4)


def _square(grid: Grid, row: int, column: int) -> None:
    for y in range(-2, 3):
        for x in range(-2, 3):
            grid[row + y][column + x] = max(abs(y), abs(x)) != 1


def _checked(value: int, generator: int) -> int:
    """The value with its BCH remainder behind it."""
    degree = generator.bit_length() - 1
    rest = value << degree
    while rest.bit_length() > degree:
        rest ^= generator << (rest.bit_length() - degree - 1)
    return (value << degree) | rest


def _format(grid: Grid) -> None:
    size = len(grid)
    bits = _checked(LEVEL_M << 3 | MASK, FORMAT_GENERATOR) ^ FORMAT_MASK
    beside = [(8, n if n < 6 else n + 1) for n in range(8)] + [(7, 8)] + [(5 - n, 8) for n in range(6)]
    apart = [(size - 1 - n, 8) for n in range(7)] + [(8, size - 8 + n) for n in range(8)]
    for n in range(15):
        dark = bool(bits >> (14 - n) & 1)
        for row, column in (beside[n], apart[n]):
            grid[row][column] = dark


def _version(grid: Grid, version: int) -> None:
    size, bits = len(grid), _checked(version, VERSION_GENERATOR)
    for n in range(18):
        dark = bool(bits >> n & 1)
        grid[n // 3][size - 11 + n % 3] = grid[size - 11 + n % 3][n // 3] = dark


def _place(grid: Grid, words: list[int]) -> None:
    bits = (bool(word >> (7 - n) & 1) for word in words for n in range(8))
    for row, column in _free(grid):
        masked = (row + column) % 2 == 0
        grid[row][column] = next(bits, False) ^ masked


def _free(grid: Grid) -> Iterator[tuple[int, int]]:
    """Free modules in pairs of columns from the right, up and down in turn; column 6 is timing."""
    size = len(grid)
    upwards = True
    for right in [*range(size - 1, 6, -2), *range(5, 0, -2)]:
        for row in range(size - 1, -1, -1) if upwards else range(size):
            for column in (right, right - 1):
                if grid[row][column] is None:
                    yield row, column
        upwards = not upwards
