"""What a desk promises until somebody decides otherwise.  Source: docs/domain/sla.md, "Targets to begin with"."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """business: counted by the calendar of whoever answers; otherwise nights, weekends and holidays count too."""

    minutes: int
    business: bool = True


LETTERS, CHATS, PUBLIC, AMAZON = Target(60), Target(2), Target(12 * 60), Target(24 * 60, business=False)
FIRST_RESPONSE: dict[str, Target] = {
    "email": LETTERS,
    "form": LETTERS,
    "livechat": CHATS,
    "telegram": CHATS,
    "whatsapp": CHATS,
    "messenger": CHATS,
    "instagram": CHATS,
    "viber": CHATS,
    "line": CHATS,
    "comments": PUBLIC,
    "reviews": PUBLIC,
    "amazon": AMAZON,
}
"""By channel; the next response is promised the same, a resolution is not promised."""


def response_target(channel: str) -> Target:
    """Of a channel that is not named: as for a letter."""
    return FIRST_RESPONSE.get(channel, LETTERS)
