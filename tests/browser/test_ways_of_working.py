"""By keyboard alone, by names and roles alone, without scripts, on a phone; and what a first look weighs."""

import re
import zlib
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Response, expect

from bench.page import Traffic
from tests.browser.conftest import Window, listens
from tests.browser.held import Held
from tests.stack import LocalStack, mail

MAX_PAGE_BYTES = 60_000
MAX_SCRIPT_BYTES = 25_600
MAX_REQUESTS = 6
LOADS = 8
SERIOUS = ("serious", "critical")


def _number(stack: LocalStack, subject: str) -> str:
    stack.send(mail(subject, "Could you look into this?"))
    return str(stack.ticket_about(subject)["number"])


def test_by_keyboard_alone(stack: LocalStack, window: Window) -> None:
    _number(stack, "By keyboard")
    page = window("ben", "/lists/mine")
    page.keyboard.press("g")
    page.keyboard.press("o")
    expect(page.get_by_role("heading", name="All open")).to_be_visible()
    for _ in range(8):
        page.keyboard.press("j")
        if "By keyboard" in page.evaluate("document.activeElement.textContent"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=re.compile("By keyboard"))).to_be_visible()
    page.keyboard.press("i")
    expect(page.get_by_text("Assigned to you.")).to_be_visible()
    page.keyboard.press("r")
    page.keyboard.type("Answered without a mouse")
    page.keyboard.press("Control+Shift+Enter")
    expect(page.get_by_role("list", name="Conversation").get_by_text("Answered without a mouse")).to_be_visible()
    expect(page.get_by_label("Status")).to_have_value("resolved")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Find a command").fill("waiting")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Waiting longest")).to_be_visible()


def test_by_roles_and_names_alone(stack: LocalStack, window: Window) -> None:
    """The mail job as a screen reader walks it: nothing but the accessibility tree."""
    _number(stack, "By roles and names")
    page = window("ben", "/lists/mine")
    page.get_by_role("navigation", name="Lists").get_by_role("link", name=re.compile("All open")).click()
    page.get_by_role("list", name="Tickets").get_by_role("link", name=re.compile("By roles and names")).click()
    main = page.get_by_role("main")
    expect(main.get_by_role("heading", name=re.compile("By roles and names"))).to_be_visible()
    expect(main.get_by_role("article", name="Message from Lina Meyer")).to_contain_text("Could you look into this?")
    main.get_by_role("textbox", name="Answer").fill("Read aloud and answered")
    main.get_by_role("button", name="Send", exact=True).click()
    expect(main.get_by_role("article", name="Message from Ben Okafor")).to_contain_text("Read aloud and answered")
    main.get_by_role("combobox", name="Status").select_option("resolved")
    expect(page.get_by_text("Set to resolved.")).to_be_visible()
    tree = main.aria_snapshot()
    assert "Could you look into this?" in tree


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_finding_of_axe(stack: LocalStack, window: Window, scheme: str) -> None:
    number = _number(stack, f"Looked at by axe in {scheme}")
    page = window("ben", f"/tickets/{number}?in=open", color_scheme=scheme)
    _clean(page, "ticket")
    page.keyboard.press("n")
    page.get_by_role("textbox", name="Note").wait_for()
    _clean(page, "note")
    page.keyboard.press("?")
    _clean(page, "keys")
    for path in ("/lists/open", "/new", "/notices", "/search?q=parcel", "/tickets/999999", "/lists/trash"):
        page.goto(path)
        _clean(page, path)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"/tickets/{number}")
    _clean(page, "phone")


def _clean(page: Page, what: str) -> None:
    found = Axe().run(page).response["violations"]
    serious = [
        (each["id"], [node["html"][:160] for node in each["nodes"]]) for each in found if each["impact"] in SERIOUS
    ]
    assert serious == [], what


def test_on_a_phone_one_region_at_a_time(stack: LocalStack, window: Window) -> None:
    _number(stack, "On a phone")
    page = window("ben", "/lists/open", phone=True)
    expect(page.get_by_role("main")).to_be_hidden()
    page.get_by_role("link", name=re.compile("On a phone")).click()
    expect(page.get_by_role("heading", name=re.compile("On a phone"))).to_be_visible()
    expect(page.get_by_role("list", name="Tickets")).to_be_hidden()
    page.get_by_role("button", name="Customer").click()
    expect(page.get_by_role("complementary", name="Customer")).to_contain_text("lina.meyer@example.com")
    page.keyboard.press("Escape")
    page.go_back()
    expect(page.get_by_role("list", name="Tickets")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_without_scripts_every_step_is_a_link_or_a_form(stack: LocalStack, window: Window) -> None:
    number = _number(stack, "Without scripts")
    page = window("chloe", "/lists/open", java_script_enabled=False)
    page.get_by_role("link", name=re.compile("Without scripts")).first.click()
    expect(page).to_have_url(re.compile(f"/tickets/{number}"))
    page.get_by_role("textbox", name="Answer").fill("Typed into a plain form")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("list", name="Conversation")).to_contain_text("Typed into a plain form")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("textbox", name="Answer")).to_have_value("Typed into a plain form")
    page.get_by_label("Priority").select_option("urgent")
    page.locator("form", has=page.get_by_label("Priority")).get_by_role("button").click()
    expect(page.get_by_label("Priority")).to_have_value("urgent")


def _answers(page: Page) -> list[Response]:
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    return answers


def test_a_first_look_is_light(window: Window, record_property: Callable[[str, object], None]) -> None:
    for _ in range(LOADS):
        page = window("ben", "/notices")
        traffic, answers = Traffic().follow(page), _answers(page)
        page.goto("/lists/open", wait_until="networkidle")
        listens(page)
        if not traffic.frames_in:  # else something came between the page and its socket, and is asked for
            break
    assert not traffic.frames_in
    weights = {each.url: len(zlib.compress(each.body(), 6)) for each in answers}
    scripts = sum(weight for url, weight in weights.items() if ".js" in url)
    for name, figure in (("requests", len(answers)), ("bytes", sum(weights.values())), ("script bytes", scripts)):
        record_property(name, figure)
    assert len(answers) <= MAX_REQUESTS - 1  # the socket is the sixth
    assert sum(weights.values()) <= MAX_PAGE_BYTES
    assert scripts <= MAX_SCRIPT_BYTES


def test_a_row_that_changes_while_its_ticket_opens_loses_nothing(stack: LocalStack, window: Window) -> None:
    first = mail("Written to while it opens")
    stack.send(first)
    number = str(stack.ticket_about("Written to while it opens")["number"])
    page = window("ben", "/lists/open")
    listens(page)
    held = Held(page, rf"/tickets/{number}\?")
    row = page.locator(f"#t-{number}")
    was = row.get_attribute("data-last")
    row.get_by_role("link").click()
    page.wait_for_function("() => document.querySelector('.htmx-request')")
    stack.send(mail("Re: Written to while it opens", In_Reply_To=first["Message-ID"]))
    expect(row).not_to_have_attribute("data-last", was or "")
    held.one().continue_()
    expect(page.get_by_role("heading", name=re.compile("Written to while it opens"))).to_be_visible()
    assert page.locator("#ticket").count() == 1
    expect(page).to_have_url(re.compile(rf"/tickets/{number}\?in=open$"))
    page.go_back()
    expect(page).to_have_url(re.compile(r"/lists/open$"))


def test_nothing_a_customer_sends_runs_or_loads(stack: LocalStack, window: Window) -> None:
    hostile = mail("Look at this")
    hostile.add_alternative(
        "<table><tr><td>Hello</td></tr></table><script>parent.document.title = 'owned'</script>"
        "<img src='https://tracker.example/seen.png' onerror='parent.document.title=1'>"
        "<a href='https://evil.example/'>https://bank.example/</a>",
        subtype="html",
    )
    stack.send(hostile)
    number = stack.ticket_about("Look at this")["number"]
    page = window("ben", "/lists/open")
    listens(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"/tickets/{number}")
    frame = page.frame_locator("iframe")
    expect(frame.get_by_text("Hello")).to_be_visible()
    expect(frame.get_by_text("from the web is not shown")).to_be_visible()
    expect(frame.get_by_text("evil.example")).to_be_visible()
    assert "owned" not in page.title()
    assert not any("tracker.example" in each for each in asked)
