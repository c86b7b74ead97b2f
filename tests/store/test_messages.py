"""How far a delivery got is moved by one who may, or by nobody."""

from typing import Any

import botocore.client
import pytest
from botocore.exceptions import ClientError
from pynamodb.exceptions import UpdateError

from chalicelib.services import receive_message
from chalicelib.services.reply_to_ticket import Reply, reply
from chalicelib.store import messages
from tests.engine import Desk
from tests.services.test_receive_message import envelope, mail

pytestmark = pytest.mark.engine


def test_a_claim_that_aws_refused_was_not_made(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket_id = receive_message.receive(mail(desk), envelope(desk), desk.now).ticket_id or ""
    message_id = reply(ticket_id, desk.actor(), Reply("It left today."), desk.now).id
    real = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined]  # no part of botocore's stubs

    def refused(self: Any, name: str, arguments: dict[str, Any]) -> Any:
        if name == "UpdateItem":
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, name)
        return real(self, name, arguments)

    with monkeypatch.context() as patched:
        patched.setattr(botocore.client.BaseClient, "_make_api_call", refused)
        with pytest.raises(UpdateError):
            messages.move_delivery(ticket_id, message_id, "sending", ["queued"], desk.now)
    assert messages.get_delivery(ticket_id, message_id).state == "queued"


@pytest.mark.parametrize("decides", [True, False])
def test_whoever_decides_by_a_conversation_reads_what_was_said_this_second(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, decides: bool
) -> None:
    ticket_id = receive_message.receive(mail(desk), envelope(desk), desk.now).ticket_id or ""
    reply(ticket_id, desk.actor(), Reply("It left today."), desk.now)
    real = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined]  # no part of botocore's stubs
    asked: list[bool] = []

    def noted(self: Any, name: str, arguments: dict[str, Any]) -> Any:
        asked.append(bool(arguments.get("ConsistentRead")))
        return real(self, name, arguments)

    with monkeypatch.context() as patched:
        patched.setattr(botocore.client.BaseClient, "_make_api_call", noted)
        messages.newest(ticket_id, consistent=decides)
    assert asked == [decides, decides]  # the messages, and how far their deliveries got
