"""Pictures and papers for the demo data, drawn on the spot: nothing binary lies in the repository."""

import struct
import zlib

SIZE = 160
COLOURS = ((38, 84, 124), (122, 130, 138), (196, 138, 92), (94, 138, 108), (176, 72, 72))
PAPER = (250, 248, 244)


def draw(name: str) -> tuple[bytes, str, str]:
    """Content, main type and sub type of a file by its name: a mug for a picture, one page for a paper."""
    if name.endswith(".pdf"):
        return page(name.removesuffix(".pdf").replace("-", " ")), "application", "pdf"
    return mug(COLOURS[zlib.crc32(name.encode()) % len(COLOURS)]), "image", "png"


def mug(colour: tuple[int, int, int]) -> bytes:
    """A small PNG of a mug."""
    rows = b"".join(b"\x00" + b"".join(bytes(_pixel(x, y, colour)) for x in range(SIZE)) for y in range(SIZE))
    header = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def page(title: str) -> bytes:
    """A PDF of one page that says ``title``."""
    safe = "".join(char for char in title if char.isascii() and char not in "()\\")
    text = f"BT /F1 18 Tf 72 760 Td (Northwind Mugs: {safe}) Tj ET".encode()
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    made, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(made))
    return made + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + trailer


def _pixel(x: int, y: int, colour: tuple[int, int, int]) -> tuple[int, int, int]:
    if 40 <= x < 105 and 45 <= y < 125:
        return colour
    from_handle = (x - 105) ** 2 + (y - 82) ** 2
    return colour if x >= 105 and 14**2 <= from_handle < 24**2 else PAPER


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
