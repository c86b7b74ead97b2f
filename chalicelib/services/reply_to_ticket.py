"""An agent's (or a bot's) answer."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.domain.files import MAX_MAILED_BYTES
from chalicelib.domain.message import Attachment, Message, Party
from chalicelib.domain.moments import sortable_id, whole_milliseconds
from chalicelib.domain.people import Actor, Inbox
from chalicelib.domain.placeholders import unescaped
from chalicelib.domain.plain_text import text_of
from chalicelib.domain.recipients import Recipients, answer_to, checked_recipients
from chalicelib.domain.safe_html import agent_html
from chalicelib.domain.threading import AUTOMATIC
from chalicelib.domain.ticket import AGENT_STATUSES, DONE, Status, Ticket
from chalicelib.errors import Conflict, InvalidInput
from chalicelib.services import attachments, drafts, lanes
from chalicelib.services.change_ticket import event_message
from chalicelib.services.receive_message import with_participants
from chalicelib.services.said import (
    MAX_OWN_STEPS,
    MAX_TEXT_CHARS,
    answers_to,
    check_filled,
    find,
    may_have_arrived,
    memory,
    said_before,
    seeded_id,
    snippet_of,
    standing,
    whole_text,
)
from chalicelib.store import directory, messages, tickets
from chalicelib.store.tickets import Loaded
from chalicelib.store.transaction import Lost, Transaction

ATTEMPTS = 5
MAX_UNDO_SECONDS = 60


@dataclass(frozen=True)
class Reply:
    """What an agent wants to say.

    html: formatted text from the composer; empty for plain text.  to None: the recipients proposed for the answer.
    last_seen_message_id: the ticket's ``last_message_id`` as the writer saw it; whatever others said after it stops the
    reply (Conflict) unless send_anyway.  None: only another's answer to the same question stops it.
    undo_seconds None: the inbox's window.  forward: to third parties named in ``to``.
    """

    text: str
    html: str = ""
    to: tuple[Party, ...] | None = None
    cc: tuple[Party, ...] = ()
    bcc: tuple[Party, ...] = ()
    attachment_ids: tuple[str, ...] = ()
    quote_history: bool = False
    undo_seconds: int | None = None
    last_seen_message_id: str | None = None
    send_anyway: bool = False
    then_status: Status | None = None
    forward: bool = False


def reply(ticket_id: str, actor: Actor, wanted: Reply, at: datetime, seed: str | None = None) -> Message:
    """Queue an answer: message, delivery and ticket in one transaction.

    ``seed`` makes the message id repeatable: a second call with the same seed returns the first message.

    Raises:
        InvalidInput: nothing to say, wrong recipients, a file that is missing.
        Conflict: the customer wrote meanwhile, or a colleague changed the ticket ATTEMPTS times in a row.
    """
    at, wanted = whole_milliseconds(at), _whole(wanted)
    seed_bytes = seed.encode() if seed else secrets.token_bytes(16)
    for _ in range(ATTEMPTS):
        before = tickets.load(ticket_id)
        if seed:
            repeated = said_before(ticket_id, seed_bytes)
            if repeated is not None:
                return repeated
        try:
            return _reply_once(before, ticket_id, actor, wanted, at, seed_bytes)
        except Lost:
            continue
    raise Conflict("The ticket is changing too quickly. Look at it again, then send.")


def _whole(wanted: Reply) -> Reply:
    """Without half characters (unpaired surrogates), which can be neither stored nor sent."""
    return replace(
        wanted, text=whole_text(wanted.text), html=whole_text(wanted.html),
        to=None if wanted.to is None else _whole_parties(wanted.to), cc=_whole_parties(wanted.cc),
        bcc=_whole_parties(wanted.bcc),
    )  # fmt: skip


def _whole_parties(parties: Sequence[Party]) -> tuple[Party, ...]:
    return tuple(Party(whole_text(each.name), whole_text(each.address)) for each in parties)


def _reply_once(before: Loaded, asked: str, actor: Actor, wanted: Reply, at: datetime, seed: bytes) -> Message:
    """``asked``: the ticket it was written on, which may have been merged since: its draft and its seed lie there."""
    ticket = before.ticket
    text, html = _said(wanted)
    answered = _answered(ticket)
    lane = lanes.seen_from(ticket, answered)
    inbox = directory.inbox(lane.inbox_id)
    _check_nothing_newer(ticket, actor, wanted)
    recipients = recipients_of(inbox, answered, lane, wanted)
    attached = attachments.uploaded(ticket.id, actor, wanted.attachment_ids)
    _check_size(attached, inbox.channel)
    quoted = "1" if wanted.quote_history else ""
    message = Message(
        id=sortable_id("m", at, seed), ticket_id=ticket.id, kind="message", direction="out",
        author_kind=actor.kind, author_id=actor.id, author_name=actor.name, at=at, sent_at=None, text=text,
        subject=_subject(ticket, answered, wanted), to=recipients.to, cc=recipients.cc, bcc=recipients.bcc,
        attachments=attached, inbox_id=inbox.id, references=answered.references if answered else (),
        thread_index=answered.thread_index if answered else None,
        event={
            "answers": answered.id if answered else "", "quoted": quoted, "forward": "1" if wanted.forward else "",
            **memory(ticket, _status_after(ticket, actor, wanted)), **lanes.mark_outgoing(ticket, lane),
        },
    )  # fmt: skip
    undo = _undo_seconds(inbox, wanted)
    transaction = Transaction()
    stored = messages.add(transaction, message, html)
    messages.add_delivery(transaction, message, inbox.id, at + timedelta(seconds=undo))
    transaction.put_new("seed", drafts.seed_item(seeded_id(asked, seed), message.id, at))
    after = _answered_ticket(ticket, message, actor, wanted, recipients)
    tickets.put_changed(transaction, before, after, at)
    if after.status != ticket.status:
        behind = at + timedelta(milliseconds=1)  # its line stands behind the answer
        transaction.put("event", messages.as_item(event_message(ticket, actor, behind, seed, status=after.status)))
    if actor.kind == "agent":
        transaction.delete("draft", drafts.item_key(asked, actor.id))
    transaction.commit()
    return replace(stored, delivery=messages.get_delivery(ticket.id, message.id))


def _said(wanted: Reply) -> tuple[str, str]:
    html = agent_html(wanted.html) if wanted.html else ""
    text = (text_of(html) if html else wanted.text).strip()
    if not text and not wanted.attachment_ids:
        raise InvalidInput("There is nothing to send yet.", {"text": "Write something first."})
    if len(text) > MAX_TEXT_CHARS:
        raise InvalidInput("The text is too long.", {"text": f"Keep it under {MAX_TEXT_CHARS:,} characters."})
    check_filled(text)
    return unescaped(text), unescaped(html)


def lane_of(ticket: Ticket) -> Ticket:
    """The ticket as an answer sees it: whom it goes to, by which channel."""
    several = ticket.merged or ticket.other_inbox_ids  # else there is but one way, and nothing to read
    return lanes.seen_from(ticket, _answered(ticket)) if several else ticket


def _answered(ticket: Ticket) -> Message | None:
    """The message an answer continues: the customer's newest, else our own newest."""
    if ticket.last_inbound_id:
        return messages.get(ticket.id, ticket.last_inbound_id)
    newest = messages.newest(ticket.id, consistent=True, merged=ticket.merged).messages
    said = [each for each in newest if each.kind == "message"]
    by_people = [each for each in said if each.mail_kind not in AUTOMATIC]  # nobody answers an out-of-office
    return by_people[-1] if by_people else None


def _check_nothing_newer(ticket: Ticket, actor: Actor, wanted: Reply) -> None:
    """Compare what was committed last, never times: a repeated request and a mail on its way carry earlier ones."""
    if wanted.send_anyway:
        return
    if not wanted.forward and actor.kind != "system":
        _check_not_answered_elsewhere(ticket, actor)
    if wanted.last_seen_message_id is not None:
        if _others_wrote(ticket, actor, wanted.last_seen_message_id):
            newest = find(ticket.id, ticket.last_message_id)
            who = newest.author_name if newest else "Somebody"
            raise Conflict(f"{who} wrote while you typed. Look at it, or send anyway.", ticket.last_message_id)
        return
    asks_anew = ticket.last_message_id == ticket.last_inbound_id  # nothing was said since, so nothing need be read
    if wanted.forward or actor.kind == "system" or asks_anew:
        return
    others = _not_before_own(answers_to(ticket, ticket.last_inbound_id), actor)
    if others:
        said = f"{others[-1].author_name} has answered already. Look at it, or send anyway."
        raise Conflict(said, others[-1].id)


def _check_not_answered_elsewhere(ticket: Ticket, actor: Actor) -> None:
    """Whoever sees the ticket alone does not see what was said while it was part of another one."""
    there = ticket.answered_elsewhere
    if there is None or there.question_id != ticket.last_inbound_id:
        return
    answer = find(there.ticket_id, there.message_id)
    if answer is None or answer.author_id == actor.id or not may_have_arrived(answer):
        return
    raise Conflict(
        f"{answer.author_name} answered this in #{there.ticket_id}, of which it was a part. Look, or send anyway.",
        answer.id,
        there.ticket_id,
    )


def _not_before_own(given: Sequence[Message], actor: Actor) -> list[Message]:
    """Others' answers that the actor's own newest one did not come after, as far as one can tell.

    A copy sent again is no sign that its sender saw what others had answered.
    Two written in one millisecond have no order; a repeated request carries an earlier time than its commit, but says
    what it followed.
    """
    own = [each for each in given if each.author_id == actor.id and "repeats" not in each.event]
    followed = {each.id for each in own}
    return [
        each
        for each in given
        if each.author_id != actor.id and (not own or each.at >= own[-1].at or each.event.get("after") in followed)
    ]


def _others_wrote(ticket: Ticket, actor: Actor, last_seen: str) -> bool:
    """Was anything committed after ``last_seen`` that is neither the agent's own nor taken back?

    A bot is one author to us but may be many programs: its own messages count.
    """
    newest = ticket.last_message_id
    if newest == last_seen:
        return False
    seen = standing(ticket.id, last_seen)
    for _ in range(MAX_OWN_STEPS):
        newest = standing(ticket.id, newest)
        if newest == seen:
            return False
        message = find(ticket.id, newest)
        if message is None or actor.kind != "agent" or message.author_id != actor.id or "after" not in message.event:
            return True
        newest = message.event["after"]
    return True


def own_addresses() -> Collection[str]:
    return frozenset(inbox.address.lower() for inbox in directory.inboxes())


def recipients_of(inbox: Inbox, answered: Message | None, ticket: Ticket, wanted: Reply) -> Recipients:
    if inbox.channel != "email":
        return Recipients((Party(ticket.customer_name, ticket.customer_handle),))
    own = own_addresses()
    if wanted.to is not None:
        return checked_recipients(wanted.to, wanted.cc, wanted.bcc, own=own)
    if wanted.forward:
        raise InvalidInput("Say to whom.", {"to": "A forwarded message needs at least one recipient."})
    proposed = answer_to(answered, own) if answered else Recipients()
    to = proposed.to or (Party(ticket.customer_name, ticket.customer_handle),)
    return checked_recipients(to, (*proposed.cc, *wanted.cc), wanted.bcc, own=own)


def _check_size(attached: Sequence[Attachment], channel: str) -> None:
    total = sum(each.size_bytes for each in attached)
    if channel == "email" and total > MAX_MAILED_BYTES:
        limit = MAX_MAILED_BYTES // 1_000_000
        sentence = f"Together they are {total / 1_000_000:.1f} MB; a mail carries {limit} MB. Send a link instead."
        raise InvalidInput("The files are too large for a mail.", {"attachments": sentence})


def _subject(ticket: Ticket, answered: Message | None, wanted: Reply) -> str:
    """The subject being answered, so that mail programs thread it; ``compose`` adds the one "Re:"."""
    subject = answered.subject if answered and answered.subject else ticket.subject
    return f"Fwd: {subject}" if wanted.forward else subject


def _undo_seconds(inbox: Inbox, wanted: Reply) -> int:
    seconds = inbox.undo_seconds if wanted.undo_seconds is None else wanted.undo_seconds
    if not 0 <= seconds <= MAX_UNDO_SECONDS:
        raise InvalidInput(
            "The undo time is out of range.", {"undo_seconds": f"Between 0 and {MAX_UNDO_SECONDS} seconds."}
        )
    return seconds


def _answered_ticket(ticket: Ticket, message: Message, actor: Actor, wanted: Reply, recipients: Recipients) -> Ticket:
    """The ticket after the answer: nobody waits any more, unless it went to a third party only."""
    status = _status_after(ticket, actor, wanted)
    answers = not wanted.forward and actor.kind != "system"
    filed = status in DONE
    return replace(
        ticket,
        status=status,
        closed_at=(ticket.closed_at or message.at) if filed else None,
        updated_at=max(ticket.updated_at, message.at),
        waiting_since=None if answers else ticket.waiting_since,
        set_aside=None if answers else ticket.set_aside,
        last_message_id=message.id,
        message_count=ticket.message_count + 1,
        snippet=snippet_of(message.text) or ticket.snippet,
        assignee_id=ticket.assignee_id or (actor.id if actor.kind == "agent" else None),
        participants=with_participants(ticket, took_part(recipients)),
        snoozed_until=None,
        undelivered=ticket.undelivered and not answers,
        answered_elsewhere=None if answers else ticket.answered_elsewhere,
    )


def _status_after(ticket: Ticket, actor: Actor, wanted: Reply) -> Status:
    if wanted.then_status is not None:
        if wanted.then_status not in AGENT_STATUSES and wanted.then_status != ticket.status:
            sentence = f"One of {', '.join(AGENT_STATUSES)}."
            raise InvalidInput("That status is not one of ours.", {"then_status": sentence})
        return wanted.then_status
    if ticket.status == "open" and actor.kind == "agent" and not wanted.forward:
        return "pending"
    return ticket.status


def took_part(recipients: Recipients) -> tuple[str, ...]:
    """Whoever everybody saw in the mail: a Bcc recipient who answers must not join the conversation."""
    return Recipients(recipients.to, recipients.cc).addresses()
