"""Signing in with a password and with six digits, out again, and what a stranger sees."""

import base64
import hashlib
import hmac
import re
import struct
import time

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import password_of, sign_in
from tests.stack import LocalStack


def _digits(secret: str, at: float) -> str:
    """RFC 6238: what an authenticator app shows."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8), casefold=True)
    mac = hmac.new(key, struct.pack(">Q", int(at) // 30), hashlib.sha1).digest()
    start = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[start : start + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


def _page(stack: LocalStack, chromium: Browser) -> Page:
    return chromium.new_context(base_url=stack.credentials["console_url"]).new_page()


def test_a_wrong_password_keeps_the_address_and_says_so(stack: LocalStack, chromium: Browser) -> None:
    email, _ = password_of(stack, "chloe")
    page = _page(stack, chromium)
    page.goto("/sign-in")
    page.get_by_label("Mail address").fill(email)
    page.get_by_label("Password").fill("not this one")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("not right")
    expect(page.get_by_label("Mail address")).to_have_value(email)


def test_a_stranger_is_asked_to_sign_in_and_then_gets_where_they_wanted(stack: LocalStack, chromium: Browser) -> None:
    email, password = password_of(stack, "ben")
    page = _page(stack, chromium)
    page.goto("/lists/pending")
    page.get_by_label("Mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Pending")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.goto("/lists/pending")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_signing_in_with_six_digits(stack: LocalStack, chromium: Browser) -> None:
    page = _page(stack, chromium)
    sign_in(page, stack, "dana")
    email, password = password_of(stack, "dana")
    page.goto("/settings/me")
    factor = page.locator("form[action$='/settings/me/factor']")
    factor.get_by_label("Present password").fill(password)
    factor.get_by_role("button").click()
    secret = re.sub(r"\s", "", page.locator("code").inner_text())
    page.get_by_label("Code").fill(_digits(secret, time.time()))
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()

    again = _page(stack, chromium)
    again.goto("/sign-in")
    again.get_by_label("Mail address").fill(email)
    again.get_by_label("Password").fill(password)
    again.get_by_role("button", name="Sign in").click()
    again.get_by_label("Code").fill("000000")
    again.get_by_role("button", name="Sign in").click()
    expect(again.get_by_role("alert").or_(again.locator(".error")).first).to_be_visible()
    again.get_by_label("Code").fill(_digits(secret, time.time() + 30))
    again.get_by_role("button", name="Sign in").click()
    expect(again.get_by_role("heading", name="Mine")).to_be_visible()
