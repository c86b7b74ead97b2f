"""Groups of agents."""

import secrets
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.moments import random_id
from chalicelib.domain.people import ASSIGNMENTS, Actor, Team
from chalicelib.errors import Conflict, InvalidInput
from chalicelib.services import audit
from chalicelib.store import directory, saved_replies

MAX_NAME_CHARS = 60


def create(name: str, actor: Actor, now: datetime) -> Team:
    """Raise InvalidInput with the sentence beside the field."""
    team = Team(random_id("tm", secrets.token_bytes(7)), _checked(name, but=""))
    directory.save_team(team)
    audit.record(actor, "Team created", team.name, now)
    return team


def rename(team_id: str, name: str, actor: Actor, now: datetime) -> Team:
    before = directory.team(team_id)
    after = replace(before, name=_checked(name, but=team_id))
    if after != before:
        directory.save_team(after)
        audit.record(actor, "Team renamed", f"{before.name} → {after.name}", now)
    return after


def change_assignment(team_id: str, wanted: str, actor: Actor, now: datetime) -> Team:
    """How the team's tickets find their agent; raise InvalidInput for a way there is not."""
    before = directory.team(team_id)
    how = next((each for each in ASSIGNMENTS if each == wanted), None)
    if how is None:
        raise InvalidInput("The team was not saved.", {"assignment": f"Choose one of: {', '.join(ASSIGNMENTS)}."})
    after = replace(before, assignment=how)
    if after != before:
        directory.save_team(after)
        said = audit.changes(before, after, ("assignment",))
        audit.record(actor, "Assignment of a team changed", f"{after.name}: {said}", now)
    return after


def delete(team_id: str, actor: Actor, now: datetime) -> None:
    """Raise Conflict with who still uses it: tickets must not point at nothing."""
    team = directory.team(team_id)
    members = [agent.name for agent in directory.agents() if team_id in agent.team_ids]
    inboxes = [inbox.name for inbox in directory.inboxes() if inbox.team_id == team_id]
    replies = [f"the saved reply {each.name}" for each in saved_replies.entries() if each.owner_id == team_id]
    if members or inboxes or replies:
        used_by = ", ".join([*members, *inboxes, *replies])
        raise Conflict(f"Team {team.name} is still used by {used_by}. Take it off there first.")
    directory.delete_team(team_id)
    audit.record(actor, "Team deleted", team.name, now)


def _checked(name: str, but: str) -> str:
    words = " ".join(name.split())
    if not words or len(words) > MAX_NAME_CHARS:
        sentence = f"Enter a name of 1 to {MAX_NAME_CHARS} characters."
        raise InvalidInput("The team was not saved.", {"name": sentence})
    if any(team.name.lower() == words.lower() and team.id != but for team in directory.teams()):
        raise InvalidInput("The team was not saved.", {"name": "There is a team with this name already."})
    return words
