"""Saved replies as a browser without scripts sees them: in Settings, and beside an answer."""

import json

import pytest

from chalicelib.domain.people import Role, actor_of
from chalicelib.domain.saved_reply import SCOPES
from chalicelib.services import drafts, saved_replies, sessions
from chalicelib.services.saved_replies import Keeper, ReplyForm
from chalicelib.store import messages
from chalicelib.store import saved_replies as kept
from tests.api.console.browser import Browser
from tests.api.console.test_settings import ids_tied
from tests.engine import Desk
from tests.services.test_saved_replies import a_ticket

pytestmark = pytest.mark.engine

REPLIES = "/settings/replies"


def signed_in(desk: Desk, name: str, role: Role = "agent", **values: object) -> Browser:
    agent = desk.agent(name, role=role, **values)
    return Browser({"__Host-deskbell": sessions.open_session(agent, desk.now)})


@pytest.fixture
def ben(desk: Desk) -> Browser:
    return signed_in(desk, "ben")


@pytest.fixture
def dana(desk: Desk) -> Browser:
    desk.team("first")
    return signed_in(desk, "dana", "leader")


def saved(desk: Desk, text: str = "Hello {customer.first_name}.", name: str = "Shipping") -> str:
    """A reply for everyone."""
    keeper = Keeper(actor_of(desk.agent("boss", role="leader")), True, "boss")
    return saved_replies.create(ReplyForm(name, name.lower(), texts={"en": text}), keeper, desk.now).entry.id


def test_the_first_one_is_taught_made_and_found(dana: Browser) -> None:
    page = dana.get(REPLIES)
    assert "No saved reply yet" in page.text and "{customer.first_name}" in page.text
    page = dana.get(f"{REPLIES}/new")
    ids_tied(page)
    assert "{tracking.number}" in page.text
    dana.submit(REPLIES, name="Shipping", shortcut="/shipping", text_en="It left, {customer.name}.")
    page = dana.follow()
    assert "Saved." in page.text and "/shipping" in page.text and "Everyone" in page.text
    ids_tied(page)
    assert "Shipping" in dana.get(f"{REPLIES}?q=LEFT").text
    assert "No saved reply holds “parcel”" in dana.get(f"{REPLIES}?q=parcel").text


def test_the_form_sent_twice_makes_one(dana: Browser, desk: Desk) -> None:
    dana.get(f"{REPLIES}/new")
    filled = {"name": "Shipping", "text_en": "It left."}
    page = dana.page
    dana.submit(REPLIES, **filled)
    dana.page = page
    desk.advance(minutes=1)
    dana.submit(REPLIES, **filled)
    assert dana.page.status == 303
    assert len(kept.entries()) == 1


def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(dana: Browser) -> None:
    dana.get(f"{REPLIES}/new")
    page = dana.submit(REPLIES, name="Shipping", shortcut="a b", text_en="Hi {customer.frist_name}")
    assert (page.status, sorted(page.read.invalid)) == (422, ["shortcut", "text_en"])
    assert "Did you mean {customer.first_name}?" in page.text
    assert page.form(REPLIES).fields["text_en"] == ["\nHi {customer.frist_name}"]
    ids_tied(page)
    assert kept.entries() == ()


def test_each_language_of_the_desk_has_its_text(dana: Browser, desk: Desk) -> None:
    dana.get(REPLIES)
    page = dana.submit(f"{REPLIES}/settings", languages="english")
    assert (page.status, page.read.invalid) == (422, ["languages"])
    dana.submit(f"{REPLIES}/settings", languages="de, en", shop_name="Northwind")
    page = dana.get(f"{REPLIES}/new")
    assert page.text.index("German") < page.text.index("English")
    dana.submit(REPLIES, name="Both", owner="team:first", text_de="Hallo", text_en="Hello")
    (entry,) = kept.entries()
    assert (entry.languages, entry.scope, entry.owner_id) == (("de", "en"), "team", "first")
    page = dana.get(f"{REPLIES}/{entry.id}")
    assert page.form(f"{REPLIES}/{entry.id}").fields["owner"] == ["team:first"]


def test_a_deletion_is_undone_from_where_it_was_made(dana: Browser, desk: Desk) -> None:
    reply = saved(desk)
    dana.get(REPLIES)
    dana.submit(f"{REPLIES}/{reply}/delete")
    page = dana.follow()
    assert "Deleted “Shipping”." in page.text and kept.entries() == ()
    dana.submit(f"{REPLIES}/{reply}/restore")
    assert "It is back." in dana.follow().text
    assert [each.id for each in kept.entries()] == [reply]
    assert "Deleted" not in dana.get(f"{REPLIES}?deleted={reply}").text
    assert dana.get(f"{REPLIES}?deleted=nothing").status == 200


def test_who_saves_over_a_colleague_is_told_and_keeps_the_words(dana: Browser, desk: Desk) -> None:
    reply = saved(desk)
    dana.get(f"{REPLIES}/{reply}")
    mine = dana.page
    dana.submit(f"{REPLIES}/{reply}", name="First")
    dana.page = mine
    page = dana.submit(f"{REPLIES}/{reply}", name="Second")
    assert page.status == 409 and "Somebody changed" in page.text
    assert page.form(f"{REPLIES}/{reply}").fields["name"] == ["Second"]


def test_agents_read_what_others_keep_and_change_their_own(ben: Browser, desk: Desk) -> None:
    reply = saved(desk)
    page = ben.get(f"{REPLIES}/{reply}")
    assert "a leader or an admin can change it" in page.text and "Hello {customer.first_name}." in page.text
    assert [each.action for each in page.read.forms] == ["/sign-out"]
    page = ben.get(REPLIES)
    assert "Languages you answer in" not in page.text and "/delete" not in page.html
    csrf = page.form("/sign-out").fields["csrf"][0]
    stolen = {"csrf": csrf, "name": "Mine now", "owner": "personal", "text_en": "x"}
    assert ben.post(f"{REPLIES}/{reply}", stolen).status == 403
    assert ben.post(f"{REPLIES}/{reply}/delete", {"csrf": csrf}).status == 403
    assert ben.post(REPLIES, {**stolen, "owner": "everyone"}).status == 403
    ben.get(f"{REPLIES}/new")
    ben.submit(REPLIES, name="My own", text_en="Yours, {agent.first_name}")
    ben.follow()
    (mine,) = [each for each in kept.entries() if each.scope == "personal"]
    assert mine.owner_id == "ben"
    chloe = signed_in(desk, "chloe", "admin")
    assert "My own" not in chloe.get(REPLIES).text
    assert chloe.get(f"{REPLIES}/{mine.id}").status == 404
    assert (
        chloe.post(f"{REPLIES}/{mine.id}/delete", {"csrf": chloe.page.form("/sign-out").fields["csrf"][0]}).status
        == 404
    )


# Beside an answer


def test_without_scripts_it_joins_what_was_typed(ben: Browser, desk: Desk) -> None:
    saved(desk, "Hello {customer.first_name}, {order.number} left.")
    ticket = a_ticket(desk)
    ben.get(f"/tickets/{ticket}")
    form = ben.page.form(f"/tickets/{ticket}/write").fields
    ben.post(f"/tickets/{ticket}/replies", {**form, "text": "One moment."})
    page = ben.follow()
    assert "Shipping" in page.text
    (use,) = [each.action for each in page.read.forms if "/replies/" in each.action]
    ben.submit(use)
    page = ben.follow()
    form = page.form(f"/tickets/{ticket}/write").fields
    assert form["text"] == ["\nOne moment.\n\nHello Lina, {order.number} left."]
    page = ben.submit(f"/tickets/{ticket}/write")
    assert page.status == 422 and page.read.invalid == ["text"]
    assert "{order.number} is not filled in" in page.text
    assert len(messages.newest(ticket).messages) == 1
    page = ben.submit(f"/tickets/{ticket}/write", text="Hello Lina, 10482 left.")
    assert page.status == 303
    (sent,) = [each for each in messages.newest(ticket).messages if each.direction == "out" and each.kind == "message"]
    assert sent.text == "Hello Lina, 10482 left."
    assert kept.uses() == {kept.entries()[0].id: 1}


def test_the_composer_is_offered_what_the_agent_may_insert(desk: Desk) -> None:
    desk.team("first")
    ben = signed_in(desk, "ben", team_ids=("first",))
    boss = Keeper(actor_of(desk.agent("boss", role="admin")), True, "boss")
    for scope, owner in zip(SCOPES, ("", "first", "boss"), strict=True):
        saved_replies.create(ReplyForm(f"For {scope}", "x", scope, owner, {"en": "<b>Hi</b>"}), boss, desk.now)
    ticket = a_ticket(desk)
    page = ben.get(f"/tickets/{ticket}/replies", hx_request="true")
    assert "For everyone" in page.text and "For team" in page.text and "For personal" not in page.text
    assert "<html" not in page.html and "<b>" not in page.html
    assert ben.get("/tickets/999/replies", hx_request="true").status == 404


def test_it_answers_the_words_and_what_is_missing(ben: Browser, desk: Desk) -> None:
    reply, ticket = saved(desk, "{customer.first_name} {tracking.url}"), a_ticket(desk)
    csrf = ben.get(f"/tickets/{ticket}").form("/sign-out").fields["csrf"][0]
    page = ben.post(f"/tickets/{ticket}/replies/{reply}", {"csrf": csrf}, hx_request="true")
    answer = json.loads(page.html)
    assert answer == {"text": "Lina {tracking.url}", "language": "en", "missing": ["tracking.url"]}
    assert drafts.load(ticket, "ben") is None
    theirs = saved_replies.create(
        ReplyForm("Theirs", "", "personal", "boss", {"en": "x"}),
        Keeper(actor_of(desk.agent("boss")), False, "boss"),
        desk.now,
    ).entry.id
    assert ben.post(f"/tickets/{ticket}/replies/{theirs}", {"csrf": csrf}, hx_request="true").status == 404
