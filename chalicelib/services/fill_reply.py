"""A saved reply filled with what the desk knows of a ticket, in the customer's language where it is known."""

from dataclasses import dataclass

from chalicelib.domain.people import Agent, Inbox
from chalicelib.domain.placeholders import filled
from chalicelib.domain.saved_reply import SavedReply, chosen_language, first_name, language_code, person_name
from chalicelib.domain.ticket import Ticket
from chalicelib.errors import InvalidInput
from chalicelib.services.said import find
from chalicelib.store import directory, saved_replies


@dataclass(frozen=True)
class FilledReply:
    """``missing``: placeholders that nothing is known for; they stand in the text and must go before it is sent."""

    text: str
    language: str
    missing: tuple[str, ...]


def fill(reply: SavedReply, ticket: Ticket, agent: Agent | None, language: str = "") -> FilledReply:
    """language: asked for; "" takes the customer's, else the desk's first.  agent None: a program asks.

    Raises InvalidInput when there is no text in the language that was asked for.
    """
    if language and language not in reply.texts:
        known = ", ".join(reply.texts)
        raise InvalidInput("There is no text in that language.", {"language": f"There is one in {known}."})
    settings = saved_replies.settings()
    code = language or chosen_language(reply.texts, language_of(ticket), settings=settings)
    values = {
        **values_of(ticket, directory.inbox(ticket.inbox_id), agent),
        "shop.name": settings.shop_name,
    }
    found = filled(reply.texts.get(code, ""), values)
    return FilledReply(found.text, code, found.missing)


def language_of(ticket: Ticket) -> str:
    """What the customer's newest message says it is written in; "" when it does not."""
    newest = find(ticket.id, ticket.last_inbound_id) if ticket.last_inbound_id else None
    return language_code(newest.language) if newest else ""


def values_of(ticket: Ticket, inbox: Inbox, agent: Agent | None) -> dict[str, str]:
    """By name of the placeholder; what is not known is empty."""
    customer = person_name(ticket.customer_name, ticket.customer_handle)
    by_mail = ticket.channel == "email"
    return {
        "customer.name": customer,
        "customer.first_name": first_name(customer),
        "customer.email": ticket.customer_handle if by_mail else "",
        "ticket.number": ticket.id,
        "ticket.subject": ticket.subject,
        "agent.name": agent.name if agent else "",
        "agent.first_name": first_name(agent.name) if agent else "",
        "shop.email": inbox.address if inbox.channel == "email" else "",
    }
