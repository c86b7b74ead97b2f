"""The customer changes what they wrote."""

from datetime import timedelta

import pytest

from chalicelib.domain.message import Edited
from chalicelib.services import edit_message, receive_message
from chalicelib.store import messages, tickets
from chalicelib.store.receipts import Receipt
from tests.engine import Desk
from tests.services.test_receive_message import envelope, mail

pytestmark = pytest.mark.engine

KEY = "tg#1#2#3"


def written(desk: Desk, text: str) -> Receipt:
    inbox = desk.inbox(id="tg", channel="telegram", address="tg", name="Bot")
    return receive_message.receive(
        mail(desk, own_keys=(KEY,), text=text, new_text=text), envelope(desk, inbox=inbox), desk.now
    )


def edited(desk: Desk, text: str, seconds: int = 1) -> str:
    return edit_message.edit(Edited(KEY, text, desk.now + timedelta(seconds=seconds)), desk.now)


def words(receipt: Receipt) -> str:
    message = messages.get(receipt.ticket_id or "", receipt.message_id or "")
    return messages.body_of(message).text


def history(receipt: Receipt) -> list[str]:
    said, _ = messages.oldest(receipt.ticket_id or "")
    return [each.event["edited"] for each in said if "edited" in each.event]


def test_the_new_words_are_shown_and_the_old_ones_stay_in_the_history(desk: Desk) -> None:
    receipt = written(desk, "Two mugs")
    assert edited(desk, "Three mugs") == "edited"
    assert (words(receipt), history(receipt)) == ("Three mugs", ["Two mugs"])


def test_the_line_of_history_is_the_customers_and_the_message_says_when_it_was_edited(desk: Desk) -> None:
    receipt = written(desk, "A" * 4000)
    edited(desk, "Three mugs")
    said, _ = messages.oldest(receipt.ticket_id or "")
    (message,) = (each for each in said if each.id == receipt.message_id)
    (line,) = (each for each in said if "edited" in each.event)
    assert line.event["edited"] == "A" * 4000
    assert (line.author_name, line.kind) == (message.author_name, "event")
    assert message.edited_at == desk.now + timedelta(seconds=1)


def test_lists_show_the_new_words_of_the_newest_message_alone(desk: Desk) -> None:
    inbox = desk.inbox(id="tg", channel="telegram", address="tg", name="Bot")

    def said(n: int, text: str) -> str:
        chat = {"conversation_key": "tg#1#2", "own_keys": (f"tg#1#2#{n}",), "text": text, "new_text": text}
        received = receive_message.receive(mail(desk, n, **chat), envelope(desk, f"o{n}", inbox=inbox), desk.now)
        return received.ticket_id or ""

    ticket_id = said(3, "Two mugs")
    edited(desk, "Three  mugs,\nplease")
    assert tickets.get(ticket_id).snippet == "Three mugs, please"
    desk.advance(minutes=1)
    assert said(4, "Thank you") == ticket_id
    assert edited(desk, "Four mugs") == "edited"
    assert tickets.get(ticket_id).snippet == "Thank you"


def test_an_edit_without_words_leaves_the_list_its_words(desk: Desk) -> None:
    """A photo whose caption was taken off still shows in the list as what it was about."""
    receipt = written(desk, "Two mugs")
    assert edited(desk, " \n") == "edited"
    assert tickets.get(receipt.ticket_id or "").snippet == "Two mugs"


def test_an_edit_that_overtakes_its_message_is_unknown_until_the_message_came(desk: Desk) -> None:
    assert edited(desk, "Three mugs") == "unknown"
    receipt = written(desk, "Two mugs")
    assert edited(desk, "Three mugs") == "edited"
    assert words(receipt) == "Three mugs"


def test_an_older_edit_that_comes_later_changes_nothing(desk: Desk) -> None:
    receipt = written(desk, "A")
    edited(desk, "C (newest)", seconds=2)
    assert edited(desk, "B", seconds=1) == "same"
    assert (words(receipt), history(receipt)) == ("C (newest)", ["A"])


@pytest.mark.parametrize(("before", "after"), [("A" * 3000, "short"), ("short", "A" * 3000), ("A" * 3000, "B" * 3000)])
def test_the_whole_message_shows_the_new_words_however_long_the_old_ones_were(
    desk: Desk, before: str, after: str
) -> None:
    receipt = written(desk, before)
    assert edited(desk, after) == "edited"
    message = messages.get(receipt.ticket_id or "", receipt.message_id or "")
    assert message.folded == (len(after) > messages.INLINE_TEXT_CHARS)
    assert words(receipt) == after


@pytest.mark.parametrize("after", ["short", "B" * 3000])
def test_the_same_edit_again_writes_no_second_line_of_history(desk: Desk, after: str) -> None:
    receipt = written(desk, "A" * 2500)
    assert [edited(desk, after), edited(desk, after)] == ["edited", "same"]
    assert len(history(receipt)) == 1


def test_half_a_character_in_an_edit_is_replaced(desk: Desk) -> None:
    receipt = written(desk, "Two mugs")
    assert edited(desk, "Mug \ud83d" + "x" * 3000) == "edited"
    assert words(receipt) == "Mug \ufffd" + "x" * 3000
