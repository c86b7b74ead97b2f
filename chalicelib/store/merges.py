"""What each merge changed of the ticket that goes on, kept under it until the two are taken apart."""

from chalicelib.domain.merging import Merge
from chalicelib.store import documents
from chalicelib.store.codec import decode
from chalicelib.store.models import DocumentItem
from chalicelib.store.tickets import ticket_key
from chalicelib.store.transaction import Transaction


def _sk(place: int) -> str:
    return f"MERGE#{place:06d}"


def of(ticket_id: str) -> dict[int, Merge]:
    """The records of a ticket by their places, oldest first."""
    found = DocumentItem.query(ticket_key(ticket_id), DocumentItem.sk.startswith("MERGE#"), consistent_read=True)
    return {int(str(item.sk).removeprefix("MERGE#")): decode(Merge, item.data or "{}") for item in found}


def put(transaction: Transaction, ticket_id: str, place: int, merge: Merge) -> None:
    transaction.put("merge", documents.item(ticket_key(ticket_id), _sk(place), merge))


def delete(transaction: Transaction, ticket_id: str, place: int) -> None:
    transaction.delete("merge", DocumentItem(ticket_key(ticket_id), _sk(place)))
