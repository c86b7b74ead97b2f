"""Whose mail the mail port takes: what stands in SES's first receipt rule, the addresses of active inboxes."""

from typing import Any

import pytest

from chalicelib.domain.people import Inbox
from chalicelib.store import documents
from chalicelib.store.directory import AddressOf
from local.smtp import takes_mail_for


class Table:
    """Partitions as the engine holds them."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, dict[str, Any]]] = {}

    def partition(self, pk: str) -> dict[str, dict[str, Any]]:
        return self.items.get(pk, {})

    def put(self, pk: str, sk: str, value: object) -> None:
        self.items.setdefault(pk, {})[sk] = documents.item(pk, sk, value).to_dynamodb_dict()

    def inbox(self, inbox_id: str, address: str, **values: Any) -> None:
        self.put("INBOXES", inbox_id, Inbox(inbox_id, "email", address, inbox_id.capitalize(), **values))
        for each in (address, *values.get("settings", {}).values()):
            self.put(f"ADDRESS#{each}", "ADDRESS", AddressOf(inbox_id))


@pytest.mark.parametrize("address", ["support@shop.example", " Support@Shop.example", "support+order@shop.example"])
def test_mail_for_an_active_inbox_is_taken(address: str) -> None:
    table = Table()
    table.inbox("support", "support@shop.example")
    assert takes_mail_for(address, table.partition)


def test_mail_for_an_inbox_that_was_deactivated_is_refused() -> None:
    """Settings take its address, and the one that is forwarded to, out of SES's rule."""
    table = Table()
    table.inbox("support", "support@shop.example", active=False, settings={"forward_to": "desk@in.shop.example"})
    table.inbox("sales", "sales@shop.example")
    asked = ("support@shop.example", "support+1@shop.example", "desk@in.shop.example", "sales@shop.example")
    assert [each for each in asked if takes_mail_for(each, table.partition)] == ["sales@shop.example"]


def test_an_address_whose_inbox_is_gone_is_refused() -> None:
    table = Table()
    table.put("ADDRESS#old@shop.example", "ADDRESS", AddressOf("old"))
    assert not takes_mail_for("old@shop.example", table.partition)
    assert not takes_mail_for("stranger@shop.example", table.partition)
