"""The running stack: mail in, refusals, the clock, and what it says when it cannot start."""

import smtplib
import socket
import stat
import subprocess
import sys

import pytest

from tests.stack import ROOT, SUPPORT, LocalStack, mail, wait_for

pytestmark = pytest.mark.stack


def test_credentials_are_complete_and_their_owners_alone(stack: LocalStack) -> None:
    known = stack.credentials
    assert stat.S_IMODE((stack.data_dir / "credentials.json").stat().st_mode) == 0o600
    assert known["console_url"] == f"http://127.0.0.1:{stack.port}"
    assert known["api_url"] == f"http://127.0.0.1:{stack.port}/api/v1"
    assert (known["smtp_host"], known["smtp_port"]) == ("127.0.0.1", stack.smtp_port)
    assert [agent["role"] for agent in known["agents"]] == ["admin"]
    assert set(known["agents"][0]) == {"email", "password", "role"}


def test_unknown_recipients_are_refused_and_plus_addresses_are_not(stack: LocalStack) -> None:
    with smtplib.SMTP("127.0.0.1", stack.smtp_port) as server:
        server.helo("mail.example.com")
        server.mail("a@example.com")
        assert server.rcpt("nobody@northwind-mugs.example")[0] == 550
        assert server.rcpt("nobody@northwind-mugs.example")[1].startswith(b"5.1.1 ")
        assert server.rcpt("support+anything@northwind-mugs.example")[0] == 250
        assert server.rcpt("Support@Northwind-Mugs.example")[0] == 250


def test_a_mail_over_forty_megabytes_is_refused(stack: LocalStack) -> None:
    raw = b"Subject: big\r\n\r\n" + (b"x" * 998 + b"\r\n") * (41 * 1024 * 1024 // 1000)
    with smtplib.SMTP("127.0.0.1", stack.smtp_port, timeout=60) as server:
        server.ehlo("mail.example.com")
        with pytest.raises(smtplib.SMTPSenderRefused) as refused:
            server.sendmail("a@example.com", [SUPPORT], raw)
    assert refused.value.smtp_code == 552


def test_mail_in_becomes_a_ticket(stack: LocalStack) -> None:
    stack.send(mail("Chipped handle on order #1042"))
    ticket = stack.ticket_about("Chipped handle on order #1042")
    (message,) = stack.api("GET", f"/tickets/{ticket['id']}/messages")["items"]
    assert message["direction"] == "in"
    assert message["text"].strip() == "Where is my parcel?"


def test_a_reply_leaves_as_one_mail_with_the_ids_of_ses(stack: LocalStack) -> None:
    question = mail("Is the blue mug dishwasher safe?")
    stack.send(question)
    ticket = stack.ticket_about("Is the blue mug dishwasher safe?")
    stack.api("POST", f"/tickets/{ticket['id']}/messages", {"kind": "reply", "text": "Yes, it is."},
              **{"Idempotency-Key": "reply-1"})  # fmt: skip

    def answers() -> list[dict[str, object]]:
        return [sent for sent in stack.sent_mails() if "Is the blue mug" in sent["subject"]]

    (sent,) = wait_for(answers, 20, what="the reply in the outbox")
    raw = sent["eml"]
    assert isinstance(raw, bytes)
    head = raw.split(b"\r\n\r\n")[0]
    assert f"Message-ID: <{sent['ses_id']}@eu-west-1.amazonses.com>".encode() in head
    assert f"In-Reply-To: {question['Message-ID']}".encode() in head
    assert sent["our_id"] not in ("", sent["ses_id"])
    assert sent["mail_from"] == SUPPORT
    assert sent["rcpt_to"] == ["lina.meyer@example.com"]

    def state() -> bool:
        messages = stack.api("GET", f"/tickets/{ticket['id']}/messages")["items"]
        return any((each.get("delivery") or {}).get("state") == "delivered" for each in messages)

    wait_for(state, 20, what="the delivery event to reach the message")


def test_a_throttled_send_goes_out_later_and_once(stack: LocalStack) -> None:
    stack.send(mail("Do you ship to Norway?"))
    ticket = stack.ticket_about("Do you ship to Norway?")
    assert stack.local("ses", {"mode": "throttle", "count": 1})["count"] == 1
    stack.api("POST", f"/tickets/{ticket['id']}/messages", {"kind": "reply", "text": "We do."})

    def arrived() -> bool:
        stack.local("clock", {"advance_seconds": 60})
        return sum("Norway" in sent["subject"] for sent in stack.sent_mails()) == 1

    wait_for(arrived, 60, what="the throttled reply")


@pytest.mark.parametrize(
    ("mode", "sent", "state"),
    [("error500", False, "unclear"), ("error500", True, "delivered"), ("reject", False, "failed")],
)
def test_trouble_with_ses_ends_in_the_state_it_proves(stack: LocalStack, mode: str, sent: bool, state: str) -> None:
    subject = f"Trouble {mode} {sent}"
    stack.send(mail(subject))
    ticket = stack.ticket_about(subject)
    stack.local("ses", {"mode": mode, "count": 1, "sent": sent})
    stack.api("POST", f"/tickets/{ticket['id']}/messages", {"kind": "reply", "text": "Does this arrive?"})
    wait_for(lambda: delivery_state(stack, ticket["id"]) == state, 20, what=f"the state {state}")
    assert sum(subject in each["subject"] for each in stack.sent_mails()) == sent


@pytest.mark.parametrize(("mailbox", "state"), [("bounce", "bounced"), ("complaint", "complained")])
def test_the_simulators_mailboxes_answer(stack: LocalStack, mailbox: str, state: str) -> None:
    address = f"{mailbox}@simulator.amazonses.com"
    stack.send(mail(f"From {mailbox}", sender=address), source=address)
    ticket = stack.ticket_about(f"From {mailbox}")
    stack.api("POST", f"/tickets/{ticket['id']}/messages", {"kind": "reply", "text": "Hello"})
    wait_for(lambda: delivery_state(stack, ticket["id"]) == state, 20, what=f"the state {state}")


def test_an_out_of_office_mailbox_writes_back_into_the_ticket(stack: LocalStack) -> None:
    address = "ooto@simulator.amazonses.com"
    stack.send(mail("Are you there?", sender=address), source=address)
    ticket = stack.ticket_about("Are you there?")
    stack.api("POST", f"/tickets/{ticket['id']}/messages", {"kind": "reply", "text": "We are."})

    def answered() -> bool:
        kinds = [each["mail_kind"] for each in stack.api("GET", f"/tickets/{ticket['id']}/messages")["items"]]
        return "auto_reply" in kinds

    wait_for(answered, 20, what="the out-of-office answer")


def delivery_state(stack: LocalStack, ticket_id: str) -> str:
    """The state of the newest outgoing message; "" before there is one."""
    messages = stack.api("GET", f"/tickets/{ticket_id}/messages")["items"]
    states = [str(each["delivery"]["state"]) for each in messages if each["delivery"]]
    return states[-1] if states else ""


def test_the_clock_moves_and_says_so(stack: LocalStack) -> None:
    before = stack.local("clock", {"advance_seconds": 0})["offset_seconds"]
    moved = stack.local("clock", {"advance_seconds": 3600})
    assert moved["offset_seconds"] == before + 3600
    assert moved["fired"] in (73, 74)
    assert "lie between" in stack.local("clock", {"advance_seconds": -1})["message"]


def test_a_second_desk_on_the_same_folder_says_who_holds_it(stack: LocalStack) -> None:
    refused = start_again(stack, PORT="1", SMTP_PORT="2")
    assert refused.returncode == 1
    assert stack.process is not None
    assert f"(process {stack.process.pid})" in refused.stderr
    assert "DATA_DIR" in refused.stderr


def test_a_taken_port_is_named(stack: LocalStack) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        refused = start_again(stack, PORT=str(port), DATA_DIR=str(stack.data_dir / "other"))
    assert refused.returncode == 1
    assert f"port {port} is taken" in refused.stderr
    assert f"PORT={port + 1}" in refused.stderr


def start_again(stack: LocalStack, **other: str) -> "subprocess.CompletedProcess[str]":
    environment = {**stack.command_environment(), **other}
    command = [sys.executable, "-m", "local"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
