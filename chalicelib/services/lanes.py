"""By which way an answer goes: where tickets were merged, each message keeps its own channel, inbox and customer."""

from dataclasses import replace

from chalicelib.domain.message import Inbound, Message
from chalicelib.domain.people import Inbox
from chalicelib.domain.ticket import Ticket
from chalicelib.store import directory, tickets


def seen_from(ticket: Ticket, about: Message | None) -> Ticket:
    """The ticket with the customer, the channel and the inbox of this message: an answer to it goes there.

    A message of the ticket itself belongs to the ticket's own, unless it came in for one that was merged into it.
    """
    if about is None or (about.ticket_id == ticket.id and "customer" not in about.event):
        return ticket
    home = ticket if about.ticket_id == ticket.id else tickets.exactly(about.ticket_id).ticket
    if "customer" not in about.event:
        return replace(
            ticket, inbox_id=home.inbox_id, channel=home.channel, customer_name=home.customer_name,
            customer_handle=home.customer_handle, conversation_key=home.conversation_key,
        )  # fmt: skip
    handle = about.event["customer"]
    parties = (*((about.sender,) if about.sender else ()), *about.to)
    inbox = directory.inbox(about.inbox_id)
    return replace(
        ticket, inbox_id=inbox.id, channel=inbox.channel,
        customer_name=next((each.name for each in parties if each.address.lower() == handle and each.name), handle),
        customer_handle=handle, conversation_key=about.event.get("thread") or None,
    )  # fmt: skip


def mark_inbound(ticket: Ticket, inbound: Inbound, inbox: Inbox) -> dict[str, str]:
    """What a message must say of itself because the ticket that it joins does not: who wrote, in which chat."""
    if not ticket.merged:
        return {}
    customer, thread = inbound.sender.address.lower(), inbound.conversation_key
    own = (ticket.inbox_id, ticket.customer_handle.lower(), ticket.conversation_key)
    return {} if (inbox.id, customer, thread) == own else {"customer": customer, "thread": thread or ""}


def mark_outgoing(ticket: Ticket, lane: Ticket) -> dict[str, str]:
    """The same of an answer that goes another way than the ticket's own."""
    if lane is ticket:
        return {}
    return {"customer": lane.customer_handle.lower(), "thread": lane.conversation_key or ""}


def thread_of(message: Message, ticket: Ticket) -> str | None:
    """The provider's own grouping, for a message that goes out."""
    return (message.event.get("thread") or None) if "customer" in message.event else ticket.conversation_key
