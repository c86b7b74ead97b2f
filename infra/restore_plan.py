"""What the restore of one ticket would change, told before anything is: pure comparison of two sets of stored items."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Item = dict[str, Any]
"""As DynamoDB holds it: ``{"sk": {"S": …}}``."""
Action = Literal["add", "overwrite", "keep", "same"]

NOT_RESTORED = ("COUNTED", "DRAFT#", "TIMER#")
"""Counted anew; an agent's own unsent words; set anew by the snooze of the ticket."""
UNSETTLED = ("queued", "sending")
DERIVED = frozenset({
    "origin", "time_key", "time_at", "seen_by", "version", "status_key", "activity_key", "holder_key", "inbox_key",
    "wait_key", "waiting_key", "customer_key", "created_key",
})  # fmt: skip
"""Attributes that say nothing by themselves."""


@dataclass(frozen=True)
class Change:
    """``item``: as it is to be written.  ``live``: as it was found, None where there was none."""

    sk: str
    action: Action
    words: str
    item: Item
    live: Item | None = None

    @property
    def writes(self) -> bool:
        return self.action in ("add", "overwrite")


def merged(items: Iterable[Item]) -> tuple[object, object]:
    """Where a ticket goes on, and for which others it goes on itself: restoring one of them alone would break that."""
    for item in items:
        if _sk(item) == "TICKET":
            said = json.loads(item.get("data", {"S": "{}"})["S"])
            return said.get("merged_into"), said.get("merged")
    return None, None


def plan(before: Iterable[Item], live: Iterable[Item], overwrite: bool) -> list[Change]:
    """Item by item: what was there ``before`` and is missing comes back; what differs stays, unless ``overwrite``.

    What came after the moment of the restore is left as it is, always; so is how far a delivery got.
    """
    present = {_sk(item): item for item in live}
    changes = [_change(item, present.get(_sk(item)), overwrite) for item in before if _is_restored(_sk(item))]
    return _bodies_follow(changes)


def _is_restored(sk: str) -> bool:
    return not sk.startswith(NOT_RESTORED)


def _sk(item: Item) -> str:
    return str(item["sk"]["S"])


def _change(item: Item, live: Item | None, overwrite: bool) -> Change:
    sk = _sk(item)
    if live is None:
        return Change(sk, "add", f"{described(item)}{_unclear(item)}", as_restored(item))
    if _said(item) == _said(live):
        return Change(sk, "same", described(item), item, live)
    if overwrite and not sk.startswith("DELIVERY#"):
        return Change(sk, "overwrite", f"{described(item)}, over {described(live)}", as_restored(item), live)
    return Change(sk, "keep", f"{described(live)}; then it was {described(item)}", item, live)


def _said(item: Item) -> Item:
    return {name: value for name, value in item.items() if name not in DERIVED}


def _bodies_follow(changes: list[Change]) -> list[Change]:
    """A long body belongs to its message: it is overwritten only together with it."""
    kept = {each.sk.removeprefix("MESSAGE#") for each in changes if each.action == "keep"}
    return [
        Change(each.sk, "keep", each.words, each.item, each.live)
        if each.sk.startswith("BODY#") and each.writes and each.live is not None
        and each.sk.removeprefix("BODY#") in kept
        else each
        for each in changes
    ]  # fmt: skip


def as_restored(item: Item) -> Item:
    """As it is written back: no queue hears of it, and nothing is sent because of it."""
    clean = {name: value for name, value in item.items() if name not in ("time_key", "time_at")}
    clean["origin"] = {"S": "rebuild"}
    if _is_unsettled(item):
        clean["state"] = {"S": "unclear"}
        clean["reason"] = {"S": "Restored from a backup of a moment before it was sent: look whether it arrived."}
    return clean


def _is_unsettled(item: Item) -> bool:
    return _sk(item).startswith("DELIVERY#") and item.get("state", {}).get("S") in UNSETTLED


def _unclear(item: Item) -> str:
    return ", which becomes “unclear” and is not sent" if _is_unsettled(item) else ""


def makes_unclear(changes: Iterable[Change]) -> bool:
    """Does a delivery come back as unclear, or did one with a restore that was cut off?"""
    return any(_comes_back_unclear(each.item if each.action == "add" else each.live or {}) for each in changes)


def _comes_back_unclear(item: Item) -> bool:
    return (_text(item, "state"), _text(item, "origin")) == ("unclear", "rebuild")


def described(item: Item) -> str:
    """One item in a few words, never with a body or an address."""
    sk = _sk(item)
    if sk == "TICKET":
        return f"the ticket ({_text(item, 'status')}, version {item.get('version', {}).get('N', '?')})"
    if sk.startswith("DELIVERY#"):
        return f"a delivery, {_text(item, 'state')}"
    if sk.startswith("BODY#"):
        return "the long body of a message"
    if sk.startswith("MESSAGE#"):
        said = _document(item)
        kind = str(said.get("kind", "message"))
        article = "an" if kind == "event" else "a"
        return f"{article} {kind} by {said.get('author_name') or 'somebody'} of {said.get('at', 'an unknown time')}"
    return sk.partition("#")[0].lower()


def _text(item: Item, name: str) -> str:
    return str(item.get(name, {}).get("S", "?"))


def _document(item: Item) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(item.get("data", {}).get("S", "{}"))
    return found


def keys_of(changes: Iterable[Change]) -> Iterator[str]:
    """The source keys by which later mail finds the messages that come back."""
    for each in changes:
        if each.writes and each.sk.startswith("MESSAGE#"):
            yield from _document(each.item).get("own_keys", ())
        if each.writes and "provider_id" in each.item:
            yield f"ses:{_text(each.item, 'provider_id').lower()}"


def files_of(changes: Iterable[Change]) -> Iterator[tuple[str, str]]:
    """Key and name of every attachment of the messages that come back."""
    for each in changes:
        if each.writes and each.sk.startswith("MESSAGE#"):
            for file in _document(each.item).get("attachments", ()):
                yield str(file["key"]), str(file["name"])


def told(changes: Iterable[Change]) -> Iterator[str]:
    """The plan as lines to show."""
    titles: dict[Action, str] = {
        "add": "comes back", "overwrite": "is overwritten", "keep": "stays as it is now", "same": "is the same",
    }  # fmt: skip
    for action, title in titles.items():
        found = [each for each in changes if each.action == action]
        if action == "same":
            if found:
                yield f"  {len(found)} items are the same."
            continue
        for each in found:
            yield f"  {title:<20} {each.words}"
