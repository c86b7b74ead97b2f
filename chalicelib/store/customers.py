"""Customers and the handles they write from."""

from dataclasses import dataclass, replace

from pynamodb.exceptions import PutError

from chalicelib.domain.people import Customer
from chalicelib.errors import Conflict, NotFound
from chalicelib.store import documents
from chalicelib.store.codec import decode
from chalicelib.store.models import DocumentItem
from chalicelib.store.transaction import Transaction

ATTEMPTS = 5


@dataclass(frozen=True)
class HandleOf:
    """Whose handle it is.  ``blocked``: what comes from it goes to spam; ``unreachable``: a sentence, why."""

    customer_id: str
    blocked: bool = False
    unreachable: str = ""


def handle_name(channel: str, address: str) -> str:
    return f"{channel}:{address.strip().lower()}"


def _key(handle: str) -> str:
    return f"HANDLE#{handle}"


def get(customer_id: str) -> Customer:
    """The customer, with what is noted of their handles: blocked, or cannot be reached."""
    found = _stored(customer_id)
    noted = {name: handle(name) for name in found.handles}
    return replace(
        found,
        blocked=any(each is not None and each.blocked for each in noted.values()),
        unreachable_handles=tuple(name for name, each in noted.items() if each is not None and each.unreachable),
    )


def _stored(customer_id: str) -> Customer:
    found = documents.read(Customer, f"CUSTOMER#{customer_id}", "CUSTOMER")
    if found is None:
        raise NotFound("There is no such customer.")
    return found


def handle(name: str) -> HandleOf | None:
    return documents.read(HandleOf, _key(name), "HANDLE")


def by_handle(name: str) -> tuple[Customer, HandleOf] | None:
    """The customer behind a handle."""
    found = handle(name)
    if found is None:
        return None
    return _stored(found.customer_id), found


def add(transaction: Transaction, customer: Customer) -> None:
    """Add a new customer; label "handle" when somebody took a handle meanwhile."""
    transaction.put_new("customer", documents.item(f"CUSTOMER#{customer.id}", "CUSTOMER", customer))
    for name in customer.handles:
        transaction.put_new("handle", documents.item(_key(name), "HANDLE", HandleOf(customer.id)))


def save(customer: Customer) -> None:
    documents.write(f"CUSTOMER#{customer.id}", "CUSTOMER", customer)


def mark_handle(name: str, *, blocked: bool | None = None, unreachable: str | None = None) -> None:
    """Note that a handle is blocked (or no more), or cannot be reached; nothing when nobody has it.

    Whoever changes the handle between our look and our write makes us look again: a bounce undoes no block.
    """
    for _ in range(ATTEMPTS):
        try:
            stored = DocumentItem.get(_key(name), "HANDLE", consistent_read=True)
        except DocumentItem.DoesNotExist:
            return
        found = decode(HandleOf, stored.data or "{}")
        changed = replace(
            found,
            blocked=found.blocked if blocked is None else blocked,
            unreachable=found.unreachable if unreachable is None else unreachable,
        )
        if changed == found or _written_over(name, stored.data, changed):
            return
    raise Conflict("the handle is changing too quickly to mark it")


def _written_over(name: str, before: str | None, changed: HandleOf) -> bool:
    unchanged = DocumentItem.data == before if before is not None else DocumentItem.data.does_not_exist()
    try:
        documents.item(_key(name), "HANDLE", changed).save(condition=unchanged)
    except PutError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return False
        raise
    return True
