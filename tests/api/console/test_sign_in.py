"""The pages of sign-in as a browser without scripts sees them."""

from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.api.console import handed
from chalicelib.services import agents, attempts, sign_in
from chalicelib.services.user_pool import UserPool
from chalicelib.store import directory
from chalicelib.store.directory import DeskSettings
from tests.api.console.browser import Browser
from tests.engine import MORNING as NOW
from tests.engine import Desk
from tests.services.people import (
    GOOD_PASSWORD,
    SOURCE,
    Mailbox,
    an_agent,
    link_token,
    make_pool,
    totp,
    wrong_code,
)

COOKIE = "__Host-deskbell"
OTHER_PASSWORD = "Violet ladders 42 rain"


@pytest.fixture
def pool(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> UserPool:
    desk.now = NOW
    made = make_pool(desk.client("cognito-idp"))
    monkeypatch.setattr(attempts, "wait_until", lambda _: None)
    monkeypatch.setattr(handed, "user_pool", lambda: made)
    return made


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Mailbox:
    box = Mailbox()
    monkeypatch.setattr(handed, "send_system_mail", box.send)
    return box


@pytest.fixture
def browser() -> Browser:
    return Browser()


def sign_in_as(browser: Browser, email: str = "lina@shop.example", password: str = GOOD_PASSWORD) -> Any:
    browser.get("/sign-in")
    return browser.submit("/sign-in", email=email, password=password)


def test_who_is_not_signed_in_is_led_to_sign_in_and_back(pool: UserPool, browser: Browser) -> None:
    an_agent(pool)
    assert browser.get("/settings/me").location == "/sign-in?next=%2Fsettings%2Fme"
    browser.follow()
    browser.submit("/sign-in", email="lina@shop.example", password=GOOD_PASSWORD)
    assert browser.page.location == "/settings/me"
    assert "Lina Meyer" in browser.follow().text


def test_the_cookie_is_bound_to_this_host_and_no_script_reads_it(pool: UserPool, browser: Browser) -> None:
    an_agent(pool)
    page = sign_in_as(browser)
    parts = {part.strip() for part in page.headers["Set-Cookie"].split(";")[1:]}
    assert parts == {"Path=/", "HttpOnly", "SameSite=Lax", "Max-Age=604800", "Secure"}
    assert list(browser.cookies) == [COOKIE]


@pytest.mark.parametrize(
    "after", ["https://evil.example", "//evil.example", "/\\evil.example", "/x\r\nSet-Cookie: a=b", "javascript:x"]
)
def test_signing_in_leads_nowhere_else(pool: UserPool, browser: Browser, after: str) -> None:
    an_agent(pool)
    browser.get("/sign-in")
    page = browser.submit("/sign-in", email="lina@shop.example", password=GOOD_PASSWORD, next=after)
    assert page.location == "/lists/mine"


def test_wrong_and_unknown_see_the_same_page(pool: UserPool, browser: Browser) -> None:
    an_agent(pool)
    pages = []
    for email in ("lina@shop.example", "nobody@shop.example"):
        page = sign_in_as(browser, email, "not the password")
        assert page.status == 401
        pages.append(page.html.replace(email, ""))
    assert pages[0] == pages[1]
    assert sign_in.REFUSED in pages[0]


def test_what_was_typed_stays_but_the_password(pool: UserPool, browser: Browser) -> None:
    page = sign_in_as(browser, "lina@shop.example", "typed-by-hand")
    assert page.form("/sign-in").fields["email"] == ["lina@shop.example"]
    assert "typed-by-hand" not in page.html


def test_an_empty_field_is_tied_to_its_sentence(pool: UserPool, browser: Browser) -> None:
    page = sign_in_as(browser, "", "x")
    assert page.status == 422
    assert page.read.invalid == ["email"]
    assert page.read.described["email"] == ["email-error"]
    assert "email-error" in page.read.ids


def test_guessing_is_stopped_by_the_address_that_api_gateway_saw(pool: UserPool, browser: Browser) -> None:
    an_agent(pool)
    for n in range(30):
        sign_in_as(browser, f"name{n}@shop.example", "x")
    assert sign_in_as(browser).status == 429
    forged = browser.post(
        "/sign-in", {"email": "lina@shop.example", "password": GOOD_PASSWORD}, x_forwarded_for="203.0.113.9"
    )
    assert forged.status == 429
    assert sign_in_as(Browser(address="203.0.113.9")).status == 303


def test_a_session_the_browser_brings_along_is_ended_not_adopted(pool: UserPool, browser: Browser) -> None:
    an_agent(pool)
    an_agent(pool, "ken@shop.example", "Ken Sato")
    browser.cookies[COOKIE] = "planted-by-somebody"
    sign_in_as(browser)
    lina = browser.cookies[COOKIE]
    assert lina != "planted-by-somebody"
    browser.get("/settings/me")
    csrf = browser.page.form("/settings/me").fields["csrf"][0]
    browser.post("/sign-in", {"email": "ken@shop.example", "password": GOOD_PASSWORD, "csrf": csrf})
    assert "Ken Sato" in browser.get("/settings/me").text
    assert Browser({COOKIE: lina}).get("/settings/me").status == 303


def test_a_form_of_another_site_is_refused(pool: UserPool, browser: Browser) -> None:
    an_agent(pool)
    fields = {"email": "lina@shop.example", "password": GOOD_PASSWORD}
    assert browser.post("/sign-in", fields, origin="https://evil.example").status == 403
    assert browser.post("/sign-in", fields, sec_fetch_site="cross-site").status == 403
    assert browser.cookies == {}


def test_a_form_without_the_sessions_token_is_refused_and_changes_nothing(pool: UserPool, browser: Browser) -> None:
    agent = an_agent(pool)
    sign_in_as(browser)
    browser.get("/settings/me")
    for csrf in (None, "", "wrong"):
        page = browser.submit("/settings/me", name="Somebody else", csrf=csrf)
        assert page.status == 403
        browser.get("/settings/me")
    assert directory.agent(agent.id) == agent


def test_signing_out_ends_the_session(pool: UserPool, browser: Browser) -> None:
    an_agent(pool)
    sign_in_as(browser)
    kept = dict(browser.cookies)
    browser.get("/settings/me")
    csrf = browser.page.form("/settings/me").fields["csrf"][0]
    browser.post("/sign-out", {"csrf": csrf})
    assert browser.cookies == {}
    assert Browser(kept).get("/settings/me").status == 303


def test_first_sign_in_asks_for_a_password_of_ones_own(pool: UserPool, browser: Browser) -> None:
    temporary = agents.create_first_admin(pool, "ada@shop.example", "Ada Admin", NOW)
    page = sign_in_as(browser, "ada@shop.example", temporary)
    assert "Choose a password" in page.text
    page = browser.submit("/sign-in/new-password", password="short", again="short")
    assert (page.status, page.read.invalid) == (422, ["password"])
    page = browser.submit("/sign-in/new-password", password=GOOD_PASSWORD, again=GOOD_PASSWORD)
    assert page.location == "/lists/mine"
    assert "Agents" in browser.get("/settings/me").text


def test_six_digits_are_asked_for_and_checked(pool: UserPool, browser: Browser) -> None:
    agent = an_agent(pool)
    step = sign_in.begin_own_set_up(pool, agent, GOOD_PASSWORD, SOURCE, NOW)
    sign_in.finish_set_up(pool, step.token, totp(step.totp_secret), NOW, by=agent.id)
    assert "Six digits" in sign_in_as(browser).text
    assert browser.cookies == {}
    page = browser.submit("/sign-in/code", code=wrong_code(step.totp_secret))
    assert (page.status, page.read.invalid) == (422, ["code"])
    assert browser.submit("/sign-in/code", code=totp(step.totp_secret)).status == 303
    assert "Lina Meyer" in browser.get("/settings/me").text


def test_a_desk_that_requires_it_shows_how_to_set_the_second_factor_up(pool: UserPool, browser: Browser) -> None:
    an_agent(pool)
    directory.save_desk_settings(DeskSettings(require_totp=True))
    page = sign_in_as(browser)
    assert "<svg" in page.html
    assert 'role="img"' in page.html
    secret = page.html.split("<code>")[1].split("<")[0]
    page = browser.submit("/sign-in/set-up", code=wrong_code(secret))
    assert page.status == 422
    assert f"<code>{secret}</code>" in page.html and "<svg" in page.html, "the same picture again"
    assert browser.submit("/sign-in/set-up", code=totp(secret)).location == "/lists/mine"


def test_an_expired_step_starts_again(pool: UserPool, browser: Browser, desk: Desk) -> None:
    temporary = agents.create_first_admin(pool, "ada@shop.example", "Ada Admin", NOW)
    sign_in_as(browser, "ada@shop.example", temporary)
    desk.advance(minutes=16)
    page = browser.submit("/sign-in/new-password", password=GOOD_PASSWORD, again=GOOD_PASSWORD)
    assert page.status == 401
    assert sign_in.START_AGAIN in page.text


# A new password by link


def test_a_forgotten_password_is_chosen_anew_by_mail(pool: UserPool, browser: Browser, mailbox: Mailbox) -> None:
    an_agent(pool)
    browser.get("/forgot")
    assert "If lina@shop.example belongs" in browser.submit("/forgot", email="lina@shop.example").text
    to, _, text = mailbox.mails[0]
    assert to == "lina@shop.example"
    assert "https://desk.test/password?link=" in text
    page = browser.get(f"/password?link={link_token(text)}")
    assert page.headers["Referrer-Policy"] == "strict-origin"
    assert browser.get(f"/password?link={link_token(text)}").status == 200, "looking does not use it up"
    assert browser.submit("/password", password="short", again="short").status == 422
    browser.submit("/password", password=OTHER_PASSWORD, again=OTHER_PASSWORD)
    assert "Your password is set" in browser.follow().text
    assert browser.get(f"/password?link={link_token(text)}").status == 404
    assert sign_in_as(browser, password=OTHER_PASSWORD).status == 303


def test_known_and_unknown_addresses_get_the_same_answer(pool: UserPool, browser: Browser, mailbox: Mailbox) -> None:
    an_agent(pool)
    pages = []
    for email in ("lina@shop.example", "nobody@shop.example"):
        browser.get("/forgot")
        page = browser.submit("/forgot", email=email)
        pages.append((page.status, page.html.replace(email, "")))
    assert pages[0] == pages[1]
    assert [to for to, _, _ in mailbox.mails] == ["lina@shop.example"]


def test_a_forged_host_does_not_reach_the_link(pool: UserPool, browser: Browser, mailbox: Mailbox) -> None:
    an_agent(pool)
    fields = {"email": "lina@shop.example"}
    browser.post("/forgot", fields, host="evil.example", origin="https://evil.example")
    assert "https://desk.test/password" in mailbox.mails[0][2]
    assert "evil" not in mailbox.mails[0][2]


@pytest.mark.parametrize("link", ["", "nonsense", "a.1.b.c"])
def test_a_link_that_is_none_says_what_to_do(pool: UserPool, browser: Browser, link: str) -> None:
    page = browser.get(f"/password?link={link}")
    assert page.status == 404
    assert "Get a new link" in page.text


def test_the_key_of_links_is_the_deployments(desk: Desk) -> None:
    assert wiring.need_secret("reply-key") == "reply-key-for-tests"
