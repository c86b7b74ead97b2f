"""Saved replies where an agent answers: offered while "/" is typed, filled and put into the answer."""

import json

from chalice.app import Response

from chalicelib.api.console.composing import Typed, joined, typed_of
from chalicelib.api.console.writing import keep_draft, typed_in
from chalicelib.api.web import Visit, html
from chalicelib.domain.saved_reply import ReplyEntry, visible_to
from chalicelib.services import drafts, fill_reply
from chalicelib.services.saved_replies import seen_by
from chalicelib.store import saved_replies, tickets


def offer(visit: Visit, ticket_id: str) -> Response:
    """What may be inserted: options for the composer's list, or without scripts a page to choose from."""
    ticket = tickets.get(ticket_id)
    offered = _offered(visit)
    if visit.wants_fragment:
        return visit.page("ticket/replies.html", replies=offered)
    return visit.page("ticket/replies_page.html", replies=offered, ticket=ticket)


def keep_and_offer(visit: Visit, ticket_id: str) -> Response:
    """Without scripts: what was typed is kept while the agent chooses."""
    tickets.get(ticket_id)
    keep_draft(visit, ticket_id, typed_in(visit))
    return visit.go(f"/tickets/{ticket_id}/replies")


def use(visit: Visit, ticket_id: str, reply_id: str) -> Response:
    """The words for the composer; without scripts they join the draft."""
    ticket = tickets.get(ticket_id)
    reply = seen_by(reply_id, visit.agent, False, visit.at)
    found = fill_reply.fill(reply, ticket, visit.agent)
    saved_replies.count_use(reply_id, visit.at)
    if visit.wants_fragment:
        answer = {"text": found.text, "language": found.language, "missing": found.missing}
        return html(json.dumps(answer), 200, {"Content-Type": "application/json"})
    draft = drafts.load(ticket_id, visit.agent.id)
    keep_draft(visit, ticket_id, joined(typed_of(draft) if draft else Typed(), Typed(text=found.text)))
    return visit.go(f"/tickets/{ticket_id}")


def _offered(visit: Visit) -> tuple[ReplyEntry, ...]:
    return visible_to(saved_replies.entries(), visit.agent.id, visit.agent.team_ids)
