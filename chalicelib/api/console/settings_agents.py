"""/settings/agents and /settings/teams: who works here."""

from chalice.app import Response

from chalicelib.api.console import handed
from chalicelib.api.console.settings_pages import FINE, NOTHING, Refusal, refusal_of, set_presence, show
from chalicelib.api.web import Form, Visit
from chalicelib.domain.people import Agent
from chalicelib.errors import DeskbellError
from chalicelib.services import agents, teams
from chalicelib.services.agents import AgentChange, Invitation, NewAgent, RoutingProfile
from chalicelib.store import directory

AGENTS, TEAMS = "/settings/agents", "/settings/teams"
ROLE_WORDS = (("admin", "Admin"), ("leader", "Leader"), ("agent", "Agent"), ("viewer", "Viewer"))

ASSIGNMENT_WORDS = (("off", "By hand"), ("least_load", "To who has least"), ("round_robin", "In turn"))


def list_agents(visit: Visit) -> Response:
    return show(visit, "settings/agents.html", AGENTS, agents=directory.agents(), team_names=_team_names())


def show_new_agent(visit: Visit) -> Response:
    return _new_page(visit, Form({"role": ["agent"]}), FINE)


def invite(visit: Visit) -> Response:
    form = visit.form
    new = NewAgent(form.value("email"), form.value("name"), form.value("role"), form.values("team_ids"))
    try:
        made = agents.invite(
            handed.user_pool(), new, handed.link_maker(visit), handed.send_system_mail, visit.actor, visit.at
        )
    except DeskbellError as error:
        return _new_page(visit, form, refusal_of(error))
    return _invited_page(visit, made)


def show_agent(visit: Visit, agent_id: str) -> Response:
    agent = directory.agent(agent_id)
    return _agent_page(visit, agent, _form_of(agent), FINE)


def save_agent(visit: Visit, agent_id: str) -> Response:
    form = visit.form
    wanted = AgentChange(form.value("name"), form.value("role"), form.values("team_ids"), form.has("active"))
    try:
        agents.change(handed.user_pool(), agent_id, wanted, visit.actor, visit.at)
    except DeskbellError as error:
        agent = directory.agent(agent_id)
        kept = {name: _form_of(agent).fields[name] for name in ("capacity", "languages", "skills")}
        return _agent_page(visit, agent, Form({**kept, **form.fields}), refusal_of(error))
    return visit.go(AGENTS, done="saved")


def invite_again(visit: Visit, agent_id: str) -> Response:
    try:
        made = agents.invite_again(agent_id, handed.link_maker(visit), handed.send_system_mail, visit.actor, visit.at)
    except DeskbellError as error:
        agent = directory.agent(agent_id)
        return _agent_page(visit, agent, _form_of(agent), refusal_of(error))
    return _invited_page(visit, made)


def save_routing(visit: Visit, agent_id: str) -> Response:
    form = visit.form
    typed = form.value("capacity").strip()
    capacity = int(typed) if typed.isdecimal() and len(typed) < 9 else 0
    wanted = RoutingProfile(capacity, _listed(form.value("languages")), _listed(form.value("skills")))
    try:
        agents.change_routing(agent_id, wanted, visit.actor, visit.at)
    except DeskbellError as error:
        agent = directory.agent(agent_id)
        return _agent_page(visit, agent, Form({**_form_of(agent).fields, **form.fields}), refusal_of(error))
    return visit.go(f"{AGENTS}/{agent_id}", done="saved")


def _listed(text: str) -> tuple[str, ...]:
    return tuple(each for each in text.split(",") if each.strip())


def change_presence(visit: Visit, agent_id: str) -> Response:
    agent = directory.agent(agent_id)
    try:
        set_presence(visit, agent)
    except DeskbellError as error:
        return _agent_page(visit, agent, _form_of(agent), refusal_of(error))
    return visit.go(f"{AGENTS}/{agent_id}", done="saved")


def reset_factor(visit: Visit, agent_id: str) -> Response:
    agents.reset_totp(handed.user_pool(), agent_id, visit.actor, visit.at)
    return visit.go(f"{AGENTS}/{agent_id}", done="factor-reset")


def _new_page(visit: Visit, form: Form, refusal: Refusal) -> Response:
    return show(visit, "settings/agent_new.html", AGENTS, refusal, form=form, roles=ROLE_WORDS, teams=directory.teams())


def _agent_page(visit: Visit, agent: Agent, form: Form, refusal: Refusal) -> Response:
    return show(
        visit,
        "settings/agent.html",
        AGENTS,
        refusal,
        them=agent,
        form=form,
        roles=ROLE_WORDS,
        teams=directory.teams(),
    )


def _invited_page(visit: Visit, made: Invitation) -> Response:
    return show(visit, "settings/agent_invited.html", AGENTS, made=made)


def _form_of(agent: Agent) -> Form:
    fields: dict[str, list[str]] = {"name": [agent.name], "role": [agent.role], "team_ids": list(agent.team_ids)}
    fields |= {"capacity": [str(agent.capacity)]}
    fields |= {"languages": [", ".join(agent.languages)], "skills": [", ".join(agent.skills)]}
    return Form(fields | ({"active": ["1"]} if agent.active else {}))


def _team_names() -> dict[str, str]:
    return {team.id: team.name for team in directory.teams()}


# Teams


def list_teams(visit: Visit) -> Response:
    return _teams_page(visit, NOTHING, FINE)


def create_team(visit: Visit) -> Response:
    try:
        teams.create(visit.form.value("name"), visit.actor, visit.at)
    except DeskbellError as error:
        return _teams_page(visit, visit.form, refusal_of(error))
    return visit.go(TEAMS, done="saved")


def rename_team(visit: Visit, team_id: str) -> Response:
    try:
        teams.rename(team_id, visit.form.value("name"), visit.actor, visit.at)
    except DeskbellError as error:
        return _teams_page(visit, visit.form, refusal_of(error), renaming=team_id)
    return visit.go(TEAMS, done="saved")


def save_assignment(visit: Visit, team_id: str) -> Response:
    try:
        teams.change_assignment(team_id, visit.form.value("assignment"), visit.actor, visit.at)
    except DeskbellError as error:
        return _teams_page(visit, NOTHING, refusal_of(error))
    return visit.go(TEAMS, done="saved")


def delete_team(visit: Visit, team_id: str) -> Response:
    try:
        teams.delete(team_id, visit.actor, visit.at)
    except DeskbellError as error:
        return _teams_page(visit, NOTHING, refusal_of(error))
    return visit.go(TEAMS, done="deleted")


def _teams_page(visit: Visit, form: Form, refusal: Refusal, renaming: str = "") -> Response:
    members: dict[str, list[str]] = {}
    for agent in directory.agents():
        for team_id in agent.team_ids if agent.active else ():
            members.setdefault(team_id, []).append(agent.name)
    return show(
        visit,
        "settings/teams.html",
        TEAMS,
        refusal,
        teams=directory.teams(),
        members=members,
        form=form,
        renaming=renaming,
        ways=ASSIGNMENT_WORDS,
    )
