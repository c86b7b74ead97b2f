"""What an agent sees on opening a ticket."""

from dataclasses import dataclass

from chalicelib.domain.people import Customer
from chalicelib.domain.ticket import Ticket
from chalicelib.services import drafts
from chalicelib.store import customers, live, messages, tickets
from chalicelib.store.messages import Conversation
from chalicelib.store.tickets import EarlierTicket

EARLIER_SHOWN = 10


@dataclass(frozen=True)
class TicketView:
    """``viewers``: ids of other agents who have it open.  ``earlier``: the customer's other tickets, newest first."""

    ticket: Ticket
    seen_by: frozenset[str]
    conversation: Conversation
    customer: Customer
    earlier: tuple[EarlierTicket, ...]
    draft: drafts.Draft | None
    viewers: tuple[str, ...]


def open_ticket(ticket_id: str, agent_id: str, before: str | None = None) -> TicketView:
    """Read everything and note that the agent has seen it.  ``before``: a message id, for what came earlier."""
    loaded = tickets.load(ticket_id)
    if agent_id not in loaded.seen_by:
        tickets.mark_seen(ticket_id, agent_id)
    ticket = loaded.ticket
    earlier = tuple(each for each in tickets.of_customer(ticket.customer_id, EARLIER_SHOWN + 1) if each.id != ticket_id)
    viewers = {each.agent_id for each in live.connections() if each.ticket_id == ticket_id} - {agent_id}
    return TicketView(
        ticket,
        loaded.seen_by,
        messages.newest(ticket_id, before),
        customers.get(ticket.customer_id),
        earlier[:EARLIER_SHOWN],
        drafts.load(ticket_id, agent_id),
        tuple(sorted(viewers)),
    )


def mark_unread(ticket_id: str, agent_id: str) -> None:
    """Unread again, for this agent alone."""
    tickets.mark_seen(ticket_id, agent_id, seen=False)
