"""Nobody is sent our braces: an answer with a placeholder is refused by name, whoever writes it and wherever."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.message import Message, Party
from chalicelib.domain.people import Actor
from chalicelib.errors import InvalidInput
from chalicelib.services import add_note, create_ticket, reply_to_ticket, take_back
from chalicelib.services.reply_to_ticket import Reply
from chalicelib.store import messages
from tests.engine import Desk

pytestmark = pytest.mark.engine

LINA = Party("Lina", "lina@customer.example")


@pytest.fixture
def ben(desk: Desk) -> Actor:
    desk.inbox()
    return desk.actor("ben")


def said(desk: Desk, ben: Actor, **values: Any) -> Message:
    ticket, _ = create_ticket.create(ben, "support", LINA, "Where?", "Where is it?", "in", desk.now)
    wanted = replace(Reply("", undo_seconds=30), **values)
    return reply_to_ticket.reply(ticket.id, ben, wanted, desk.now)


@pytest.mark.parametrize(
    "values",
    [
        {"text": "Hello {customer.first_name}, your order {order.number} left."},
        {"text": "Hello {{ Customer.First_Name }}, {order.number}"},
        {"html": "Hello {customer.<b>first</b>_name}, <i>{order.number}</i>"},
        {"html": "Hello {&nbsp;customer.first_name&nbsp;}, {order&#46;number}"},
    ],
)
def test_an_answer_with_placeholders_is_refused_by_name(desk: Desk, ben: Actor, values: dict[str, str]) -> None:
    for who in (ben, Actor("bot", "t1", "Program")):
        with pytest.raises(InvalidInput) as refused:
            said(desk, who, **values)
        assert refused.value.message == "It was not sent: {customer.first_name}, {order.number} are not filled in."
        assert "\\{customer.first_name}" in refused.value.fields["text"]


def test_a_new_ticket_that_writes_to_the_customer_too(desk: Desk, ben: Actor) -> None:
    with pytest.raises(InvalidInput, match=r"\{order\.number\} is not filled in"):
        create_ticket.create(ben, "support", LINA, "Your order", "It is {order.number}.", "out", desk.now)
    _, message = create_ticket.create(ben, "support", LINA, "Your order", "\\{order.number}", "out", desk.now)
    assert message.text == "{order.number}"


def test_what_a_customer_said_and_what_only_agents_read_is_as_it_is(desk: Desk, ben: Actor) -> None:
    words = "They wrote {order.number} and \\{order.number}."
    ticket, message = create_ticket.create(ben, "support", LINA, "Odd", words, "in", desk.now)
    assert message.text == words
    assert add_note.add_note(ticket.id, ben, words, desk.now).text == words


@pytest.mark.parametrize(
    "text", ["Use {SAVE10}.", '{"order": {"number": 1}}', "{name}", "{order.colour}", "f(x) = {x.y}", "\\{x.y}"]
)
def test_other_braces_are_the_writers_own(desk: Desk, ben: Actor, text: str) -> None:
    assert said(desk, ben, text=text).text == text


def test_behind_a_backslash_the_braces_are_sent(desk: Desk, ben: Actor) -> None:
    assert said(desk, ben, text="Write \\{order.number} there.").text == "Write {order.number} there."
    rich = said(desk, ben, html="Write <b>\\{order.number}</b> there.")
    assert messages.body_of(rich).html == "Write <b>{order.number}</b> there."


def test_what_was_taken_back_can_be_sent_again(desk: Desk, ben: Actor) -> None:
    message = said(desk, ben, text="Write \\{order.number} there.")
    draft = take_back.undo(message.ticket_id, message.id, ben, desk.now)
    assert draft is not None and draft.text == "Write \\{order.number} there."
