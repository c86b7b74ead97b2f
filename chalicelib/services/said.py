"""What stands in a conversation: what was said, by whom, what answered it, and what was taken back."""

from dataclasses import replace
from datetime import datetime

from chalicelib.domain.inbound_limits import straight
from chalicelib.domain.message import Message
from chalicelib.domain.moments import sortable_id, stamp
from chalicelib.domain.placeholders import placeholders
from chalicelib.domain.threading import AUTOMATIC
from chalicelib.domain.ticket import LIVE, SNIPPET_CHARS, SetAside, Status, Ticket
from chalicelib.errors import InvalidInput, NotFound
from chalicelib.services import drafts
from chalicelib.store import messages
from chalicelib.store.codec import encode

MAX_TEXT_CHARS = 100_000
MAX_OWN_STEPS = 20
"""How far a chain of messages that followed one another is walked."""
MAX_PAGES = 20
"""How far back answers to a question are looked for, behind whatever notes and events came since."""
NEVER_ARRIVED = frozenset({"cancelled", "failed", "bounced"})


def whole_text(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def check_filled(text: str) -> None:
    """Nobody is sent our braces: raise InvalidInput that names the placeholders still standing in the text.

    Only names of ours count; any other braces are the writer's own words.
    """
    left = placeholders(text)
    if not left:
        return
    named = ", ".join(f"{{{name}}}" for name in left)
    sentence = (
        f"{named} {'is' if len(left) == 1 else 'are'} not filled in. Write what belongs there, or take it out. "
        f"For the braces themselves, write \\{{{left[0]}}}."
    )
    raise InvalidInput(
        f"It was not sent: {named} {'is' if len(left) == 1 else 'are'} not filled in.", {"text": sentence}
    )


def seeded_id(ticket_id: str, seed: bytes) -> str:
    """Where a repeated request finds what the first one wrote."""
    return sortable_id("s", datetime.fromtimestamp(0).astimezone(), ticket_id.encode() + seed, chars=14)


def said_before(ticket_id: str, seed: bytes) -> Message | None:
    message_id = drafts.seeded_message(seeded_id(ticket_id, seed))
    return messages.get(ticket_id, message_id) if message_id else None


def standing(ticket_id: str, message_id: str) -> str:
    """The message, or, when it was taken back or is our automatic acknowledgement, the one it followed."""
    for _ in range(MAX_OWN_STEPS):
        message = find(ticket_id, message_id)
        if message is None:
            break
        if message.author_kind == "system":
            return message.event.get("answers") or message_id
        if message.delivery is None or message.delivery.state != "cancelled" or "after" not in message.event:
            break
        message_id = message.event["after"]
    return message_id


def find(ticket_id: str, message_id: str) -> Message | None:
    try:
        return messages.get(ticket_id, message_id)
    except NotFound:
        return None


def answers_to(ticket: Ticket, question_id: str) -> list[Message]:
    """What agents and bots answered to a message and did, as far as we know, reach the customer; oldest first."""
    if not question_id:
        return []
    said: list[Message] = []
    page = messages.newest(ticket.id, consistent=True, merged=ticket.merged)  # a colleague may answer this second
    for _ in range(MAX_PAGES):
        said[:0] = page.messages
        if page.earlier is None or not page.messages or page.messages[0].id < question_id:
            break
        page = messages.newest(ticket.id, before=page.earlier, consistent=True, merged=ticket.merged)
    return [each for each in said if _is_answer(each, question_id)]


def _is_answer(message: Message, question_id: str) -> bool:
    answers = speaks_to_customer(message) and message.event.get("answers") == question_id
    return answers and may_have_arrived(message)


def may_have_arrived(message: Message) -> bool:
    """Not known to have failed, and not taken back."""
    return message.delivery is None or message.delivery.state not in NEVER_ARRIVED


def stands(answer: Message) -> bool:
    """Nothing tells that it did not arrive, nor that it may not have."""
    return answer.delivery is None or answer.delivery.state not in messages.UNDELIVERED_STATES


def left_waiting(ticket: Ticket) -> Ticket:
    """A ticket in which no answer to its newest question stands any more: whoever wrote it waits, or will wait once
    somebody brings the ticket back.

    What an answer remembers need not say so: when it was written, another one may have stood that failed or was taken
    back since.
    """
    aside = ticket.set_aside or SetAside()
    if not ticket.last_inbound_id or ticket.waiting_since is not None or aside.waiting_since is not None:
        return ticket
    question = messages.get(ticket.id, ticket.last_inbound_id)
    if question.mail_kind in AUTOMATIC:
        return ticket
    if ticket.status in LIVE:
        return replace(ticket, waiting_since=question.at)
    return replace(ticket, set_aside=replace(aside, waiting_since=question.at))


def memory(ticket: Ticket, then: Status) -> dict[str, str]:
    """How the ticket stood before an answer: what taking it back restores, and what "wrote meanwhile" goes back by."""
    return {
        "after": ticket.last_message_id,
        "waited": stamp(ticket.waiting_since) if ticket.waiting_since else "",
        "status": ticket.status,
        "then": then,
        "undelivered": "1" if ticket.undelivered else "",
        "aside": encode(ticket.set_aside) if ticket.set_aside else "",
    }


def snippet_of(text: str) -> str:
    return straight(" ".join(text.split()))[:SNIPPET_CHARS]


def is_ours(message: Message) -> bool:
    """Said by an agent or a bot, and not taken back."""
    if message.kind != "message" or message.direction != "out" or message.author_kind == "system":
        return False
    return message.delivery is None or message.delivery.state != "cancelled"


def speaks_to_customer(message: Message) -> bool:
    """Only such a message of ours ends somebody's wait, and only its failure begins it again.

    A forward names the customer's message too, but goes to third parties; an automatic one answers nothing, nor does
    its copy, whoever sent that again.
    """
    return is_ours(message) and not message.event.get("forward") and not message.event.get("automatic")
