"""SES's delivery events."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.connectors.email.events import parse_event, read_event
from chalicelib.domain.message import StateChange
from chalicelib.errors import MalformedPayload

SES_ID = "0102019ab0c1d2e3-66666666-7777-8888-9999-000000000000-000000"
LINA = "lina.meyer@example.com"
AT = "2026-11-20T14:06:10.669Z"
MAIL = {
    "timestamp": "2026-11-20T14:06:08.012Z",
    "source": "support@northwind-mugs.example",
    "messageId": SES_ID,
    "destination": [LINA],
    "tags": {"ses:operation": ["SendEmail"], "stage": ["t42"], "ticket": ["1042"], "msg": ["m01jd3n0aa1"]},
}
BOUNCE = {
    "feedbackId": "0102019ab0c1ffff-aaaaaaaa",
    "bounceType": "Permanent",
    "bounceSubType": "General",
    "bouncedRecipients": [{"emailAddress": LINA, "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}],
    "timestamp": AT,
}


def event(kind: str, mail: dict[str, Any] | None = None, **part: object) -> dict[str, Any]:
    return {"eventType": kind, "mail": mail or MAIL, **part}


def only(document: dict[str, Any]) -> StateChange:
    (change,) = parse_event(document)
    return change


def test_a_hard_bounce_in_full() -> None:
    assert only(event("Bounce", bounce=BOUNCE)) == StateChange(
        "bounced",
        datetime(2026, 11, 20, 14, 6, 10, 669000, UTC),
        our_message_id="m01jd3n0aa1",
        provider_id=SES_ID,
        recipients=(LINA,),
        reason=f"{LINA} cannot be reached: the address does not exist or takes no mail. (smtp; 550 5.1.1 user unknown)",
        permanent=True,
        event_id=f"Bounce#{SES_ID}#{LINA}#0102019ab0c1ffff-aaaaaaaa",
        ticket_id="1042",
    )


@pytest.mark.parametrize(
    ("kind", "sub_type", "permanent", "words"),
    [
        ("Permanent", "NoEmail", True, "does not exist"),
        ("Permanent", "Suppressed", True, "suppression list"),
        ("Permanent", "OnAccountSuppressionList", True, "remove it and send again"),
        ("Transient", "General", False, "could not be reached this time"),
        ("Transient", "MailboxFull", False, "full"),
        ("Transient", "MessageTooLarge", False, "Send a link"),
        ("Transient", "AttachmentRejected", False, "refuses the attachment"),
        ("Transient", "ContentRejected", False, "content"),
        ("Undetermined", "Undetermined", False, "could not be reached this time"),
    ],
)
def test_every_kind_of_bounce_has_its_sentence(kind: str, sub_type: str, permanent: bool, words: str) -> None:
    change = only(event("Bounce", bounce={**BOUNCE, "bounceType": kind, "bounceSubType": sub_type}))
    assert (change.state, change.permanent) == ("bounced", permanent)
    assert words in change.reason


@pytest.mark.parametrize(
    ("document", "state", "recipients"),
    [
        (event("Send", send={}), "sent", ()),
        (
            event("Delivery", delivery={"timestamp": AT, "recipients": [LINA, "b@x.example"]}),
            "delivered",
            (LINA, "b@x.example"),
        ),
        (
            event(
                "DeliveryDelay",
                deliveryDelay={
                    "timestamp": AT,
                    "delayType": "MailboxFull",
                    "delayedRecipients": [{"emailAddress": LINA}],
                },
            ),
            "delayed",
            (LINA,),
        ),
        (
            event("Complaint", complaint={"timestamp": AT, "complainedRecipients": [{"emailAddress": LINA}]}),
            "complained",
            (LINA,),
        ),
        (event("Complaint", complaint={"timestamp": AT}), "complained", ()),
        (event("Reject", reject={"reason": "Bad content"}), "failed", ()),
        (event("Rendering Failure", failure={"errorMessage": "no template"}), "failed", ()),
    ],
)
def test_what_each_event_means(document: dict[str, Any], state: str, recipients: tuple[str, ...]) -> None:
    change = only(document)
    assert (change.state, change.recipients, change.ticket_id) == (state, recipients, "1042")


def test_identity_level_notifications_carry_no_tags() -> None:
    mail = {name: value for name, value in MAIL.items() if name != "tags"}
    change = only({"notificationType": "Bounce", "mail": mail, "bounce": BOUNCE})
    assert (change.our_message_id, change.ticket_id, change.provider_id) == (None, None, SES_ID)


def test_not_spam_is_no_complaint() -> None:
    complaint = {"timestamp": AT, "complainedRecipients": [{"emailAddress": LINA}], "complaintFeedbackType": "not-spam"}
    assert parse_event(event("Complaint", complaint=complaint)) == ()


def test_a_complaint_that_was_on_the_list_says_that_nothing_was_sent() -> None:
    complaint = {"timestamp": AT, "complaintSubType": "OnAccountSuppressionList"}
    assert "nothing was sent" in only(event("Complaint", complaint=complaint)).reason


@pytest.mark.parametrize("kind", ["Open", "Click", "Subscription"])
def test_opens_and_clicks_change_nothing(kind: str) -> None:
    assert parse_event(event(kind)) == ()


def test_two_deliveries_of_one_event_have_one_id_and_two_events_two() -> None:
    delivery = {"timestamp": AT, "recipients": [LINA]}
    first, again = only(event("Delivery", delivery=delivery)), only(event("Delivery", delivery=delivery))
    other = only(event("Delivery", delivery={**delivery, "timestamp": "2026-11-20T14:07:00Z"}))
    assert first.event_id == again.event_id != other.event_id


def test_with_and_without_the_envelope() -> None:
    text = json.dumps(event("Send", send={}))
    assert read_event(text) == read_event(json.dumps({"Type": "Notification", "Message": text}))


def test_the_greeting_of_a_new_topic_changes_nothing() -> None:
    assert read_event("Successfully validated SNS topic for Amazon SES event publishing.") == ()


@pytest.mark.parametrize(
    "document",
    [{}, {"eventType": "Bounce"}, {"eventType": 1, "mail": MAIL}, event("Novelty"), event("Send", {"messageId": "x"})],
)
def test_anything_else_is_malformed(document: dict[str, Any]) -> None:
    with pytest.raises(MalformedPayload):
        parse_event(document)
