"""The end of the process, asked for or not, loses nothing that was received or sent."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.stack import LocalStack, mail, wait_for

pytestmark = [pytest.mark.stack, pytest.mark.slow]


@pytest.fixture
def own_stack(tmp_path: Path) -> Iterator[LocalStack]:
    stack = LocalStack(tmp_path / "data")
    stack.start()
    try:
        yield stack
    finally:
        if stack.process is not None:
            stack.stop()


def test_everything_is_there_after_a_clean_restart(own_stack: LocalStack) -> None:
    own_stack.send(mail("Before the restart"))
    ticket = own_stack.ticket_about("Before the restart")
    token = own_stack.credentials["api_token"]
    assert own_stack.stop() == 0
    own_stack.start()
    assert own_stack.credentials["api_token"] == token
    assert own_stack.ticket_about("Before the restart")["id"] == ticket["id"]
    own_stack.send(mail("After the restart"))
    own_stack.ticket_about("After the restart")
    reply(own_stack, ticket, "Still here.")
    wait_for(lambda: outgoing(own_stack, "Still here."), 30, what="a reply after the restart")


def test_a_kill_in_mid_job_loses_and_doubles_nothing(own_stack: LocalStack) -> None:
    own_stack.send(mail("Answered before the kill"))
    ticket = own_stack.ticket_about("Answered before the kill")
    reply(own_stack, ticket, "Sent and then killed.")
    wait_for(lambda: outgoing(own_stack, "Sent and then killed."), 30, what="the reply in the outbox")
    subjects = [f"In flight {n}" for n in range(25)]
    for subject in subjects:
        own_stack.send(mail(subject))
    frozen = freeze_functions(own_stack)
    own_stack.kill()

    own_stack.start()
    assert not any(each.is_running() for each in frozen), "a function of the killed desk could still call this one"
    for subject in subjects:
        own_stack.ticket_about(subject, seconds=60)
    found = [each["subject"] for each in own_stack.tickets()]
    assert sorted(found) == sorted([*subjects, "Answered before the kill"])
    (sent,) = outgoing(own_stack, "Sent and then killed.")
    messages = own_stack.api("GET", f"/tickets/{ticket['id']}/messages")["items"]
    assert [each["direction"] for each in messages if each["kind"] == "message"] == ["in", "out"]

    def settled() -> bool:
        delivery = own_stack.api("GET", f"/tickets/{ticket['id']}/messages")["items"][-1]["delivery"]
        return bool(delivery["state"] in ("sent", "delivered"))

    wait_for(settled, 30, what="the sent reply to be known as sent")
    assert [each["ses_id"] for each in outgoing(own_stack, "Sent and then killed.")] == [sent["ses_id"]]

    own_stack.send(mail("The job goes on"))
    next_ticket = own_stack.ticket_about("The job goes on")
    reply(own_stack, next_ticket, "As ever.")
    wait_for(lambda: outgoing(own_stack, "As ever."), 30, what="a reply after the kill")


def test_without_the_stream_the_repair_sweep_brings_everything(own_stack: LocalStack) -> None:
    own_stack.send(mail("Before the silence"))
    ticket = own_stack.ticket_about("Before the silence")
    assert own_stack.local("stream", {"hold": True}) == {"hold": True}
    reply(own_stack, ticket, "Written while the stream stood still.")
    own_stack.send(mail("Received in silence"))
    own_stack.ticket_about("Received in silence")
    own_stack.local("clock", {"advance_seconds": 25 * 3600})
    assert own_stack.local("stream", {"hold": False, "forget": True})["forgotten"] > 0
    (sent,) = outgoing(own_stack, "Written while the stream stood still.")
    assert sent["rcpt_to"] == ["lina.meyer@example.com"]
    found = own_stack.api("GET", "/search?q=silence")["items"]
    assert "Received in silence" in [each["subject"] for each in found]


def freeze_functions(stack: LocalStack) -> list[psutil.Process]:
    """Stop the desk's functions where they are, so that they outlive its end in the midst of their work."""
    assert stack.process is not None
    found: list[psutil.Process] = psutil.Process(stack.process.pid).children(recursive=True)
    assert found
    for each in found:
        each.suspend()
    return found


def reply(stack: LocalStack, ticket: dict[str, Any], text: str) -> None:
    stack.api("POST", f"/tickets/{ticket['id']}/messages", {"kind": "reply", "text": text})


def outgoing(stack: LocalStack, text: str) -> list[dict[str, Any]]:
    return [sent for sent in stack.sent_mails() if text.encode() in sent["eml"]]
