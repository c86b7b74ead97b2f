"""An agent goes away by one click: what waits goes back with its reason, and colleagues see that nobody is there."""

from playwright.sync_api import expect

from tests.browser.conftest import Window
from tests.stack import LocalStack, mail


def test_going_away_hands_back_what_waits(stack: LocalStack, window: Window) -> None:
    stack.send(mail("Left behind"))
    number = stack.ticket_about("Left behind")["number"]
    chloe = window("chloe", f"/tickets/{number}?in=open")
    ben = window("ben", f"/tickets/{number}?in=open")
    who = ben.get_by_label("Assignee").locator("option", has_text="(me)").get_attribute("value")
    ben.get_by_label("Assignee").select_option(who)
    expect(chloe.get_by_label("Assignee")).to_have_value(str(who))
    ben.get_by_role("button", name="Go away").click()
    expect(ben.get_by_role("button", name="I am back")).to_be_visible()
    expect(chloe.get_by_label("Assignee")).to_have_value("")
    expect(chloe.get_by_text("is away", exact=False)).to_be_visible()
    chloe.reload()
    expect(chloe.get_by_label("Assignee").locator(f"option[value='{who}']")).to_contain_text("(away)")
    ben.get_by_role("button", name="I am back").click()
    expect(ben.get_by_role("button", name="Go away")).to_be_visible()
