"""/settings/replies: saved replies, each agent's own, the teams' and everyone's."""

import secrets
from collections.abc import Mapping

from chalice.app import Response

from chalicelib.api.console.settings_pages import FINE, NOTHING, Refusal, refusal_of, show
from chalicelib.api.web import Form, Visit
from chalicelib.domain.people import Team
from chalicelib.domain.placeholders import PLACEHOLDERS
from chalicelib.domain.saved_reply import ReplyEntry, SavedReply, Scope, language_name, matching
from chalicelib.errors import DeskbellError, NotFound
from chalicelib.services import saved_replies
from chalicelib.services.permissions import allowed
from chalicelib.services.saved_replies import Keeper, ReplyForm
from chalicelib.store import directory
from chalicelib.store import saved_replies as kept

REPLIES = "/settings/replies"
TEXT = "text_"


def _keeper(visit: Visit) -> Keeper:
    return Keeper(visit.actor, _manages(visit), visit.agent.id)


def _manages(visit: Visit) -> bool:
    return allowed(visit.agent.role, "replies.manage")


def list_replies(visit: Visit) -> Response:
    return _list_page(visit, FINE)


def show_new(visit: Visit) -> Response:
    owner = "everyone" if _manages(visit) else "personal"
    return _edit_page(visit, None, Form({"owner": [owner]}), FINE)


def create(visit: Visit) -> Response:
    try:
        saved_replies.create(_wanted(visit), _keeper(visit), visit.at, visit.form.value("seed") or None)
    except DeskbellError as error:
        return _edit_page(visit, None, visit.form, refusal_of(error))
    return visit.go(REPLIES, done="saved")


def show_reply(visit: Visit, reply_id: str) -> Response:
    reply = saved_replies.seen_by(reply_id, visit.agent, _manages(visit), visit.at)
    return _edit_page(visit, reply, _form_of(reply), FINE)


def save(visit: Visit, reply_id: str) -> Response:
    version = visit.form.value("version")
    seen = int(version) if version.isdecimal() and len(version) < 9 else None
    try:
        saved_replies.change(reply_id, _wanted(visit), _keeper(visit), visit.at, seen)
    except NotFound:
        raise
    except DeskbellError as error:
        reply = saved_replies.seen_by(reply_id, visit.agent, _manages(visit), visit.at)
        return _edit_page(visit, reply, visit.form, refusal_of(error))
    return visit.go(REPLIES, done="saved")


def delete(visit: Visit, reply_id: str) -> Response:
    saved_replies.delete(reply_id, _keeper(visit), visit.at)
    return visit.go(REPLIES, deleted=reply_id)


def restore(visit: Visit, reply_id: str) -> Response:
    saved_replies.restore(reply_id, _keeper(visit), visit.at)
    return visit.go(REPLIES, done="restored")


def save_settings(visit: Visit) -> Response:
    form = visit.form
    try:
        saved_replies.change_settings(form.value("languages"), form.value("shop_name"), visit.actor, visit.at)
    except DeskbellError as error:
        return _list_page(visit, refusal_of(error), form)
    return visit.go(REPLIES, done="saved")


def _list_page(visit: Visit, refusal: Refusal, form: Form = NOTHING) -> Response:
    known, settings = saved_replies.listing(visit.agent, _manages(visit)), kept.settings()
    words = visit.query("q").strip()
    return show(
        visit,
        "settings/replies.html",
        REPLIES,
        refusal,
        replies=matching(known, words),
        any_kept=bool(known),
        words=words,
        uses=kept.uses(),
        whose=_whose(known, _team_names(directory.teams())),
        keeper=_keeper(visit),
        may_keep=saved_replies.may_keep,
        deleted=_just_deleted(visit),
        manages=_manages(visit),
        languages=form.value("languages", ", ".join(settings.languages)),
        shop_name=form.value("shop_name", settings.shop_name),
    )


def _just_deleted(visit: Visit) -> ReplyEntry | None:
    """The one that the URL names, while it is gone and can be brought back by this agent."""
    reply_id = visit.query("deleted")
    try:
        entry = kept.get(reply_id, visit.at, deleted=True).entry if reply_id else None
    except NotFound:
        return None
    may = entry is not None and entry.deleted_at is not None and saved_replies.may_keep(entry, _keeper(visit))
    return entry if may else None


def _edit_page(visit: Visit, reply: SavedReply | None, form: Form, refusal: Refusal) -> Response:
    typed = _texts(form)
    offered = saved_replies.languages_of(typed, kept.settings())
    return show(
        visit,
        "settings/reply.html",
        REPLIES,
        refusal,
        reply=reply,
        form=form,
        owners=_owners(visit),
        languages=offered,
        texts=typed,
        placeholders=PLACEHOLDERS,
        may_change=reply is None or saved_replies.may_keep(reply.entry, _keeper(visit)),
        seed=form.value("seed") or secrets.token_urlsafe(12),
        language_name=language_name,
    )


def _owners(visit: Visit) -> list[tuple[str, str]]:
    """Who may insert it, as far as this agent may say so."""
    own = [("personal", "Only you")]
    if not _manages(visit):
        return own
    return [("everyone", "Everyone"), *((f"team:{team.id}", team.name) for team in directory.teams()), *own]


def _wanted(visit: Visit) -> ReplyForm:
    form = visit.form
    kind, _, team_id = form.value("owner").partition(":")
    scope: Scope = "team" if kind == "team" else "personal" if kind == "personal" else "everyone"
    owner_id = team_id if scope == "team" else visit.agent.id if scope == "personal" else ""
    return ReplyForm(form.value("name"), form.value("shortcut"), scope, owner_id, _texts(form))


def _texts(form: Form) -> dict[str, str]:
    return {name.removeprefix(TEXT): form.value(name) for name in form.fields if name.startswith(TEXT)}


def _form_of(reply: SavedReply) -> Form:
    entry = reply.entry
    owner = f"team:{entry.owner_id}" if entry.scope == "team" else entry.scope
    fields = {"name": [entry.name], "shortcut": [entry.shortcut], "owner": [owner], "version": [str(entry.version)]}
    return Form(fields | {f"{TEXT}{code}": [text] for code, text in reply.texts.items()})


def _team_names(teams: tuple[Team, ...]) -> dict[str, str]:
    return {team.id: team.name for team in teams}


def _whose(entries: tuple[ReplyEntry, ...], teams: Mapping[str, str]) -> dict[str, str]:
    words = {"everyone": "Everyone", "personal": "Only you"}
    return {each.id: words.get(each.scope) or teams.get(each.owner_id, "A team that is gone") for each in entries}
