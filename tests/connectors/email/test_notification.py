"""The shapes of an inbound notice."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chalicelib.connectors.email.notification import Notice, Probe, read_notice
from chalicelib.domain.message import Skipped
from chalicelib.errors import MalformedPayload

RECEIPT = (Path(__file__).parent / "fixtures" / "receipt_notification.json").read_text()
KEY = "raw/o3vrnil0e2ic28trm7dfhrc2v0clambda4nbp0g1"
EXPECTED = Notice(
    KEY,
    {
        "recipients": "support+t42.c01jd3m7qk8.ptzsmsvkhmva@in.helpdesk.example,sales@in.helpdesk.example",
        "source": "lina.meyer@example.com",
        "ses_id": "o3vrnil0e2ic28trm7dfhrc2v0clambda4nbp0g1",
        "dmarc_policy": "reject",
        "spam": "PASS",
        "virus": "PASS",
        "spf": "PASS",
        "dkim": "GRAY",
        "dmarc": "FAIL",
    },
    datetime(2026, 11, 20, 14, 0, 2, 28000, UTC),
)


def enveloped(message: str, kind: str = "Notification") -> str:
    return json.dumps({"Type": kind, "MessageId": "6d1b", "TopicArn": "arn:aws:sns:x", "Message": message})


@pytest.mark.parametrize("body", [enveloped(RECEIPT), RECEIPT])
def test_with_and_without_the_envelope(body: str) -> None:
    assert read_notice(body) == EXPECTED


def test_our_own_notice() -> None:
    assert read_notice('{"key": "raw/abc"}') == Notice("raw/abc")
    assert read_notice('{"key": "raw/abc", "metadata": {"a": "b", "n": 1}}') == Notice("raw/abc", {"a": "b"})


def test_a_bounce_has_an_empty_source_not_a_missing_one() -> None:
    document = json.loads(RECEIPT)
    document["mail"]["source"] = ""
    notice = read_notice(json.dumps(document))
    assert isinstance(notice, Notice)
    assert notice.metadata["source"] == ""


def test_ses_trying_the_bucket_is_no_mail() -> None:
    probe = "raw/AMAZON_SES_SETUP_NOTIFICATION"
    assert read_notice(json.dumps({"key": probe})) == Probe(probe)
    assert read_notice(json.dumps({"receipt": {"action": {"objectKey": probe}}})) == Probe(probe)


def test_what_sns_says_about_itself_is_skipped() -> None:
    assert isinstance(read_notice(enveloped("You have chosen to subscribe", "SubscriptionConfirmation")), Skipped)


@pytest.mark.parametrize(
    "body",
    ["", "no json", "[]", "{}", '{"key": ""}', '{"key": 1}', '{"receipt": {}}', enveloped("text"), '{"receipt": 3}'],
)
def test_anything_else_is_malformed(body: str) -> None:
    with pytest.raises(MalformedPayload):
        read_notice(body)
