"""A mail's headers as they stand on the wire, and what SES wrote above them.

``mime.parse_mail`` reads the message; this reads the envelope around it, where order and position matter: a header is
only SES's word when it stands above everything the sender could have written.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

MAX_HEADER_BYTES = 1_000_000
END_OF_HEADERS = re.compile(rb"\r?\n\r?\n")
FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:(.*)", re.DOTALL)
SES_RECEIVED = re.compile(r"\bby\s+inbound-smtp\.[a-z0-9-]+\.amazonaws\.com\b", re.IGNORECASE)
RECEIVED_ID = re.compile(r"\bid\s+([A-Za-z0-9]+)")
RECEIVED_FOR = re.compile(r"\bfor\s+<?([^\s<>;]+@[^\s<>;]+?)>?\s*;")
ENVELOPE_FROM = re.compile(r"envelope-from=<?([^\s;<>]*)>?", re.IGNORECASE)
RESULT = re.compile(r"\b(spf|dkim|dmarc)=([a-z]+)", re.IGNORECASE)
AS_VERDICT = {"pass": "PASS", "fail": "FAIL", "softfail": "FAIL", "permerror": "FAIL"}


@dataclass(frozen=True)
class Headers:
    """Fields in the order they stand, names lower case, values unfolded.

    body: what follows them; everything, where no blank line ends them (then nobody knows what is a header).
    """

    fields: tuple[tuple[str, str], ...]
    body: bytes

    def first(self, name: str) -> str:
        """The first value, "" when there is none."""
        return next((value for field, value in self.fields if field == name), "")

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(value for field, value in self.fields if field == name)

    def has(self, name: str) -> bool:
        return any(field == name for field, _ in self.fields)


@dataclass(frozen=True)
class Envelope:
    """What SES knows of a mail beside its text.

    Verdicts are PASS, FAIL, GRAY or PROCESSING_FAILED; "" where nobody judged.  source: envelope MAIL FROM, "" for a
    bounce, None when unknown.
    """

    recipients: tuple[str, ...] = ()
    source: str | None = None
    ses_id: str = ""
    spam: str = ""
    virus: str = ""
    spf: str = ""
    dkim: str = ""
    dmarc: str = ""
    dmarc_policy: str = ""


def read_headers(raw: bytes) -> Headers:
    """Split a raw mail; never raises.  Bytes that are not UTF-8 become replacement characters."""
    start = raw.lstrip(b"\r\n")
    found = END_OF_HEADERS.search(start, 0, MAX_HEADER_BYTES)
    top, body = (start[: found.start()], start[found.end() :]) if found else (start[:MAX_HEADER_BYTES], start)
    fields: list[tuple[str, str]] = []
    for line in re.split(rb"\r?\n(?![ \t])", top):
        match = FIELD.fullmatch(line)
        if match:
            value = " ".join(match[2].decode("utf-8", "replace").replace("\x00", "").split())
            fields.append((match[1].decode("ascii").lower(), value))
    return Headers(tuple(fields), body)


def envelope_of(metadata: Mapping[str, str], headers: Headers) -> Envelope:
    """From the notification's facts; each one missing (a mail re-driven from the bucket) from SES's own headers."""
    written = _ses_headers(headers)
    results = _results(written)
    received = written.first("received")
    return Envelope(
        recipients=_listed(metadata.get("recipients", "")) or tuple(RECEIVED_FOR.findall(received + ";"))[:1],
        source=_source(metadata, written),
        ses_id=metadata.get("ses_id") or next(iter(RECEIVED_ID.findall(received)), ""),
        spam=metadata.get("spam") or written.first("x-ses-spam-verdict").upper(),
        virus=metadata.get("virus") or written.first("x-ses-virus-verdict").upper(),
        spf=metadata.get("spf") or results.get("spf", ""),
        dkim=metadata.get("dkim") or results.get("dkim", ""),
        dmarc=metadata.get("dmarc") or results.get("dmarc", ""),
        dmarc_policy=metadata.get("dmarc_policy", "").lower(),
    )


def _ses_headers(headers: Headers) -> Headers:
    """The block SES put on top: up to the first Received that is not SES's, none at all without SES's Received.

    A mail handed to SES without any Received of its own puts the sender's headers straight below; so of each name
    only the first counts (``first``): SES writes its own above.
    """
    block: list[tuple[str, str]] = []
    ours = False
    for name, value in headers.fields:
        if name == "received":
            if ours or not SES_RECEIVED.search(value):
                break
            ours = True
        block.append((name, value))
    return Headers(tuple(block) if ours else (), b"")


def _results(written: Headers) -> Mapping[str, str]:
    """spf, dkim and dmarc out of the Authentication-Results whose authserv-id is SES's."""
    value = written.first("authentication-results")
    if not value.lower().startswith("amazonses.com;"):
        return {}
    found: dict[str, str] = {}
    for method, result in RESULT.findall(value):
        verdict = AS_VERDICT.get(result.lower(), "GRAY")
        if found.get(method.lower()) != "PASS":  # several DKIM signatures: one good one is enough
            found[method.lower()] = verdict
    return found


def _source(metadata: Mapping[str, str], written: Headers) -> str | None:
    if "source" in metadata:
        return metadata["source"].strip().strip("<>")
    if written.has("return-path"):
        return written.first("return-path").strip().strip("<>")
    found = ENVELOPE_FROM.search(written.first("received-spf"))
    return found[1] if found else None


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
