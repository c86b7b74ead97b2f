"""A raw mail to a ``ParsedMail``: never raises, bounded in time and memory, honest about what it left out.

The order: tree of parts (``tree``), what is said and attached (``bodies``), who wrote to whom (``mailboxes``), what
kind of mail it is (``automatic``, ``bounces``), what is new in it (``domain.text``).
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_tz

from chalicelib.connectors.email.automatic import (
    LIST_HEADERS,
    LOOP_HEADER,
    has_empty_return_path,
    is_marked_automatic,
    judge,
)
from chalicelib.connectors.email.bodies import Said, read_contents
from chalicelib.connectors.email.bounces import Notice, bounced_recipients
from chalicelib.connectors.email.mailboxes import parse_mailboxes
from chalicelib.connectors.email.parsed import Bounced, ParsedMail
from chalicelib.connectors.email.tree import MAX_MAIL_BYTES, Budget, Part, read_tree
from chalicelib.connectors.email.words import header_text, unfolded
from chalicelib.domain.message import Party
from chalicelib.domain.text import new_text, split_text

__all__ = ["Bounced", "ParsedMail", "parse_mail"]

MAX_IDS = 200
MAX_RECIPIENTS = 1_000
MESSAGE_ID = re.compile(r"<[^<>\s]{1,990}>")
BARE_ID = re.compile(r"[^<>\s,;]{1,500}@[^<>\s,;]{1,490}")
SENDER_HEADERS = ("from", "sender", "reply-to", "return-path", "x-original-from")


def parse_mail(raw: bytes) -> ParsedMail:
    """Read a mail as it arrived.

    Past a limit (40 MB, 1,000 parts, 50 levels, 1 MB of headers, 5 s of CPU) the result holds what could be read, and
    a banner.  The original stays with the caller.
    """
    budget = Budget()
    if len(raw) > MAX_MAIL_BYTES:
        budget.note("This mail is larger than 40 MB; only its beginning was read. The original holds the rest.")
        raw = raw[:MAX_MAIL_BYTES]
    try:
        return _read(_with_line_feeds(raw), budget)
    except Exception as error:  # noqa: BLE001 - one odd mail must never stop those behind it; the banner tells why
        budget.note(f"This mail could not be read ({type(error).__name__}). Open the original.")
        return ParsedMail(banners=budget.notes, may_auto_answer=False)


def _with_line_feeds(raw: bytes) -> bytes:
    """Mails saved as UTF-16, or with bare carriage returns, become ordinary ones."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace").encode("utf-8", "replace")
    if b"\n" not in raw[:65_536] and b"\r" in raw[:65_536]:
        return raw.replace(b"\r", b"\n")
    return raw


def _read(raw: bytes, budget: Budget) -> ParsedMail:
    root = read_tree(raw, budget)
    said, files = read_contents(root, budget)
    sender = _sender(root)
    subject = root.text_of("subject")
    text = said.shown.strip("\n")
    notice = Notice(root, sender.address, sender.name, subject, text,
                    has_empty_return_path(root) or is_marked_automatic(root))  # fmt: skip
    judgement = judge(notice)
    answered, references = _ids_answered(root)
    own_id = _ids(root, "message-id")
    bounced = bounced_recipients(root, text, budget) if judgement.kind == "bounce" else ()
    return ParsedMail(
        from_address=sender.address,
        from_name=sender.name,
        to=_mailboxes(root, "to"),
        cc=_mailboxes(root, "cc"),
        reply_to=_mailboxes(root, "reply-to"),
        subject=subject,
        text=text,
        reply_text=_reply_text(said),
        html=said.html,
        attachments=files,
        message_id=own_id[0] if own_id else None,
        in_reply_to=answered,
        references=references,
        date=_date(root),
        kind=judgement.kind,
        may_auto_answer=judgement.may_auto_answer,
        banners=budget.notes,
        bounced=bounced,
        loop_mark=root.text_of(LOOP_HEADER) if root.has(LOOP_HEADER) else None,
        delivered_to=_addresses(root, ("delivered-to", "x-original-to", "envelope-to")),
        forwarded_for=_addresses(root, ("x-forwarded-to", "x-forwarded-for", "resent-to")),
        list_headers=tuple((name, root.text_of(name)) for name in LIST_HEADERS if root.has(name)),
        thread_index=root.text_of("thread-index") or None,
    )


def _sender(root: Part) -> Party:
    """The last mailbox of the first From that has one; else who else could have written it."""
    for name in SENDER_HEADERS:
        for value in root.all(name):
            mailboxes = parse_mailboxes(unfolded(value))
            if mailboxes:
                return mailboxes[-1]
    return Party("", "")


def _mailboxes(root: Part, name: str) -> tuple[Party, ...]:
    found = [mailbox for value in root.all(name) for mailbox in parse_mailboxes(unfolded(value))]
    return tuple(found[:MAX_RECIPIENTS])


def _addresses(root: Part, names: Iterable[str]) -> tuple[str, ...]:
    """Only addresses: these headers are lists of them, with commas or blanks between."""
    values = (unfolded(value) for name in names for value in root.all(name))
    found = [mailbox.address for value in values for mailbox in parse_mailboxes(value.replace(" ", ","))]
    return tuple(dict.fromkeys(found[:MAX_RECIPIENTS]))


def _ids(root: Part, name: str) -> list[str]:
    """Ids with their angles; senders who forget the angles get them."""
    text = " ".join(header_text(value) for value in root.all(name))[:200_000]
    found = MESSAGE_ID.findall(text) or [f"<{bare}>" for bare in BARE_ID.findall(text)]
    return list(dict.fromkeys(found))


def _ids_answered(root: Part) -> tuple[str | None, tuple[str, ...]]:
    answered = _ids(root, "in-reply-to")
    references = _ids(root, "references")
    more = [one for one in answered[1:] if one not in references]
    return (answered[0] if answered else None), tuple((references + more)[-MAX_IDS:])


def _date(root: Part) -> datetime | None:
    """A date without a zone is taken as UTC, as RFC 5322 takes -0000."""
    for value in root.all("date"):
        parsed = parsedate_tz(header_text(value)[:200])
        if parsed is None:
            continue
        try:
            local = datetime(*parsed[:6], tzinfo=UTC)
            return datetime.fromtimestamp(local.timestamp() - (parsed[9] or 0), UTC)
        except (ValueError, OverflowError, OSError):  # the year 99999, the 31st of February
            continue
    return None


def _reply_text(said: Said) -> str:
    """The plain text decides while it shows where the quote begins; else the marks in the HTML do."""
    if said.text.strip():
        split = split_text(said.text)
        if split.quoted or said.html_new is None:
            return split.new.strip() or said.text.strip()
    if said.html_new is not None and said.html_new.strip():
        return new_text(said.html_new)
    return new_text(said.shown)
