"""A mail that was read, as the domain's Inbound: who wrote it, what kind it is, which keys lead to its ticket."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from chalicelib.connectors.email.addresses import first_ticket_of, message_key, without_signature
from chalicelib.connectors.email.compose import LOOP_HEADER
from chalicelib.connectors.email.headers import Envelope, Headers
from chalicelib.connectors.email.parsed import ParsedMail
from chalicelib.domain.message import Inbound, Party
from chalicelib.domain.people import Inbox
from chalicelib.domain.recipients import is_own

MAX_THREAD_KEYS = 40
"""In-Reply-To and the newest references: each is one read of the table."""
MAX_REFERENCES_KEPT = 60
NO_SENDER = Party("Unknown sender", "unknown@sender.invalid")
ORIGINAL_SENDER = ("x-original-from", "x-original-sender")
UNSURE_OF_VIRUS = frozenset({"GRAY", "PROCESSING_FAILED"})
DISOWNING_POLICIES = frozenset({"quarantine", "reject"})
IN_SUBJECT = (re.compile(r"\[#(\d{1,9})\]"), re.compile(r"(?<![\w&#/])#(\d{1,9})(?![\w-])"))

GMAIL_FORWARDING = "forwarding-noreply@google.com"
GMAIL_CODE = re.compile(r"\(#\s?(\d{6,12})\)|\b(?:code|Code)\D{0,20}?(\d{6,12})\b")
GMAIL_MAILBOX = re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+\b")


@dataclass(frozen=True)
class Facts:
    """Everything known of one mail before it is judged."""

    mail: ParsedMail
    headers: Headers
    envelope: Envelope
    received_at: datetime
    inbox: Inbox
    stage: str
    reply_keys: Sequence[bytes]

    @cached_property
    def message_id(self) -> str:
        """``<id>`` or "" when the mail has none."""
        return self.mail.message_id or ""

    @cached_property
    def fingerprint(self) -> str:
        """Carriers reuse Message-IDs for different mails: only the whole tells a repeat."""
        parts = (self.message_id, self.headers.first("from"), self.headers.first("date"))
        digest = hashlib.sha256("\0".join(parts).encode("utf-8", "replace"))
        digest.update(b"\0" + self.headers.body)
        return digest.hexdigest()

    @cached_property
    def own_addresses(self) -> frozenset[str]:
        return frozenset(
            address.lower() for address in (self.inbox.address, self.inbox.settings.get("forward_to", "")) if address
        )


def refusal(facts: Facts) -> Inbound | None:
    """A mail that is kept out whatever it says: a virus, or our own mail coming back."""
    if harm := danger(facts.envelope):
        return _bare(facts, refused=harm)
    if _is_our_own(facts):
        return suppressed(facts, "This is a mail of this desk that came back to it.")
    return None


def danger(envelope: Envelope) -> str:
    if envelope.virus != "FAIL":
        return ""
    return "SES found a virus in this mail. The original is kept 30 days and not shown."


def _is_our_own(facts: Facts) -> bool:
    """Our loop mark, unless a reply address signed by somebody else shows another desk of the same stage name."""
    if facts.headers.first(LOOP_HEADER.lower()) != facts.stage:
        return False
    signed = [
        party.address for party in facts.mail.reply_to if without_signature(party.address) != party.address.lower()
    ]
    return not signed or first_ticket_of(signed, facts.stage, facts.reply_keys) is not None


def suppressed(facts: Facts, why: str) -> Inbound:
    return _bare(facts, suppressed=why)


def message(facts: Facts) -> Inbound:
    """A mail somebody should read."""
    mail = facts.mail
    sender, sender_banner = _sender(facts)
    forwarding = _forwarding_banner(facts)
    return Inbound(
        fingerprint=facts.fingerprint,
        sender=sender,
        sent_at=mail.date or facts.received_at,
        subject=mail.subject,
        text=mail.text,
        new_text=mail.reply_text,
        html=mail.html,
        to=mail.to,
        cc=mail.cc,
        reply_to=mail.reply_to,
        files=mail.attachments,
        own_keys=_own_keys(facts),
        thread_keys=_thread_keys(facts),
        ticket_token=_token(facts),
        number_in_subject=None if forwarding else number_in(mail.subject),
        mail_kind=mail.kind,
        may_auto_answer=not forwarding and _may_be_answered(facts),
        banners=(*forwarding, *sender_banner, *_trust_banners(facts), *mail.banners),
        spam="SES judged this mail to be spam." if facts.envelope.spam == "FAIL" else None,
        language=_language(facts.headers),
        references=_references(facts),
        thread_index=mail.thread_index,
        unauthenticated=_is_disowned(facts.envelope),
        proven_sender=facts.envelope.dmarc == "PASS" and sender.address == mail.from_address.lower(),
    )


def number_in(subject: str) -> str | None:
    """The ticket number a subject names, in our own form ``[#1042]`` before the bare ``#1042``."""
    found = next((match for pattern in IN_SUBJECT if (match := pattern.search(subject))), None)
    return (found[1].lstrip("0") or None) if found else None


def _bare(facts: Facts, *, refused: str | None = None, suppressed: str | None = None) -> Inbound:
    """Enough to name a mail in a list, without anything of its content."""
    sender, _ = _sender(facts)
    return Inbound(
        fingerprint=facts.fingerprint,
        sender=sender,
        sent_at=facts.mail.date or facts.received_at,
        subject=facts.mail.subject,
        own_keys=_own_keys(facts),
        mail_kind=facts.mail.kind,
        may_auto_answer=False,
        refused=refused,
        suppressed=suppressed,
    )


# who


def _sender(facts: Facts) -> tuple[Party, tuple[str, ...]]:
    """The customer, and a sentence where that is not simply the From."""
    stated = Party(facts.mail.from_name, facts.mail.from_address.lower())
    if not stated.address:
        source = facts.envelope.source or ""
        party = Party("", source.lower()) if "@" in source else NO_SENDER
        return party, ("This mail names no valid sender; look at the original before you answer.",)
    others = [Party(party.name, party.address.lower()) for party in facts.mail.reply_to]
    elsewhere = [
        party for party in others if party.address != stated.address and not is_own(party.address, facts.own_addresses)
    ]
    if _speaks_for_others(stated.address, facts):
        behind = elsewhere[0] if elsewhere else _original_sender(facts)
        if behind is not None:
            return behind, (f"Sent through {stated.address}; the customer is {behind.address}.",)
    elif elsewhere:
        asked = elsewhere[0].address
        return stated, (f"The sender asks for answers to {asked}; this desk answers {stated.address}.",)
    return stated, ()


def _speaks_for_others(address: str, facts: Facts) -> bool:
    """Contact forms, our own no-reply, and groups that put our address in From for DMARC's sake."""
    listed = facts.inbox.settings.get("form_senders", "")
    return address in {one.lower() for one in re.split(r"[,\s]+", listed) if one} or is_own(
        address, facts.own_addresses
    )


def _original_sender(facts: Facts) -> Party | None:
    for name in ORIGINAL_SENDER:
        found = GMAIL_MAILBOX.search(facts.headers.first(name))
        if found and not is_own(found[0], facts.own_addresses):
            return Party("", found[0].lower())
    return None


# which ticket


def _own_keys(facts: Facts) -> tuple[str, ...]:
    return (message_key(facts.message_id),) if facts.message_id else (f"content:{facts.fingerprint}",)


def _thread_keys(facts: Facts) -> tuple[str, ...]:
    keys = [message_key(one) for one in (*_answered(facts), *reversed(facts.mail.references))]
    own = set(_own_keys(facts))
    return tuple(dict.fromkeys(key for key in keys if key not in own))[:MAX_THREAD_KEYS]


def _references(facts: Facts) -> tuple[str, ...]:
    """For an answer's References: theirs, else their In-Reply-To (RFC 5322, 3.6.4), and this mail's own id."""
    earlier = facts.mail.references or _answered(facts)
    own = (facts.message_id,) if facts.message_id else ()
    chain = tuple(dict.fromkeys((*earlier, *own)))
    return chain if len(chain) <= MAX_REFERENCES_KEPT else (chain[0], *chain[-(MAX_REFERENCES_KEPT - 1) :])


def _answered(facts: Facts) -> tuple[str, ...]:
    return (facts.mail.in_reply_to,) if facts.mail.in_reply_to else ()


def _token(facts: Facts) -> str | None:
    """Envelope first: the signed address of a blind copy stands nowhere else; behind a forward it stands in headers."""
    named = [party.address for party in (*facts.mail.to, *facts.mail.cc)]
    behind = (*facts.mail.delivered_to, *facts.mail.forwarded_for)
    return first_ticket_of((*facts.envelope.recipients, *named, *behind), facts.stage, facts.reply_keys)


# what kind


def _may_be_answered(facts: Facts) -> bool:
    """What the mail itself allows, unless the envelope tells otherwise or the answer would go to ourselves."""
    never = (
        facts.envelope.source == "",
        facts.envelope.spam == "FAIL",
        _is_disowned(facts.envelope),
        not facts.mail.from_address,
        is_own(facts.mail.from_address, facts.own_addresses),
    )
    return facts.mail.may_auto_answer and not any(never)


def _is_disowned(envelope: Envelope) -> bool:
    """DMARC fails under a policy that asks not to accept; a policy we were not told counts as one."""
    return envelope.dmarc == "FAIL" and (not envelope.dmarc_policy or envelope.dmarc_policy in DISOWNING_POLICIES)


def _trust_banners(facts: Facts) -> tuple[str, ...]:
    found: list[str] = []
    if _is_disowned(facts.envelope):
        domain = facts.mail.from_address.rpartition("@")[2] or "The sender's domain"
        found.append(
            f"{domain} says this mail is not from there (DMARC): the sender may be forged. Share no order data."
        )
    if facts.envelope.virus in UNSURE_OF_VIRUS and facts.mail.attachments:
        found.append("The virus scan came to no result: open the attachments only if you expected them.")
    return tuple(found)


def _forwarding_banner(facts: Facts) -> tuple[str, ...]:
    """Gmail's question whether a mailbox may forward to us: its code belongs before the admin's eyes."""
    if facts.mail.from_address.lower() != GMAIL_FORWARDING:
        return ()
    code = GMAIL_CODE.search(facts.mail.subject) or GMAIL_CODE.search(facts.mail.text)
    if code is None:
        return ("Gmail asks to confirm a forwarding to this inbox: open the link in this mail.",)
    mailbox = GMAIL_MAILBOX.search(facts.mail.subject) or GMAIL_MAILBOX.search(facts.mail.text)
    of_whom = f" of {mailbox[0]}" if mailbox else ""
    return (f"Gmail asks to confirm the forwarding{of_whom}. The confirmation code is {code[1] or code[2]}.",)


def _language(headers: Headers) -> str | None:
    found = re.match(r"\s*([A-Za-z]{2,3})(?:[-_,;\s]|$)", headers.first("content-language"))
    return found[1].lower() if found else None
