"""What belongs to somebody else, or to something else, stays out of reach although its id is known."""

import re
from typing import Any

import pytest

from chalicelib.domain.people import actor_of
from chalicelib.services import attachments, drafts, notices, sign_in
from chalicelib.store import objects, tickets
from tests.security.requests import Wanted, wanted
from tests.security.rules import RULES
from tests.security.test_matrix import _ask
from tests.security.world import Answer, World
from tests.services.people import GOOD_PASSWORD, SOURCE, totp

pytestmark = pytest.mark.engine
NAMED = sorted(route for route, rule in RULES.items() if "{" in route and rule.kind in ("console", "api"))
UNKNOWN = {"ticket_id": "999999", "key": "no-such-list", "letter_id": "00000000-0000-0000-0000-000000000000"}
HARMLESS = {
    "POST /notices/{notice_id}/dismiss": 303,  # it is gone, which is what was asked for
    "GET /tickets/{ticket_id}/messages": 200,  # an empty page of an empty conversation
    "POST /tickets/{ticket_id}/messages/{message_id}/settle": 409,  # there is nothing to settle
}
"""Routes whose answer to an unknown id is no 404."""


class Everything:
    """An admin's browser and an admin's token: whatever is refused them is refused for what they ask."""

    def __init__(self, world: World) -> None:
        self.world, self.me = world, world.agent("admin")
        self.cookie, self.bearer = world.cookie(self.me), world.token("read", "write", "admin")

    def ask(self, route: str, this: Wanted) -> Answer:
        return _ask(self.world, route, this, self.cookie, self.bearer)


def test_an_id_that_does_not_exist_is_not_found_and_makes_nothing(world: World) -> None:
    admin = Everything(world)
    faults = []
    for route in NAMED:
        for name in re.findall(r"{(\w+)}", route):
            this = wanted(world, route, admin.me)
            this.parts[name] = UNKNOWN.get(name, "no-such-thing")
            before = set(world.everything())
            answer = admin.ask(route, this)
            made = {each for each in set(world.everything()) - before if not each.startswith(("LIVETICKET#", "IDEM"))}
            if answer.status not in (404, HARMLESS.get(route)) or made:
                faults.append(f"{route} without its {name}: {answer.status} {sorted(made)}")
    assert not faults, "\n".join(faults)


def test_a_message_is_reached_through_its_own_ticket_only(world: World) -> None:
    """The other half of the address must fit too: else an id alone would open what another ticket holds."""
    admin = Everything(world)
    faults = []
    for route in NAMED:
        if "{message_id}" in route:
            this = wanted(world, route, admin.me)
            this.parts["ticket_id"] = world.ticket()
            answer = admin.ask(route, this)
            if answer.status not in (404, HARMLESS.get(route)):
                faults.append(f"{route}: {answer.status}")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    "odd", ["..", "%2e%2e", "1 OR 1=1", "1#x", "x" * 300, "ÄÖ", "\x00", "1\r\nX: y", "{{7*7}}", "*"]
)
def test_an_odd_id_breaks_nothing(world: World, odd: str) -> None:
    """Parts of a path come decoded from API Gateway: they may hold whatever a path cannot."""
    admin = Everything(world)
    make = world.gateway.event_converter.create_lambda_event
    faults = []
    for route in NAMED:
        this = wanted(world, route, admin.me)
        names = re.findall(r"{(\w+)}", route)

        def converted(names: list[str] = names, **given: Any) -> dict[str, object]:
            return make(**given) | {"pathParameters": dict.fromkeys(names, odd)}

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(world.gateway.event_converter, "create_lambda_event", converted)
            answer = admin.ask(route, Wanted(dict.fromkeys(names, "x"), this.fields, this.query))
        if answer.status >= 500 or "\r\n" in str(answer.headers):
            faults.append(f"{route}: {answer.status}")
    assert not faults, "\n".join(faults)


def test_a_draft_a_notice_and_an_upload_are_their_agents_own(world: World) -> None:
    ben, chloe = world.agent(), world.agent("admin")
    ticket = world.ticket()
    cookie, others = world.cookie(ben), world.cookie(chloe)
    world.form(f"/tickets/{ticket}/draft", {"csrf": world.csrf(cookie), "text": "Half of a secret"}, cookie)
    assert drafts.load(ticket, ben.id) is not None
    assert "Half of a secret" in world.page(f"/tickets/{ticket}", cookie).text
    assert "Half of a secret" not in world.page(f"/tickets/{ticket}", others).text
    notice = world.notice(ben)
    world.form(f"/notices/{notice}/dismiss", {"csrf": world.csrf(others)}, others)
    assert [each.id for each in notices.of(ben.id)] == [notice]
    upload = attachments.start_upload(ticket, actor_of(ben), "label.pdf", "application/pdf", 5, world.desk.now, b"1")
    objects.put_attachment(f"uploads/{upload.attachment_id}", b"%PDF-", "application/pdf")
    elsewhere = world.ticket()
    stolen = {"mode": "note", "text": "Look", "attachment": upload.attachment_id}
    refused = world.form(f"/tickets/{ticket}/write", {"csrf": world.csrf(others), **stolen}, others)
    assert refused.status == 403
    refused = world.form(f"/tickets/{elsewhere}/write", {"csrf": world.csrf(cookie), **stolen}, cookie)
    assert refused.status == 422
    assert world.form(f"/tickets/{ticket}/write", {"csrf": world.csrf(cookie), **stolen}, cookie).status == 303


def test_a_step_of_one_agents_sign_in_is_no_use_to_another(world: World) -> None:
    """A second factor that Ben is setting up cannot be finished by Chloe's session for Chloe."""
    ben, chloe = world.agent(), world.agent()
    step = sign_in.begin_own_set_up(world.pool, ben, GOOD_PASSWORD, SOURCE, world.desk.now)
    cookie = world.cookie(chloe)
    fields = {"csrf": world.csrf(cookie), "step": step.token, "code": totp(step.totp_secret)}
    answer = world.form("/settings/me/factor/finish", fields, cookie)
    assert answer.status in (401, 403), answer.status


def test_the_api_acts_only_as_agents_who_may_act(world: World) -> None:
    viewer, gone = world.agent("viewer"), world.agent()
    from dataclasses import replace

    from chalicelib.store import directory

    directory.save_agent(replace(gone, active=False))
    ticket, bearer = world.ticket(), world.token("write")
    for name in (viewer.id, gone.id, "nobody"):
        body = {"kind": "note", "text": "x", "as": name}
        assert world.call("POST", f"/api/v1/tickets/{ticket}/messages", bearer, body).status == 422
    assert tickets.get(ticket).message_count == 1
