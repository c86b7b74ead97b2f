"""Receipts: what became of each original, per inbox.  The desk's side of the ledger."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pynamodb.exceptions import PutError, UpdateError

from chalicelib.domain.moments import from_stamp, stamp
from chalicelib.store.models import ReceiptItem
from chalicelib.store.pending import pending_key
from chalicelib.store.transaction import Transaction

Outcome = Literal["shown", "quarantined", "suppressed"]


@dataclass(frozen=True)
class Receipt:
    """``day`` is that of the original.  ``reason`` is a sentence, empty for a plain "shown"."""

    day: str
    name: str
    outcome: Outcome
    at: datetime
    inbox_id: str
    reason: str = ""
    ticket_id: str | None = None
    message_id: str | None = None
    new_ticket: bool = False
    original_key: str = ""


def receipt_name(original_name: str, inbox_id: str, n: int) -> str:
    """``n`` counts the events within one original."""
    return f"{original_name}#{inbox_id}#{n}"


def _item(receipt: Receipt, pending: bool) -> ReceiptItem:
    time_key, time_at = pending_key(receipt.name, receipt.at) if pending else (None, None)
    return ReceiptItem(
        f"RECEIPTS#{receipt.day}", receipt.name, outcome=receipt.outcome, reason=receipt.reason or None,
        ticket_id=receipt.ticket_id, message_id=receipt.message_id, inbox_id=receipt.inbox_id,
        new_ticket=1 if receipt.new_ticket else None, original_key=receipt.original_key or None,
        at=stamp(receipt.at), time_key=time_key, time_at=time_at,
    )  # fmt: skip


def _as_receipt(item: ReceiptItem) -> Receipt:
    return Receipt(
        str(item.pk).removeprefix("RECEIPTS#"), str(item.sk), item.outcome,  # type: ignore[arg-type]  # as written
        from_stamp(item.at), item.inbox_id or "", item.reason or "", item.ticket_id, item.message_id,
        bool(item.new_ticket), item.original_key or "",
    )  # fmt: skip


def add(transaction: Transaction, receipt: Receipt) -> None:
    """Label "receipt": this delivery is dealt with already.  Pending until ``work`` has seen to its consequences."""
    transaction.put_new("receipt", _item(receipt, pending=True))


def add_alone(receipt: Receipt) -> bool:
    """Write a receipt that has no consequence (quarantined, suppressed); False when there is one already."""
    try:
        _item(receipt, pending=False).save(condition=ReceiptItem.pk.does_not_exist())
    except PutError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return False
        raise
    return True


def get(day: str, name: str) -> Receipt | None:
    try:
        return _as_receipt(ReceiptItem.get(f"RECEIPTS#{day}", name, consistent_read=True))
    except ReceiptItem.DoesNotExist:
        return None


def is_pending(day: str, name: str) -> bool:
    try:
        return ReceiptItem.get(f"RECEIPTS#{day}", name, consistent_read=True).time_key is not None
    except ReceiptItem.DoesNotExist:
        return False


def settle(day: str, name: str) -> None:
    """Remove the pending mark: every consequence is done."""
    try:
        ReceiptItem(f"RECEIPTS#{day}", name).update(
            actions=[ReceiptItem.time_key.remove(), ReceiptItem.time_at.remove()],
            condition=ReceiptItem.time_key.exists(),
        )
    except UpdateError as error:
        if error.cause_response_code != "ConditionalCheckFailedException":
            raise


def of_day(day: str) -> Iterator[Receipt]:
    for item in ReceiptItem.query(f"RECEIPTS#{day}", consistent_read=True):
        yield _as_receipt(item)


def of_original(day: str, original_name: str) -> tuple[Receipt, ...]:
    found = ReceiptItem.query(f"RECEIPTS#{day}", ReceiptItem.sk.startswith(f"{original_name}#"), consistent_read=True)
    return tuple(_as_receipt(item) for item in found)
