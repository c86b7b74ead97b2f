"""What admins set up: people, inboxes, domains; signing in; looking after what is derived."""

from dataclasses import replace
from datetime import datetime

from chalicelib import wiring
from chalicelib.api.console.handed import send_system_mail, user_pool
from chalicelib.api.inbox_tools import inbox_tools
from chalicelib.domain.people import Agent
from chalicelib.services import agents, costs, inboxes, mail_setup, rebuild, sessions, sign_in
from chalicelib.services.agents import AgentChange, NewAgent
from chalicelib.services.inboxes import InboxForm
from chalicelib.services.password_links import LinkMaker
from chalicelib.store import directory, postings
from chalicelib.store.models import DocumentItem
from chalicelib.store.tickets import UNDELIVERED
from tests.simulation.acts import Turn, act
from tests.simulation.rest import call

PASSWORD = "Correct-horse-7-battery"
URL = "https://desk.shop.example"


@act(0.8)
def invites_somebody(turn: Turn) -> None:
    desk = turn.desk
    admin = desk.actor(desk.agents[2])
    new = NewAgent(f"new{turn.n}@shop.example", f"New {turn.n}", "agent")

    def invite() -> None:
        maker = LinkMaker(wiring.need_secret("reply-key").encode(), f"{URL}/password")
        agents.invite(user_pool(), new, maker, send_system_mail, admin, desk.now())

    desk.web(admin.id, f"invites {new.email}", invite)


@act(0.8)
def changes_a_colleague(turn: Turn) -> None:
    """Somebody invited before gets another role, or is switched off and on."""
    desk = turn.desk
    admin = desk.actor(desk.agents[2])
    known = {each.id for each in desk.agents}
    others = sorted(sk for pk, sk in desk.items if pk == "AGENTS" and sk not in known)
    chosen = turn.maybe(others, "whom")
    if chosen is None:
        return
    role = turn.among(("agent", "leader", "admin", "viewer"), "role")
    wanted = AgentChange(f"Renamed {turn.n}", role, (), turn.chance(0.7, "active"))
    label = f"makes {chosen} {role}"
    desk.web(admin.id, label, lambda: agents.change(user_pool(), chosen, wanted, admin, desk.now()))


@act(1.2)
def signs_in(turn: Turn) -> None:
    """With the right password or a wrong one; then the session is used, and now and then all of them end."""
    desk = turn.desk
    agent = turn.among(desk.agents, "who")
    desk.world.cloud.cognito.passwords[agent.email] = PASSWORD
    given = PASSWORD if turn.chance(0.7, "right") else "wrong"

    def enter() -> None:
        sign_in.begin(user_pool(), agent.email, given, "203.0.113.9", desk.now())
        cookie = sessions.open_session(agent, desk.now())
        sessions.signed_in(cookie, desk.now())
        sessions.how_many(agent.id, desk.now())
        if turn.chance(0.3, "ends"):
            sessions.end_all(agent.id, desk.now())

    desk.web(agent.id, "signs in", enter)


@act(0.8)
def connects_an_inbox(turn: Turn) -> None:
    """A mail address (SES's rule must follow) or a bot (Telegram must be told)."""
    desk = turn.desk
    admin = desk.actor(desk.agents[2])
    if turn.chance(0.5, "bot"):
        secrets = {"bot_token": f"{turn.n}:AAtoken"}
        form = InboxForm("telegram", f"Bot {turn.n}", secrets=secrets)
    else:
        form = InboxForm("email", f"Inbox {turn.n}", f"inbox{turn.n}@shop.example")
    label = f"connects {form.name}"
    desk.web(admin.id, label, lambda: inboxes.create(form, inbox_tools(URL), admin, desk.now()))


@act(0.6)
def sets_a_domain_up(turn: Turn) -> None:
    desk = turn.desk

    def look() -> None:
        ses = wiring.client("sesv2")
        mail_setup.add_domain(ses, "shop.example")
        mail_setup.sandbox(ses)
        mail_setup.look(ses, lambda name, kind: (), "shop.example", "shop.example", "eu-west-1")

    desk.world.cloud.aws.ses.identities["shop.example"] = True
    desk.web("ada", "sets shop.example up", look)


@act(0.7)
def two_admins_part(turn: Turn) -> None:
    """Two admins take each other's role away, at the same moment or one after the other: one must stay."""
    desk = turn.desk
    first = desk.agents[2]
    second = replace(first, id="second", email="second@shop.example", name="Second")
    for each in (first, second):
        directory.save_agent(each)
        desk.world.cloud.cognito.passwords.setdefault(each.email, PASSWORD)

    def demote(whom: Agent, by: Agent) -> None:
        wanted = AgentChange(whom.name, "leader", (), True)
        label = f"makes {whom.id} a leader"
        desk.web(by.id, label, lambda: agents.change(user_pool(), whom.id, wanted, desk.actor(by), desk.now()))

    demote(second, first)
    desk.world.after(turn.among((0.0, 0.0, 1.0), "gap"), lambda: demote(first, second))


@act(0.9)
def rebuilds_what_is_derived(turn: Turn) -> None:
    """Lists, counters and words anew, while people go on working; now and then a list names a ticket of no desk, or a
    ticket is found by a word that stands in another one.
    """
    desk = turn.desk
    if turn.chance(0.5, "a mark of nothing"):
        desk.spoiled.add("lists")
        DocumentItem(UNDELIVERED, f"{turn.among((7, 999_999), 'which'):012d}").save()
        desk.world.say("table", "! a list names a ticket that never was")

    mail, ticket_id = turn.maybe(desk.mails, "whose word"), turn.maybe(desk.ticket_ids(), "a ticket")
    if mail is not None and ticket_id is not None and turn.chance(0.5, "a word too many"):
        desk.spoiled.add("words")
        postings.put_into_blocks({mail.word.lower(): {int(ticket_id)}})
        desk.world.say("table", f"! {ticket_id} is found by {mail.word}")

    for n in range(turn.among((1, 3, 6), "times")):  # whoever is broken off says it again, and it goes on from there
        desk.world.after(n * 5.0, lambda: desk.operator("rebuilds what is derived", lambda: rebuild_all(desk.now())))


def rebuild_all(at: datetime) -> None:
    """To its end, from wherever an earlier one stopped."""
    progress = rebuild.begin(rebuild.PARTS, at)
    while not rebuild.is_done(progress):
        progress = rebuild.step(progress, at)
    rebuild.finish(progress, at)


@act(0.7)
def a_program_reads(turn: Turn) -> None:
    desk = turn.desk
    ticket_id = turn.maybe(desk.ticket_ids(), "ticket") or "1001"

    def read() -> None:
        call("list_messages", desk.bearer, ticket_id=ticket_id)
        call("list_tickets", desk.bearer, query={"list": "undelivered"})
        call("list_tickets", desk.bearer)
        call("list_dead_letters", desk.bearer)

    desk.web("program", "reads", read)


@act(0.4)
def a_month_is_counted(turn: Turn) -> None:
    desk = turn.desk
    month = f"{desk.world.time:%Y-%m}"
    desk.web("ada", "looks at the month's cost", lambda: costs.month(wiring.client("cloudwatch"), month, desk.now()))


@act(0.4)
def an_inbox_is_switched_off(turn: Turn) -> None:
    """One that was connected before, and on again; its address stays ours."""
    desk = turn.desk
    admin = desk.actor(desk.agents[2])
    known = {each.id for each in desk.inboxes}
    others = sorted(sk for pk, sk in desk.items if pk == "INBOXES" and sk not in known)
    chosen = turn.maybe(others, "which")
    if chosen is None:
        return

    def change() -> None:
        form = inboxes.form_of(directory.inbox(chosen))
        inboxes.change(chosen, form, inbox_tools(URL), admin, desk.now())

    desk.web(admin.id, f"saves inbox {chosen}", change)
