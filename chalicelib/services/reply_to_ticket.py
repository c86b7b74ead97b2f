"""An agent's (or a bot's) answer and notes; taking back, settling and repeating what was sent."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast

from chalicelib.domain.files import MAX_MAILED_BYTES
from chalicelib.domain.message import Attachment, Message, Party
from chalicelib.domain.moments import from_stamp, sortable_id, stamp, whole_milliseconds
from chalicelib.domain.people import Actor, Inbox
from chalicelib.domain.plain_text import text_of
from chalicelib.domain.recipients import Recipients, answer_to, checked_recipients
from chalicelib.domain.safe_html import agent_html
from chalicelib.domain.threading import AUTOMATIC
from chalicelib.domain.ticket import AGENT_STATUSES, SNIPPET_CHARS, Status, Ticket
from chalicelib.errors import Conflict, InvalidInput, NotFound
from chalicelib.services import attachments, drafts, record_state
from chalicelib.services.change_ticket import event_message
from chalicelib.services.receive_message import with_participants
from chalicelib.store import directory, documents, messages, tickets
from chalicelib.store.codec import encode
from chalicelib.store.tickets import Loaded
from chalicelib.store.transaction import Lost, Transaction

ATTEMPTS = 5
MAX_TEXT_CHARS = 100_000
MAX_UNDO_SECONDS = 60
MAX_OWN_STEPS = 20
RECENT_MESSAGES = 50
MAX_DRAFT_BYTES = 350_000
FILED: frozenset[Status] = frozenset({"resolved", "closed"})
NEVER_ARRIVED = frozenset({"cancelled", "failed", "bounced"})


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
            repeated = _said_before(ticket_id, seed_bytes)
            if repeated is not None:
                return repeated
        try:
            return _reply_once(before, actor, wanted, at, seed_bytes)
        except Lost:
            continue
    raise Conflict("The ticket is changing too quickly. Look at it again, then send.")


def _whole(wanted: Reply) -> Reply:
    """Without half characters (unpaired surrogates), which can be neither stored nor sent."""
    return replace(
        wanted, text=_whole_text(wanted.text), html=_whole_text(wanted.html),
        to=None if wanted.to is None else _whole_parties(wanted.to), cc=_whole_parties(wanted.cc),
        bcc=_whole_parties(wanted.bcc),
    )  # fmt: skip


def _whole_parties(parties: Sequence[Party]) -> tuple[Party, ...]:
    return tuple(Party(_whole_text(each.name), _whole_text(each.address)) for each in parties)


def _whole_text(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def seeded_id(ticket_id: str, seed: bytes) -> str:
    """Where a repeated request finds what the first one wrote."""
    return sortable_id("s", datetime.fromtimestamp(0).astimezone(), ticket_id.encode() + seed, chars=14)


def _said_before(ticket_id: str, seed: bytes) -> Message | None:
    message_id = drafts.seeded_message(seeded_id(ticket_id, seed))
    return messages.get(ticket_id, message_id) if message_id else None


def _reply_once(before: Loaded, actor: Actor, wanted: Reply, at: datetime, seed: bytes) -> Message:
    ticket = before.ticket
    inbox = directory.inbox(ticket.inbox_id)
    text, html = _said(wanted)
    answered = _answered(ticket)
    _check_nothing_newer(ticket, actor, wanted)
    recipients = _recipients(inbox, answered, ticket, wanted)
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
            **_memory(ticket, _status_after(ticket, actor, wanted)),
        },
    )  # fmt: skip
    undo = _undo_seconds(inbox, wanted)
    transaction = Transaction()
    stored = messages.add(transaction, message, html)
    messages.add_delivery(transaction, message, inbox.id, at + timedelta(seconds=undo))
    transaction.put_new("seed", drafts.seed_item(seeded_id(ticket.id, seed), message.id, at))
    after = _answered_ticket(ticket, message, actor, wanted, recipients)
    tickets.put_changed(transaction, before, after, at)
    if after.status != ticket.status:
        behind = at + timedelta(milliseconds=1)  # its line stands behind the answer
        transaction.put("event", messages.as_item(event_message(ticket, actor, behind, seed, status=after.status)))
    if actor.kind == "agent":
        transaction.delete("draft", drafts.item_key(ticket.id, actor.id))
    transaction.commit()
    return replace(stored, delivery=messages.get_delivery(ticket.id, message.id))


def _said(wanted: Reply) -> tuple[str, str]:
    html = agent_html(wanted.html) if wanted.html else ""
    text = (text_of(html) if html else wanted.text).strip()
    if not text and not wanted.attachment_ids:
        raise InvalidInput("There is nothing to send yet.", {"text": "Write something first."})
    if len(text) > MAX_TEXT_CHARS:
        raise InvalidInput("The text is too long.", {"text": f"Keep it under {MAX_TEXT_CHARS:,} characters."})
    return text, html


def _answered(ticket: Ticket) -> Message | None:
    """The message an answer continues: the customer's newest, else our own newest."""
    if ticket.last_inbound_id:
        return messages.get(ticket.id, ticket.last_inbound_id)
    said = [each for each in messages.newest(ticket.id).messages if each.kind == "message"]
    by_people = [each for each in said if each.mail_kind not in AUTOMATIC]  # nobody answers an out-of-office
    return by_people[-1] if by_people else None


def _check_nothing_newer(ticket: Ticket, actor: Actor, wanted: Reply) -> None:
    """Compare what was committed last, never times: a repeated request and a mail on its way carry earlier ones."""
    if wanted.send_anyway:
        return
    if wanted.last_seen_message_id is not None:
        if _others_wrote(ticket, actor, wanted.last_seen_message_id):
            newest = _found(ticket.id, ticket.last_message_id)
            who = newest.author_name if newest else "Somebody"
            raise Conflict(f"{who} wrote while you typed. Look at it, or send anyway.", ticket.last_message_id)
        return
    if wanted.forward or actor.kind == "system" or ticket.waiting_since is not None:
        return
    given = _answers_to(ticket, ticket.last_inbound_id)
    if given and given[-1].author_id != actor.id:
        said = f"{given[-1].author_name} has answered already. Look at it, or send anyway."
        raise Conflict(said, given[-1].id)


def _others_wrote(ticket: Ticket, actor: Actor, last_seen: str) -> bool:
    """Was anything committed after ``last_seen`` that is neither the agent's own nor taken back?

    A bot is one author to us but may be many programs: its own messages count.
    """
    newest = ticket.last_message_id
    if newest == last_seen:
        return False
    seen = _standing(ticket.id, last_seen)
    for _ in range(MAX_OWN_STEPS):
        newest = _standing(ticket.id, newest)
        if newest == seen:
            return False
        message = _found(ticket.id, newest)
        if message is None or actor.kind != "agent" or message.author_id != actor.id or "after" not in message.event:
            return True
        newest = message.event["after"]
    return True


def _standing(ticket_id: str, message_id: str) -> str:
    """The message, or, when it was taken back or is our automatic acknowledgement, the one it followed."""
    for _ in range(MAX_OWN_STEPS):
        message = _found(ticket_id, message_id)
        if message is None:
            break
        if message.author_kind == "system":
            return message.event.get("answers") or message_id
        if message.delivery is None or message.delivery.state != "cancelled" or "after" not in message.event:
            break
        message_id = message.event["after"]
    return message_id


def _found(ticket_id: str, message_id: str) -> Message | None:
    try:
        return messages.get(ticket_id, message_id)
    except NotFound:
        return None


def _answers_to(ticket: Ticket, question_id: str) -> list[Message]:
    """What agents and bots answered to a message and did, as far as we know, reach the customer; oldest first."""
    if not question_id:
        return []
    return [each for each in messages.newest(ticket.id).messages if _is_answer(each, question_id)]


def _is_answer(message: Message, question_id: str) -> bool:
    if not _is_ours(message) or message.event.get("forward") or message.event.get("answers") != question_id:
        return False
    return message.delivery is None or message.delivery.state not in NEVER_ARRIVED


def _memory(ticket: Ticket, then: Status) -> dict[str, str]:
    """How the ticket stood before an answer: what taking it back restores, and what "wrote meanwhile" goes back by."""
    return {
        "after": ticket.last_message_id,
        "waited": stamp(ticket.waiting_since) if ticket.waiting_since else "",
        "status": ticket.status,
        "then": then,
        "undelivered": "1" if ticket.undelivered else "",
    }


def own_addresses() -> Collection[str]:
    return frozenset(inbox.address.lower() for inbox in directory.inboxes())


def _recipients(inbox: Inbox, answered: Message | None, ticket: Ticket, wanted: Reply) -> Recipients:
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
    filed = status in FILED
    return replace(
        ticket,
        status=status,
        closed_at=(ticket.closed_at or message.at) if filed else None,
        updated_at=max(ticket.updated_at, message.at),
        waiting_since=None if answers else ticket.waiting_since,
        last_message_id=message.id,
        message_count=ticket.message_count + 1,
        snippet=_snippet(message.text) or ticket.snippet,
        assignee_id=ticket.assignee_id or (actor.id if actor.kind == "agent" else None),
        participants=with_participants(ticket, _took_part(recipients)),
        snoozed_until=None,
        undelivered=ticket.undelivered and not answers,
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


def _took_part(recipients: Recipients) -> tuple[str, ...]:
    """Whoever everybody saw in the mail: a Bcc recipient who answers must not join the conversation."""
    return Recipients(recipients.to, recipients.cc).addresses()


def add_note(
    ticket_id: str, actor: Actor, text: str, at: datetime, attachment_ids: Sequence[str] = (), seed: str | None = None
) -> Message:
    """A note: seen by agents only."""
    said = _whole_text(text).strip()
    if not said and not attachment_ids:
        raise InvalidInput("The note is empty.", {"text": "Write something first."})
    if len(said) > MAX_TEXT_CHARS:
        raise InvalidInput("The note is too long.", {"text": f"Keep it under {MAX_TEXT_CHARS:,} characters."})
    at = whole_milliseconds(at)
    seed_bytes = seed.encode() if seed else secrets.token_bytes(16)
    for _ in range(ATTEMPTS):
        before = tickets.load(ticket_id)
        repeated = _said_before(ticket_id, seed_bytes) if seed else None
        if repeated is not None:
            return repeated
        note = Message(
            id=sortable_id("m", at, seed_bytes), ticket_id=ticket_id, kind="note", direction="out",
            author_kind=actor.kind, author_id=actor.id, author_name=actor.name, at=at, sent_at=at, text=said,
            attachments=attachments.uploaded(ticket_id, actor, attachment_ids), inbox_id=before.ticket.inbox_id,
        )  # fmt: skip
        transaction = Transaction()
        stored = messages.add(transaction, note)
        transaction.put_new("seed", drafts.seed_item(seeded_id(ticket_id, seed_bytes), note.id, at))
        after = replace(before.ticket, message_count=before.ticket.message_count + 1)
        tickets.put_changed(transaction, before, after, at)
        if actor.kind == "agent":
            transaction.delete("draft", drafts.item_key(ticket_id, actor.id))
        try:
            transaction.commit()
        except Lost:
            continue
        return stored
    raise Conflict("The ticket is changing too quickly. Look at it again, then save the note.")


# After sending


def undo(ticket_id: str, message_id: str, actor: Actor, at: datetime) -> drafts.Draft:
    """Take a reply back before it goes out, and give its text back as the draft of whoever took it back.

    One transaction: delivery, ticket, history and draft.  Repeated, it returns the draft again.
    Raises Conflict when it is too late.
    """
    at = whole_milliseconds(at)
    for _ in range(ATTEMPTS):
        before = tickets.load(ticket_id)
        message = messages.get(ticket_id, message_id)
        draft = _draft_of(message, at)
        if message.delivery is not None and message.delivery.state == "cancelled":
            return drafts.load(ticket_id, actor.id) or draft
        if message.delivery is None or message.delivery.state != "queued":
            break
        try:
            _undo_once(before, message, actor, at, draft)
        except Lost:
            continue
        return draft
    else:
        raise Conflict("The ticket is changing too quickly. Try again.")
    raise Conflict("It is too late: the message is on its way.")


def _draft_of(message: Message, at: datetime) -> drafts.Draft:
    body = messages.body_of(message)
    return drafts.Draft(
        kind="reply", text=body.text, html=body.html, to=message.to, cc=message.cc, bcc=message.bcc,
        attachment_ids=tuple(each.id for each in message.attachments), updated_at=at,
        forward=bool(message.event.get("forward")),
    )  # fmt: skip


def _undo_once(before: Loaded, taken_back: Message, actor: Actor, at: datetime, draft: drafts.Draft) -> None:
    ticket = before.ticket
    after = _as_before(ticket, taken_back, at)
    transaction = Transaction()
    messages.cancel(transaction, ticket.id, taken_back.id, at, f"Taken back by {actor.name}.")
    tickets.put_changed(transaction, before, after, at)
    if after.status != ticket.status:
        event = event_message(ticket, actor, at, taken_back.id.encode(), status=after.status)
        transaction.put("event", messages.as_item(event))
    if len(encode(draft).encode()) <= MAX_DRAFT_BYTES:  # a longer one stays readable in the conversation
        key = drafts.item_key(ticket.id, actor.id)
        expires_at = at + timedelta(days=drafts.DRAFT_DAYS)
        transaction.put("draft", documents.item(str(key.pk), str(key.sk), draft, expires_at))
    transaction.commit()


def _snippet(text: str) -> str:
    return " ".join(text.split())[:SNIPPET_CHARS]


def _as_before(ticket: Ticket, taken_back: Message, at: datetime) -> Ticket:
    """As if it had not been written: what it changed is put back, what others changed since stays."""
    memory = _first_taken_back(taken_back).event
    after = ticket
    if ticket.last_message_id == taken_back.id:
        followed = memory.get("after", ticket.last_inbound_id)
        standing = _standing(ticket.id, followed)
        shown = _found(ticket.id, standing)
        after = replace(after, last_message_id=standing, snippet=_snippet(shown.text) if shown else ticket.snippet)
    if memory.get("undelivered"):
        after = replace(after, undelivered=True)
    waited = from_stamp(memory["waited"]) if memory.get("waited") else None
    questions = {ticket.last_inbound_id, taken_back.event.get("answers", "")} - {""}
    others = [each for question in questions for each in _answers_to(ticket, question) if each.id != taken_back.id]
    status = ticket.status
    if waited is not None and not taken_back.event.get("forward") and not others:
        after = replace(after, waiting_since=min(ticket.waiting_since or waited, waited))
        status = "open" if status in FILED else status
    if ticket.last_message_id == taken_back.id and ticket.status == taken_back.event.get("then"):
        status = cast(Status, memory.get("status", ticket.status))
    if status == ticket.status:
        return after
    return replace(after, status=status, closed_at=(ticket.closed_at or at) if status in FILED else None)


def _first_taken_back(message: Message) -> Message:
    """Of answers written one upon the other and all taken back, the first: it remembers the ticket without them."""
    for _ in range(MAX_OWN_STEPS):
        earlier = _found(message.ticket_id, message.event.get("after", ""))
        if earlier is None or earlier.delivery is None or earlier.delivery.state != "cancelled":
            break
        message = earlier
    return message


def settle_unclear(ticket_id: str, message_id: str, actor: Actor, arrived: bool, at: datetime) -> Message:
    """An agent decides about a message nobody knows the fate of: it arrived, or send it again."""
    if not arrived:
        return send_again(ticket_id, message_id, actor, at)
    reason = f"{actor.name} says that it arrived."
    if not messages.move_delivery(ticket_id, message_id, "sent", ["unclear"], at, reason, settled=True):
        raise Conflict("This message is no longer unclear. Look at its state.")
    record_state.note_arrival(ticket_id, message_id, at)
    return messages.get(ticket_id, message_id)


def send_again(
    ticket_id: str, message_id: str, actor: Actor, at: datetime, to: tuple[Party, ...] | None = None
) -> Message:
    """Queue a copy of a message that failed, bounced or stayed unclear, perhaps to another address.

    The first one keeps its state, with the reason that it was sent again: each outgoing message is sent at most once.
    """
    first = messages.get(ticket_id, message_id)
    if first.delivery is None:
        raise NotFound("This message was never sent.")
    body = messages.body_of(first)
    wanted = Reply(body.text, body.html, to or first.to, first.cc, first.bcc, undo_seconds=0, send_anyway=True)
    for _ in range(ATTEMPTS):
        before = tickets.load(ticket_id)
        try:
            return _copy(before, first, wanted, actor, whole_milliseconds(at), body)
        except Lost as lost:
            if "first" in lost.labels:
                raise Conflict("This message cannot be sent again: look at its state.") from lost
    raise Conflict("The ticket is changing too quickly. Try again.")


def _copy(before: Loaded, first: Message, wanted: Reply, actor: Actor, at: datetime, body: messages.Body) -> Message:
    inbox = directory.inbox(before.ticket.inbox_id)
    recipients = _recipients(inbox, None, before.ticket, wanted)
    message = replace(
        first, id=sortable_id("m", at, secrets.token_bytes(16)), at=at, author_kind=actor.kind, author_id=actor.id,
        author_name=actor.name, to=recipients.to, cc=recipients.cc, bcc=recipients.bcc, text=body.text, delivery=None,
        event={**first.event, "repeats": first.id, **_memory(before.ticket, before.ticket.status)},
    )  # fmt: skip
    transaction = Transaction()
    stored = messages.add(transaction, message, body.html)
    messages.add_delivery(transaction, message, inbox.id, at)
    messages.supersede(transaction, first.ticket_id, first.id, at, f"Sent again by {actor.name}.")
    after = replace(
        before.ticket,
        updated_at=max(before.ticket.updated_at, at),
        last_message_id=message.id,
        message_count=before.ticket.message_count + 1,
        undelivered=before.ticket.undelivered and _others_undelivered(first),
        waiting_since=_still_waits(before.ticket, first),
        participants=with_participants(before.ticket, _took_part(recipients)),
    )
    tickets.put_changed(transaction, before, after, at)
    transaction.commit()
    return stored


def _others_undelivered(first: Message) -> bool:
    """Did another message fail that was neither sent again nor answered over by a new one since?"""
    said = [each for each in messages.newest(first.ticket_id, limit=RECENT_MESSAGES).messages if _is_ours(each)]
    repeated = {each.event["repeats"] for each in said if "repeats" in each.event}
    new = [each.at for each in said if not each.event.get("forward") and "repeats" not in each.event]
    failed = [each for each in said if each.delivery and each.delivery.state in messages.UNDELIVERED_STATES]
    return any(
        each.id != first.id
        and each.id not in repeated
        and each.delivery
        and (each.delivery.at or each.at) >= max(new, default=each.at)
        for each in failed
    )


def _is_ours(message: Message) -> bool:
    """Said by an agent or a bot, and not taken back."""
    if message.kind != "message" or message.direction != "out" or message.author_kind == "system":
        return False
    return message.delivery is None or message.delivery.state != "cancelled"


def _still_waits(ticket: Ticket, first: Message) -> datetime | None:
    """Who was answered by the message being repeated waits no more; who asked anew since does, from then on."""
    if ticket.waiting_since is None or first.author_kind == "system" or first.event.get("forward"):
        return ticket.waiting_since
    if ticket.last_inbound_id in ("", first.event.get("answers")):
        return None
    newest = messages.get(ticket.id, ticket.last_inbound_id)
    since = newest.at if newest.mail_kind not in AUTOMATIC else None
    return ticket.waiting_since if ticket.waiting_since > first.at else since
