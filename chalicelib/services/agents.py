"""The people who answer: inviting them, what they may do, their own settings."""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chalicelib.domain.moments import random_id
from chalicelib.domain.people import MAX_CAPACITY, ROLES, SYSTEM, Actor, Agent, Role, actor_of
from chalicelib.domain.ticket import MAX_TAG_CHARS, MAX_TAGS, checked_tags
from chalicelib.errors import Conflict, InvalidInput
from chalicelib.services import attempts, audit, password_links, passwords, presence, sessions
from chalicelib.services.password_links import LinkMaker, SendMail
from chalicelib.services.user_pool import UserPool
from chalicelib.store import directory, staff

MAX_NAME_CHARS = 80
MAX_INITIALS = 3
MAX_SIGNATURE_CHARS = 2000
MAX_EMAIL_CHARS = 254
EMAIL = re.compile(r"[^@\s<>()\[\],;:\\\"\x00-\x20\x7f]{1,64}@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]{2,}")


@dataclass(frozen=True)
class NewAgent:
    """What an admin fills in to invite somebody."""

    email: str
    name: str
    role: str = "agent"
    team_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Invitation:
    """``mailed`` False: the mail could not be sent, so the admin has to pass the link on."""

    agent: Agent
    link: str
    mailed: bool


@dataclass(frozen=True)
class AgentChange:
    """What an admin may change of somebody."""

    name: str
    role: str
    team_ids: tuple[str, ...]
    active: bool


@dataclass(frozen=True)
class RoutingProfile:
    """What an admin says of somebody for the assignment of tickets (docs/domain/routing.md)."""

    capacity: int
    languages: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()


@dataclass(frozen=True)
class OwnSettings:
    """What agents change about themselves."""

    name: str
    initials: str
    time_zone: str
    signature: str
    notify: bool


def create_first_admin(pool: UserPool, email: str, name: str, now: datetime) -> str:
    """Make the desk's first admin and return the temporary password, to be changed at the first sign-in.

    Raises:
        Conflict: the desk has an admin already.
        InvalidInput: the address or the name is not usable.
    """
    if any(each.role == "admin" and each.active for each in directory.agents()):
        raise Conflict("This desk has an admin already. Admins invite further agents under Settings, Agents.")
    agent = _checked(NewAgent(email, name, "admin"), now)
    temporary = passwords.temporary()
    pool.add(agent.email, temporary)
    if not staff.add_agent(agent):
        staff.change_agent(agent.id, lambda before: replace(before, role="admin", active=True, totp=False))
    attempts.forget_account(agent.email, now)
    audit.record(SYSTEM, "First admin created", agent.email, now)
    return temporary


def invite(pool: UserPool, new: NewAgent, maker: LinkMaker, send: SendMail, actor: Actor, now: datetime) -> Invitation:
    """Add an agent and mail them a link to choose a password.

    Cognito first: a stray user there can do nothing without an agent here.

    Raises:
        InvalidInput: with the sentence beside the field.
    """
    agent = _checked(new, now)
    if directory.agent_by_email(agent.email) is not None:
        raise _exists()
    pool.add(agent.email, passwords.temporary())
    if not staff.add_agent(agent):
        raise _exists()
    audit.record(actor, "Agent invited", f"{agent.email} ({agent.role})", now)
    return _send_invitation(agent, maker, send, actor, now)


def invite_again(agent_id: str, maker: LinkMaker, send: SendMail, actor: Actor, now: datetime) -> Invitation:
    """A new link to choose a password; the one before stops working."""
    agent = directory.agent(agent_id)
    if not agent.active:
        raise Conflict("This agent is deactivated. Activate them first.")
    audit.record(actor, "Agent invited again", agent.email, now)
    return _send_invitation(agent, maker, send, actor, now)


def change(pool: UserPool, agent_id: str, wanted: AgentChange, actor: Actor, now: datetime) -> Agent:
    """Change name, role, teams and whether the agent is active; a new role or a deactivation signs them out.

    Raises:
        InvalidInput: with the sentence beside the field.
        Conflict: it would leave the desk without an active admin.
    """
    fields = _name_fault(wanted.name) | _role_fault(wanted.role) | _teams_fault(wanted.team_ids)
    if fields:
        raise InvalidInput("The agent was not changed.", fields)

    def apply(before: Agent) -> Agent:
        return replace(
            before,
            name=" ".join(wanted.name.split()),
            role=_role(wanted.role),
            team_ids=tuple(dict.fromkeys(wanted.team_ids)),
            active=wanted.active,
        )

    if wanted.active:  # first: an agent whom we call active must be able to sign in
        pool.set_enabled(directory.agent(agent_id).email, True)
    before, after = staff.change_agent(agent_id, apply, presence.note_leaving(now))
    if (after.active, after.role) != (before.active, before.role):
        sessions.end_all(agent_id, now)
    if not after.active:
        password_links.withdraw(agent_id)
        pool.set_enabled(after.email, False)
    said = audit.changes(before, after, ("name", "role", "team_ids", "active"))
    if said:
        audit.record(actor, "Agent changed", f"{after.email}: {said}", now)
    return after


def change_routing(agent_id: str, wanted: RoutingProfile, actor: Actor, now: datetime) -> Agent:
    """Raise InvalidInput with the sentence beside the field."""
    fields: dict[str, str] = {}
    if not 1 <= wanted.capacity <= MAX_CAPACITY:
        fields["capacity"] = f"Between 1 and {MAX_CAPACITY} tickets."
    languages, skills = _words("languages", wanted.languages, fields), _words("skills", wanted.skills, fields)
    if fields:
        raise InvalidInput("The assignment was not saved.", fields)
    before, after = staff.change_agent(
        agent_id, lambda agent: replace(agent, capacity=wanted.capacity, languages=languages, skills=skills)
    )
    said = audit.changes(before, after, ("capacity", "languages", "skills"))
    if said:
        audit.record(actor, "Assignment of an agent changed", f"{after.name}: {said}", now)
    return after


def _words(name: str, given: tuple[str, ...], fields: dict[str, str]) -> tuple[str, ...]:
    """In the form that tags have, for tags ask for them."""
    try:
        return checked_tags(given)
    except InvalidInput:
        fields[name] = f"At most {MAX_TAGS}, each of at most {MAX_TAG_CHARS} characters."
        return ()


def change_own(agent_id: str, wanted: OwnSettings, now: datetime) -> Agent:
    """Raise InvalidInput with the sentence beside the field."""
    fields = _name_fault(wanted.name)
    if len(wanted.initials.strip()) > MAX_INITIALS:
        fields["initials"] = f"Use at most {MAX_INITIALS} characters."
    if not _is_time_zone(wanted.time_zone):
        fields["time_zone"] = "Choose one of the time zones of the list, for example Europe/Berlin."
    if len(wanted.signature) > MAX_SIGNATURE_CHARS:
        fields["signature"] = f"Use at most {MAX_SIGNATURE_CHARS} characters."
    if fields:
        raise InvalidInput("Your settings were not saved.", fields)

    def apply(before: Agent) -> Agent:
        return replace(
            before,
            name=" ".join(wanted.name.split()),
            initials=wanted.initials.strip() or initials_of(wanted.name),
            time_zone=wanted.time_zone,
            signature=wanted.signature.replace("\r\n", "\n").strip("\n"),
            notify=wanted.notify,
        )

    before, after = staff.change_agent(agent_id, apply)
    said = audit.changes(before, after, ("name", "initials", "time_zone", "signature", "notify"))
    if said:
        audit.record(actor_of(after), "Own settings changed", said, now)
    return after


def reset_totp(pool: UserPool, agent_id: str, actor: Actor, now: datetime) -> Agent:
    """Take an agent's second factor away (a lost phone) and sign them out."""
    agent = directory.agent(agent_id)
    pool.use_totp(agent.email, False)
    _, after = staff.change_agent(agent_id, lambda before: replace(before, totp=False))
    sessions.end_all(agent_id, now)
    audit.record(actor, "Second factor reset", after.email, now)
    return after


def initials_of(name: str) -> str:
    """ "Lina Meyer" → "LM"."""
    words = [word for word in name.split() if word[:1].isalpha()]
    chosen = words if len(words) < 2 else [words[0], words[-1]]
    return "".join(word[0].upper() for word in chosen)


def is_email(address: str) -> bool:
    """Whether this can be a mail address (lower case expected)."""
    return len(address) <= MAX_EMAIL_CHARS and EMAIL.fullmatch(address) is not None


def _send_invitation(agent: Agent, maker: LinkMaker, send: SendMail, actor: Actor, now: datetime) -> Invitation:
    link = password_links.new_link(maker, agent, password_links.INVITATION_LASTS, now)
    text = (
        f"Hello {agent.name},\n\n"
        f"{actor.name} invites you to the help desk. Choose your password here within seven days:\n\n"
        f"{link}\n\n"
        f"Then sign in with {agent.email}.\n"
    )
    return Invitation(agent, link, password_links.mail(send, agent.email, "Your invitation to the help desk", text))


def _checked(new: NewAgent, now: datetime) -> Agent:
    email = new.email.strip().lower()
    fields = _name_fault(new.name) | _role_fault(new.role) | _teams_fault(new.team_ids)
    if not is_email(email):
        fields["email"] = "Enter a whole mail address, like lina@shop.example."
    if fields:
        raise InvalidInput("Nobody was invited.", fields)
    name = " ".join(new.name.split())
    return Agent(
        agent_id(email), email, name, _role(new.role), True, now, tuple(dict.fromkeys(new.team_ids)), initials_of(name)
    )


def agent_id(email: str) -> str:
    """Equal for equal addresses: the same person cannot be added twice at the same moment."""
    return random_id("ag", hashlib.sha256(email.strip().lower().encode()).digest()[:7])


def _exists() -> InvalidInput:
    sentence = "There is an agent with this address already. Look for them in the list; they may be deactivated."
    return InvalidInput("Nobody was invited.", {"email": sentence})


def _is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of the database, like "Europe"
        return False
    return True


def _role(text: str) -> Role:
    return next(role for role in ROLES if role == text)


def _name_fault(name: str) -> dict[str, str]:
    words = " ".join(name.split())
    if not words or len(words) > MAX_NAME_CHARS or any(not c.isprintable() for c in words):
        return {"name": f"Enter a name of 1 to {MAX_NAME_CHARS} characters."}
    return {}


def _role_fault(role: str) -> dict[str, str]:
    return {} if role in ROLES else {"role": f"Choose one of: {', '.join(ROLES)}."}


def _teams_fault(team_ids: tuple[str, ...]) -> dict[str, str]:
    known = {team.id for team in directory.teams()} if team_ids else set()
    return {} if known.issuperset(team_ids) else {"team_ids": "One of these teams is gone. Choose again."}
