"""Attachments that other readers lose, cut or rename; every expected byte is written here."""

import base64
import binascii
import struct

from .build import attached, base64_part, composed, html, mail, multipart, nested, part, plain, text_mail, word
from .case import Case

PDF = b"%PDF-1.4\n\x00\x01\xff\xfe binary \r\n line"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
INNER = text_mail("The inner words.", "Subject: Inner mail", "From: Ada <ada@example.com>")
INNER_WITH_FILE = mail(
    "Subject: Inner mail",
    "From: Ada <ada@example.com>",
    'Content-Type: multipart/mixed; boundary="inner"',
    binary=True,
    body=multipart("mixed", plain("See file."), attached("inner.pdf", PDF, "application/pdf"), boundary="inner")[1],
)


def uuencoded(name: str, data: bytes) -> bytes:
    lines = b"".join(binascii.b2a_uu(data[start : start + 45]) for start in range(0, len(data), 45))
    return b"begin 644 " + name.encode() + b"\n" + lines + b"`\nend\n"


def tnef_attribute(level: int, identifier: int, data: bytes) -> bytes:
    return struct.pack("<BII", level, identifier, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def mapi_string(identifier: int, value: str) -> bytes:
    data = value.encode("utf-16-le") + b"\0\0"
    return struct.pack("<HHII", 0x001F, identifier, 1, len(data)) + data + b"\0" * (-len(data) % 4)


def winmail(*files: tuple[str, bytes], body: str = "") -> bytes:
    """A winmail.dat as Outlook writes it: short 8.3 title, long name in the MAPI properties."""
    out = struct.pack("<IH", 0x223E9F78, 1) + tnef_attribute(1, 0x00089006, struct.pack("<I", 0x00010000))
    if body:
        out += tnef_attribute(1, 0x00069003, struct.pack("<I", 1) + mapi_string(0x1000, body))
    for name, data in files:
        out += tnef_attribute(2, 0x00069002, b"\x01\x00" + b"\xff" * 12)
        out += tnef_attribute(2, 0x00018010, b"SHORT~1.DAT\0")
        out += tnef_attribute(2, 0x0006800F, data)
        out += tnef_attribute(2, 0x00069005, struct.pack("<I", 1) + mapi_string(0x3707, name))
    return out


def der(tag: int, *contents: bytes) -> bytes:
    body = b"".join(contents)
    size = len(body).to_bytes(4, "big")
    return bytes([tag, 0x84]) + size + body


def indefinite(tag: int, *contents: bytes) -> bytes:
    return bytes([tag, 0x80]) + b"".join(contents) + b"\0\0"


SIGNED_OID = bytes.fromhex("06092a864886f70d010702")
DATA_OID = bytes.fromhex("06092a864886f70d010701")
ENVELOPED_OID = bytes.fromhex("06092a864886f70d010703")


def opaque_signed(entity: bytes) -> bytes:
    content = der(0x30, DATA_OID, der(0xA0, der(0x04, entity)))
    return der(0x30, SIGNED_OID, der(0xA0, der(0x30, der(0x02, b"\x01"), der(0x31), content)))


def opaque_signed_streamed(entity: bytes) -> bytes:
    """As OpenSSL streams it: indefinite lengths, the content in several strings."""
    half = len(entity) // 2
    octets = indefinite(0x24, der(0x04, entity[:half]), der(0x04, entity[half:]))
    content = indefinite(0x30, DATA_OID, indefinite(0xA0, octets))
    return indefinite(0x30, SIGNED_OID, indefinite(0xA0, indefinite(0x30, der(0x02, b"\x01"), der(0x31), content)))


SIGNED_ENTITY = nested("mixed", plain("Signed words."), attached("deal.pdf", PDF, "application/pdf"), boundary="sg")
P7M = opaque_signed(SIGNED_ENTITY)
P7M_STREAMED = opaque_signed_streamed(SIGNED_ENTITY)
ENCRYPTED = der(0x30, ENVELOPED_OID, der(0xA0, der(0x30, der(0x02, b"\0"))))
WINMAIL = winmail(("Rechnung Größe.pdf", PDF), ("photo.png", PNG))


def named(header: str | bytes, name: str | None, case: str) -> Case:
    raw = composed("mixed", plain("Hi"), base64_part("application/pdf", PDF, header))
    return Case(f"attachment name: {case}", raw, attachments=((name, PDF),), text="Hi")


NAMES: tuple[Case, ...] = (
    named('Content-Disposition: attachment; filename="a b.pdf"', "a b.pdf", "quoted"),
    named("Content-Disposition: attachment; filename=plain.pdf", "plain.pdf", "bare"),
    named("Content-Disposition: attachment; filename=two words.pdf", "two words.pdf", "unquoted blank"),
    named("Content-Disposition: attachment; filename*=utf-8''Gr%C3%B6%C3%9Fe.pdf", "Größe.pdf", "RFC 2231"),
    named(
        "Content-Disposition: attachment; filename*0*=utf-8''Gr%C3%B6; filename*1*=%C3%9Fe; filename*2=.pdf",
        "Größe.pdf",
        "RFC 2231 in pieces",
    ),
    named(
        'Content-Disposition: attachment;\r\n filename*0="one-";\r\n filename*1="two.pdf"',
        "one-two.pdf",
        "plain pieces over folds",
    ),
    named(f'Content-Disposition: attachment; filename="{word("Größe.pdf")}"', "Größe.pdf", "encoded word in quotes"),
    named(f"Content-Disposition: attachment; filename={word('Größe.pdf')}", "Größe.pdf", "bare encoded word"),
    named(
        f'Content-Disposition: attachment; filename="{word("Grö")}\r\n {word("ße.pdf")}"',
        "Größe.pdf",
        "two encoded words",
    ),
    named('Content-Disposition: attachment; filename="Größe.pdf"', "Größe.pdf", "raw utf-8"),
    named('Content-Disposition: attachment; filename="Größe.pdf"'.encode("latin-1"), "Größe.pdf", "raw latin-1"),
    named('Content-Disposition: attachment; filename="../../etc/passwd"', "passwd", "path"),
    named(r'Content-Disposition: attachment; filename="C:\\Users\\Lina\\bill.pdf"', "bill.pdf", "windows path"),
    named('Content-Disposition: attachment; filename="a;b.pdf"', "a;b.pdf", "semicolon in quotes"),
    named(
        "Content-Disposition: attachment; filename*=iso-2022-jp''%1B$BCmJ8%1B(B.pdf",
        "注文.pdf",
        "RFC 2231 in iso-2022-jp",
    ),
    named("Content-Disposition: attachment", None, "none at all"),
    named('Content-Disposition: attachment; filename=""', None, "empty"),
)

ATTACHMENT_CASES: tuple[Case, ...] = (
    *NAMES,
    Case(
        "attachment: name only in the content type",
        composed("mixed", plain("Hi"), base64_part('application/pdf; name="bill.pdf"', PDF)),
        attachments=(("bill.pdf", PDF),),
    ),
    Case(
        "attachment: inline picture of related mail",
        composed(
            "related",
            html('<p>Hi <img src="cid:pic1"></p>'),
            base64_part("image/png; name=pic.png", PNG, "Content-ID: <pic1>", "Content-Disposition: inline"),
        ),
        attachments=(("pic.png", PNG),),
        text="Hi",
    ),
    Case(
        "attachment: inline picture without a name",
        composed(
            "related", html('<p>Hi <img src="cid:pic1"></p>'), base64_part("image/png", PNG, "Content-ID: <pic1>")
        ),
        attachments=((None, PNG),),
    ),
    Case(
        "attachment: attached mail is kept",
        composed("mixed", plain("See below"), part("message/rfc822", INNER)),
        attachments=(("Inner mail.eml", INNER),),
        text="See below",
    ),
    Case(
        "attachment: attached mail with a file",
        composed("mixed", plain("See below"), part("message/rfc822", INNER_WITH_FILE)),
        attachments=(("Inner mail.eml", INNER_WITH_FILE), ("inner.pdf", PDF)),
    ),
    Case(
        "attachment: attached mail in base64",
        composed("mixed", plain("See below"), base64_part("message/rfc822; name=old.eml", INNER)),
        attachments=(("old.eml", INNER),),
    ),
    Case(
        "attachment: digest of two mails",
        composed("mixed", plain("Digest"), nested("digest", b"\r\n" + INNER, b"\r\n" + INNER, boundary="dg")),
        attachments=(("Inner mail.eml", INNER), ("Inner mail.eml", INNER)),
    ),
    Case(
        "attachment: winmail.dat",
        composed("mixed", plain("Hi"), attached("winmail.dat", WINMAIL, "application/ms-tnef")),
        attachments=(("winmail.dat", WINMAIL), ("Rechnung Größe.pdf", PDF), ("photo.png", PNG)),
        text="Hi",
    ),
    Case(
        "attachment: winmail.dat called octet-stream",
        composed("mixed", plain("Hi"), attached("winmail.dat", WINMAIL)),
        attachments=(("winmail.dat", WINMAIL), ("Rechnung Größe.pdf", PDF), ("photo.png", PNG)),
    ),
    Case(
        "attachment: winmail.dat holds the only words",
        composed("mixed", plain(""), attached("winmail.dat", winmail(body="The only words."), "application/ms-tnef")),
        text="The only words.",
    ),
    Case(
        "attachment: winmail.dat cut short",
        composed("mixed", plain("Hi"), attached("winmail.dat", WINMAIL[:60], "application/ms-tnef")),
        attachments=(("winmail.dat", WINMAIL[:60]),),
        banner="winmail.dat",
    ),
    Case(
        "attachment: uuencode in the text",
        text_mail("Hi\n\n" + uuencoded("bill.pdf", PDF).decode() + "\nBye"),
        attachments=(("bill.pdf", PDF),),
        text="Hi\n\nBye",
    ),
    Case(
        "attachment: two uuencoded files",
        text_mail("Hi\n" + uuencoded("a.pdf", PDF).decode() + uuencoded("b.png", PNG).decode()),
        attachments=(("a.pdf", PDF), ("b.png", PNG)),
        text="Hi",
    ),
    Case(
        "attachment: uuencode as a transfer encoding",
        composed(
            "mixed",
            plain("Hi"),
            part("application/pdf; name=bill.pdf", uuencoded("bill.pdf", PDF), "Content-Transfer-Encoding: x-uuencode"),
        ),
        attachments=(("bill.pdf", PDF),),
    ),
    Case(
        "attachment: the word begin starts a sentence",
        text_mail("begin 644 times\nand then stop\n"),
        attachments=(),
        text="begin 644 times\nand then stop",
    ),
    Case(
        "attachment: opaque S/MIME",
        mail(
            "Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m",
            "Content-Transfer-Encoding: base64",
            body=base64.encodebytes(P7M),
        ),
        attachments=(("smime.p7m", P7M), ("deal.pdf", PDF)),
        text="Signed words.",
    ),
    Case(
        "attachment: opaque S/MIME streamed",
        mail(
            "Content-Type: application/x-pkcs7-mime; name=smime.p7m",
            "Content-Transfer-Encoding: base64",
            body=base64.encodebytes(P7M_STREAMED),
        ),
        attachments=(("smime.p7m", P7M_STREAMED), ("deal.pdf", PDF)),
        text="Signed words.",
    ),
    Case(
        "attachment: encrypted S/MIME says so",
        mail(
            "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m",
            "Content-Transfer-Encoding: base64",
            body=base64.encodebytes(ENCRYPTED),
        ),
        attachments=(("smime.p7m", ENCRYPTED),),
        banner="encrypted",
    ),
    Case(
        "attachment: encrypted PGP says so",
        composed(
            "encrypted",
            part("application/pgp-encrypted", b"Version: 1\r\n"),
            part("application/octet-stream; name=encrypted.asc", b"-----BEGIN PGP MESSAGE-----\r\n"),
        ),
        banner="encrypted",
    ),
    Case(
        "attachment: detached signature is listed",
        composed(
            "signed",
            plain("Signed"),
            base64_part(
                "application/pkcs7-signature; name=smime.p7s",
                PDF,
                "Content-Disposition: attachment; filename=smime.p7s",
            ),
        ),
        attachments=(("smime.p7s", PDF),),
    ),
    Case(
        "attachment: empty file",
        composed("mixed", plain("Hi"), attached("empty.txt", b"")),
        attachments=(("empty.txt", b""),),
    ),
    Case(
        "attachment: same name twice",
        composed("mixed", plain("Hi"), attached("a.pdf", PDF), attached("a.pdf", PNG)),
        attachments=(("a.pdf", PDF), ("a.pdf", PNG)),
    ),
    Case(
        "attachment: calendar invitation",
        composed(
            "mixed",
            nested(
                "alternative",
                plain("Come"),
                part("text/calendar; method=REQUEST; name=invite.ics", b"BEGIN:VCALENDAR"),
                boundary="alt",
            ),
        ),
        attachments=(("invite.ics", b"BEGIN:VCALENDAR"),),
        text="Come",
    ),
    Case(
        "attachment: inline text file from Apple Mail",
        composed(
            "mixed",
            plain("See file"),
            part("text/plain; name=notes.txt", b"some notes", "Content-Disposition: inline; filename=notes.txt"),
        ),
        attachments=(("notes.txt", b"some notes"),),
        text="See file",
    ),
    Case(
        "attachment: inline pdf between texts from Apple Mail",
        composed(
            "alternative",
            plain("one\n\ntwo"),
            nested(
                "mixed",
                html("<p>one</p>"),
                base64_part("application/pdf; name=a.pdf", PDF, "Content-Disposition: inline; filename=a.pdf"),
                html("<p>two</p>"),
                boundary="mx",
            ),
        ),
        attachments=(("a.pdf", PDF),),
        text="one\n\ntwo",
    ),
    Case(
        "attachment: base64 with broken lines",
        composed(
            "mixed",
            plain("Hi"),
            part(
                "application/pdf; name=a.pdf",
                base64.b64encode(PDF)[:10] + b"\r\n!!\r\n \r\n" + base64.b64encode(PDF)[10:],
                "Content-Transfer-Encoding: base64",
            ),
        ),
        attachments=(("a.pdf", PDF),),
    ),
    Case(
        "attachment: base64 in two padded pieces",
        composed(
            "mixed",
            plain("Hi"),
            part(
                "application/pdf; name=a.pdf",
                base64.b64encode(b"abcd") + b"\r\n" + base64.b64encode(b"efgh"),
                "Content-Transfer-Encoding: base64",
            ),
        ),
        attachments=(("a.pdf", b"abcdefgh"),),
    ),
    Case(
        "attachment: eight-bit binary",
        composed("mixed", plain("Hi"), part("application/pdf; name=a.pdf", PDF, "Content-Transfer-Encoding: binary")),
        attachments=(("a.pdf", PDF),),
    ),
    Case(
        "attachment: quoted-printable file",
        composed(
            "mixed",
            plain("Hi"),
            part("text/csv; name=a.csv", b"a=3Bb=\r\n;c", "Content-Transfer-Encoding: quoted-printable"),
        ),
        attachments=(("a.csv", b"a;b;c"),),
    ),
    Case(
        "attachment: apple double",
        composed(
            "mixed",
            plain("Hi"),
            nested(
                "appledouble",
                base64_part("application/applefile; name=a.jpg", b"fork"),
                base64_part("image/jpeg; name=a.jpg", PNG),
                boundary="ad",
            ),
        ),
        attachments=(("a.jpg", b"fork"), ("a.jpg", PNG)),
    ),
    Case(
        "attachment: picture is the whole mail",
        mail("Content-Type: image/png; name=a.png", "Content-Transfer-Encoding: base64", body=base64.encodebytes(PNG)),
        attachments=(("a.png", PNG),),
        text="",
    ),
    Case(
        "attachment: forty of them",
        composed("mixed", plain("Hi"), *(attached(f"{number}.bin", bytes([number])) for number in range(40))),
        attachments=tuple((f"{number}.bin", bytes([number])) for number in range(40)),
    ),
    Case(
        "attachment: unfinished last part",
        composed("mixed", plain("Hi"), attached("a.bin", b"x" * 300))[:-12],
        attachments=(("a.bin", b"x" * 300),),
    ),
)
