"""Keeping saved replies: for everyone, for a team, for oneself."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from chalicelib.domain.moments import whole_milliseconds
from chalicelib.domain.people import Actor, Agent
from chalicelib.domain.placeholders import nearest, unknown
from chalicelib.domain.saved_reply import (
    BEGINNING_CHARS,
    LANGUAGE,
    MAX_LANGUAGES,
    SCOPES,
    ReplyEntry,
    ReplySettings,
    SavedReply,
    Scope,
    language_name,
)
from chalicelib.errors import Conflict, InvalidInput, NotAllowed, NotFound
from chalicelib.services import audit
from chalicelib.services.said import seeded_id, whole_text
from chalicelib.store import directory, saved_replies
from chalicelib.store.transaction import Lost

MAX_NAME_CHARS = 80
MAX_SHORTCUT_CHARS = 30
MAX_TEXT_CHARS = 10_000
MAX_REPLIES = 1_000
RESTORE_DAYS = 30
"""How long a deletion can be undone."""


@dataclass(frozen=True)
class Keeper:
    """Who keeps them.  manages: everyone's and the teams'.  agent_id: whose own; None: any agent's (a program)."""

    actor: Actor
    manages: bool
    agent_id: str | None = None


@dataclass(frozen=True)
class ReplyForm:
    """What is to be kept; owner_id is the team's or the agent's."""

    name: str
    shortcut: str = ""
    scope: Scope = "everyone"
    owner_id: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)


def may_keep(entry: ReplyEntry, keeper: Keeper) -> bool:
    return _may_own(entry.scope, entry.owner_id, keeper)


def _may_own(scope: Scope, owner_id: str, keeper: Keeper) -> bool:
    if scope == "personal":
        return keeper.agent_id in (None, owner_id)
    return keeper.manages


def listing(agent: Agent, manages: bool) -> tuple[ReplyEntry, ...]:
    """What an agent sees in Settings: everyone's, their own, their teams' or, who manages them, every team's."""
    return tuple(each for each in saved_replies.entries() if _sees(each, agent, manages))


def _sees(entry: ReplyEntry, agent: Agent, manages: bool) -> bool:
    if entry.scope == "personal":
        return entry.owner_id == agent.id
    return entry.scope == "everyone" or manages or entry.owner_id in agent.team_ids


def seen_by(reply_id: str, agent: Agent, manages: bool, at: datetime) -> SavedReply:
    """Raise NotFound for one that is not the agent's to see."""
    found = saved_replies.get(reply_id, at)
    if not _sees(found.entry, agent, manages):
        raise NotFound("There is no such saved reply.")
    return found


# Changing


def create(form: ReplyForm, keeper: Keeper, at: datetime, seed: str | None = None) -> SavedReply:
    """``seed``: a second call with the same one returns what the first one made.

    Raises:
        InvalidInput: with the sentence beside the field.
        NotAllowed: not this keeper's to make.
    """
    at = whole_milliseconds(at)
    reply_id = seeded_id("saved reply", seed.encode() if seed else secrets.token_bytes(16))
    made_before = _made_before(reply_id, at) if seed else None
    if made_before is not None:
        return made_before
    others = saved_replies.entries()
    if len(others) >= MAX_REPLIES:
        raise Conflict(f"There are {MAX_REPLIES:,} saved replies already. Delete some that nobody uses.")
    made = _as_wanted(form, reply_id, 1, keeper, others, at)
    _save(made)
    audit.record(keeper.actor, "Saved reply created", _called(made.entry), at)
    return made


def _made_before(reply_id: str, at: datetime) -> SavedReply | None:
    try:
        return saved_replies.get(reply_id, at)
    except NotFound:
        return None


def change(reply_id: str, form: ReplyForm, keeper: Keeper, at: datetime, version: int | None = None) -> SavedReply:
    """``version``: as the writer saw it; raise Conflict when somebody changed it since."""
    at = whole_milliseconds(at)
    before = _kept_by(reply_id, keeper, at)
    if version is not None and version != before.entry.version:
        raise Conflict(_MEANWHILE)
    others = [each for each in saved_replies.entries() if each.id != reply_id]
    after = _as_wanted(form, reply_id, before.entry.version + 1, keeper, others, at)
    said = _changes(before, after)
    if not said:
        return before
    _save(after)
    audit.record(keeper.actor, "Saved reply changed", f"{_called(after.entry)}: {said}", at)
    return after


def delete(reply_id: str, keeper: Keeper, at: datetime) -> SavedReply:
    """It can be restored for RESTORE_DAYS."""
    at = whole_milliseconds(at)
    before = _kept_by(reply_id, keeper, at)
    gone = replace(before, entry=_next(before.entry, keeper, at, deleted_at=at))
    _save(gone, at + timedelta(days=RESTORE_DAYS))
    audit.record(keeper.actor, "Saved reply deleted", _called(gone.entry), at)
    return gone


def restore(reply_id: str, keeper: Keeper, at: datetime) -> SavedReply:
    """Take a deletion back; one that is not deleted stays as it is."""
    at = whole_milliseconds(at)
    before = _kept_by(reply_id, keeper, at, deleted=True)
    if before.entry.deleted_at is None:
        return before
    back = replace(before, entry=_next(before.entry, keeper, at, deleted_at=None))
    _save(back)
    audit.record(keeper.actor, "Saved reply restored", _called(back.entry), at)
    return back


_MEANWHILE = "Somebody changed this saved reply meanwhile. Load it again, then repeat."


def _kept_by(reply_id: str, keeper: Keeper, at: datetime, deleted: bool = False) -> SavedReply:
    """Somebody else's own one is not there for anybody but them."""
    found = saved_replies.get(reply_id, at, deleted)
    if may_keep(found.entry, keeper):
        return found
    if found.entry.scope == "personal":
        raise NotFound("There is no such saved reply.")
    raise NotAllowed("Only a leader or an admin changes saved replies that others use.")


def _save(reply: SavedReply, expires_at: datetime | None = None) -> None:
    try:
        saved_replies.save(reply, expires_at)
    except Lost as error:
        raise Conflict(_MEANWHILE) from error


def _next(entry: ReplyEntry, keeper: Keeper, at: datetime, deleted_at: datetime | None) -> ReplyEntry:
    return replace(
        entry, version=entry.version + 1, changed_at=at, changed_by=keeper.actor.name, deleted_at=deleted_at
    )  # fmt: skip


def _called(entry: ReplyEntry) -> str:
    return f"{entry.name} ({entry.scope})"


def _changes(before: SavedReply, after: SavedReply) -> str:
    """What differs, without the texts themselves; "" when nothing does."""
    named = audit.changes(before.entry, after.entry, ("name", "shortcut", "scope", "owner_id"))
    differing = [each for each in {**before.texts, **after.texts} if before.texts.get(each) != after.texts.get(each)]
    texts = f"text: {', '.join(differing)}" if differing else ""
    return "; ".join(each for each in (named, texts) if each)


# Checking


def _as_wanted(
    form: ReplyForm, reply_id: str, version: int, keeper: Keeper, others: Sequence[ReplyEntry], at: datetime
) -> SavedReply:
    """The reply as it will be kept; raise InvalidInput with every field that is wrong."""
    faults: dict[str, str] = {}
    owner_id = _owner(form, keeper, faults)
    if not _may_own(form.scope, owner_id, keeper):  # before its fields, which would tell what others have
        raise NotAllowed("Only a leader or an admin makes saved replies that others use.")
    name = " ".join(whole_text(form.name).split())
    if not name or len(name) > MAX_NAME_CHARS:
        faults["name"] = f"Enter a name of 1 to {MAX_NAME_CHARS} characters."
    shortcut = form.shortcut.strip().removeprefix("/").lower()
    fault = _shortcut_fault(shortcut, form.scope, owner_id, others)
    if fault:
        faults["shortcut"] = fault
    texts = _checked_texts(form.texts, faults)
    if faults:
        raise InvalidInput("The saved reply was not saved.", faults)
    beginning = " ".join(next(iter(texts.values())).split())[:BEGINNING_CHARS]
    entry = ReplyEntry(
        reply_id, name, shortcut, form.scope, owner_id, tuple(texts), beginning, at, keeper.actor.name, version
    )
    return SavedReply(entry, texts)


def _owner(form: ReplyForm, keeper: Keeper, faults: dict[str, str]) -> str:
    if form.scope not in SCOPES:
        faults["scope"] = f"Choose one of {', '.join(SCOPES)}."
    elif form.scope == "team" and form.owner_id not in {team.id for team in directory.teams()}:
        faults["scope"] = "Choose the team that uses it."
    elif form.scope == "personal" and not (keeper.agent_id or form.owner_id):
        faults["scope"] = "Say whose it is."
    if form.scope == "personal":
        return form.owner_id or keeper.agent_id or ""
    return form.owner_id if form.scope == "team" else ""


def _shortcut_fault(shortcut: str, scope: Scope, owner_id: str, others: Sequence[ReplyEntry]) -> str:
    """ "" when it is fine, or empty.  The same one may stand for different owners: each sees what is theirs."""
    if len(shortcut) > MAX_SHORTCUT_CHARS or not all(each.isalnum() or each in "-_" for each in shortcut):
        return f"Use up to {MAX_SHORTCUT_CHARS} letters, digits, - or _, without spaces."
    wanted = (shortcut, scope, owner_id)
    same = (each for each in others if (each.shortcut, each.scope, each.owner_id) == wanted)
    taken = next(same, None) if shortcut else None
    return f"“{taken.name}” has this shortcut already." if taken else ""


def _checked_texts(given: Mapping[str, str], faults: dict[str, str]) -> dict[str, str]:
    """Those that say something, by language."""
    texts = {code: said for code, text in given.items() if (said := whole_text(text).replace("\r\n", "\n").strip())}
    if not texts:
        faults[f"text_{next(iter(given), 'en')}"] = "Write what it says, in one language at least."
    if len(texts) > MAX_LANGUAGES:
        faults["languages"] = f"A saved reply has at most {MAX_LANGUAGES} languages."
    for code, text in texts.items():
        fault = _text_fault(code, text)
        if fault:
            faults[f"text_{code}"] = fault
    return texts


def _text_fault(code: str, text: str) -> str:
    if not LANGUAGE.fullmatch(code):
        return "Name the language by its code, like en or de."
    if len(text) > MAX_TEXT_CHARS:
        return f"Keep it under {MAX_TEXT_CHARS:,} characters."
    for name in unknown(text):
        near = nearest(name)
        meant = f" Did you mean {{{near}}}?" if near else ""
        return f"There is no placeholder {{{name}}}.{meant} For the braces themselves, write \\{{{name}}}."
    return ""


# What they share


def change_settings(languages: str, shop_name: str, actor: Actor, at: datetime) -> ReplySettings:
    """``languages`` as typed: codes, the first is taken when the customer's is not known."""
    codes = tuple(dict.fromkeys(languages.lower().replace(",", " ").split()))
    wanted = ReplySettings(codes, " ".join(whole_text(shop_name).split()))
    faults = {}
    if not 1 <= len(codes) <= MAX_LANGUAGES or not all(LANGUAGE.fullmatch(each) for each in codes):
        faults["languages"] = f"Enter 1 to {MAX_LANGUAGES} codes, like en, de."
    if len(wanted.shop_name) > MAX_NAME_CHARS:
        faults["shop_name"] = f"Keep it to {MAX_NAME_CHARS} characters."
    if faults:
        raise InvalidInput("The settings were not saved.", faults)
    before = saved_replies.settings()
    if wanted != before:
        saved_replies.save_settings(wanted)
        said = audit.changes(before, wanted, ("languages", "shop_name"))
        audit.record(actor, "Settings of saved replies changed", said, at)
    return wanted


def languages_of(texts: Mapping[str, str], settings: ReplySettings) -> tuple[tuple[str, str], ...]:
    """The languages a form offers, with their names: the desk's, then others that there is a text in."""
    return tuple((each, language_name(each)) for each in dict.fromkeys((*settings.languages, *texts)))
