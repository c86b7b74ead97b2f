"""Exact words and numbers to tickets: one small item each, newest ticket first."""

from collections.abc import Sequence

from chalicelib.store.models import DocumentItem

TOP = 10**12
"""Ticket numbers count down from here in the sort key, so that a plain query gives the newest first."""


def _sk(ticket_id: str) -> str:
    return f"{TOP - int(ticket_id):012d}"


def item(word: str, ticket_id: str) -> DocumentItem:
    """The posting that says: this ticket carries the word."""
    return DocumentItem(f"WORD#{word}", _sk(ticket_id))


def add(ticket_id: str, words: Sequence[str]) -> None:
    """Write one posting a word; repeatable."""
    with DocumentItem.batch_write() as batch:
        for word in dict.fromkeys(words):
            batch.save(item(word, ticket_id))


def tickets_with(word: str, limit: int) -> tuple[str, ...]:
    """Ticket ids that carry the word, newest first."""
    found = DocumentItem.query(f"WORD#{word}", limit=limit, page_size=min(limit, 500))
    return tuple(str(TOP - int(each.sk)) for each in found)
