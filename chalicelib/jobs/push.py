"""Live fragments for open consoles, rendered by the same templates as the page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from chalicelib import config, wiring
from chalicelib.domain.message import Message
from chalicelib.domain.ticket import Ticket, TicketRow
from chalicelib.observability import count, failed, warn
from chalicelib.services.notices import Notice
from chalicelib.store import counters, directory, live, tickets
from chalicelib.store.live import Connection
from chalicelib.web.desk import Desk

if TYPE_CHECKING:
    from chalicelib.domain.promises import InForce

MAX_FRAME_BYTES = 30_000
"""API Gateway takes 32 KB a frame; a longer message tells the page to fetch it, anything else is not pushed."""
MAX_ROW_CHARS = 200
"""What a pushed row shows of a name, a subject, a snippet: more than a row has room for."""
AT_ONCE = 8


@dataclass(frozen=True)
class Frame:
    """One JSON text frame.  ticket_id: only for consoles that show that ticket; agent_id: only for that agent's.

    kind: the one name in its object; frames of different kinds may leave together.  "": it leaves alone.
    """

    text: str
    ticket_id: str | None = None
    agent_id: str | None = None
    kind: str = ""

    def fits(self) -> bool:
        return len(self.text.encode()) <= MAX_FRAME_BYTES

    def concerns(self, connection: Connection) -> bool:
        return self.ticket_id in (None, connection.ticket_id) and self.agent_id in (None, connection.agent_id)


@dataclass(frozen=True)
class Listeners:
    connections: tuple[Connection, ...]
    desk: Desk

    def __bool__(self) -> bool:
        return bool(self.connections)

    def of_ticket(self, ticket_id: str) -> bool:
        return any(each.ticket_id == ticket_id for each in self.connections)


def listeners() -> Listeners:
    """The open consoles, and the names their fragments need (read only when somebody listens)."""
    connections = live.connections()
    if not connections:
        return Listeners((), Desk.of((), (), ()))
    return Listeners(connections, Desk.of(directory.agents(), directory.teams(), directory.inboxes(), _promised))


def _promised() -> InForce:
    from chalicelib.store import clocks

    return clocks.in_force(config.now())


def row_frame(loaded: tickets.Loaded, listening: Listeners) -> Frame:
    """The ticket's row, the lists it belongs to now (none: take it off the screen), and its place in them.

    Two workers' frames may cross on their way: the page keeps to the newest ``version``, of messages to ``read``.
    """
    from chalicelib.web.render import row_fragment

    ticket, now = loaded.ticket, config.now()
    snoozed = ticket.snoozed_until is not None and ticket.snoozed_until > now
    keys = tickets.list_keys(replace(ticket, merged_into=None), now)  # a merged one has no place, but leaves the others
    row = {
        "ticket": ticket.id,
        "version": ticket.version,
        "html": row_fragment(_shortened(tickets.row_of(ticket)), loaded.seen_by, listening.desk, now),
        "lists": list_names(ticket, snoozed),
        "sort": keys["activity_key"],
        "waiting": keys["waiting_key"],
    }
    return Frame(json.dumps({"row": row}), kind="row")


def _shortened(row: TicketRow) -> TicketRow:
    return replace(
        row,
        customer_name=row.customer_name[:MAX_ROW_CHARS],
        subject=row.subject[:MAX_ROW_CHARS],
        snippet=row.snippet[:MAX_ROW_CHARS],
    )


def list_names(ticket: Ticket, snoozed: bool) -> list[str]:
    """Bucket names of every list that shows the ticket, filed ones with their month."""
    if ticket.merged_into is not None:
        return []
    filed = f"{ticket.closed_at or ticket.updated_at:%Y-%m}"
    live_lists = counters.buckets_of(ticket, snoozed)
    done = (ticket.status, f"{ticket.status}:{filed}") if ticket.status not in ("open", "pending") else ()
    return list(dict.fromkeys((*live_lists, *done)))


def message_frame(message: Message, listening: Listeners, read_at: datetime) -> Frame:
    """read_at: just before the message was read; its delivery moves on without a version."""
    from chalicelib.web.render import message_fragment

    names = {"ticket": message.ticket_id, "id": message.id, "read": read_at.timestamp()}
    html = message_fragment(message, listening.desk, config.now())
    whole = Frame(json.dumps({"message": {**names, "html": html}}), message.ticket_id, kind="message")
    return whole if whole.fits() else Frame(json.dumps({"message": {**names, "fetch": True}}), message.ticket_id)


def notice_frame(agent_id: str, notice: Notice) -> Frame:
    """ticket: for pages that were loaded before ``path`` was sent."""
    told = {"id": notice.id, "kind": notice.kind, "ticket": notice.ticket_id, "text": notice.text}
    return Frame(json.dumps({"notice": {**told, "path": notice.page}}), agent_id=agent_id)


def counts_frame(counts: dict[str, int]) -> Frame:
    return Frame(json.dumps({"counts": counts}), kind="counts")


def joined(frames: Iterable[Frame]) -> list[str]:
    """What to send for these frames: those of different kinds as one, for each message to each console is billed."""
    groups: list[dict[str, str]] = []
    for number, frame in enumerate(frames):
        room = next((each for each in groups if frame.kind and _has_room(each, frame)), None)
        if room is None:
            groups.append({frame.kind or f"alone {number}": frame.text})
        else:
            room[frame.kind] = frame.text
    return [_as_one(list(each.values())) for each in groups]


def _as_one(texts: Sequence[str]) -> str:
    """JSON objects as one that holds all their names."""
    return texts[0] if len(texts) == 1 else "{" + ", ".join(text[1:-1] for text in texts) + "}"


def _has_room(group: Mapping[str, str], frame: Frame) -> bool:
    alone = any(kind.startswith("alone ") for kind in group)
    taken = sum(len(text.encode()) for text in group.values())
    return not alone and frame.kind not in group and taken + len(frame.text.encode()) <= MAX_FRAME_BYTES


def send(listening: Listeners, frames: Sequence[Frame]) -> None:
    """Push every frame to those it concerns; whoever is gone is forgotten.  A frame too large stops no other."""
    fitting = [frame for frame in frames if frame.fits()]
    if len(fitting) < len(frames):
        warn("frames too large to push", frames=len(frames) - len(fitting))
        count("FramesTooLarge", len(frames) - len(fitting))
    with ThreadPoolExecutor(max_workers=min(AT_ONCE, len(listening.connections))) as pool:
        reached = pool.map(lambda one: _send_to(one, fitting), listening.connections)
        gone = [each for each, there in zip(listening.connections, reached, strict=True) if not there]
    for each in gone:
        if each.looked:  # else it is still coming: its first look asks what it missed
            live.close_connection(each.id)


def _send_to(connection: Connection, frames: Sequence[Frame]) -> bool:
    """False when the connection is gone."""
    try:
        for text in joined(frame for frame in frames if frame.concerns(connection)):
            if not wiring.push(connection.id, text):
                return False
    except Exception:  # it shows what it missed with its next page; the other consoles hear of everything
        failed("console not reached")
    return True
