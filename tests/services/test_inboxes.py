"""Inboxes: whole or not at all, in the table, in SSM, at SES and at the provider."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib import wiring
from chalicelib.domain.people import SYSTEM, Inbox
from chalicelib.errors import InvalidInput, NotConfigured, Refused
from chalicelib.services import inboxes
from chalicelib.services.inbox_secrets import InboxSecrets
from chalicelib.services.inboxes import InboxForm, Provider, Tools
from chalicelib.services.receipt_rule import NO_RECIPIENT, ReceiptRule
from chalicelib.store import directory
from tests.engine import Desk

RULE = "deskbell-test-inboxes"
BOT = "123456:bot-token-of-the-test"


class FakeSes:
    """Receiving as SES v1 has it: rule sets with rules, one of them active."""

    def __init__(self, active: str = "deskbell-test", **sets: list[dict[str, Any]]) -> None:
        self.active = active
        self.sets = sets or {"deskbell-test": [a_rule()]}
        self.broken = False

    def describe_active_receipt_rule_set(self) -> dict[str, Any]:
        return {"Metadata": {"Name": self.active}} if self.active else {}

    def describe_receipt_rule(self, RuleSetName: str, RuleName: str) -> dict[str, Any]:
        if RuleSetName not in self.sets:
            raise refusal("RuleSetDoesNotExist")
        for rule in self.sets[RuleSetName]:
            if rule["Name"] == RuleName:
                return {"Rule": rule}
        raise refusal("RuleDoesNotExist")

    def update_receipt_rule(self, RuleSetName: str, Rule: dict[str, Any]) -> None:
        if self.broken:
            raise refusal("Throttling")
        rules = self.sets[RuleSetName]
        rules[[rule["Name"] for rule in rules].index(Rule["Name"])] = Rule

    def recipients(self, rule_set: str = "deskbell-test") -> list[str]:
        return next(rule["Recipients"] for rule in self.sets[rule_set] if rule["Name"] == RULE)


def a_rule(name: str = RULE) -> dict[str, Any]:
    return {"Name": name, "Recipients": [NO_RECIPIENT], "ScanEnabled": True, "Actions": [{"S3Action": {}}]}


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "an operation")


@pytest.fixture
def ses() -> FakeSes:
    return FakeSes()


class Bot:
    """The company behind a bot."""

    def __init__(self) -> None:
        self.announced: list[tuple[str, Mapping[str, str]]] = []
        self.down = False

    def look(self, secrets: Mapping[str, str]) -> str:
        if secrets["bot_token"] != BOT:
            raise Refused("Unauthorized", retry_after_seconds=None)
        return "@NorthwindBot"

    def announce(self, inbox: Inbox, secrets: Mapping[str, str]) -> None:
        if self.down:
            raise Refused("telegram could not be reached", retry_after_seconds=30)
        self.announced.append((inbox.id, secrets))


@pytest.fixture
def bot() -> Bot:
    return Bot()


@pytest.fixture
def tools(desk: Desk, ses: FakeSes, bot: Bot) -> Tools:
    provider = Provider(bot.look, bot.announce)
    return Tools(InboxSecrets(desk.client("ssm")), ReceiptRule(ses), {"telegram": provider})


MAIL = InboxForm("email", "Support", "support@shop.example")
FORWARDED = replace(MAIL, settings={"forward_to": "Support@desk.shop.example", "mailbox": "google"})
TELEGRAM = InboxForm("telegram", "Bot", secrets={"bot_token": BOT})


def create(form: InboxForm, tools: Tools, desk: Desk) -> Inbox:
    return inboxes.create(form, tools, SYSTEM, desk.now)


def test_a_mail_inbox_takes_its_own_mail(desk: Desk, tools: Tools, ses: FakeSes) -> None:
    made = create(replace(MAIL, address=" Support@Shop.example ", name=" Our  support "), tools, desk)
    assert (made.address, made.name) == ("support@shop.example", "Our support")
    assert directory.inbox_at("support+x@shop.example") == made
    assert ses.recipients() == ["support@shop.example"]
    assert ses.sets["deskbell-test"][0]["ScanEnabled"], "nothing else of the rule changes"


def test_a_forwarded_mailbox_is_found_by_both_addresses_and_taken_at_the_second(
    desk: Desk, tools: Tools, ses: FakeSes
) -> None:
    made = create(FORWARDED, tools, desk)
    assert directory.inbox_at("support@desk.shop.example") == made
    assert directory.inbox_at("support@shop.example") == made
    assert ses.recipients() == ["support@desk.shop.example"]


def test_a_setting_that_was_left_empty_is_not_kept(desk: Desk, tools: Tools) -> None:
    made = create(replace(MAIL, settings={"mailbox": " google ", "form_senders": "  "}), tools, desk)
    assert made.settings == {"mailbox": "google"}


def test_where_another_rule_set_is_active_both_copies_follow(desk: Desk) -> None:
    ses = FakeSes("somebody", somebody=[a_rule("theirs"), a_rule()], **{"deskbell-test": [a_rule()]})
    create(MAIL, Tools(InboxSecrets(desk.client("ssm")), ReceiptRule(ses)), desk)
    assert ses.recipients("somebody") == ses.recipients("deskbell-test") == ["support@shop.example"]
    assert ses.sets["somebody"][0] == a_rule("theirs")


def test_a_deactivated_inbox_takes_no_mail_and_an_empty_list_takes_nobodys(
    desk: Desk, tools: Tools, ses: FakeSes
) -> None:
    made = create(MAIL, tools, desk)
    inboxes.change(made.id, replace(MAIL, active=False), tools, SYSTEM, desk.now)
    assert ses.recipients() == [NO_RECIPIENT]
    inboxes.change(made.id, MAIL, tools, SYSTEM, desk.now)
    assert ses.recipients() == ["support@shop.example"]


@pytest.mark.parametrize("form", [MAIL, replace(FORWARDED, address="help@shop.example")])
def test_an_address_belongs_to_one_inbox(desk: Desk, tools: Tools, ses: FakeSes, form: InboxForm) -> None:
    create(MAIL if form is MAIL else replace(FORWARDED), tools, desk)
    with pytest.raises(InvalidInput) as refused:
        create(replace(form, name="Second"), tools, desk)
    (sentence,) = refused.value.fields.values()
    assert "belongs to the inbox “Support” already" in sentence
    assert [each.name for each in directory.inboxes()] == ["Support"]
    assert directory.inbox_at("help@shop.example") is None


def test_its_language_is_a_word_as_agents_have_it(desk: Desk, tools: Tools) -> None:
    made = create(replace(MAIL, settings={"language": " German "}), tools, desk)
    assert directory.inbox(made.id).settings["language"] == "german"


def test_an_inbox_may_move_to_its_own_other_address(desk: Desk, tools: Tools) -> None:
    made = create(FORWARDED, tools, desk)
    moved = inboxes.change(made.id, replace(MAIL, address="support@desk.shop.example"), tools, SYSTEM, desk.now)
    assert directory.inbox_at("support@desk.shop.example") == moved
    assert directory.inbox_at("support@shop.example") is None
    back = replace(MAIL, address="help@shop.example", settings={"forward_to": "support@desk.shop.example"})
    again = inboxes.change(made.id, back, tools, SYSTEM, desk.now)
    assert directory.inbox_at("support@desk.shop.example") == again
    assert directory.inbox_at("help@shop.example") == again


def test_when_ses_refuses_nothing_is_left(desk: Desk, tools: Tools, ses: FakeSes) -> None:
    ses.broken = True
    with pytest.raises(Refused):
        create(FORWARDED, tools, desk)
    assert directory.inboxes() == ()
    assert directory.inbox_at("support@shop.example") is None
    assert directory.inbox_at("support@desk.shop.example") is None
    ses.broken = False
    assert create(FORWARDED, tools, desk)


def test_when_ses_refuses_a_change_the_inbox_stays_as_it_was(desk: Desk, tools: Tools, ses: FakeSes) -> None:
    made = create(MAIL, tools, desk)
    ses.broken = True
    with pytest.raises(Refused):
        inboxes.change(made.id, replace(FORWARDED, address="help@shop.example"), tools, SYSTEM, desk.now)
    assert directory.inbox(made.id) == made
    assert directory.inbox_at("support@shop.example") == made
    assert directory.inbox_at("help@shop.example") is None
    assert directory.inbox_at("support@desk.shop.example") is None


def test_a_rule_that_is_not_there_is_said(desk: Desk) -> None:
    ses = FakeSes("", other=[])
    with pytest.raises(NotConfigured, match="Deploy the desk again"):
        create(MAIL, Tools(InboxSecrets(desk.client("ssm")), ReceiptRule(ses)), desk)
    assert directory.inboxes() == ()


def test_more_addresses_than_a_rule_holds_are_refused(ses: FakeSes, desk: Desk) -> None:
    with pytest.raises(NotConfigured, match="at most 100"):
        ReceiptRule(ses).take_mail_for([f"a{n}@shop.example" for n in range(101)])


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (replace(MAIL, channel="fax"), "channel"),
        (replace(MAIL, name=" "), "name"),
        (replace(MAIL, address="support"), "address"),
        (replace(MAIL, address="shop@gmail.com"), "address"),
        (replace(MAIL, team_id="gone"), "team_id"),
        (replace(MAIL, settings={"forward_to": "nowhere"}), "forward_to"),
        (replace(MAIL, settings={"forward_to": "support@shop.example"}), "forward_to"),
        (replace(MAIL, settings={"form_senders": "noreply@shop.example nobody"}), "form_senders"),
        (replace(MAIL, settings={"password": "x"}), "password"),
        (replace(MAIL, secrets={"bot_token": "x"}), "bot_token"),
        (replace(MAIL, undo_seconds=61), "undo_seconds"),
        (replace(MAIL, reopen_days=-1), "reopen_days"),
        (replace(MAIL, sends_per_minute=0), "sends_per_minute"),
        (replace(MAIL, signature="x" * 4001), "signature"),
        (replace(TELEGRAM, secrets={}), "bot_token"),
        (replace(TELEGRAM, settings={"base_url": "http://bots.example"}), "base_url"),
        (replace(TELEGRAM, secrets={"bot_token": "wrong"}), "bot_token"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_written(
    desk: Desk, tools: Tools, ses: FakeSes, form: InboxForm, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        create(form, tools, desk)
    assert list(refused.value.fields) == [field]
    assert directory.inboxes() == ()
    assert ses.recipients() == [NO_RECIPIENT]


def test_a_bot_tells_its_own_name_and_its_secrets_never_reach_the_table(desk: Desk, tools: Tools, bot: Bot) -> None:
    made = create(TELEGRAM, tools, desk)
    assert made.address == "@northwindbot"
    ((inbox_id, told),) = bot.announced
    assert inbox_id == made.id
    assert wiring.secret(wiring.inbox_secret_name(made.id, "bot_token")) == BOT
    assert wiring.secret(wiring.inbox_secret_name(made.id, "webhook_secret")) == told["webhook_secret"]
    everything = str(desk.client("dynamodb").scan(TableName="test-table")["Items"])
    assert BOT not in everything
    assert told["webhook_secret"] not in everything


def test_when_the_provider_does_not_take_the_webhook_nothing_is_left(desk: Desk, tools: Tools, bot: Bot) -> None:
    bot.down = True
    with pytest.raises(Refused):
        create(TELEGRAM, tools, desk)
    assert directory.inboxes() == ()
    assert desk.client("ssm").get_parameters_by_path(Path="/deskbell/test/inbox", Recursive=True)["Parameters"] == []


def test_an_empty_secret_keeps_the_one_that_is_there(desk: Desk, tools: Tools, bot: Bot) -> None:
    made = create(TELEGRAM, tools, desk)
    renamed = inboxes.change(
        made.id, replace(TELEGRAM, name="Our bot", secrets={"bot_token": ""}), tools, SYSTEM, desk.now
    )
    assert (renamed.name, renamed.address) == ("Our bot", "@northwindbot")
    assert len(bot.announced) == 1
    assert wiring.secret(wiring.inbox_secret_name(made.id, "bot_token")) == BOT


@pytest.mark.parametrize("before", ["", "https://bots.shop.example"])
@pytest.mark.parametrize("after", ["https://evil.example", ""])
def test_another_server_gets_no_token_that_was_not_typed_for_it(
    desk: Desk, tools: Tools, bot: Bot, before: str, after: str
) -> None:
    """The console's form and a program's call both end here."""
    made = create(replace(TELEGRAM, settings={"base_url": before}), tools, desk)
    moved = replace(TELEGRAM, name="Our bot", settings={"base_url": after}, secrets={"bot_token": " "})
    if before == after:
        assert inboxes.change(made.id, moved, tools, SYSTEM, desk.now).name == "Our bot"
        return
    with pytest.raises(InvalidInput) as refused:
        inboxes.change(made.id, moved, tools, SYSTEM, desk.now)
    assert list(refused.value.fields) == ["bot_token"]
    assert directory.inbox(made.id) == made
    typed = replace(moved, secrets={"bot_token": BOT})
    assert inboxes.change(made.id, typed, tools, SYSTEM, desk.now).settings.get("base_url", "") == after


def test_texts_can_be_changed_alone(desk: Desk, tools: Tools) -> None:
    made = create(MAIL, tools, desk)
    after = inboxes.change_texts(made.id, "Regards\r\nNorthwind\r\n", "We got it.", SYSTEM, desk.now)
    assert (after.signature, after.acknowledgement) == ("Regards\nNorthwind", "We got it.")
    with pytest.raises(InvalidInput):
        inboxes.change_texts(made.id, "x" * 4001, "", SYSTEM, desk.now)


def test_every_change_is_audited(desk: Desk, tools: Tools) -> None:
    made = create(TELEGRAM, tools, desk)
    changed = replace(TELEGRAM, name="Our bot", undo_seconds=0)
    inboxes.change(made.id, changed, tools, SYSTEM, desk.advance(seconds=1))
    entries = directory.audit_entries(f"{desk.now:%Y-%m}")
    assert [(each.what, each.detail) for each in entries] == [
        ("Inbox changed", "Our bot: name: Bot → Our bot; undo seconds: 10 → 0; new secrets"),
        ("Inbox created", "Bot (telegram, @northwindbot)"),
    ]
    assert BOT not in str(entries)


def test_a_form_is_the_inbox_as_it_stands(desk: Desk, tools: Tools) -> None:
    made = create(replace(FORWARDED, signature="S", acknowledgement="A", separated=True), tools, desk)
    assert inboxes.change(made.id, inboxes.form_of(made), tools, SYSTEM, desk.now) == made
