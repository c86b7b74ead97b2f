"""Two who mark a handle at the same moment both count."""

from typing import Any

import botocore.client
import pytest

from chalicelib.services import change_ticket
from chalicelib.services.receive_message import Envelope, receive
from chalicelib.store import customers
from tests.engine import Desk
from tests.services.test_receive_message import mail

pytestmark = pytest.mark.engine
ADA = "email:ada@example.com"


def test_a_bounce_that_looked_before_a_block_does_not_undo_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    receipt = receive(mail(desk), Envelope("o1", "kept/o1", desk.now, desk.inbox(), "2026-11-20"), desk.now)
    real = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined]  # no part of botocore's stubs
    reads: list[str] = []

    def blocked_after_the_first_look(self: Any, name: str, arguments: dict[str, Any]) -> Any:
        answer = real(self, name, arguments)
        if name == "GetItem" and arguments["Key"]["pk"]["S"] == f"HANDLE#{ADA}":
            reads.append(name)
            if len(reads) == 1:
                change_ticket.block_sender(receipt.ticket_id or "", desk.actor(), desk.now)
        return answer

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", blocked_after_the_first_look)
    customers.mark_handle(ADA, unreachable="There is no such mailbox.")
    marked = customers.handle(ADA)
    assert marked is not None
    assert marked.blocked and marked.unreachable == "There is no such mailbox."


def test_marking_a_handle_nobody_has_makes_none(desk: Desk) -> None:
    customers.mark_handle("email:nobody@example.com", blocked=True)
    assert customers.handle("email:nobody@example.com") is None
