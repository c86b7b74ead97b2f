"""Saved replies: text that an agent inserts, in one or more languages."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

Scope = Literal["everyone", "team", "personal"]
SCOPES: tuple[Scope, ...] = get_args(Scope)

LANGUAGE = re.compile(r"[a-z]{2,3}(?![a-z])")
LANGUAGE_NAMES = {
    "bg": "Bulgarian", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English", "es": "Spanish",
    "et": "Estonian", "fi": "Finnish", "fr": "French", "hr": "Croatian", "hu": "Hungarian", "it": "Italian",
    "ja": "Japanese", "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian", "nb": "Norwegian", "nl": "Dutch",
    "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sk": "Slovak",
    "sl": "Slovenian", "sv": "Swedish", "tr": "Turkish", "uk": "Ukrainian", "zh": "Chinese",
}  # fmt: skip
MAX_LANGUAGES = 8
BEGINNING_CHARS = 80


@dataclass(frozen=True)
class ReplyEntry:
    """What a list shows of a saved reply.

    shortcut: what is typed behind the slash; may be empty.  owner_id: the team's or the agent's, by ``scope``.
    beginning: of the first text.  version: counts its changes.  deleted_at: set while a deletion can be undone.
    """

    id: str
    name: str
    shortcut: str
    scope: Scope
    owner_id: str
    languages: tuple[str, ...]
    beginning: str
    changed_at: datetime
    changed_by: str
    version: int = 1
    deleted_at: datetime | None = None


@dataclass(frozen=True)
class SavedReply:
    """``texts`` by language, in the order in which they were given."""

    entry: ReplyEntry
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ReplySettings:
    """languages: those that are answered in; the first is taken when the customer's is not known.

    shop_name: what ``{shop.name}`` stands for; empty: nothing yet.
    """

    languages: tuple[str, ...] = ("en",)
    shop_name: str = ""


def language_name(code: str) -> str:
    return LANGUAGE_NAMES.get(code, code)


def language_code(text: str | None) -> str:
    """The language of a tag like ``de-AT`` or ``en_US``; "" when it is none."""
    found = LANGUAGE.match((text or "").strip().lower())
    return found[0] if found else ""


def chosen_language(texts: Mapping[str, str], *wanted: str | None, settings: ReplySettings) -> str:
    """The first language of ``wanted``, then of the desk's, that there is a text in; else the first there is."""
    for each in (*wanted, *settings.languages):
        if each and each in texts:
            return each
    return next(iter(texts), "")


def visible_to(entries: Sequence[ReplyEntry], agent_id: str, team_ids: Sequence[str]) -> tuple[ReplyEntry, ...]:
    """What an agent may insert: everybody's, their teams', their own."""
    owners = {"everyone": ("",), "team": tuple(team_ids), "personal": (agent_id,)}
    return tuple(each for each in entries if each.owner_id in owners[each.scope])


def matching(entries: Sequence[ReplyEntry], words: str) -> tuple[ReplyEntry, ...]:
    """Those that hold every word in shortcut, name or beginning; all for no words."""
    wanted = words.lower().split()
    return tuple(each for each in entries if all(word in _searched(each) for word in wanted))


def _searched(entry: ReplyEntry) -> str:
    return f"/{entry.shortcut} {entry.name} {entry.beginning}".lower()


def first_name(name: str) -> str:
    """The given name: behind the comma of ``Meyer, Lina``, else the first word."""
    family, comma, given = name.partition(",")
    words = (given if comma and given.strip() else family).split()
    return words[0] if words else ""


def person_name(name: str, address: str) -> str:
    """A name to greet somebody by; "" where the desk knows only the address."""
    clean = " ".join(name.split())
    return "" if "@" in clean or clean.lower() == address.lower() else clean
