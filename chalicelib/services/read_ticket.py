"""What an agent sees on opening a ticket."""

from dataclasses import dataclass

from chalicelib.domain.people import Customer
from chalicelib.domain.ticket import Ticket
from chalicelib.services import drafts
from chalicelib.services.merge_tickets import MergedTicket, merged_tickets
from chalicelib.store import customers, live, messages, tickets
from chalicelib.store.messages import Conversation
from chalicelib.store.tickets import EarlierTicket

EARLIER_SHOWN = 10


@dataclass(frozen=True)
class TicketView:
    """``viewers``: ids of other agents who have it open.  ``earlier``: the customer's other tickets, newest first.

    ``ticket`` is the one that goes on where the one asked for was merged.
    """

    ticket: Ticket
    seen_by: frozenset[str]
    conversation: Conversation
    customer: Customer
    earlier: tuple[EarlierTicket, ...]
    draft: drafts.Draft | None
    viewers: tuple[str, ...]
    merged: tuple[MergedTicket, ...] = ()
    further_drafts: tuple[tuple[str, drafts.Draft], ...] = ()
    """What the agent was writing on tickets that were merged into this one, by their ids."""


def open_ticket(ticket_id: str, agent_id: str, before: str | None = None) -> TicketView:
    """Read everything and note that the agent has seen it.  ``before``: a message id, for what came earlier."""
    loaded = tickets.load(ticket_id)
    ticket = loaded.ticket
    if agent_id not in loaded.seen_by:
        tickets.mark_seen(ticket.id, agent_id)
    own = (ticket.id, *ticket.merged)
    most = EARLIER_SHOWN + len(own)
    earlier = tuple(each for each in tickets.of_customer(ticket.customer_id, most) if each.id not in own)
    viewers = {each.agent_id for each in live.connections() if each.ticket_id == ticket.id} - {agent_id}
    kept = ((each, drafts.load(each, agent_id)) for each in ticket.merged)
    return TicketView(
        ticket,
        loaded.seen_by,
        messages.newest(ticket.id, before, merged=ticket.merged),
        customers.get(ticket.customer_id),
        earlier[:EARLIER_SHOWN],
        drafts.load(ticket.id, agent_id),
        tuple(sorted(viewers)),
        merged_tickets(ticket),
        tuple((each, draft) for each, draft in kept if draft is not None),
    )


def mark_unread(ticket_id: str, agent_id: str) -> None:
    """Unread again, for this agent alone."""
    tickets.mark_seen(ticket_id, agent_id, seen=False)
