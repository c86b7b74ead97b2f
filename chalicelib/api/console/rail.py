"""The lists an agent can open: their names, what they show, what an empty one says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from chalicelib.domain.people import Agent
from chalicelib.errors import NotFound
from chalicelib.store.lists import ListName
from chalicelib.web.desk import Desk

FILED = {"resolved": "Resolved", "closed": "Closed", "spam": "Spam", "trash": "Trash"}
FILED_ICONS = {"resolved": "check", "closed": "archive", "spam": "ban", "trash": "trash"}
SEARCH = "search:"
DEFAULT_LIST = "open"


@dataclass(frozen=True)
class Named:
    """One list.

    key: in URLs.  bucket: its counter, and the name live rows carry.  go: the key after "g".  name None: search
    results.  filed: the status of a list that is filed by month.
    """

    key: str
    label: str
    icon: str
    bucket: str
    name: ListName | None
    go: str = ""
    filed: str = ""
    months: tuple["Named", ...] = ()
    empty_title: str = "Nothing here"
    empty_next: str = "New tickets appear by themselves."

    @property
    def query(self) -> Mapping[str, str]:
        return {"q": self.key.removeprefix(SEARCH)} if self.key.startswith(SEARCH) else {}

    @property
    def path(self) -> str:
        return "/search" if self.key.startswith(SEARCH) else f"/lists/{self.key}"

    def more(self, cursor: str) -> tuple[tuple[str, Mapping[str, str]], tuple[str, Mapping[str, str]]]:
        """Where further rows are: as a page, and as rows alone; path and query of each."""
        behind = {**self.query, "cursor": cursor}
        if self.name is None:
            return (self.path, behind), (self.path, {**behind, "part": "rows"})
        return (self.path, behind), (f"{self.path}/rows", behind)


@dataclass(frozen=True)
class Group:
    label: str
    links: tuple[Named, ...] = field(default=())


def groups(agent: Agent, desk: Desk, at: datetime) -> tuple[Group, ...]:
    """The rail from top to bottom; a group without lists is left out."""
    found = (
        Group("", _main(agent)),
        Group("Inboxes", tuple(_inbox(desk, each) for each in desk.inboxes)),
        Group("Teams", tuple(_team(desk, each) for each in desk.teams)),
        Group("Done", tuple(_filed(status, at, f"{at:%Y-%m}") for status in FILED)),
    )
    return tuple(group for group in found if group.links)


def named(key: str, agent: Agent, desk: Desk, at: datetime) -> Named:
    """The list that a URL names; raise NotFound when there is none such."""
    if key.startswith(SEARCH):
        return search_results(key.removeprefix(SEARCH))
    kind, _, of = key.partition(":")
    main = {each.key: each for each in _main(agent)}
    if key in main:
        return main[key]
    if kind == "inbox" and of in desk.inboxes:
        return _inbox(desk, of)
    if kind == "team" and of in desk.teams:
        return _team(desk, of)
    if kind in FILED:
        return _filed(kind, at, of or f"{at:%Y-%m}")
    raise NotFound("There is no such list. It may have been removed.")


def search_results(text: str) -> Named:
    return Named(
        SEARCH + text,
        f"“{text}”" if text else "Search",
        "search",
        "",
        None,
        empty_title="Nothing found" if text else "What are you looking for?",
        empty_next="No ticket holds all of this." if text else "Type words, a number or an address.",
    )


def _main(agent: Agent) -> tuple[Named, ...]:
    mine = f"mine:{agent.id}"
    return (
        Named("mine", "Mine", "user", mine, ListName("mine", agent.id), "m",
              empty_title="Nothing is yours right now", empty_next="Take one from Unassigned: press g, then u."),
        Named("unassigned", "Unassigned", "tray", "unassigned", ListName("unassigned"), "u",
              empty_title="Everything has somebody", empty_next="New tickets appear here by themselves."),
        Named("open", "All open", "inbox", "open", ListName("open"), "o",
              empty_title="Nothing is open", empty_next="New tickets appear here by themselves."),
        Named("waiting", "Waiting longest", "clock", "waiting", ListName("waiting"), "w",
              empty_title="Nobody waits for us", empty_next="Every customer has an answer."),
        Named("pending", "Pending", "pause", "pending", ListName("pending"), "p",
              empty_title="Nothing is pending", empty_next="Tickets that wait for the customer are kept here."),
        Named("undelivered", "Undelivered", "ban", "undelivered", ListName("undelivered"), "d",
              empty_title="Everything arrived", empty_next="Answers that bounce, or may not have gone out, show here."),
        Named("snoozed", "Snoozed", "moon", "snoozed", ListName("snoozed"), "z",
              empty_title="Nothing is snoozed", empty_next="Press z in a ticket to have it come back later."),
    )  # fmt: skip


def _inbox(desk: Desk, inbox_id: str) -> Named:
    inbox = desk.inboxes[inbox_id]
    icon = "inbox" if inbox.channel == "email" else "chat"
    return Named(
        f"inbox:{inbox_id}", inbox.name, icon, f"inbox:{inbox_id}", ListName("inbox", inbox_id),
        empty_title="This inbox is empty", empty_next=f"What is sent to {inbox.address} appears here by itself.",
    )  # fmt: skip


def _team(desk: Desk, team_id: str) -> Named:
    return Named(
        f"team:{team_id}", desk.teams[team_id].name, "team", f"team:{team_id}", ListName("team", team_id),
        empty_title="Nothing waits for this team", empty_next="Tickets of the team that nobody has yet show here.",
    )  # fmt: skip


def _filed(status: str, at: datetime, month: str) -> Named:
    this_month = f"{at:%Y-%m}"
    key = status if month == this_month else f"{status}:{month}"
    current = _month(month)
    before, after = _shifted(current, -1), _shifted(current, 1)
    around = [before] if month == this_month else [before, after]
    return Named(
        key, FILED[status] if month == this_month else f"{FILED[status]} in {current:%B %Y}", FILED_ICONS[status],
        f"{status}:{month}" if status != "spam" else "spam", ListName(status, month),  # type: ignore[arg-type]
        filed=status,
        months=tuple(_month_link(status, each, this_month) for each in around if f"{each:%Y-%m}" <= this_month),
        empty_title=f"Nothing in {current:%B %Y}", empty_next="Earlier months are one step back, above.",
    )  # fmt: skip


def _month_link(status: str, month: date, this_month: str) -> Named:
    named_month = f"{month:%Y-%m}"
    key = status if named_month == this_month else f"{status}:{named_month}"
    return Named(key, f"{month:%b %Y}", "", "", None)


def _month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise NotFound("There is no such list. It may have been removed.") from error


def _shifted(month: date, months: int) -> date:
    total = month.year * 12 + month.month - 1 + months
    return date(total // 12, total % 12 + 1, 1)
