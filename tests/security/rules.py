"""Who may call what: the rule of every route, written down by hand.

A route that stands in no rule fails ``test_matrix``.  The rules do not look at ``services/permissions.py``: they say
what is meant, the permissions say what is done, and the matrix compares the two.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["public", "console", "api", "hook"]

VIEWER = frozenset({"viewer", "agent", "leader", "admin"})
AGENT = frozenset({"agent", "leader", "admin"})
LEADER = frozenset({"leader", "admin"})
ADMIN = frozenset({"admin"})

READ = frozenset({"read", "write", "admin"})
WRITE = frozenset({"write", "admin"})
FULL = frozenset({"admin"})
OPERATE = frozenset({"read", "admin"})


@dataclass(frozen=True)
class Rule:
    """allow: roles for the console, scopes of a token for the API; nobody else."""

    kind: Kind
    allow: frozenset[str] = frozenset()


PUBLIC = """
GET /health                GET /static/{version}/{name}    GET /api/v1/health         GET /api/v1/openapi.json
GET /sign-in               POST /sign-in                   POST /sign-in/new-password POST /sign-in/code
POST /sign-in/set-up       POST /sign-out                  GET /forgot                POST /forgot
GET /password              POST /password
"""
HOOKS = "GET /hooks/{inbox_id} POST /hooks/{inbox_id}"

CONSOLE = {
    VIEWER: """
        GET /                  GET /lists/{key}            GET /lists/{key}/rows      GET /search     GET /counts
        GET /keys              GET /session                POST /live-pass            GET /notices
        POST /notices/{notice_id}/dismiss
        GET /tickets/{ticket_id}                           GET /tickets/{ticket_id}/head
        GET /tickets/{ticket_id}/messages                  GET /tickets/{ticket_id}/messages/{message_id}
        GET /tickets/{ticket_id}/messages/{message_id}/full
        GET /tickets/{ticket_id}/messages/{message_id}/formatted
        GET /tickets/{ticket_id}/messages/{message_id}/html
        GET /tickets/{ticket_id}/messages/{message_id}/files/{file_id}
        POST /tickets/{ticket_id}/seen
        GET /settings          GET /settings/me            POST /settings/me          POST /settings/me/password
        POST /settings/me/sign-out-everywhere              POST /settings/me/factor
        POST /settings/me/factor/finish                    POST /settings/me/factor/off
    """,
    AGENT: """
        GET /new               POST /new                   POST /tickets/{ticket_id}/change
        POST /tickets/{ticket_id}/restore                  POST /tickets/{ticket_id}/block
        POST /tickets/{ticket_id}/merge                    POST /tickets/{ticket_id}/unmerge
        POST /tickets/{ticket_id}/unread                   POST /tickets/{ticket_id}/write
        POST /tickets/{ticket_id}/composer                 POST /tickets/{ticket_id}/draft
        POST /tickets/{ticket_id}/uploads                  GET /tickets/{ticket_id}/messages/{message_id}/original
        POST /tickets/{ticket_id}/messages/{message_id}/undo
        POST /tickets/{ticket_id}/messages/{message_id}/use
        POST /tickets/{ticket_id}/messages/{message_id}/settle
        POST /tickets/{ticket_id}/messages/{message_id}/again
        GET /tickets/{ticket_id}/replies                   POST /tickets/{ticket_id}/replies
        POST /tickets/{ticket_id}/replies/{reply_id}
        POST /presence
        GET /settings/replies  POST /settings/replies      GET /settings/replies/new
        GET /settings/replies/{reply_id}                   POST /settings/replies/{reply_id}
        POST /settings/replies/{reply_id}/delete           POST /settings/replies/{reply_id}/restore
    """,
    LEADER: """
        GET /settings/texts    POST /settings/texts/{inbox_id}                        GET /settings/audit
        GET /settings/costs    POST /settings/replies/settings
        GET /operations        GET /operations/ledger      GET /operations/kept-out   GET /operations/kept-out/original
        GET /operations/failed GET /operations/failed/original                        GET /operations/stopped
        POST /operations/kept-out/replay                   POST /operations/failed/retry
        POST /operations/ledger/replay                     POST /operations/stopped/resume
    """,
    ADMIN: """
        GET /settings/agents   GET /settings/agents/new    POST /settings/agents/new
        GET /settings/agents/{agent_id}                    POST /settings/agents/{agent_id}
        POST /settings/agents/{agent_id}/invite            POST /settings/agents/{agent_id}/factor
        POST /settings/agents/{agent_id}/presence          POST /settings/agents/{agent_id}/routing
        POST /settings/teams/{team_id}/assignment
        GET /settings/teams    POST /settings/teams        POST /settings/teams/{team_id}
        POST /settings/teams/{team_id}/delete
        GET /settings/inboxes  GET /settings/inboxes/new   POST /settings/inboxes/new
        GET /settings/inboxes/{inbox_id}                   POST /settings/inboxes/{inbox_id}
        GET /settings/inboxes/{inbox_id}/set-up            POST /settings/inboxes/{inbox_id}/domain
        GET /settings/calendars                            GET /settings/calendars/new
        POST /settings/calendars/new                       GET /settings/calendars/{calendar_id}
        POST /settings/calendars/{calendar_id}             POST /settings/calendars/{calendar_id}/delete
        GET /settings/tokens   POST /settings/tokens       POST /settings/tokens/{token_id}/revoke
        GET /settings/desk     POST /settings/desk         POST /operations/failed/discard
    """,
}
API = {
    READ: """
        GET /api/v1/tickets    GET /api/v1/tickets/{ticket_id}                        GET /api/v1/search
        GET /api/v1/tickets/{ticket_id}/messages           GET /api/v1/tickets/{ticket_id}/messages/{message_id}
        GET /api/v1/tickets/{ticket_id}/messages/{message_id}/attachments/{attachment_id}
        GET /api/v1/customers  GET /api/v1/customers/{customer_id}
        GET /api/v1/customers/{customer_id}/tickets        GET /api/v1/inboxes        GET /api/v1/inboxes/{inbox_id}
        GET /api/v1/calendars  GET /api/v1/calendars/{calendar_id}
        GET /api/v1/agents     GET /api/v1/agents/{agent_id}                          GET /api/v1/teams
        GET /api/v1/saved-replies                          GET /api/v1/saved-replies/{reply_id}
        GET /api/v1/tickets/{ticket_id}/saved-replies/{reply_id}
    """,
    WRITE: """
        POST /api/v1/tickets   PATCH /api/v1/tickets/{ticket_id}
        POST /api/v1/tickets/{ticket_id}/messages          POST /api/v1/tickets/{ticket_id}/attachments
        POST /api/v1/tickets/{ticket_id}/messages/{message_id}/undo
        POST /api/v1/saved-replies                         PATCH /api/v1/saved-replies/{reply_id}
        DELETE /api/v1/saved-replies/{reply_id}            POST /api/v1/saved-replies/{reply_id}/restore
        POST /api/v1/agents/{agent_id}/away                POST /api/v1/agents/{agent_id}/back
        POST /api/v1/tickets/{ticket_id}/merge             POST /api/v1/tickets/{ticket_id}/unmerge
    """,
    OPERATE: "GET /api/v1/ledger GET /api/v1/dead-letters",
    FULL: """
        GET /api/v1/costs      PATCH /api/v1/agents/{agent_id}                        PATCH /api/v1/teams/{team_id}
        POST /api/v1/calendars                             PATCH /api/v1/calendars/{calendar_id}
        DELETE /api/v1/calendars/{calendar_id}
        POST /api/v1/inboxes   POST /api/v1/inboxes/{inbox_id}/resume
        POST /api/v1/dead-letters/{letter_id}/retry        POST /api/v1/dead-letters/{letter_id}/discard
    """,
}


def _routes(text: str) -> list[str]:
    words = text.split()
    return [f"{method} {path}" for method, path in zip(words[::2], words[1::2], strict=True)]


def _table() -> dict[str, Rule]:
    found = [(route, Rule("public")) for route in _routes(PUBLIC)]
    found += [(route, Rule("hook")) for route in _routes(HOOKS)]
    found += [(route, Rule("console", roles)) for roles, text in CONSOLE.items() for route in _routes(text)]
    found += [(route, Rule("api", scopes)) for scopes, text in API.items() for route in _routes(text)]
    table = dict(found)
    assert len(table) == len(found), "a route stands in two rules"
    return table


RULES = _table()
BEYOND = {"POST /settings/inboxes/{inbox_id}/domain": 502}
"""Answers of calls that came in and then met what the engine does not have (a MAIL FROM domain of SES)."""
SOCKET = {"$connect": "a single-use pass", "$default": "an open connection", "$disconnect": "an open connection"}
