"""The search box: words, phrases, numbers, addresses and filters, newest tickets first (docs/domain/search.md)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain import query as box
from chalicelib.domain import terms
from chalicelib.domain.message import Message
from chalicelib.domain.query import Query
from chalicelib.errors import InvalidInput
from chalicelib.services.search_filters import Fits, filter_of, lists_of
from chalicelib.services.search_index import all_messages
from chalicelib.store import lists, matches, messages, tickets
from chalicelib.store.tickets import Loaded

PAGE = 25
MOST_PHRASES = 12
"""Tickets whose messages one page reads to see whether the words stand together."""
MOST_LISTS = 4
"""Pages of lists that one page of filters without words looks through."""
MAX_CURSOR_CHARS = 12


@dataclass(frozen=True)
class Found:
    """next: the cursor of what comes behind, None at the end.  cut: there was more to look at than one page may."""

    query: Query
    tickets: tuple[Loaded, ...]
    next: str | None = None
    cut: bool = False


def find(
    text: str, at: datetime, cursor: str | None = None, me: str = "", zone: str = "UTC", limit: int = PAGE
) -> Found:
    """One page of the tickets for what was typed; a ticket whose number it is comes first.

    me: the agent for whom ``assignee:me`` stands.  zone: whose days are meant.  Raise InvalidInput for what cannot be.
    """
    from zoneinfo import ZoneInfo

    query = box.parse(text, at.astimezone(ZoneInfo(zone)).date())
    if not query.clauses and not query.has_filter:
        return Found(query, tuple(tickets.survivors([query.ticket_id]).values()) if query.ticket_id else ())
    fits = filter_of(query, at, me, zone)
    if query.clauses:
        return _by_terms(query, cursor, fits, limit)
    return _by_lists(query, cursor, at, fits, limit)


def _by_terms(query: Query, cursor: str | None, fits: Fits, limit: int) -> Found:
    if cursor and (not cursor.isdecimal() or len(cursor) > MAX_CURSOR_CHARS):
        raise _foreign_cursor()
    found = matches.find(
        query.clauses, int(cursor) if cursor else None, min(limit, MOST_PHRASES) if query.phrases else limit
    )
    ids = list(found.ticket_ids)
    if query.ticket_id and not cursor:
        ids = list(dict.fromkeys((query.ticket_id, *ids)))
    loaded = tickets.survivors(ids) if ids else {}
    there = {each: loaded[each] for each in ids if each in loaded}
    wanted = [each for place, each in there.items() if fits(each.ticket) and _says_all(place, query.phrases)]
    more = str(found.below) if found.below is not None else None
    once = tuple({each.ticket.id: each for each in wanted}.values())  # of merged tickets the survivor
    return Found(query, once, more, found.cut or (more is not None and len(wanted) < len(there)))


def _foreign_cursor() -> InvalidInput:
    return InvalidInput("The cursor is not one of ours. Start again from the first page.")


def _by_lists(query: Query, cursor: str | None, at: datetime, fits: Fits, limit: int) -> Found:
    """Through the lists that may hold such tickets, one behind the other."""
    names = lists_of(query, at)
    first, _, inside = (cursor or "0.").partition(".")
    if not first.isdecimal() or len(first) > MAX_CURSOR_CHARS or int(first) >= len(names):
        raise _foreign_cursor()
    place, after, ids = int(first), inside or None, list[str]()
    for _ in range(MOST_LISTS):
        page = lists.page(names[place], cursor=after, limit=limit - len(ids))
        ids += [row.id for row in page.rows if fits(row)]
        after = page.next
        place += after is None
        if place == len(names) or len(ids) == limit:
            break
    loaded = tickets.get_many(ids) if ids else {}
    wanted = tuple(loaded[each] for each in ids if each in loaded and fits(loaded[each].ticket))
    more = f"{place}.{after or ''}" if place < len(names) else None
    return Found(query, wanted, more, cut=more is not None and len(ids) < limit)


# Phrases


def _says_all(ticket_id: str, phrases: Collection[Sequence[str]]) -> bool:
    """Do the words of each phrase stand together in one of the ticket's messages?"""
    missing = {f" {' '.join(phrase)} " for phrase in phrases}
    if not missing:
        return True
    for message in all_messages(ticket_id):
        for part in _parts(message):
            in_order = f" {' '.join(terms.words(terms.folded(part)))} "
            missing = {phrase for phrase in missing if phrase not in in_order}
        if not missing:
            return True
    return False


def _parts(message: Message) -> tuple[str, ...]:
    said = messages.body_of(message).full_text if message.folded else message.text
    subject = message.event.get("subject", "") if message.kind == "event" else message.subject
    return (subject, said, message.author_name, *(each.name for each in message.attachments))
