"""Addresses and ids that lead a mail back to its ticket.

A reply address is ``<local>+<stage>.<ticket>.<mac>@<domain>``.  Mail servers may lower-case it, so everything in it is
lower case and is lower-cased again before the check.  Shops' forms strip plus tags, so it is never the only way.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence

MAC_CHARS = 12
MAX_LOCAL_OCTETS = 64  # RFC 5321, 4.5.3.1.1
MAX_KEY_CHARS = 200
TAG = re.compile(r"(?P<signed>(?P<stage>[a-z0-9_-]+)\.(?P<ticket>[a-z0-9]+))\.(?P<mac>[a-z2-7]{12})")
SES_ID = re.compile(r"(?P<id>[^@<>\s]+)@(?:[a-z0-9-]+\.)*amazonses\.com", re.IGNORECASE)


def signed_address(base: str, stage: str, ticket_id: str, key: bytes) -> str:
    """The address answers to this ticket shall go to.

    ``base`` itself when the signed local part would be longer than mail servers take: such a ticket still
    threads by its references.
    """
    local, _, domain = base.lower().rpartition("@")
    signed = f"{stage}.{ticket_id}".lower()
    tagged = f"{local}+{signed}.{_mac(signed, key)}"
    return f"{tagged}@{domain}" if len(tagged.encode()) <= MAX_LOCAL_OCTETS else base.lower()


def ticket_of(address: str, stage: str, keys: Sequence[bytes]) -> str | None:
    """The ticket a signed address names; None when it is unsigned, of another stage, or its signature is wrong."""
    local, _, _ = address.strip().lower().rpartition("@")
    _, plus, tag = local.rpartition("+")
    found = TAG.fullmatch(tag)
    if not plus or found is None or found["stage"] != stage.lower():
        return None
    genuine = [hmac.compare_digest(_mac(found["signed"], key), found["mac"]) for key in keys]  # all: constant time
    return found["ticket"] if any(genuine) else None


def first_ticket_of(addresses: Iterable[str], stage: str, keys: Sequence[bytes]) -> str | None:
    """The ticket named by the first validly signed address."""
    return next((ticket for address in addresses if (ticket := ticket_of(address, stage, keys))), None)


def without_signature(address: str) -> str:
    """The inbox's address that a recipient stands for: a signed tag (right or wrong) is cut off, lower case."""
    lowered = address.strip().lower()
    local, at, domain = lowered.rpartition("@")
    base, plus, tag = local.rpartition("+")
    return f"{base}{at}{domain}" if plus and TAG.fullmatch(tag) else lowered


def message_key(message_id: str) -> str:
    """The key under which a message is found again by a mail's In-Reply-To or References.

    SES replaces our Message-ID, and which domain it puts behind its own id differs by region: so for its ids only
    the part before the @ counts.
    """
    bare = message_id.strip().strip("<>").strip()
    from_ses = SES_ID.fullmatch(bare)
    if from_ses is not None:
        return ses_key(from_ses["id"])
    lowered = bare.lower()
    if len(lowered) > MAX_KEY_CHARS:
        return "mid:sha256-" + hashlib.sha256(lowered.encode("utf-8", "replace")).hexdigest()
    return f"mid:{lowered}"


def ses_key(ses_id: str) -> str:
    """The same for an id as SES's API and events give it."""
    return f"ses:{ses_id.lower()[:MAX_KEY_CHARS]}"


def our_message_id(message_id: str, stage: str, domain: str) -> str:
    """The Message-ID we give a mail; SES's events repeat it, its recipient sees SES's instead."""
    local, host = (re.sub(r"[^a-z0-9._-]", "", part.lower()) for part in (f"{message_id}.{stage}", domain))
    return f"<{local}@{host}>"


def _mac(signed: str, key: bytes) -> str:
    digest = hmac.new(key, signed.encode(), hashlib.sha256).digest()
    return base64.b32encode(digest).decode("ascii").lower()[:MAC_CHARS]
