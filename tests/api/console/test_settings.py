"""Settings as a browser without scripts sees them."""

import json
import re
from importlib import import_module
from typing import Any
from urllib.request import urlopen

import pytest

from chalicelib import wiring
from chalicelib.api.console import handed, on_demand, settings_inboxes
from chalicelib.api.console.qr_code import qr_grid, qr_svg
from chalicelib.api.console.settings_pages import MENU
from chalicelib.api.inbox_tools import inbox_tools
from chalicelib.connectors import HttpReply
from chalicelib.domain.message import Inbound, Party
from chalicelib.domain.people import ROLES, Role
from chalicelib.errors import NotConfigured
from chalicelib.services import attempts, inboxes, permissions, receive_message, sessions, tokens
from chalicelib.services.receive_message import Envelope
from chalicelib.services.user_pool import UserPool
from chalicelib.store import directory
from tests.api.console.browser import Browser, Page
from tests.engine import MORNING as NOW
from tests.engine import Desk
from tests.services.people import GOOD_PASSWORD, Mailbox, an_agent, link_token, make_pool, totp, wrong_code

handed_mail = handed.send_system_mail
COOKIE = "__Host-deskbell"
OTHER_PASSWORD = "Violet ladders 42 rain"
PAGES = sorted({item.path for item in MENU} | {"/settings/agents/new", "/settings/inboxes/new"})


def silent_name_servers(name: str, kind: str) -> tuple[str, ...]:
    return ()


@pytest.fixture
def pool(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> UserPool:
    desk.now = NOW
    made = make_pool(desk.client("cognito-idp"))
    monkeypatch.setattr(attempts, "wait_until", lambda _: None)
    monkeypatch.setattr(handed, "user_pool", lambda: made)
    monkeypatch.setattr(settings_inboxes, "Resolver", lambda: silent_name_servers)
    return made


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Mailbox:
    box = Mailbox()
    monkeypatch.setattr(handed, "send_system_mail", box.send)
    return box


def signed_in(
    pool: UserPool, role: Role = "admin", email: str = "ada@shop.example", name: str = "Ada Admin"
) -> Browser:
    agent = an_agent(pool, email, name, role)
    return Browser({COOKIE: sessions.open_session(agent, NOW)})


@pytest.fixture
def admin(pool: UserPool, mailbox: Mailbox) -> Browser:
    return signed_in(pool)


def local(monkeypatch: pytest.MonkeyPatch) -> None:
    """The local stack has no receipt rule to follow."""
    monkeypatch.setattr(settings_inboxes, "inbox_tools", lambda *url: inboxes.Tools(inbox_tools(*url).secrets, None))


# Every page


@pytest.mark.parametrize("role", ROLES)
def test_each_role_sees_its_pages_and_no_others(pool: UserPool, role: Role) -> None:
    an_agent(pool, "boss@shop.example", "Boss", "admin")
    browser = signed_in(pool, role)
    for item in MENU:
        page = browser.get(item.path)
        if permissions.allowed(role, item.action):
            assert page.status == 200, (item.path, page.text)
            assert f'href="{item.path}" aria-current="page"' in page.html
        else:
            assert page.status == 403, item.path
    browser.get("/settings/me")
    shown = set(re.findall(r'<a href="(/(?:settings|operations)/[a-z-]+)"', browser.page.html))
    assert shown == {item.path for item in MENU if permissions.allowed(role, item.action)}


@pytest.mark.parametrize("role", ["viewer", "agent", "leader"])
def test_what_a_role_may_not_do_is_refused_behind_the_form_too(pool: UserPool, role: Role) -> None:
    an_agent(pool, "boss@shop.example", "Boss", "admin")
    browser = signed_in(pool, role)
    browser.get("/settings/me")
    csrf = browser.page.form("/settings/me").fields["csrf"][0]
    for path, method, action, _ in on_demand.ROUTES:
        if action is not None and not permissions.allowed(role, action):
            here = re.sub(r"{\w+}", "any", path)
            found = browser.get(here) if method == "GET" else browser.post(here, {"csrf": csrf})
            assert found.status == 403, path


def ids_tied(page: Page) -> None:
    """Every visible field has a label or a name, every description exists, no id stands twice."""
    assert len(page.read.ids) == len(set(page.read.ids)), sorted(page.read.ids)
    for tied in page.read.described.values():
        assert set(tied) <= set(page.read.ids)
    for tag, found in page.read.controls:
        if found.get("type") != "hidden" and "hidden" not in found:
            assert found.get("aria-label") or found.get("id") in page.read.labels, (tag, found)


@pytest.mark.parametrize("path", PAGES)
def test_every_field_is_named(admin: Browser, desk: Desk, path: str) -> None:
    desk.inbox()
    desk.team()
    page = admin.get(path)
    assert page.status == 200, page.text
    ids_tied(page)
    assert page.html.count("<h1") == 1


def test_every_path_leads_to_a_page_of_ours() -> None:
    for _, _, _, target in on_demand.ROUTES:
        module, _, name = target.partition(":")
        assert callable(getattr(import_module(f"chalicelib.api.console.{module}"), name)), target


@pytest.mark.parametrize("path", [*PAGES, "/notices", "/keys", "/lists/mine", "/tickets/404"])
def test_signing_out_is_in_sight_on_every_page(admin: Browser, path: str) -> None:
    kept = Browser(dict(admin.cookies))
    assert "Sign out" in admin.get(path).html
    assert admin.submit("/sign-out").location == "/sign-in"
    assert admin.cookies == {}
    assert kept.get("/settings/me").location.startswith("/sign-in")


def test_who_is_signed_out_is_not_offered_to_sign_out(desk: Desk) -> None:
    page = Browser().post("/settings/me", {"name": "Eve"})
    assert page.status == 401 and "You are signed out" in page.html
    assert "/sign-out" not in page.html


# You


def test_own_settings_are_saved_and_a_wrong_one_keeps_what_was_typed(admin: Browser) -> None:
    admin.get("/settings/me")
    page = admin.submit("/settings/me", name="Ada A. Admin", time_zone="Nowhere", signature="Regards\r\nAda")
    assert page.status == 422
    assert page.read.invalid == ["time_zone"]
    assert page.form("/settings/me").fields["name"] == ["Ada A. Admin"]
    ids_tied(page)
    admin.submit("/settings/me", time_zone="Europe/Berlin", notify=None)
    assert "Saved." in admin.follow().text
    agent = directory.agents()[0]
    assert (agent.name, agent.time_zone, agent.notify, agent.signature) == (
        "Ada A. Admin",
        "Europe/Berlin",
        False,
        "Regards\nAda",
    )


def test_the_password_is_changed_with_the_present_one(admin: Browser) -> None:
    admin.get("/settings/me")
    page = admin.submit("/settings/me/password", old="wrong", password=OTHER_PASSWORD, again=OTHER_PASSWORD)
    assert (page.status, page.read.invalid) == (422, ["old"])
    admin.submit("/settings/me/password", old=GOOD_PASSWORD, password=OTHER_PASSWORD, again=OTHER_PASSWORD)
    assert "Your password is changed" in admin.follow().text


def test_a_second_factor_is_set_up_and_turned_off(admin: Browser) -> None:
    admin.get("/settings/me")
    page = admin.submit("/settings/me/factor", factor_password="wrong")
    assert page.read.invalid == ["factor_password"]
    page = admin.submit("/settings/me/factor", factor_password=GOOD_PASSWORD)
    secret = page.html.split("<code>")[1].split("<")[0]
    ids_tied(page)
    page = admin.submit("/settings/me/factor/finish", code=wrong_code(secret))
    assert page.read.invalid == ["code"] and f"<code>{secret}</code>" in page.html
    admin.submit("/settings/me/factor/finish", code=totp(secret))
    assert "The second factor is set up" in admin.follow().text
    admin.submit("/settings/me/factor/off", factor_password=GOOD_PASSWORD)
    assert "The second factor is off" in admin.follow().text


def test_other_browsers_are_signed_out(admin: Browser) -> None:
    there = Browser({COOKIE: sessions.open_session(directory.agents()[0], NOW)})
    assert "In 2 browsers." in admin.get("/settings/me").text
    admin.submit("/settings/me/sign-out-everywhere")
    assert "Signed out everywhere else." in admin.follow().text
    assert there.get("/settings/me").status == 303


# Agents and teams


def test_an_agent_is_invited_changed_and_deactivated(admin: Browser, mailbox: Mailbox, desk: Desk) -> None:
    team = desk.team()
    admin.get("/settings/agents/new")
    page = admin.submit("/settings/agents/new", email="ken", name="Ken Sato")
    assert page.read.invalid == ["email"]
    assert page.form("/settings/agents/new").fields["name"] == ["Ken Sato"]
    page = admin.submit("/settings/agents/new", email="ken@shop.example", role="leader", team_ids=[team.id])
    assert "Ken Sato is invited" in page.text
    to, _, text = mailbox.mails[0]
    assert to == "ken@shop.example"
    assert link_token(text)
    ken = directory.agent_by_email("ken@shop.example")
    assert ken is not None
    assert (ken.role, ken.team_ids) == ("leader", (team.id,))
    admin.get(f"/settings/agents/{ken.id}")
    ids_tied(admin.page)
    assert admin.page.form(f"/settings/agents/{ken.id}").fields["role"] == ["leader"]
    admin.submit(f"/settings/agents/{ken.id}", active=None)
    assert "deactivated" in admin.follow().text


def test_without_a_way_to_mail_the_admin_passes_the_link_on(
    pool: UserPool, monkeypatch: pytest.MonkeyPatch, desk: Desk
) -> None:
    browser = signed_in(pool)
    browser.get("/settings/agents/new")
    page = browser.submit("/settings/agents/new", email="ken@shop.example", name="Ken Sato")
    assert "The mail could not be sent" in page.text
    assert "https://desk.test/password?link=" in page.html


def test_the_desks_own_mail_goes_out_in_the_name_of_its_first_inbox(admin: Browser, desk: Desk) -> None:
    with pytest.raises(NotConfigured):
        handed_mail("ken@shop.example", "Subject", "Text")
    desk.inbox()
    ses = desk.client("sesv2")
    ses.create_email_identity(EmailIdentity="shop.example")
    ses.create_configuration_set(ConfigurationSetName="test")
    handed_mail("ken@shop.example", "Einladung für Ken", "Grüße")
    (mail,) = sent_mails(desk)
    assert (mail["Source"], mail["To"]) == ("support@shop.example", ["ken@shop.example"])
    assert mail["BodyText"].strip() == "Grüße"


def sent_mails(desk: Desk) -> list[dict[str, Any]]:
    """What SES of the engine was asked to send."""
    with urlopen(f"{desk.endpoint}/_ministack/ses/messages", timeout=10) as answer:
        by_account: dict[str, list[dict[str, Any]]] = json.loads(answer.read())["messages"]
    return [mail for mails in by_account.values() for mail in mails]


def test_the_last_admin_is_told_why_not(admin: Browser) -> None:
    me = directory.agents()[0]
    admin.get(f"/settings/agents/{me.id}")
    page = admin.submit(f"/settings/agents/{me.id}", role="agent")
    assert page.status == 409
    assert "only active admin" in page.text


def test_nobody_s_page_is_not_found(admin: Browser) -> None:
    assert admin.get("/settings/agents/nobody").status == 404


def test_teams(admin: Browser) -> None:
    admin.get("/settings/teams")
    assert admin.submit("/settings/teams", name="").read.invalid == ["name"]
    admin.submit("/settings/teams", name="Front")
    admin.follow()
    (team,) = directory.teams()
    admin.submit("/settings/teams", name="Back")
    admin.follow()
    page = admin.submit(f"/settings/teams/{team.id}", name="back")
    assert page.status == 422
    assert "There is a team with this name already." in page.text
    ids_tied(page)
    admin.submit(f"/settings/teams/{team.id}/delete")
    assert [each.name for each in directory.teams()] == ["Back"]


# Tokens, desk, audit


def test_a_token_is_shown_once_and_revoked(admin: Browser, desk: Desk) -> None:
    admin.get("/settings/tokens")
    assert admin.submit("/settings/tokens", name="").status == 422
    page = admin.submit("/settings/tokens", name="Export", scopes=["read", "write"])
    bearer = re.search(r"dbell_[\w-]+", page.html)
    assert bearer
    assert tokens.authenticate(bearer[0], desk.now).scopes == ("read", "write")
    assert bearer[0] not in admin.get("/settings/tokens").html
    (token,) = tokens.listing()
    admin.submit(f"/settings/tokens/{token.id}/revoke")
    assert "revoked" in admin.follow().text


def test_desk_settings(admin: Browser) -> None:
    admin.get("/settings/desk")
    page = admin.submit("/settings/desk", public_url="http://shop.example", mail_domain="not a domain")
    assert page.read.invalid == ["public_url", "mail_domain"]
    admin.submit(
        "/settings/desk", public_url="https://desk.shop.example/", mail_domain="Shop.example", require_totp="1"
    )
    assert directory.desk_settings() == directory.DeskSettings("https://desk.shop.example", True, "shop.example")


def test_requiring_a_second_factor_signs_out_who_has_none(admin: Browser, pool: UserPool) -> None:
    other = signed_in(pool, "agent", "ken@shop.example", "Ken Sato")
    admin.get("/settings/desk")
    admin.submit("/settings/desk", require_totp="1")
    assert admin.follow().status == 200
    assert other.get("/settings/me").status == 303


@pytest.mark.parametrize(
    "address",
    ["https://", "ftp://x.example", "https://x.example?q=1", "https://user@x.example", "https://x.example:a", "x"],
)
def test_an_address_that_links_cannot_lead_to_is_refused(admin: Browser, address: str) -> None:
    admin.get("/settings/desk")
    assert admin.submit("/settings/desk", public_url=address).read.invalid == ["public_url"]


def test_what_was_changed_is_listed_by_month(admin: Browser) -> None:
    admin.get("/settings/teams")
    admin.submit("/settings/teams", name="Front <b>line</b>")
    page = admin.get("/settings/audit")
    assert "Team created" in page.text
    assert "Ada Admin" in page.text
    assert "<b>line</b>" not in page.html
    assert "No setting was changed" in admin.get("/settings/audit?month=2026-10").text
    assert admin.get("/settings/audit?month=1999-01").status == 422


# Inboxes


def test_the_wizard_leads_a_google_mailbox_to_the_desk(admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    local(monkeypatch)
    assert "To a mail address at Google" in admin.get("/settings/inboxes/new").text
    admin.get("/settings/inboxes/new?channel=email&mailbox=google")
    page = admin.submit("/settings/inboxes/new", name="Support", address="shop@gmail.com")
    assert page.read.invalid == ["address"]
    assert page.form("/settings/inboxes/new").fields["name"] == ["Support"]
    ids_tied(page)
    admin.submit("/settings/inboxes/new", address="support@shop.example")
    (inbox,) = directory.inboxes()
    assert inbox.settings == {"forward_to": "support@desk.shop.example", "mailbox": "google"}
    page = admin.follow()
    assert "Add shop.example to SES" in page.html
    assert "support@desk.shop.example" in page.text
    assert "No code has arrived yet" in page.text
    assert "10 inbound-smtp.eu-west-1.amazonaws.com" in page.html
    ids_tied(page)


def test_the_wizard_shows_gmails_code_once_its_mail_has_come(admin: Browser, desk: Desk) -> None:
    receive(desk, "(#843745281) Gmail Forwarding Confirmation - Receive Mail from support@shop.example")
    page = admin.get("/settings/inboxes/support/set-up")
    assert "Code 843745281 for support@shop.example" in page.text
    assert 'href="https://mail-settings.google.com/mail/vf-%5Bx%5D-y"' in page.html
    assert "Mail arrives." not in page.text
    assert (
        "No mail to support@shop.example has come by way of support@desk.shop.example today or yesterday." in page.text
    )


def receive(desk: Desk, subject: str) -> None:
    inbox = desk.inbox(settings={"forward_to": "support@desk.shop.example", "mailbox": "google"})
    text = "To allow, click https://mail-settings.google.com/mail/vf-%5Bx%5D-y\nConfirmation code: 843745281"
    inbound = Inbound(
        fingerprint="one",
        sender=Party("Gmail Team", "forwarding-noreply@google.com"),
        sent_at=desk.now,
        subject=subject,
        text=text,
        new_text=text,
    )
    envelope = Envelope("one", "raw/one", desk.now, inbox, f"{desk.now:%Y-%m-%d}")
    receive_message.receive(inbound, envelope, desk.now)


def test_an_inbox_is_changed_and_a_wrong_number_named(
    admin: Browser, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    local(monkeypatch)
    inbox = desk.inbox(signature="Regards")
    admin.get(f"/settings/inboxes/{inbox.id}")
    ids_tied(admin.page)
    page = admin.submit(f"/settings/inboxes/{inbox.id}", undo_seconds="ten", name="Help")
    assert (page.status, page.read.invalid) == (422, ["undo_seconds"])
    admin.submit(f"/settings/inboxes/{inbox.id}", undo_seconds="5")
    after = directory.inbox(inbox.id)
    assert (after.name, after.undo_seconds, after.signature, after.active) == ("Help", 5, "Regards", True)


def test_when_ses_has_no_rule_the_admin_is_told_and_nothing_is_left(admin: Browser) -> None:
    admin.get("/settings/inboxes/new?channel=email&mailbox=ses")
    page = admin.submit("/settings/inboxes/new", name="Support", address="support@shop.example")
    assert page.status == 503
    assert "Deploy the desk again" in page.text
    assert page.form("/settings/inboxes/new").fields["address"] == ["support@shop.example"]
    assert directory.inboxes() == ()


def test_a_leader_changes_texts_but_not_inboxes(pool: UserPool, desk: Desk) -> None:
    an_agent(pool, "boss@shop.example", "Boss", "admin")
    desk.inbox()
    browser = signed_in(pool, "leader", "dana@shop.example", "Dana")
    browser.get("/settings/texts")
    page = browser.submit("/settings/texts/support", signature="x" * 4001, acknowledgement="We got it.")
    assert page.status == 422
    assert "We got it." in page.html
    browser.submit("/settings/texts/support", signature="Regards", acknowledgement="We got it.")
    assert directory.inbox("support").acknowledgement == "We got it."
    assert browser.get("/settings/inboxes/support").status == 403


def test_a_bot_that_telegram_refuses_is_named_beside_the_token(admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "post_json", lambda url, payload: HttpReply(401, b'{"ok": false}'))
    admin.get("/settings/inboxes/new?channel=telegram")
    page = admin.submit("/settings/inboxes/new", name="Bot", bot_token="123:secret-of-the-test")
    assert (page.status, page.read.invalid) == (422, ["bot_token"])
    assert "secret-of-the-test" not in page.html


def test_a_bot_is_connected_with_its_webhook(admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, Any]] = []

    def post(url: str, payload: Any) -> HttpReply:
        sent.append((url.rsplit("/", 1)[1], payload))
        return HttpReply(200, b'{"ok": true, "result": {"id": 1, "username": "NorthwindBot"}}')

    monkeypatch.setattr(wiring, "post_json", post)
    admin.get("/settings/inboxes/new?channel=telegram")
    admin.submit("/settings/inboxes/new", name="Bot", bot_token="123:secret-of-the-test")
    (inbox,) = directory.inboxes()
    assert [method for method, _ in sent] == ["getMe", "setWebhook"]
    assert sent[1][1]["url"] == f"https://desk.test/hooks/{inbox.id}"


# The picture


def test_a_qr_code_holds_what_other_makers_put_into_it() -> None:
    """Rows as the PyPI package ``qrcode`` 8.2 draws them: byte mode, level M, version 1, mask 0."""
    grid = qr_grid("deskbell")
    assert grid is not None
    assert ["".join("#" if dark else "." for dark in row) for row in grid] == QR_OF_DESKBELL


@pytest.mark.parametrize(("chars", "size"), [(1, 21), (14, 21), (15, 25), (180, 53), (181, 57), (213, 57)])
def test_a_longer_text_takes_a_larger_picture(chars: int, size: int) -> None:
    grid = qr_grid("x" * chars)
    assert grid is not None
    assert len(grid) == size


def test_what_fits_no_picture_has_none() -> None:
    assert qr_grid("x" * 214) is None
    assert qr_svg("x" * 214, "nothing") == ""


def test_the_label_of_the_picture_is_escaped() -> None:
    assert "&lt;b&gt;" in qr_svg("x", "<b>")


QR_OF_DESKBELL = [
    "#######.....#.#######",
    "#.....#.####..#.....#",
    "#.###.#...###.#.###.#",
    "#.###.#....#..#.###.#",
    "#.###.#.#####.#.###.#",
    "#.....#..#.#..#.....#",
    "#######.#.#.#.#######",
    ".....................",
    "#.#.#.#..#..#...#..#.",
    ".....#...###..###..##",
    "..##..#....#..#######",
    "#.####.#.#####.#...#.",
    "#..#.##..###..##.#.##",
    "........###...####.##",
    "#######...#.#..###.##",
    "#.....#.......#....#.",
    "#.###.#.#.#.#.###....",
    "#.###.#...##.#.#####.",
    "#.###.#.####.#####..#",
    "#.....#...####.##..#.",
    "#######.##.#.##.#..##",
]
