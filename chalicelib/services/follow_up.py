"""The consequences of a received message: found by search, acknowledged, not left with an agent who is away.

Each is repeatable; then the mark goes.
"""

from datetime import datetime

from chalicelib.services import acknowledge, presence, search_index
from chalicelib.store import messages, receipts


def follow_up(day: str, name: str, at: datetime) -> bool:
    """Do what a receipt still asks for; False when nothing is outstanding any more."""
    receipt = receipts.get(day, name)
    if receipt is None or not receipts.is_pending(day, name):
        return False
    if receipt.outcome == "shown" and receipt.ticket_id and receipt.message_id:
        message = messages.get(receipt.ticket_id, receipt.message_id)
        search_index.index(message)
        if receipt.new_ticket and message.direction == "in" and message.original_key:
            acknowledge.acknowledge(receipt.ticket_id, message.id, message.may_auto_answer, at)
        if not receipt.new_ticket:
            presence.hand_back_of_absent(receipt.ticket_id, at)
    receipts.settle(day, name)
    return True
