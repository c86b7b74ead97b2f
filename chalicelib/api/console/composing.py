"""What the composer shows: to whom, what was typed, who is new among the recipients."""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import Literal, get_args

from chalicelib.domain.message import Attachment, Message, Party
from chalicelib.domain.people import Agent
from chalicelib.domain.recipients import Recipients, answer_to, changed, is_own, parse_parties, recipients_of
from chalicelib.domain.safe_html import agent_html
from chalicelib.domain.threading import AUTOMATIC
from chalicelib.domain.ticket import Ticket
from chalicelib.services import attachments, lanes
from chalicelib.services.attachments import Uploaded
from chalicelib.services.deliver_message import signature_of
from chalicelib.services.drafts import Draft
from chalicelib.services.read_ticket import TicketView
from chalicelib.store import documents, messages
from chalicelib.web.desk import Desk
from chalicelib.web.words import own_files

Mode = Literal["reply", "sender", "forward", "note"]
MODES: tuple[Mode, ...] = get_args(Mode)
QUOTE_MARKS = '",;<>@()[]\\:'


@dataclass(frozen=True)
class File:
    """A file uploaded for the message being written, or one of the conversation that may go along."""

    id: str
    name: str
    size_bytes: int = 0
    chosen: bool = True


@dataclass(frozen=True)
class Composer:
    """mode: "reply" answers all, "sender" the sender alone.  last: addresses of the last mail, for "added since".

    seed: makes a repeated send the same message.  last_seen: the message committed last when the agent began.
    passed: files that were chosen for a forward before the agent turned to something else.  proposed: recipients.
    took: merged tickets whose drafts stand in this one by now.
    """

    mode: Mode
    modes: tuple[tuple[Mode, str, str, str], ...]
    is_mail: bool
    placeholder: str
    seed: str
    last_seen: str
    text: str = ""
    html: str = ""
    to: str = ""
    cc: str = ""
    bcc: str = ""
    proposed: str = ""
    last: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    files: tuple[File, ...] = ()
    offered: tuple[File, ...] = ()
    passed: tuple[str, ...] | None = None
    quote_history: bool = False
    signature: str = ""
    saved_at: bool = False
    took: tuple[str, ...] = ()
    errors: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    conflict: str = ""
    conflict_id: str = ""
    conflict_ticket: str = ""


@dataclass(frozen=True)
class Typed:
    """What the agent has put in so far; None recipients are those proposed.

    passed: files of the conversation that a forward takes along; None: those of the message it passes on.
    """

    mode: Mode = "reply"
    text: str = ""
    html: str = ""
    to: str | None = None
    cc: str = ""
    bcc: str = ""
    file_ids: tuple[str, ...] = ()
    quote_history: bool = False
    last_seen: str = ""
    seed: str = ""
    saved: bool = False
    passed: tuple[str, ...] | None = None
    own_recipients: bool = False
    """Others than were proposed."""
    took: tuple[str, ...] = ()

    @property
    def all_files(self) -> tuple[str, ...]:
        """Those that go along: what a forward takes is only remembered while something else is written."""
        passed = self.passed or () if self.mode == "forward" else ()
        return tuple(dict.fromkeys((*self.file_ids, *passed)))


def mode_of(text: str) -> Mode:
    return next((mode for mode in MODES if mode == text), "reply")


def composer_of(view: TicketView, desk: Desk, agent: Agent, mode: str = "") -> Composer:
    """For a ticket just opened: with the agent's draft, if there is one."""
    typed = typed_of(view.draft) if view.draft else Typed()
    if mode in MODES and not view.draft:
        typed = Typed(mode=mode_of(mode))
    for merged_id, draft in view.further_drafts:
        typed = replace(joined(typed, typed_of(draft)), took=(*typed.took, merged_id), saved=True)
    return composer_for(view.ticket, view.conversation.messages, desk, agent, typed)


def typed_of(draft: Draft) -> Typed:
    mode: Mode = "note" if draft.kind == "note" else "forward" if draft.forward else "reply"
    to = written(draft.to) if draft.to else None
    return Typed(
        mode, draft.text, agent_html(draft.html) if draft.html else "", to, written(draft.cc), written(draft.bcc),
        draft.attachment_ids, saved=True, passed=() if draft.forward else None,
    )  # fmt: skip


def holds_words(typed: Typed) -> bool:
    """True when something would be lost with the composer: words, files, or recipients other than those proposed."""
    return bool(typed.text.strip() or typed.file_ids or typed.own_recipients)


def joined(typed: Typed, more: Typed) -> Typed:
    """``more`` behind what was typed, which keeps its mode and its recipients; alone when nothing was typed."""
    if not holds_words(typed):
        return more
    rich = (typed.html or more.html) and typed.mode != "note"
    return replace(
        typed,
        text="\n\n".join(each.text for each in (typed, more) if each.text.strip()),
        html="<br><br>".join(_as_html(each) for each in (typed, more) if each.text.strip()) if rich else "",
        file_ids=tuple(dict.fromkeys((*typed.file_ids, *more.all_files))),
    )


def _as_html(typed: Typed) -> str:
    return typed.html or agent_html(escape(typed.text).replace("\n", "<br>"))


def composer_for(
    ticket: Ticket, shown: Sequence[Message], desk: Desk, agent: Agent, typed: Typed, **trouble: object
) -> Composer:
    """``shown``: the newest messages.  trouble: ``errors``, ``problem``, ``conflict`` and where it lies."""
    said = [each for each in shown if each.kind == "message" and not _taken_back(each)]
    ticket = lanes.seen_from(ticket, _answered(ticket, said))
    own = frozenset(inbox.address.lower() for inbox in desk.inboxes.values())
    mails = [each for each in said if not each.event.get("forward")]  # a forward is no part of the talk
    last = _without_own(_talked_to(ticket, mails), own)
    now = _recipients(ticket, said, own, typed)
    proposed = now if typed.to is None else _recipients(ticket, said, own, replace(typed, to=None))
    differs = changed(last, now) if mails and typed.mode in ("reply", "sender") else changed(now, now)
    inbox = desk.inboxes.get(ticket.inbox_id)
    offered = _offered(ticket, said, typed)
    listed = [each for each in typed.all_files if each not in {file.id for file in offered}]
    values = {
        "text": typed.text, "html": typed.html, "to": written(now.to), "cc": written(now.cc),
        "bcc": written(now.bcc), "last": last.addresses(), "added": differs.added, "left_out": differs.removed,
        "files": uploads(listed, ticket.id), "offered": offered, "quote_history": typed.quote_history,
        "proposed": ",".join(proposed.addresses()), "passed": None if typed.mode == "forward" else typed.passed,
        "signature": signature_of(agent.signature, inbox.signature if inbox else ""), "saved_at": typed.saved,
        "took": typed.took,
    }  # fmt: skip
    return Composer(
        mode=typed.mode,
        modes=_modes(now, last, ticket.channel == "email", typed.mode),
        is_mail=ticket.channel == "email",
        placeholder=_placeholder(now.to[0] if now.to else Party(ticket.customer_name, ""), typed.mode),
        seed=typed.seed or secrets.token_urlsafe(12),
        last_seen=typed.last_seen or ticket.last_message_id,
        **{**values, **trouble},  # type: ignore[arg-type]
    )


def _talked_to(ticket: Ticket, mails: Sequence[Message]) -> Recipients:
    """Whom our last mail went to; before there is one, who had the customer's first: others came in from outside."""
    ours = [each for each in mails if each.direction == "out"]
    theirs = [each for each in mails if each.sender and each.sender.address.lower() == ticket.customer_handle.lower()]
    known = (*ours[-1:], *theirs[:1], *mails[-1:])
    return recipients_of(known[0]) if known else Recipients()


def _taken_back(message: Message) -> bool:
    return message.delivery is not None and message.delivery.state == "cancelled"


def _without_own(recipients: Recipients, own: Collection[str]) -> Recipients:
    def others(parties: tuple[Party, ...]) -> tuple[Party, ...]:
        return tuple(each for each in parties if not is_own(each.address, own))

    return Recipients(others(recipients.to), others(recipients.cc), others(recipients.bcc))


def _recipients(ticket: Ticket, said: Sequence[Message], own: Collection[str], typed: Typed) -> Recipients:
    """What the agent typed; else those proposed for an answer."""
    if typed.to is not None:
        return Recipients(parse_parties(typed.to), parse_parties(typed.cc), parse_parties(typed.bcc))
    if typed.mode == "forward":
        return Recipients()
    answered = _answered(ticket, said)
    proposed = answer_to(answered, own, everyone=typed.mode != "sender") if answered else Recipients()
    return proposed if proposed.to else Recipients(to=(Party(ticket.customer_name, ticket.customer_handle),))


def _answered(ticket: Ticket, said: Sequence[Message]) -> Message | None:
    """The customer's newest message, which an answer continues; else our own newest."""
    if not ticket.last_inbound_id:
        by_people = [each for each in said if each.mail_kind not in AUTOMATIC]
        return by_people[-1] if by_people else None
    on_page = next((each for each in said if each.id == ticket.last_inbound_id), None)
    return on_page or messages.get(ticket.id, ticket.last_inbound_id)


def _offered(ticket: Ticket, said: Sequence[Message], typed: Typed) -> tuple[File, ...]:
    """For a forward: the files of the newest messages; those of the message that is passed on are chosen already."""
    if typed.mode != "forward":
        return ()
    forwarded = _answered(ticket, said)
    older = [forwarded] if forwarded and all(each.id != forwarded.id for each in said) else []
    shown = [replace(each, attachments=own_files(each)) for each in (*older, *said)]
    ready = attachments.offered([each for each in shown if forwarded and each.id == forwarded.id])
    chosen = typed.all_files if typed.passed is not None else tuple(each.id for each in ready)
    return tuple(File(each.id, each.name, each.size_bytes, each.id in chosen) for each in attachments.offered(shown))


def _modes(now: Recipients, last: Recipients, is_mail: bool, mode: Mode) -> tuple[tuple[Mode, str, str, str], ...]:
    if not is_mail:
        return (("reply", "Reply", "reply", "r"), ("note", "Note", "lock", "n"))
    several = len({*now.addresses(), *last.addresses()}) > 1 or mode == "sender"
    alone: tuple[tuple[Mode, str, str, str], ...] = (("sender", "Reply to sender", "reply", ""),) if several else ()
    return (
        ("reply", "Reply to all" if several else "Reply", "reply", "r"),
        *alone,
        ("forward", "Forward", "forward", "f"),
        ("note", "Note", "lock", "n"),
    )


def _placeholder(to: Party, mode: Mode) -> str:
    if mode == "note":
        return "Write a note. Only agents see it."
    return "Say why you forward this" if mode == "forward" else f"Answer {to.name or to.address}"


def written(parties: Sequence[Party]) -> str:
    """As it stands in a To field."""
    return ", ".join(_written(party) for party in parties)


def _written(party: Party) -> str:
    if not party.name or party.name.lower() == party.address.lower():
        return party.address
    name = party.name.replace("\\", "").replace('"', "'")
    quoted = f'"{name}"' if any(mark in name for mark in QUOTE_MARKS) else name
    return f"{quoted} <{party.address}>"


def uploads(file_ids: Sequence[str], ticket_id: str) -> tuple[File, ...]:
    """The names of files for a message; those that are gone are left out."""
    found = ((each, _name(each, ticket_id)) for each in file_ids)
    return tuple(File(file_id, name) for file_id, name in found if name)


def _name(file_id: str, ticket_id: str) -> str:
    known: Attachment | Uploaded | None = (
        attachments.passed_on(ticket_id, file_id)
        if attachments.DOT in file_id
        else documents.read(Uploaded, f"UPLOAD#{file_id}", "UPLOAD")
    )
    return known.name if known else ""
