"""One conditional transaction whose refusals come back by name."""

from typing import Any

from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from chalicelib.store.models import Item, connection

REFUSED = "ConditionalCheckFailed"
RACED = "TransactionConflict"
PYNAMODB_ORDER = {"delete": 0, "put": 1, "update": 2}  # it sends them so, and DynamoDB answers in that order


class Lost(Exception):
    """The transaction did not take effect; ``labels`` names the writes whose condition failed.

    Empty labels: another transaction touched the same items at the same moment; try again.
    """

    def __init__(self, labels: frozenset[str]) -> None:
        super().__init__(", ".join(sorted(labels)) or "raced")
        self.labels = labels


class Transaction:
    """Collects labelled writes; ``commit`` applies all or none (at most 100)."""

    def __init__(self, token: str | None = None) -> None:
        self._token = token
        self._writes: list[tuple[str, str, Item, Condition | None, list[Any]]] = []

    def put(self, label: str, item: Item, condition: Condition | None = None) -> None:
        self._writes.append((label, "put", item, condition, []))

    def put_new(self, label: str, item: Item) -> None:
        """Put, refused when an item with this key exists."""
        self.put(label, item, type(item).pk.does_not_exist())

    def update(self, label: str, item: Item, actions: list[Any], condition: Condition | None = None) -> None:
        self._writes.append((label, "update", item, condition, actions))

    def delete(self, label: str, item: Item, condition: Condition | None = None) -> None:
        self._writes.append((label, "delete", item, condition, []))

    def commit(self) -> None:
        """Raise Lost when a condition failed."""
        self._writes.sort(key=lambda write: PYNAMODB_ORDER[write[1]])
        try:
            with TransactWrite(connection=connection(), client_request_token=self._token) as transaction:
                for _, verb, item, condition, actions in self._writes:
                    if verb == "put":
                        transaction.save(item, condition=condition)
                    elif verb == "update":
                        transaction.update(item, actions=actions, condition=condition)
                    else:
                        transaction.delete(item, condition=condition)
        except TransactWriteError as error:
            codes = [reason.code if reason else None for reason in error.cancellation_reasons]
            failed = frozenset(write[0] for write, code in zip(self._writes, codes, strict=False) if code == REFUSED)
            if failed or RACED in codes:
                raise Lost(failed) from error
            raise
