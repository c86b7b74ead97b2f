"""Agents and teams: who is there and what they may do."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.people import SYSTEM, Agent, Role, actor_of
from chalicelib.errors import Conflict, DeskbellError, InvalidInput, NotFound, Refused
from chalicelib.services import agents, password_links, sessions, sign_in, teams
from chalicelib.services.agents import AgentChange, NewAgent, OwnSettings
from chalicelib.services.user_pool import Asked, UserPool, Wrong
from chalicelib.store import directory
from tests.engine import MORNING as NOW
from tests.engine import Desk
from tests.services.people import (
    GOOD_PASSWORD,
    MAKER,
    SOURCE,
    Mailbox,
    an_agent,
    link_token,
    mailbox,
    pool,
    totp,
)

pytestmark = pytest.mark.engine
OTHER_PASSWORD = "Violet ladders 42 rain"
__all__ = ["mailbox", "pool"]


def changed(agent: Agent, **values: Any) -> AgentChange:
    wanted: dict[str, Any] = {
        "name": agent.name, "role": agent.role, "team_ids": agent.team_ids, "active": agent.active
    } | values  # fmt: skip
    return AgentChange(**wanted)


def audited() -> list[tuple[str, str, str]]:
    return [(each.actor, each.what, each.detail) for each in directory.audit_entries(f"{NOW:%Y-%m}")]


def test_the_first_admin_gets_a_temporary_password_and_there_is_only_one(pool: UserPool) -> None:
    temporary = agents.create_first_admin(pool, "ada@shop.example", "Ada Admin", NOW)
    assert len(temporary) == 16
    assert directory.agents()[0].role == "admin"
    with pytest.raises(Conflict):
        agents.create_first_admin(pool, "ben@shop.example", "Ben", NOW)
    assert temporary not in str(audited())


def test_somebody_who_was_locked_out_of_the_pool_comes_in_with_the_new_password(pool: UserPool) -> None:
    pool.add("ken@shop.example", GOOD_PASSWORD)
    pool.set_enabled("ken@shop.example", False)
    with pytest.raises(Wrong):
        pool.check_password("ken@shop.example", GOOD_PASSWORD)
    pool.add("ken@shop.example", OTHER_PASSWORD)
    answer = pool.check_password("ken@shop.example", OTHER_PASSWORD)
    assert isinstance(answer, Asked)
    assert answer.challenge == "NEW_PASSWORD_REQUIRED"


def test_an_invitation_mails_a_link_that_lets_the_agent_choose_a_password(pool: UserPool, mailbox: Mailbox) -> None:
    ada = an_agent(pool, "ada@shop.example", "Ada Admin", "admin")
    team = teams.create("First line", actor_of(ada), NOW)
    new = NewAgent(" Ken@Shop.example ", "Ken  Sato", "leader", (team.id,))
    made = agents.invite(pool, new, MAKER, mailbox.send, actor_of(ada), NOW)
    assert made.mailed
    assert (made.agent.email, made.agent.name, made.agent.initials) == ("ken@shop.example", "Ken Sato", "KS")
    to, _, text = mailbox.mails[0]
    assert to == "ken@shop.example"
    assert "Ada Admin invites you" in text
    password_links.use(pool, MAKER, link_token(text), GOOD_PASSWORD, GOOD_PASSWORD, NOW + timedelta(days=6))
    assert sign_in.begin(pool, "ken@shop.example", GOOD_PASSWORD, SOURCE, NOW).kind == "done"
    assert ("Ada Admin", "Agent invited", "ken@shop.example (leader)") in audited()


def test_when_the_mail_cannot_be_sent_the_admin_gets_the_link(pool: UserPool) -> None:
    def refuse(to: str, subject: str, text: str) -> None:
        raise Refused("SES is in its sandbox.", retry_after_seconds=None)

    made = agents.invite(pool, NewAgent("ken@shop.example", "Ken Sato"), MAKER, refuse, SYSTEM, NOW)
    assert not made.mailed
    password_links.use(pool, MAKER, link_token(made.link), GOOD_PASSWORD, GOOD_PASSWORD, NOW)


def test_a_second_invitation_replaces_the_first_link(pool: UserPool, mailbox: Mailbox) -> None:
    made = agents.invite(pool, NewAgent("ken@shop.example", "Ken Sato"), MAKER, mailbox.send, SYSTEM, NOW)
    again = agents.invite_again(made.agent.id, MAKER, mailbox.send, SYSTEM, NOW)
    with pytest.raises(NotFound):
        password_links.agent_of(MAKER, link_token(made.link), NOW)
    assert password_links.agent_of(MAKER, link_token(again.link), NOW) == made.agent


@pytest.mark.parametrize(
    ("new", "field"),
    [
        (NewAgent("", "Ken"), "email"),
        (NewAgent("ken", "Ken"), "email"),
        (NewAgent("ken@localhost", "Ken"), "email"),
        (NewAgent("ken@shop.example\nBcc: x@y.example", "Ken"), "email"),
        (NewAgent("ken@shop.example", "  "), "name"),
        (NewAgent("ken@shop.example", "Ken\x07"), "name"),
        (NewAgent("ken@shop.example", "Ken", "root"), "role"),
        (NewAgent("ken@shop.example", "Ken", "agent", ("gone",)), "team_ids"),
        (NewAgent("LINA@shop.example", "Another Lina"), "email"),
    ],
)
def test_a_wrong_field_is_named_and_nobody_is_invited(
    pool: UserPool, mailbox: Mailbox, new: NewAgent, field: str
) -> None:
    lina = an_agent(pool)
    with pytest.raises(InvalidInput) as refused:
        agents.invite(pool, new, MAKER, mailbox.send, SYSTEM, NOW)
    assert list(refused.value.fields) == [field]
    assert directory.agents() == (lina,)
    assert mailbox.mails == []


def test_the_last_active_admin_stays(pool: UserPool) -> None:
    ada = an_agent(pool, "ada@shop.example", "Ada Admin", "admin")
    lina = an_agent(pool)
    for wanted in (changed(ada, role="agent"), changed(ada, active=False)):
        with pytest.raises(Conflict):
            agents.change(pool, ada.id, wanted, SYSTEM, NOW)
    assert directory.agent(ada.id) == ada
    agents.change(pool, lina.id, changed(lina, role="admin"), SYSTEM, NOW)
    assert agents.change(pool, ada.id, changed(ada, role="agent"), SYSTEM, NOW).role == "agent"


def test_two_admins_who_demote_each_other_at_the_same_moment_leave_one(pool: UserPool) -> None:
    for _ in range(5):
        roles: tuple[Role, ...] = ("admin", "admin")
        pair = [
            directory.agent_by_email(f"a{n}@shop.example") or an_agent(pool, f"a{n}@shop.example", f"Admin {n}", role)
            for n, role in enumerate(roles)
        ]
        for each in pair:
            directory.save_agent(Agent(**{**vars(each), "role": "admin"}))

        def demote(agent: Agent) -> str:
            try:
                return agents.change(pool, agent.id, changed(agent, role="agent"), SYSTEM, NOW).role
            except DeskbellError as error:
                return error.code

        with ThreadPoolExecutor(2) as both:
            list(both.map(demote, pair))
        assert [each.role for each in directory.agents()].count("admin") == 1


def test_a_deactivated_agent_is_out_and_can_come_back(pool: UserPool, mailbox: Mailbox) -> None:
    an_agent(pool, "ada@shop.example", "Ada Admin", "admin")
    lina = an_agent(pool)
    token = sign_in.begin(pool, lina.email, GOOD_PASSWORD, SOURCE, NOW).token
    password_links.request_reset(MAKER, lina.email, SOURCE, mailbox.send, NOW)
    agents.change(pool, lina.id, changed(lina, active=False), SYSTEM, NOW)
    for attempt in (
        lambda: sessions.signed_in(token, NOW),
        lambda: sign_in.begin(pool, lina.email, GOOD_PASSWORD, SOURCE, NOW),
        lambda: password_links.agent_of(MAKER, link_token(mailbox.mails[0][2]), NOW),
    ):
        with pytest.raises(DeskbellError):
            attempt()
    agents.change(pool, lina.id, changed(lina, active=True), SYSTEM, NOW)
    assert sign_in.begin(pool, lina.email, GOOD_PASSWORD, SOURCE, NOW).kind == "done"
    assert ("Deskbell", "Agent changed", "lina@shop.example: active: yes → no") in audited()


def test_own_settings_cannot_undo_what_an_admin_did_meanwhile(pool: UserPool) -> None:
    an_agent(pool, "ada@shop.example", "Ada Admin", "admin")
    lina = an_agent(pool)
    own = OwnSettings("Lina Meyer", "", "Europe/Berlin", "Regards\r\nLina\r\n", False)
    agents.change(pool, lina.id, changed(lina, active=False, role="viewer"), SYSTEM, NOW)
    after = agents.change_own(lina.id, own, NOW)
    assert (after.active, after.role) == (False, "viewer")
    assert (after.time_zone, after.signature, after.notify, after.initials) == (
        "Europe/Berlin",
        "Regards\nLina",
        False,
        "LM",
    )


@pytest.mark.parametrize(
    ("own", "field"),
    [
        (OwnSettings("", "", "UTC", "", True), "name"),
        (OwnSettings("Lina", "LMXY", "UTC", "", True), "initials"),
        (OwnSettings("Lina", "", "Mars/Olympus", "", True), "time_zone"),
        (OwnSettings("Lina", "", "../etc/passwd", "", True), "time_zone"),
        (OwnSettings("Lina", "", "Europe", "", True), "time_zone"),
        (OwnSettings("Lina", "", "", "", True), "time_zone"),
        (OwnSettings("Lina", "", "UTC", "x" * 2001, True), "signature"),
    ],
)
def test_a_wrong_own_setting_is_named_and_nothing_is_saved(pool: UserPool, own: OwnSettings, field: str) -> None:
    lina = an_agent(pool)
    with pytest.raises(InvalidInput) as refused:
        agents.change_own(lina.id, own, NOW)
    assert list(refused.value.fields) == [field]
    assert directory.agent(lina.id) == lina


def test_an_admin_resets_the_second_factor_of_a_lost_phone(pool: UserPool) -> None:
    lina = an_agent(pool)
    step = sign_in.begin_own_set_up(pool, lina, GOOD_PASSWORD, SOURCE, NOW)
    sign_in.finish_set_up(pool, step.token, totp(step.totp_secret), NOW, by=lina.id)
    assert sign_in.begin(pool, lina.email, GOOD_PASSWORD, SOURCE, NOW).kind == "code"
    assert not agents.reset_totp(pool, lina.id, SYSTEM, NOW).totp
    assert sign_in.begin(pool, lina.email, GOOD_PASSWORD, SOURCE, NOW).kind == "done"


def test_a_pool_made_anew_gets_its_agents_back_by_their_links(pool: UserPool, desk: Desk, mailbox: Mailbox) -> None:
    an_agent(pool, "ada@shop.example", "Ada Admin", "admin")
    ken = desk.agent("ken")
    agents.change(pool, ken.id, changed(ken, active=False), SYSTEM, NOW)
    agents.change(pool, ken.id, changed(ken, active=True), SYSTEM, NOW)
    made = agents.invite_again(ken.id, MAKER, mailbox.send, SYSTEM, NOW)
    password_links.use(pool, MAKER, link_token(made.link), GOOD_PASSWORD, GOOD_PASSWORD, NOW)
    assert sign_in.begin(pool, ken.email, GOOD_PASSWORD, SOURCE, NOW).kind == "done"


@pytest.mark.parametrize(
    ("name", "initials"),
    [("Lina Meyer", "LM"), ("Ada", "A"), ("Jan van der Berg", "JB"), ("山田 太郎", "山太"), ("7", "")],
)
def test_initials(name: str, initials: str) -> None:
    assert agents.initials_of(name) == initials


# Teams


def test_teams_are_made_renamed_and_deleted(desk: Desk) -> None:
    team = teams.create(" First  line ", SYSTEM, NOW)
    assert teams.rename(team.id, "Front", SYSTEM, NOW).name == "Front"
    for name in ("", "front", "x" * 61):
        with pytest.raises(InvalidInput):
            teams.create(name, SYSTEM, NOW)
    teams.delete(team.id, SYSTEM, NOW)
    assert directory.teams() == ()


def test_a_team_in_use_is_not_deleted(desk: Desk) -> None:
    team = teams.create("Front", SYSTEM, NOW)
    desk.agent("lina", team_ids=(team.id,))
    desk.inbox(team_id=team.id)
    with pytest.raises(Conflict, match=r"Lina, Shop"):
        teams.delete(team.id, SYSTEM, NOW)
