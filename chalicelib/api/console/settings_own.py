"""/settings/me: what agents set about themselves."""

from zoneinfo import available_timezones

from chalice.app import Response

from chalicelib.api.console import handed
from chalicelib.api.console.qr_code import qr_svg
from chalicelib.api.console.settings_pages import FINE, Refusal, refusal_of, set_presence, show
from chalicelib.api.web import Form, Visit
from chalicelib.domain.people import Agent
from chalicelib.errors import DeskbellError, InvalidInput
from chalicelib.services import agents, audit, passwords, sessions, sign_in
from chalicelib.services.agents import OwnSettings
from chalicelib.services.sign_in import Step
from chalicelib.store import directory

ME = "/settings/me"


def home(visit: Visit) -> Response:
    return visit.go(ME)


def show_own(visit: Visit) -> Response:
    return _page(visit, _form_of(visit.agent), FINE)


def save_own(visit: Visit) -> Response:
    form = visit.form
    wanted = OwnSettings(
        form.value("name"), form.value("initials"), form.value("time_zone"), form.value("signature"), form.has("notify")
    )
    try:
        agents.change_own(visit.agent.id, wanted, visit.at)
    except DeskbellError as error:
        return _page(visit, form, refusal_of(error))
    return visit.go(ME, done="saved")


def change_presence(visit: Visit) -> Response:
    """From the rail by one click; from the own settings with a time, when it is known."""
    form = visit.form
    try:
        set_presence(visit, visit.agent)
    except DeskbellError as error:
        return _page(visit, _form_of(visit.agent), refusal_of(error))
    return visit.go(ME, done="saved") if form.has("until") else visit.go("/lists/mine")


def change_password(visit: Visit) -> Response:
    form = visit.form
    try:
        sign_in.change_own_password(
            handed.user_pool(),
            visit.signed_in,
            form.value("old"),
            form.value("password"),
            form.value("again"),
            handed.source_of(visit),
            visit.at,
        )
    except DeskbellError as error:
        return _page(visit, _form_of(visit.agent), refusal_of(error))
    return visit.go(ME, done="password")


def sign_out_everywhere(visit: Visit) -> Response:
    ended = sessions.end_all(visit.agent.id, visit.at, but=visit.signed_in.session_id)
    audit.record(visit.actor, "Signed out everywhere else", f"{ended} sessions", visit.at)
    return visit.go(ME, done="signed-out")


# Second factor


def begin_factor(visit: Visit) -> Response:
    password = visit.form.value("factor_password")
    try:
        step = sign_in.begin_own_set_up(handed.user_pool(), visit.agent, password, handed.source_of(visit), visit.at)
    except DeskbellError as error:
        return _page(visit, _form_of(visit.agent), _factor_refusal(error))
    return _factor_page(visit, step, FINE)


def finish_factor(visit: Visit) -> Response:
    token = visit.form.value("step")
    try:
        sign_in.finish_set_up(handed.user_pool(), token, visit.form.value("code"), visit.at, by=visit.agent.id)
    except InvalidInput as error:
        step = sign_in.step_waiting(token, visit.at, visit.form.value("totp_secret"))
        return _factor_page(visit, step, refusal_of(error))
    except DeskbellError as error:
        return _page(visit, _form_of(visit.agent), refusal_of(error))
    return visit.go(ME, done="factor-on")


def turn_factor_off(visit: Visit) -> Response:
    password = visit.form.value("factor_password")
    try:
        sign_in.turn_off_own(handed.user_pool(), visit.agent, password, handed.source_of(visit), visit.at)
    except DeskbellError as error:
        return _page(visit, _form_of(visit.agent), _factor_refusal(error))
    return visit.go(ME, done="factor-off")


def _factor_refusal(error: DeskbellError) -> Refusal:
    """The page has two password fields; this one's sentence belongs beside the second."""
    found = refusal_of(error)
    return Refusal(found.message, {f"factor_{name}": said for name, said in found.fields.items()}, found.status)


def _factor_page(visit: Visit, step: Step, refusal: Refusal) -> Response:
    picture = qr_svg(step.totp_uri, "Picture to scan with your authenticator app")
    return show(visit, "settings/factor.html", ME, refusal, step=step, picture=picture)


def _page(visit: Visit, form: Form, refusal: Refusal) -> Response:
    return show(
        visit,
        "settings/me.html",
        ME,
        refusal,
        form=form,
        zones=sorted(available_timezones() | {"UTC"}),
        rule=passwords.RULE,
        sessions=sessions.how_many(visit.agent.id, visit.at),
        required=directory.desk_settings().require_totp,
    )


def _form_of(agent: Agent) -> Form:
    fields = {
        "name": [agent.name],
        "initials": [agent.initials],
        "time_zone": [agent.time_zone],
        "signature": [agent.signature],
    }
    return Form(fields | ({"notify": ["1"]} if agent.notify else {}))
