"""The customer changed what they wrote: the new words are shown, the old ones stay in the history."""

import secrets
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.message import Edited
from chalicelib.domain.people import SYSTEM
from chalicelib.errors import Conflict
from chalicelib.services.change_ticket import event_message
from chalicelib.store import messages, sources, tickets
from chalicelib.store.transaction import Lost, Transaction

ATTEMPTS = 5


def edit(change: Edited, at: datetime) -> bool:
    """Show the new text; False when the message is not ours to show, or already says so.

    The words before stand as an event in the conversation, so that nothing an agent answered to is lost.
    """
    source = next((each for each in sources.find(change.own_key) if not each.outgoing), None)
    if source is None:
        return False
    for _ in range(ATTEMPTS):
        message = messages.get(source.ticket_id, source.message_id)
        body = messages.body_of(message)
        if body.text == change.text:
            return False
        before = tickets.load(source.ticket_id)
        transaction = Transaction()
        edited = replace(message, text=change.text, full_text=change.text, delivery=None)
        messages.replace_message(transaction, edited, body.html)
        event = event_message(before.ticket, SYSTEM, at, secrets.token_bytes(8), edited=body.text[:2000])
        transaction.put("event", messages.as_item(event))
        tickets.put_changed(transaction, before, before.ticket, at, keep_seen=False)
        try:
            transaction.commit()
        except Lost:
            continue
        return True
    raise Conflict("the ticket is changing too quickly to note the edit")
