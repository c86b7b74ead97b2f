"""Who and what the merchant set up: agents, teams, inboxes, settings, API tokens."""

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.people import Agent, Inbox, Team
from chalicelib.errors import NotFound
from chalicelib.store import documents
from chalicelib.store.models import DocumentItem
from chalicelib.store.transaction import Transaction


def agents() -> tuple[Agent, ...]:
    return tuple(sorted((agent for _, agent in documents.under(Agent, "AGENTS")), key=lambda each: each.name.lower()))


def agent(agent_id: str) -> Agent:
    found = documents.read(Agent, "AGENTS", agent_id)
    if found is None:
        raise NotFound("There is no such agent.")
    return found


def agent_by_email(email: str) -> Agent | None:
    wanted = email.strip().lower()
    return next((each for each in agents() if each.email == wanted), None)


def save_agent(agent: Agent) -> None:
    documents.write("AGENTS", agent.id, agent)


def teams() -> tuple[Team, ...]:
    return tuple(sorted((team for _, team in documents.under(Team, "TEAMS")), key=lambda each: each.name.lower()))


def team(team_id: str) -> Team:
    found = documents.read(Team, "TEAMS", team_id)
    if found is None:
        raise NotFound("There is no such team.")
    return found


def save_team(team: Team) -> None:
    documents.write("TEAMS", team.id, team)


def delete_team(team_id: str) -> None:
    documents.delete("TEAMS", team_id)


def inboxes() -> tuple[Inbox, ...]:
    return tuple(sorted((inbox for _, inbox in documents.under(Inbox, "INBOXES")), key=lambda each: each.name.lower()))


def inbox(inbox_id: str) -> Inbox:
    found = documents.read(Inbox, "INBOXES", inbox_id)
    if found is None:
        raise NotFound("There is no such inbox.")
    return found


@dataclass(frozen=True)
class AddressOf:
    """Which inbox an address of ours belongs to."""

    inbox_id: str


def base_address(address: str) -> str:
    """Lower case, plus-part dropped: ``support+x@shop.example`` is ``support@shop.example``."""
    local, at, domain = address.strip().lower().rpartition("@")
    return f"{local.split('+')[0]}{at}{domain}"


def inbox_at(address: str) -> Inbox | None:
    """The inbox that an envelope recipient belongs to; None for a stranger's address.

    A cheap read that finds nothing proves nothing: the inbox may have been made this second, and its first mail must
    not be quarantined for that.
    """
    exact = address.strip().lower()
    for consistent in (False, True):
        for each in dict.fromkeys((exact, base_address(exact))):
            found = documents.read(AddressOf, f"ADDRESS#{each}", "ADDRESS", consistent=consistent)
            inbox = documents.read(Inbox, "INBOXES", found.inbox_id, consistent=consistent) if found else None
            if inbox is not None:
                return inbox
    return None


def save_inbox(inbox: Inbox, before: Inbox | None = None) -> None:
    """Write the inbox and the claim on its address; raises transaction.Lost("address") when another one has it."""
    transaction = Transaction()
    transaction.put("inbox", documents.item("INBOXES", inbox.id, inbox))
    new = f"ADDRESS#{inbox.address.lower()}"
    if before is None or before.address.lower() != inbox.address.lower():
        transaction.put_new("address", documents.item(new, "ADDRESS", AddressOf(inbox.id)))
        if before is not None:
            transaction.delete("old address", DocumentItem(f"ADDRESS#{before.address.lower()}", "ADDRESS"))
    transaction.commit()


@dataclass(frozen=True)
class DeskSettings:
    """Settings of the whole desk.  ``public_url``: where the console is reached, for links in notices."""

    public_url: str = ""
    require_totp: bool = False
    mail_domain: str = ""


def desk_settings() -> DeskSettings:
    return documents.read(DeskSettings, "SETTINGS", "desk", consistent=False) or DeskSettings()


def save_desk_settings(settings: DeskSettings) -> None:
    documents.write("SETTINGS", "desk", settings)


@dataclass(frozen=True)
class AuditEntry:
    """Who changed which setting, when, and how (never a secret)."""

    at: datetime
    actor: str
    what: str
    detail: str = ""


def audit(entry: AuditEntry, entry_id: str) -> None:
    documents.write(f"AUDIT#{entry.at:%Y-%m}", entry_id, entry)


def audit_entries(month: str, limit: int = 200) -> tuple[AuditEntry, ...]:
    return tuple(entry for _, entry in documents.under(AuditEntry, f"AUDIT#{month}", newest_first=True, limit=limit))
