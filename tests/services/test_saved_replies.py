"""Saved replies are kept, changed, deleted and brought back by whom they belong to, and filled for a ticket."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.message import Inbound, Party
from chalicelib.domain.people import actor_of
from chalicelib.domain.saved_reply import ReplySettings
from chalicelib.errors import Conflict, InvalidInput, NotAllowed, NotFound
from chalicelib.services import fill_reply, receive_message, saved_replies, teams
from chalicelib.services.receive_message import Envelope
from chalicelib.services.saved_replies import MAX_TEXT_CHARS, RESTORE_DAYS, Keeper, ReplyForm
from chalicelib.store import directory, tickets
from chalicelib.store import saved_replies as kept
from tests.engine import Desk

pytestmark = pytest.mark.engine

SHIPPING = ReplyForm("Shipping", "/Shipping", texts={"en": "Hello {customer.first_name}, it left."})


@pytest.fixture
def leader(desk: Desk) -> Keeper:
    desk.team("first")
    return Keeper(desk.actor("dana", role="leader"), True, "dana")


def own(desk: Desk, name: str = "ben") -> Keeper:
    return Keeper(actor_of(desk.agent(name)), False, name)


def a_ticket(desk: Desk, name: str = "Lina Meyer", **values: Any) -> str:
    mail = Inbound(
        f"fp{values}{name}", Party(name, "lina@customer.example"), desk.now, "Where is it?", "Where?",
        to=(Party("", "support@shop.example"),), **values,
    )  # fmt: skip
    envelope = Envelope(mail.fingerprint, f"kept/{name}", desk.now, desk.inbox(), "2026-11-20")
    return receive_message.receive(mail, envelope, desk.now).ticket_id or ""


def audited(month: str) -> list[str]:
    return [f"{each.what}: {each.detail}" for each in reversed(directory.audit_entries(month))]


def test_one_is_kept_changed_deleted_and_brought_back(desk: Desk, leader: Keeper) -> None:
    made = saved_replies.create(SHIPPING, leader, desk.now)
    assert (made.entry.shortcut, made.entry.languages, made.entry.changed_by) == ("shipping", ("en",), "Dana")
    assert kept.get(made.entry.id, desk.now) == made
    german = replace(SHIPPING, name="Versand", texts={**SHIPPING.texts, "de": "Hallo {customer.first_name}!"})
    changed = saved_replies.change(made.entry.id, german, leader, desk.advance(minutes=1))
    assert (changed.entry.version, changed.entry.changed_at, list(changed.texts)) == (2, desk.now, ["en", "de"])
    assert saved_replies.change(made.entry.id, german, leader, desk.advance(minutes=1)) == changed
    saved_replies.delete(made.entry.id, leader, desk.advance(minutes=1))
    assert kept.entries() == ()
    with pytest.raises(NotFound):
        kept.get(made.entry.id, desk.now)
    back = saved_replies.restore(made.entry.id, leader, desk.advance(days=RESTORE_DAYS - 1))
    assert back.texts == changed.texts
    assert saved_replies.restore(made.entry.id, leader, desk.now) == back
    assert [each.name for each in kept.entries()] == ["Versand"]
    assert audited("2026-11") == [
        "Saved reply created: Shipping (everyone)",
        "Saved reply changed: Versand (everyone): name: Shipping → Versand; text: de",
        "Saved reply deleted: Versand (everyone)",
    ]


def test_a_deletion_is_final_after_its_days(desk: Desk, leader: Keeper) -> None:
    made = saved_replies.create(SHIPPING, leader, desk.now)
    saved_replies.delete(made.entry.id, leader, desk.now)
    with pytest.raises(NotFound):
        saved_replies.restore(made.entry.id, leader, desk.advance(days=RESTORE_DAYS))


def test_a_repeated_request_makes_one(desk: Desk, leader: Keeper) -> None:
    first = saved_replies.create(SHIPPING, leader, desk.now, seed="key")
    assert saved_replies.create(SHIPPING, leader, desk.advance(minutes=1), seed="key") == first
    assert len(kept.entries()) == 1


def test_nobody_writes_over_what_they_did_not_see(desk: Desk, leader: Keeper) -> None:
    made = saved_replies.create(SHIPPING, leader, desk.now)
    saved_replies.change(made.entry.id, replace(SHIPPING, name="First"), leader, desk.now, version=1)
    with pytest.raises(Conflict, match="Somebody changed"):
        saved_replies.change(made.entry.id, replace(SHIPPING, name="Second"), leader, desk.now, version=1)
    assert kept.entries()[0].name == "First"


def test_two_who_save_at_the_same_moment_are_told(desk: Desk, leader: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    made = saved_replies.create(SHIPPING, leader, desk.now)
    read = kept.entries

    def meanwhile() -> Any:
        monkeypatch.setattr(kept, "entries", read)
        saved_replies.change(made.entry.id, replace(SHIPPING, name="Quicker"), leader, desk.now)
        return read()

    monkeypatch.setattr(kept, "entries", meanwhile)
    with pytest.raises(Conflict, match="Somebody changed"):
        saved_replies.change(made.entry.id, replace(SHIPPING, name="Slower"), leader, desk.now)
    assert read()[0].name == "Quicker"


def test_agents_keep_their_own_and_nobody_elses(desk: Desk, leader: Keeper) -> None:
    ben, chloe = own(desk), own(desk, "chloe")
    for form in (SHIPPING, replace(SHIPPING, scope="team", owner_id="first")):
        with pytest.raises(NotAllowed):
            saved_replies.create(form, ben, desk.now)
        shared = saved_replies.create(form, leader, desk.now).entry.id
        for act in (saved_replies.delete, saved_replies.restore):
            with pytest.raises(NotAllowed):
                act(shared, ben, desk.now)
        with pytest.raises(NotAllowed):
            saved_replies.change(shared, SHIPPING, ben, desk.now)
    mine = replace(SHIPPING, scope="personal")
    made = saved_replies.create(mine, ben, desk.now).entry
    assert made.owner_id == "ben"
    for other in (chloe, leader):
        with pytest.raises(NotFound):
            saved_replies.delete(made.id, other, desk.now)
        with pytest.raises(NotFound):
            saved_replies.change(made.id, mine, other, desk.now)
    with pytest.raises(NotAllowed):
        saved_replies.change(made.id, replace(mine, scope="everyone"), ben, desk.now)
    with pytest.raises(NotAllowed):
        saved_replies.change(made.id, replace(mine, owner_id="chloe"), ben, desk.now)
    saved_replies.delete(made.id, ben, desk.now)


def test_who_sees_what_in_settings(desk: Desk, leader: Keeper) -> None:
    desk.team("second", "Second line")
    saved_replies.create(replace(SHIPPING, name="All"), leader, desk.now)
    for team in ("first", "second"):
        saved_replies.create(replace(SHIPPING, name=team, scope="team", owner_id=team), leader, desk.now)
    saved_replies.create(replace(SHIPPING, name="Bens", scope="personal"), own(desk), desk.now)
    ben = desk.agent("ben", team_ids=("first",))
    assert [each.name for each in saved_replies.listing(ben, manages=False)] == ["All", "Bens", "first"]
    dana = directory.agent("dana")
    listed = saved_replies.listing(dana, manages=True)
    assert [each.name for each in listed] == ["All", "first", "second"]
    (second,) = [each for each in listed if each.name == "second"]
    with pytest.raises(NotFound):
        saved_replies.seen_by(second.id, ben, False, desk.now)
    assert saved_replies.seen_by(second.id, dana, True, desk.now).entry == second


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"name": " "}, {"name"}),
        ({"name": "x" * 81}, {"name"}),
        ({"shortcut": "two words"}, {"shortcut"}),
        ({"shortcut": "x" * 31}, {"shortcut"}),
        ({"shortcut": "taken"}, {"shortcut"}),
        ({"scope": "team", "owner_id": "nobody"}, {"scope"}),
        ({"scope": "crew"}, {"scope"}),
        ({"texts": {}}, {"text_en"}),
        ({"texts": {"de": " \n"}}, {"text_de"}),
        ({"texts": {"en": "x" * (MAX_TEXT_CHARS + 1)}}, {"text_en"}),
        ({"texts": {"english": "Hi"}}, {"text_english"}),
        ({"texts": {chr(97 + n) * 2: "Hi" for n in range(9)}}, {"languages"}),
        ({"name": "", "shortcut": "a b", "texts": {"en": "{customer.shoe}"}}, {"name", "shortcut", "text_en"}),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    desk: Desk, leader: Keeper, changed: dict[str, Any], fields: set[str]
) -> None:
    saved_replies.create(replace(SHIPPING, shortcut="taken"), leader, desk.now)
    with pytest.raises(InvalidInput) as refused:
        saved_replies.create(replace(SHIPPING, **changed), leader, desk.now)
    assert set(refused.value.fields) == fields
    assert len(kept.entries()) == 1


def test_a_misspelt_placeholder_is_told_when_it_is_saved(desk: Desk, leader: Keeper) -> None:
    form = replace(SHIPPING, texts={"en": "Hi {customer.frist_name}, use {SAVE10} or \\{some.thing}."})
    with pytest.raises(InvalidInput) as refused:
        saved_replies.create(form, leader, desk.now)
    assert "Did you mean {customer.first_name}?" in refused.value.fields["text_en"]


def test_one_shortcut_may_belong_to_two_owners(desk: Desk, leader: Keeper) -> None:
    saved_replies.create(SHIPPING, leader, desk.now)
    saved_replies.create(replace(SHIPPING, scope="personal"), own(desk), desk.now)
    saved_replies.create(replace(SHIPPING, shortcut=""), leader, desk.now)
    saved_replies.create(replace(SHIPPING, shortcut=""), leader, desk.now)
    assert len(kept.entries()) == 4


def test_there_is_an_end(desk: Desk, leader: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_replies, "MAX_REPLIES", 1)
    saved_replies.create(SHIPPING, leader, desk.now)
    with pytest.raises(Conflict, match="already"):
        saved_replies.create(replace(SHIPPING, shortcut="other"), leader, desk.now)


def test_a_team_that_has_some_stays(desk: Desk, leader: Keeper) -> None:
    made = saved_replies.create(replace(SHIPPING, scope="team", owner_id="first"), leader, desk.now)
    with pytest.raises(Conflict, match="saved reply Shipping"):
        teams.delete("first", leader.actor, desk.now)
    saved_replies.delete(made.entry.id, leader, desk.now)
    teams.delete("first", leader.actor, desk.now)


def test_half_a_character_is_not_kept(desk: Desk, leader: Keeper) -> None:
    made = saved_replies.create(replace(SHIPPING, name="\ud83d!", texts={"en": "a\ud83d\r\nb"}), leader, desk.now)
    assert (made.entry.name, made.texts["en"]) == ("\ufffd!", "a\ufffd\nb")


def test_uses_are_counted(desk: Desk, leader: Keeper) -> None:
    made = saved_replies.create(SHIPPING, leader, desk.now).entry
    assert kept.uses() == {}
    for _ in range(3):
        kept.count_use(made.id, desk.now)
    assert kept.uses() == {made.id: 3}


def test_what_they_share_is_checked(desk: Desk, leader: Keeper) -> None:
    assert kept.settings() == ReplySettings(("en",), "")
    saved_replies.change_settings("DE, en de", " Northwind  Mugs ", leader.actor, desk.now)
    assert kept.settings() == ReplySettings(("de", "en"), "Northwind Mugs")
    for languages, shop, field in (
        ("", "x", "languages"),
        ("english", "x", "languages"),
        ("en", "x" * 81, "shop_name"),
    ):
        with pytest.raises(InvalidInput) as refused:
            saved_replies.change_settings(languages, shop, leader.actor, desk.now)
        assert list(refused.value.fields) == [field]
    assert kept.settings().languages == ("de", "en")


# Filling


EVERY = (
    "{customer.name}|{customer.first_name}|{customer.email}|{ticket.number}|{ticket.subject}|{agent.name}|"
    "{agent.first_name}|{shop.name}|{shop.email}|{order.number}"
)


def test_every_placeholder_is_filled_from_the_ticket(desk: Desk, leader: Keeper) -> None:
    saved_replies.change_settings("en", "Northwind Mugs", leader.actor, desk.now)
    reply = saved_replies.create(replace(SHIPPING, texts={"en": EVERY}), leader, desk.now)
    ticket = tickets.get(a_ticket(desk))
    found = fill_reply.fill(reply, ticket, desk.agent("ben", name="Ben Okafor"))
    assert found.text == (
        f"Lina Meyer|Lina|lina@customer.example|{ticket.id}|Where is it?|Ben Okafor|Ben|Northwind Mugs|"
        "support@shop.example|{order.number}"
    )
    assert found.missing == ("order.number",)


def test_what_is_not_known_is_named(desk: Desk, leader: Keeper) -> None:
    reply = saved_replies.create(replace(SHIPPING, texts={"en": EVERY}), leader, desk.now)
    ticket = tickets.get(a_ticket(desk, name=""))
    found = fill_reply.fill(reply, ticket, None)
    assert set(found.missing) == {
        "customer.name", "customer.first_name", "agent.name", "agent.first_name", "shop.name", "order.number",
    }  # fmt: skip


@pytest.mark.parametrize(("said", "taken"), [("de-AT", "de"), ("fr", "en"), (None, "en")])
def test_it_speaks_the_customers_language(desk: Desk, leader: Keeper, said: str | None, taken: str) -> None:
    reply = saved_replies.create(replace(SHIPPING, texts={"de": "Hallo", "en": "Hello"}), leader, desk.now)
    ticket = tickets.get(a_ticket(desk, language=said))
    assert fill_reply.fill(reply, ticket, None).language == taken
    assert fill_reply.fill(reply, ticket, None, "de").text == "Hallo"
    with pytest.raises(InvalidInput, match="no text in that language"):
        fill_reply.fill(reply, ticket, None, "fr")
