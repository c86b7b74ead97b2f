"""Times, sizes and states as words: filters of the templates."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING

from chalicelib.domain.hosts import host_of, machine_name
from chalicelib.domain.message import Attachment, Delivery, Message
from chalicelib.domain.moments import from_stamp
from chalicelib.domain.people import Agent

if TYPE_CHECKING:
    from markupsafe import Markup

    from chalicelib.domain.promises import Deadline

LINK = re.compile(r"https?://[^\s<>\"'“”]+[^\s<>\"'“”.,;:!?)\]}]")
MANY = 99
SHORT_CHARS = 200
DAY_NAMES, MONTH_NAMES = tuple(calendar.day_name), tuple(calendar.month_name)  # each look-up there is a strftime

STATUS_WORDS = {
    "open": "Open",
    "pending": "Pending",
    "resolved": "Resolved",
    "closed": "Closed",
    "spam": "Spam",
    "trash": "Trash",
}
CHANNEL_WORDS = {"email": "mail", "telegram": "Telegram"}
DELIVERY_WORDS = {
    "queued": "Sending",
    "sending": "Sending",
    "sent": "Sent",
    "delivered": "Delivered",
    "delayed": "Delayed",
    "bounced": "Bounced",
    "complained": "Marked as spam by the recipient",
    "failed": "Not sent",
    "unclear": "Unclear whether it was sent",
    "cancelled": "Taken back",
}
DELIVERY_TONES = {"bounced": "bad", "failed": "bad", "complained": "bad", "unclear": "warn", "delayed": "warn"}


@lru_cache(maxsize=64)
def zone_of(name: str) -> tzinfo:
    """An agent's zone; UTC for a name nobody knows."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def short_span(moment: datetime, now: datetime) -> str:
    """How long ago, in two glyphs and a unit: "now", "12 min", "3 h", "5 d"; static/desk.js counts it on."""
    minutes = int((now - moment).total_seconds() // 60)
    if minutes < 1:
        return "now"
    if minutes < 60:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 48 else f"{hours // 24} d"


def clock(moment: datetime, now: datetime, zone: str) -> str:
    """The time of day, with the day when it is another one: "10:42", "yesterday 10:42", "14 Nov 10:42"."""
    local, today = moment.astimezone(zone_of(zone)), now.astimezone(zone_of(zone)).date()
    time = f"{local:%H:%M}"
    if local.date() == today:
        return time
    if local.date() == today - timedelta(days=1):
        return f"yesterday {time}"
    return f"{day(moment, now, zone)} {time}"


def day(moment: datetime, now: datetime, zone: str) -> str:
    local = moment.astimezone(zone_of(zone))
    year = "" if local.year == now.astimezone(zone_of(zone)).year else f" {local.year}"
    return f"{local.day} {local:%b}{year}"


def due(moment: datetime, now: datetime, zone: str) -> str:
    """A deadline: "due in 35 min", minutes begun count whole, or "late since 14:20"; static/desk.js counts it on."""
    if moment < now:
        return f"late since {clock(moment, now, zone)}"
    return f"due in {short_span(now, moment + timedelta(minutes=1) - timedelta.resolution)}"


def exact(moment: datetime, zone: str) -> str:
    """For a tooltip: everything, with the zone's name."""
    local = moment.astimezone(zone_of(zone))  # strftime would cost a tenth of a list's page
    weekday, month = DAY_NAMES[local.weekday()], MONTH_NAMES[local.month]
    return f"{weekday}, {local.day} {month} {local.year}, {local.hour:02}:{local.minute:02}:{local.second:02} ({zone})"


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").removesuffix("+00:00") + "Z"


def size(size_bytes: int) -> str:
    if size_bytes < 1_000:
        return f"{size_bytes} B"
    if size_bytes < 1_000_000:
        return f"{size_bytes / 1_000:.0f} KB"
    return f"{size_bytes / 1_000_000:.1f} MB"


def capped(count: int) -> str:
    """A count is exact up to 99."""
    return str(count) if count <= MANY else f"{MANY}+"


def initials(name: str) -> str:
    words = [word for word in re.split(r"[\s@._-]+", name) if word]
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper() or "?"


def with_links(text: str) -> Markup:
    """Plain text for HTML: escaped, addresses as links that show where they lead."""
    from markupsafe import Markup, escape

    anchor = Markup('<a href="{0}" target="_blank" rel="noopener noreferrer">{0}</a>')
    truth = Markup('<small dir="ltr"> [{0}]</small>')
    parts: list[Markup] = []
    end = 0
    for found in LINK.finditer(text):
        parts += [escape(text[end : found.start()]), anchor.format(found.group())]
        if host := _look_alike(found.group()):
            parts.append(truth.format(host))
        end = found.end()
    return Markup("").join([*parts, escape(text[end:])])


def _look_alike(address: str) -> str:
    """The name as machines know it when it holds letters beyond ASCII, one of which may pass for another."""
    host = host_of(address)
    return "" if host.isascii() else machine_name(host) or "no valid address"


def delivery_words(delivery: Delivery) -> str:
    return DELIVERY_WORDS[delivery.state]


def delivery_tone(delivery: Delivery) -> str:
    return DELIVERY_TONES.get(delivery.state, "good" if delivery.state == "delivered" else "calm")


def _snoozed(value: str, now: datetime, zone: str) -> str:
    return f"snoozed it until {clock(from_stamp(value), now, zone)}" if value else "woke it up"


def _edited(before: str) -> str:
    if len(before) > SHORT_CHARS:
        return "edited a message"
    return f"edited a message, which said before: “{before}”" if before else "added words to a message"


def _numbered(ids: str) -> str:
    return ", ".join(f"#{each}" for each in ids.split(", "))


EVENT_WORDS: dict[str, Callable[[str], str]] = {
    "status": lambda value: f"set the status to {STATUS_WORDS.get(value, value).lower()}",
    "priority": lambda value: f"set the priority to {value}",
    "assignee_id": lambda value: f"assigned it to {value}" if value else "took the assignee off",
    "team_id": lambda value: f"moved it to the team {value}" if value else "took the team off",
    "tags": lambda value: f"set the tags to {value}" if value else "removed the tags",
    "subject": lambda value: f"changed the subject to “{value}”",
    "edited": _edited,
    "woke": lambda _: "woke it up: the snooze is over",
    "text": lambda value: value,
    "merged": lambda value: f"merged {_numbered(value)} into this ticket",
    "merged_into": lambda value: f"merged this ticket into #{value}",
    "unmerged": lambda value: f"took {_numbered(value)} out again; what was written meanwhile stays here",
    "unmerged_from": lambda value: f"took this ticket out of #{value} again",
    "answered_there": lambda value: f"where {value} had answered it",
}


def away_words(agent: Agent, now: datetime, zone: str) -> str:
    """ "away", "away until 14:00"; "" for who is there."""
    if agent.away is None or not agent.is_away(now):
        return ""
    return f"away until {clock(agent.away.until, now, zone)}" if agent.away.until else "away"


def event_words(message: Message, now: datetime, zone: str) -> str:
    """What happened, as the rest of a sentence that begins with who did it."""
    said = []
    for name, value in message.event.items():
        if name == "snoozed_until":
            said.append(_snoozed(value, now, zone))
        elif name in EVENT_WORDS:
            said.append(EVENT_WORDS[name](value))
    why = f": {message.event['why']}" if message.event.get("why") else ""
    return (", ".join(said) or message.text) + why


def taken_back_words(message: Message) -> str:
    """Who took whose reply back."""
    reason = message.delivery.reason if message.delivery else ""
    by = reason.removeprefix("Taken back by ").removesuffix(".") or message.author_name
    return f"{by} took {'a' if by == message.author_name else f'{message.author_name}’s'} reply back"


def own_files(message: Message) -> tuple[Attachment, ...]:
    """The files that stand beside the words: all but the pictures that the message's page shows itself."""
    return tuple(each for each in message.attachments if not (each.inline and each.content_id and message.has_html))


def hours_until(moment: datetime, now: datetime) -> float:
    return (now - moment).total_seconds() / 3600


def length_words(length: timedelta) -> str:
    from chalicelib.domain.sla_words import span

    return span(length)


def explained(promised: Deadline, zone: str) -> str:
    """Where the time goes until a deadline."""
    from chalicelib.domain.sla_words import explanation

    return explanation(promised.clock, zone_of(zone))


FILTERS: dict[str, Callable[..., object]] = {
    "short_span": short_span,
    "own_files": own_files,
    "hours_until": hours_until,
    "clock": clock,
    "day": day,
    "due": due,
    "length_words": length_words,
    "explained": explained,
    "exact": exact,
    "away_words": away_words,
    "iso": iso,
    "size": size,
    "capped": capped,
    "initials": initials,
    "with_links": with_links,
    "delivery_words": delivery_words,
    "delivery_tone": delivery_tone,
    "event_words": event_words,
    "taken_back_words": taken_back_words,
    "status_words": lambda status: STATUS_WORDS.get(status, status),
    "channel_words": lambda channel: CHANNEL_WORDS.get(channel, channel),
}
