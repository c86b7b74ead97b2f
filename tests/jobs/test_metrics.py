"""What the log says to CloudWatch of a mail in and an answer out: received, shown, sent, and how long each took."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib import observability, wiring
from chalicelib.domain.message import Sent
from chalicelib.jobs import outbound, relay, work
from chalicelib.services import reply_to_ticket
from chalicelib.services.receive_message import Envelope, receive
from chalicelib.services.reply_to_ticket import Reply
from chalicelib.store import live, messages
from tests.engine import Desk
from tests.services.test_receive_message import mail

pytestmark = pytest.mark.engine
Written = Callable[[], dict[str, list[float]]]
EVERY_DAY = ("Shown", "ReceivedToShown", "Sent", "QueuedToSent")


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Written:
    """The values that were written since it was last asked, by metric."""
    observability.flush()
    capsys.readouterr()

    def read() -> dict[str, list[float]]:
        observability.flush()
        found: dict[str, list[float]] = {}
        for line in capsys.readouterr().out.splitlines():
            said = json.loads(line)
            for directive in said.get("_aws", {}).get("CloudWatchMetrics", ()):
                for each in directive["Metrics"]:
                    found.setdefault(each["Name"], []).extend(said[each["Name"]])
        return {name: found[name] for name in EVERY_DAY if name in found}

    return read


def received(desk: Desk) -> tuple[str, str]:
    taken = receive(mail(desk), Envelope("o1", "kept/o1", desk.now, desk.inbox(), "2026-11-20"), desk.now)
    return taken.ticket_id or "", taken.message_id or ""


def stream_record(ticket_id: str, message_id: str, before: Any = None) -> dict[str, Any]:
    """What the table's stream says of the message as it stands now."""
    keys = {"pk": {"S": f"TICKET#{ticket_id}"}, "sk": {"S": f"MESSAGE#{message_id}"}}
    old = {"OldImage": before} if before else {}
    return {"dynamodb": {"Keys": keys, "NewImage": image(ticket_id, message_id), **old}}


def image(ticket_id: str, message_id: str) -> Any:
    return messages.as_item(messages.get(ticket_id, message_id)).to_dynamodb_dict()


def told(desk: Desk, record: dict[str, Any]) -> None:
    """Through the relay to the worker."""
    relay.relay({"Records": [record]}, None)
    records = [{"messageId": str(n), "body": body} for n, body in enumerate(desk.queued("work"))]
    assert work.work({"Records": records}, None) == {"batchItemFailures": []}


def test_a_mail_counts_as_shown_once_the_consoles_have_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, written: Written
) -> None:
    ticket_id, message_id = received(desk)
    live.open_connection(live.Connection("c1", "lina", ticket_id), desk.now)

    def slow(connection_id: str, text: str) -> bool:
        desk.advance(seconds=2)
        return True

    monkeypatch.setattr(wiring, "push", slow)
    desk.advance(seconds=1)
    told(desk, stream_record(ticket_id, message_id))
    assert written() == {"Shown": [1], "ReceivedToShown": [3000]}


def test_a_mail_counts_as_shown_where_no_console_is_open(desk: Desk, written: Written) -> None:
    ticket_id, message_id = received(desk)
    desk.advance(seconds=1)
    told(desk, stream_record(ticket_id, message_id))
    assert written() == {"Shown": [1], "ReceivedToShown": [1000]}


def test_an_edit_hours_later_is_no_mail_and_took_no_time(desk: Desk, written: Written) -> None:
    ticket_id, message_id = received(desk)
    desk.advance(hours=5)
    live.open_connection(live.Connection("c1", "lina"), desk.now)
    told(desk, stream_record(ticket_id, message_id, before=image(ticket_id, message_id)))
    assert written() == {}


def test_what_an_agent_notes_down_or_answers_was_not_received(desk: Desk, written: Written) -> None:
    ticket_id, _ = received(desk)
    answer = reply_to_ticket.reply(ticket_id, desk.actor(), Reply("It left.", undo_seconds=0), desk.now)
    told(desk, stream_record(ticket_id, answer.id))
    assert written() == {}


def test_consoles_that_were_not_told_make_nothing_shown(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, written: Written
) -> None:
    def away(at: Any) -> None:
        raise ConnectionError("throttled")

    ticket_id, message_id = received(desk)
    monkeypatch.setattr(live, "note_change", away)
    told(desk, stream_record(ticket_id, message_id))
    assert written() == {}


def test_an_answer_counts_as_sent_with_its_time(desk: Desk, monkeypatch: pytest.MonkeyPatch, written: Written) -> None:
    ticket_id, _ = received(desk)
    answer = reply_to_ticket.reply(ticket_id, desk.actor(), Reply("It left.", undo_seconds=0), desk.now)
    monkeypatch.setattr(type(wiring.channel("email")), "send", lambda *_: Sent("ses-1", ()))
    desk.advance(seconds=4)
    fact = {"kind": "deliver", "ticket": ticket_id, "message": answer.id, "attempts": "0"}
    record = {"messageId": "1", "body": json.dumps(fact), "attributes": {"MessageGroupId": ticket_id}}
    assert outbound.deliver({"Records": [record]}, None) == {"batchItemFailures": []}
    assert written() == {"Sent": [1], "QueuedToSent": [4000]}
