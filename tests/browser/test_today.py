"""What came in today and what was shown stands at the foot of the rail, and takes no room where there is none."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Window
from tests.stack import LocalStack, mail

SAYS = re.compile(r"^Today \(UTC\) until \d\d:\d\d: [1-9]\d* received, [1-9]\d* shown$")


def test_the_foot_of_the_rail_says_what_came_and_what_was_shown(stack: LocalStack, window: Window) -> None:
    stack.send(mail("Counted today"))
    stack.ticket_about("Counted today")
    leader = window("ada", "/operations/ledger")  # who looks counts anew
    expect(leader.get_by_role("heading", name="Received and shown")).to_be_visible()
    leader.goto("/lists/open")
    leader.set_viewport_size({"width": 800, "height": 900})
    expect(leader.locator("#today a")).to_be_hidden()  # nothing differs, so the narrow rail has nothing to say
    leader.set_viewport_size({"width": 1440, "height": 900})
    leader.locator("#today").get_by_role("link", name=SAYS).click()
    expect(leader.get_by_role("heading", name="Received and shown")).to_be_visible()

    agent = window("ben")
    said = agent.locator("#today .count")
    expect(said).to_have_text(SAYS)
    expect(said).to_be_in_viewport()
    expect(agent.locator("#today a")).to_have_count(0)
    agent.set_viewport_size({"width": 800, "height": 900})
    expect(said).to_be_hidden()

    phone = window("ben", phone=True)
    expect(phone.get_by_role("list", name="Tickets")).to_be_visible()
    expect(phone.locator("#today .count")).to_be_hidden()
    phone.get_by_role("link", name="All lists").click()
    expect(phone.locator("#today .count")).to_be_visible()
