"""What people keep for themselves: their settings, notices, teams and texts, the tokens of their programs."""

from chalicelib.services import agents, inboxes, notices, teams, tokens
from chalicelib.services.agents import OwnSettings
from tests.simulation.acts import Turn, act


@act(0.5)
def changes_own_settings(turn: Turn) -> None:
    desk = turn.desk
    agent = turn.among(desk.agents, "who")
    zone = turn.among(("Europe/Berlin", "America/New_York"), "zone")
    wanted = OwnSettings(agent.name, "", zone, f"Yours, {agent.name} {turn.n}", True)
    desk.web(agent.id, "changes their settings", lambda: agents.change_own(agent.id, wanted, desk.now()))


@act(0.8)
def dismisses_a_notice(turn: Turn) -> None:
    desk = turn.desk
    told = sorted(key for key in desk.items if key[0].startswith("NOTICES#"))
    chosen = turn.maybe(told, "which")
    if chosen is not None:
        agent_id = chosen[0].removeprefix("NOTICES#")
        desk.web(agent_id, f"dismisses {chosen[1]}", lambda: notices.dismiss(agent_id, chosen[1]))


@act(0.5)
def keeps_teams(turn: Turn) -> None:
    """A new one is renamed, and now and then deleted; one that inboxes use cannot be."""
    desk = turn.desk
    admin = desk.actor(desk.agents[2])

    def keep() -> None:
        made = teams.create(f"Team {turn.n}", admin, desk.now())
        teams.rename(made.id, f"Team {turn.n} again", admin, desk.now())
        if turn.chance(0.6, "deleted"):
            teams.delete(turn.among((made.id, "first"), "which"), admin, desk.now())

    desk.web(admin.id, "keeps teams", keep)


@act(0.5)
def changes_texts(turn: Turn) -> None:
    desk = turn.desk
    actor, inbox = desk.actor(desk.agents[3]), turn.among(desk.inboxes[:3], "inbox")
    thanks = turn.among(("", "We have your message {number}.", "Thank you, {number}."), "thanks")
    label = f"changes the texts of {inbox.id}"
    desk.web(actor.id, label, lambda: inboxes.change_texts(inbox.id, f"Shop {turn.n}", thanks, actor, desk.now()))


@act(0.5)
def gives_a_program_a_token(turn: Turn) -> None:
    """It works until it is taken back."""
    desk = turn.desk
    admin = desk.actor(desk.agents[2])

    def give() -> None:
        made = tokens.create(f"Program {turn.n}", ("read",), admin, desk.now())
        tokens.authenticate(made.bearer, desk.now())
        if turn.chance(0.5, "taken back"):
            tokens.revoke(made.token.id, admin, desk.now())

    desk.web(admin.id, "gives a program a token", give)
