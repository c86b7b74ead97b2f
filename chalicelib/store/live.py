"""Open consoles: who listens on which connection, and what is on their screen."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.store import documents

CONNECTION_HOURS = 2  # API Gateway closes a socket after two hours
LAG = timedelta(seconds=2)
"""How far the lists may lie behind the table, and two clocks apart: a page this much younger may lack a change.

No longer than that: within it every page that opens asks for its list a second time.
"""


@dataclass(frozen=True)
class Connection:
    """``ticket_id``: the conversation on that screen, empty when none.  session_id: whose end closes it.

    looked: it has said what it shows, so its socket stands; before that AWS may call it gone while it is coming.
    """

    id: str
    agent_id: str
    ticket_id: str = ""
    session_id: str = ""
    looked: bool = False


@dataclass(frozen=True)
class LiveTicket:
    """A single-use pass for opening the socket.  session_id: of the page it was made for; host: where that page lay."""

    agent_id: str
    session_id: str = ""
    host: str = ""


def issue(ticket_hash: str, ticket: LiveTicket, expires_at: datetime) -> None:
    documents.write(f"LIVETICKET#{ticket_hash}", "LIVETICKET", ticket, expires_at)


def redeem(ticket_hash: str, now: datetime) -> LiveTicket | None:
    """What an unexpired pass is for, once."""
    key = (f"LIVETICKET#{ticket_hash}", "LIVETICKET")
    found = documents.read(LiveTicket, *key, now=now)
    return found if found and documents.take(*key) else None


def open_connection(connection: Connection, now: datetime) -> None:
    documents.write("LIVE", connection.id, connection, now + timedelta(hours=CONNECTION_HOURS))


def look_at(connection_id: str, ticket_id: str, now: datetime) -> None:
    """Note what a console shows; nothing when nobody knows the connection (any more)."""
    found = documents.read(Connection, "LIVE", connection_id)
    if found is not None:
        documents.replace(
            "LIVE",
            connection_id,
            replace(found, ticket_id=ticket_id, looked=True),
            now + timedelta(hours=CONNECTION_HOURS),
        )


def close_connection(connection_id: str) -> None:
    documents.delete("LIVE", connection_id)


@dataclass(frozen=True)
class Changed:
    """When consoles were last told of something: a page that was made before and listened after has missed it."""

    at: datetime


def note_change(at: datetime) -> None:
    """A slow worker's earlier moment does not take the place of a later one."""
    documents.write_newer("LIVECHANGED", "LIVECHANGED", Changed(at), at)


def changed_since(moment: datetime) -> bool:
    """Whether a page made at that moment may lack something."""
    found = documents.read(Changed, "LIVECHANGED", "LIVECHANGED")
    return found is not None and found.at >= moment - LAG


def connections() -> tuple[Connection, ...]:
    return tuple(connection for _, connection in documents.under(Connection, "LIVE"))
