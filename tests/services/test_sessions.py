"""Signing in against the real user pool of the engine, and the sessions that come of it."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.people import SYSTEM, actor_of
from chalicelib.errors import Conflict, DeskbellError, InvalidInput, NotFound, NotSignedIn, TooMany
from chalicelib.services import agents, attempts, password_links, sessions, sign_in
from chalicelib.services.agents import AgentChange
from chalicelib.services.user_pool import UserPool
from chalicelib.store import attempts as kept_attempts
from chalicelib.store import directory, live
from chalicelib.store import sessions as store
from chalicelib.store.directory import DeskSettings
from chalicelib.store.models import DocumentItem
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
    wrong_code,
)

pytestmark = pytest.mark.engine
__all__ = ["mailbox", "pool"]

OTHER_PASSWORD = "Violet ladders 42 rain"


def enter(pool: UserPool, password: str = GOOD_PASSWORD, email: str = "lina@shop.example", at: Any = NOW) -> Any:
    return sign_in.begin(pool, email, password, SOURCE, at)


def with_second_factor(pool: UserPool) -> str:
    """Set one up as an agent does; return its secret."""
    step = sign_in.begin_own_set_up(
        pool, directory.agent(agents.agent_id("lina@shop.example")), GOOD_PASSWORD, SOURCE, NOW
    )
    sign_in.finish_set_up(pool, step.token, totp(step.totp_secret), NOW, by=step.agent_id)
    return step.totp_secret


# Password


def test_the_right_password_opens_a_session(pool: UserPool) -> None:
    agent = an_agent(pool)
    step = enter(pool)
    assert step.kind == "done"
    assert sessions.signed_in(step.token, NOW).agent == agent


def test_the_address_may_be_typed_in_capitals(pool: UserPool) -> None:
    an_agent(pool)
    assert enter(pool, email=" Lina@Shop.Example ").kind == "done"


def refusal(pool: UserPool, email: str, password: str) -> tuple[type[Exception], str]:
    with pytest.raises(DeskbellError) as refused:
        sign_in.begin(pool, email, password, SOURCE, NOW)
    return type(refused.value), refused.value.message


def test_wrong_unknown_and_deactivated_get_the_same_answer(pool: UserPool) -> None:
    an_agent(pool)
    boss = an_agent(pool, "ada@shop.example", "Ada Admin", "admin")
    gone = an_agent(pool, "ken@shop.example", "Ken Sato")
    agents.change(pool, gone.id, AgentChange("Ken Sato", "agent", (), active=False), actor_of(boss), NOW)
    wrong = refusal(pool, "lina@shop.example", "not her password")
    assert wrong == (NotSignedIn, sign_in.REFUSED)
    assert refusal(pool, "nobody@shop.example", GOOD_PASSWORD) == wrong
    assert refusal(pool, "ken@shop.example", GOOD_PASSWORD) == wrong
    assert refusal(pool, "not an address", " odd password ") == wrong


def test_a_stranger_whom_only_the_pool_knows_does_not_come_in(pool: UserPool) -> None:
    pool.add("stray@shop.example", "Temporary1word")
    pool.set_password("stray@shop.example", GOOD_PASSWORD)
    assert refusal(pool, "stray@shop.example", GOOD_PASSWORD)[0] is NotSignedIn


def test_every_refusal_takes_the_same_time(pool: UserPool, monkeypatch: pytest.MonkeyPatch) -> None:
    an_agent(pool)
    asked: list[float] = []
    monkeypatch.setattr(attempts, "wait_until", lambda until: asked.append(until - time.monotonic()))
    refusal(pool, "lina@shop.example", "wrong")
    refusal(pool, "nobody@shop.example", "wrong")
    assert all(0 < left <= sign_in.REFUSAL_SECONDS for left in asked)
    assert len(asked) == 2


@pytest.mark.parametrize(("email", "password", "field"), [("", "x", "email"), ("a@b.example", "", "password")])
def test_an_empty_field_is_named(pool: UserPool, email: str, password: str, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        sign_in.begin(pool, email, password, SOURCE, NOW)
    assert list(refused.value.fields) == [field]


# Guessing


def guess(pool: UserPool, at: Any, email: str = "lina@shop.example", source: str = SOURCE) -> str:
    try:
        sign_in.begin(pool, email, "a wrong guess", source, at)
    except DeskbellError as error:
        return error.code
    return "in"


def test_five_wrong_passwords_lock_the_account_and_the_lock_doubles(pool: UserPool) -> None:
    an_agent(pool)
    assert [guess(pool, NOW) for _ in range(6)] == ["not-signed-in"] * 5 + ["too-many"]
    with pytest.raises(TooMany) as locked:
        enter(pool)
    assert locked.value.retry_after_seconds == 30
    later = NOW + timedelta(seconds=31)
    assert [guess(pool, later) for _ in range(6)] == ["not-signed-in"] * 5 + ["too-many"]
    with pytest.raises(TooMany) as locked:
        enter(pool, at=later)
    assert locked.value.retry_after_seconds == 60
    assert enter(pool, at=later + timedelta(seconds=61)).kind == "done"
    assert guess(pool, later + timedelta(seconds=62)) == "not-signed-in", "a good sign-in starts from nothing"


ELSEWHERE = "203.0.113.77"


def test_one_wrong_guess_an_hour_keeps_nobody_out(pool: UserPool) -> None:
    """A lock that has run out is over: as many guesses are free as before it."""
    an_agent(pool)
    at = NOW
    for _ in range(12):
        [guess(pool, at, source=ELSEWHERE) for _ in range(5)]
        at += attempts.LONGEST_LOCK + timedelta(seconds=1)
    assert guess(pool, at, source=ELSEWHERE) == "not-signed-in"
    assert enter(pool, at=at).kind == "done"


def test_strangers_cannot_lock_an_account_where_its_agent_signed_in_lately(pool: UserPool) -> None:
    an_agent(pool)
    assert enter(pool).kind == "done"
    for _ in range(6):
        guess(pool, NOW, source=ELSEWHERE)
    with pytest.raises(TooMany):
        sign_in.begin(pool, "lina@shop.example", GOOD_PASSWORD, "192.0.2.1", NOW)
    assert enter(pool).kind == "done"
    assert [guess(pool, NOW) for _ in range(6)] == ["not-signed-in"] * 5 + ["too-many"], "here is counted too"
    month = NOW + attempts.KNOWN_FOR + timedelta(seconds=1)
    for _ in range(6):
        guess(pool, month, source=ELSEWHERE)
    with pytest.raises(TooMany):
        enter(pool, at=month)


def test_a_place_is_known_only_once_the_second_factor_was_given(pool: UserPool) -> None:
    an_agent(pool)
    secret = with_second_factor(pool)
    step = sign_in.begin(pool, "lina@shop.example", GOOD_PASSWORD, ELSEWHERE, NOW)
    for _ in range(5):
        guess(pool, NOW, source="192.0.2.1")
    with pytest.raises(TooMany):
        sign_in.enter_code(pool, step.token, totp(secret), ELSEWHERE, NOW)
    step = enter(pool)
    assert sign_in.enter_code(pool, step.token, totp(secret), SOURCE, NOW).kind == "done", "it was set up here"


def test_only_the_last_places_are_known_and_no_address_is_kept(pool: UserPool) -> None:
    agent = an_agent(pool)
    for n in range(attempts.MAX_PLACES + 1):
        assert sign_in.begin(pool, agent.email, GOOD_PASSWORD, f"198.51.100.{n}", NOW).kind == "done"
    attempts.remember(agent.email, "not an address", NOW)
    known = kept_attempts.places(attempts.account_key(attempts.ACCOUNT, agent.email), NOW)
    assert len(known) == attempts.MAX_PLACES
    assert not [each for each in known if "." in each]
    for _ in range(5):
        guess(pool, NOW, source=ELSEWHERE)
    assert guess(pool, NOW, source="198.51.100.0") == "too-many", "the oldest is forgotten"
    assert guess(pool, NOW, source="198.51.100.1") == "not-signed-in"


def test_counts_of_an_older_release_are_understood(pool: UserPool) -> None:
    """It counted on after a lock; what has run out is over, what has not goes on."""
    agent = an_agent(pool)
    key = attempts.account_key(attempts.ACCOUNT, agent.email)
    for locked_until, answer in (
        (NOW - timedelta(seconds=1), "not-signed-in"),
        (NOW + timedelta(seconds=1), "too-many"),
    ):
        kept_attempts.forget(key)
        old = kept_attempts.Attempts(12, locked_until)
        assert kept_attempts.write(key, old, kept_attempts.Counted(old, 0), NOW + timedelta(hours=24))
        assert guess(pool, NOW) == answer


def test_an_unknown_account_locks_like_a_known_one(pool: UserPool) -> None:
    answers = [guess(pool, NOW, "nobody@shop.example") for _ in range(7)]
    assert answers == ["not-signed-in"] * 5 + ["too-many"] * 2


def test_guesses_at_the_same_moment_count_each(pool: UserPool) -> None:
    an_agent(pool)
    with ThreadPoolExecutor(12) as crowd:
        answers = list(crowd.map(lambda n: guess(pool, NOW, source=f"198.51.100.{n}"), range(24)))
    assert answers.count("not-signed-in") <= 5
    assert set(answers) == {"not-signed-in", "too-many"}


def test_one_source_that_tries_many_accounts_is_locked(pool: UserPool) -> None:
    answers = [guess(pool, NOW, f"name{n}@shop.example") for n in range(32)]
    assert answers == ["not-signed-in"] * 30 + ["too-many"] * 2
    assert guess(pool, NOW, "name40@shop.example", source="203.0.113.9") == "not-signed-in"


def test_ones_own_good_password_does_not_wipe_the_sources_failures(pool: UserPool) -> None:
    an_agent(pool)
    for n in range(29):
        guess(pool, NOW, f"name{n}@shop.example")
    assert enter(pool).kind == "done"
    assert guess(pool, NOW, "name50@shop.example") == "not-signed-in"
    assert guess(pool, NOW, "name51@shop.example") == "too-many"


def test_many_good_sign_ins_of_one_office_lock_nobody(pool: UserPool) -> None:
    an_agent(pool)
    secret = with_second_factor(pool)
    for _ in range(35):
        step = enter(pool)
        assert sign_in.enter_code(pool, step.token, totp(secret), SOURCE, NOW).kind == "done"


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("198.51.100.7", "source:198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "source:2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "source:2001:db8:1:2::"),
        ("", "source:unknown"),
    ],
)
def test_an_ipv6_customer_is_one_source(address: str, key: str) -> None:
    assert attempts.source_key(attempts.SOURCE, address) == key


# First change


def first_sign_in(pool: UserPool) -> Any:
    temporary = agents.create_first_admin(pool, "Ada@Shop.example", "Ada Admin", NOW)
    return enter(pool, temporary, "ada@shop.example")


def test_a_temporary_password_must_be_changed_before_anything_else(pool: UserPool) -> None:
    step = first_sign_in(pool)
    assert step.kind == "new_password"
    with pytest.raises(NotSignedIn):
        sessions.signed_in(step.token, NOW)
    done = sign_in.set_first_password(pool, step.token, GOOD_PASSWORD, GOOD_PASSWORD, NOW)
    assert sessions.signed_in(done.token, NOW).agent.role == "admin"
    assert enter(pool, email="ada@shop.example").kind == "done"
    with pytest.raises(NotSignedIn):
        sign_in.set_first_password(pool, step.token, OTHER_PASSWORD, OTHER_PASSWORD, NOW)


@pytest.mark.parametrize(
    ("password", "again", "field"),
    [
        ("short1A", None, "password"),
        ("all small letters 1", None, "password"),
        ("ALL CAPITAL LETTERS 1", None, "password"),
        ("No digits in this one", None, "password"),
        ("My admin secret 12", None, "password"),
        ("Password1234", None, "password"),
        ("Aa1Aa1Aa1Aa1Aa1", None, "password"),
        (" Copper Kettle 7 lanterns", None, "password"),
        ("Copper Kettle 7 lanterns", "Copper Kettle 8 lanterns", "again"),
    ],
)
def test_a_poor_password_is_refused_in_words_and_the_step_stays_open(
    pool: UserPool, password: str, again: str | None, field: str
) -> None:
    step = first_sign_in(pool)
    with pytest.raises(InvalidInput) as refused:
        sign_in.set_first_password(pool, step.token, password, password if again is None else again, NOW)
    assert list(refused.value.fields) == [field]
    assert sign_in.set_first_password(pool, step.token, GOOD_PASSWORD, GOOD_PASSWORD, NOW).kind == "done"


def test_a_step_expires(pool: UserPool) -> None:
    step = first_sign_in(pool)
    with pytest.raises(NotSignedIn):
        sign_in.set_first_password(pool, step.token, GOOD_PASSWORD, GOOD_PASSWORD, NOW + timedelta(minutes=16))


# Second factor


def test_with_a_second_factor_the_password_alone_opens_nothing(pool: UserPool) -> None:
    an_agent(pool)
    secret = with_second_factor(pool)
    step = enter(pool)
    assert step.kind == "code"
    with pytest.raises(NotSignedIn):
        sessions.signed_in(step.token, NOW)
    with pytest.raises(InvalidInput) as refused:
        sign_in.enter_code(pool, step.token, wrong_code(secret), SOURCE, NOW)
    assert list(refused.value.fields) == ["code"]
    done = sign_in.enter_code(pool, step.token, totp(secret), SOURCE, NOW)
    assert sessions.signed_in(done.token, NOW).agent.totp
    with pytest.raises(NotSignedIn):
        sign_in.enter_code(pool, step.token, totp(secret), SOURCE, NOW)


def test_five_wrong_codes_end_the_sign_in_and_count_against_the_account(pool: UserPool) -> None:
    an_agent(pool)
    secret = with_second_factor(pool)
    step = enter(pool)
    for _ in range(4):
        with pytest.raises(InvalidInput):
            sign_in.enter_code(pool, step.token, wrong_code(secret), SOURCE, NOW)
    with pytest.raises(TooMany):
        sign_in.enter_code(pool, step.token, totp(secret), SOURCE, NOW)
    with pytest.raises(TooMany):
        enter(pool)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345a", "１２３４５６"])
def test_a_code_is_six_digits(pool: UserPool, code: str) -> None:
    an_agent(pool)
    with_second_factor(pool)
    step = enter(pool)
    with pytest.raises(InvalidInput):
        sign_in.enter_code(pool, step.token, code, SOURCE, NOW)


def test_a_desk_that_requires_a_second_factor_lets_nobody_in_before_it_is_set_up(pool: UserPool) -> None:
    an_agent(pool)
    directory.save_desk_settings(DeskSettings(require_totp=True))
    step = enter(pool)
    assert step.kind == "set_up"
    assert step.totp_uri.startswith("otpauth://totp/Deskbell%3Alina%40shop.example?secret=")
    with pytest.raises(NotSignedIn):
        sessions.signed_in(step.token, NOW)
    with pytest.raises(InvalidInput):
        sign_in.finish_set_up(pool, step.token, wrong_code(step.totp_secret), NOW)
    assert sign_in.step_waiting(step.token, NOW, step.totp_secret) == step
    done = sign_in.finish_set_up(pool, step.token, totp(step.totp_secret), NOW)
    assert sessions.signed_in(done.token, NOW).agent.totp
    assert enter(pool).kind == "code"


def test_the_second_factors_secret_is_in_the_page_alone(pool: UserPool) -> None:
    an_agent(pool)
    directory.save_desk_settings(DeskSettings(require_totp=True))
    step = enter(pool)
    kept = DocumentItem.get(f"SIGNIN#{sessions.hashed(step.token)}", "SIGNIN")
    assert kept.data and step.totp_secret not in kept.data
    for forged in ("", "short", f'{step.totp_secret}"><script>', step.totp_secret * 9):
        with pytest.raises(NotSignedIn):
            sign_in.step_waiting(step.token, NOW, forged)


def test_a_second_factor_can_be_turned_off_with_the_password_unless_the_desk_requires_it(pool: UserPool) -> None:
    an_agent(pool)
    with_second_factor(pool)
    agent = directory.agent(agents.agent_id("lina@shop.example"))
    with pytest.raises(InvalidInput):
        sign_in.turn_off_own(pool, agent, "wrong", SOURCE, NOW)
    directory.save_desk_settings(DeskSettings(require_totp=True))
    with pytest.raises(Conflict):
        sign_in.turn_off_own(pool, agent, GOOD_PASSWORD, SOURCE, NOW)
    directory.save_desk_settings(DeskSettings())
    sign_in.turn_off_own(pool, agent, GOOD_PASSWORD, SOURCE, NOW)
    assert enter(pool).kind == "done"


# Reset


def reset_link(pool: UserPool, mailbox: Mailbox, email: str = "lina@shop.example", at: Any = NOW) -> str:
    password_links.request_reset(MAKER, email, SOURCE, mailbox.send, at)
    return link_token(mailbox.mails[-1][2])


def test_a_reset_link_sets_the_password_once(pool: UserPool, mailbox: Mailbox) -> None:
    an_agent(pool)
    open_elsewhere = enter(pool).token
    token = reset_link(pool, mailbox)
    assert mailbox.mails[-1][0] == "lina@shop.example"
    password_links.use(pool, MAKER, token, OTHER_PASSWORD, OTHER_PASSWORD, NOW)
    with pytest.raises(NotFound):
        password_links.use(pool, MAKER, token, GOOD_PASSWORD, GOOD_PASSWORD, NOW)
    assert refusal(pool, "lina@shop.example", GOOD_PASSWORD)[0] is NotSignedIn
    assert enter(pool, OTHER_PASSWORD).kind == "done"
    with pytest.raises(NotSignedIn):
        sessions.signed_in(open_elsewhere, NOW)


def test_a_reset_still_asks_for_the_second_factor(pool: UserPool, mailbox: Mailbox) -> None:
    an_agent(pool)
    with_second_factor(pool)
    password_links.use(pool, MAKER, reset_link(pool, mailbox), OTHER_PASSWORD, OTHER_PASSWORD, NOW)
    assert enter(pool, OTHER_PASSWORD).kind == "code"


def test_a_reset_link_expires_and_a_newer_one_replaces_it(pool: UserPool, mailbox: Mailbox) -> None:
    an_agent(pool)
    first = reset_link(pool, mailbox)
    second = reset_link(pool, mailbox)
    with pytest.raises(NotFound):
        password_links.agent_of(MAKER, first, NOW)
    assert password_links.agent_of(MAKER, second, NOW).email == "lina@shop.example"
    with pytest.raises(NotFound):
        password_links.agent_of(MAKER, second, NOW + timedelta(hours=1, seconds=1))


def test_a_forged_link_is_refused(pool: UserPool, mailbox: Mailbox) -> None:
    an_agent(pool)
    other = an_agent(pool, "ken@shop.example", "Ken Sato")
    token = reset_link(pool, mailbox)
    forged = token.replace(token.split(".")[0], other.id)
    for each in ("", "a.b.c.d", forged, token[:-1] + ("0" if token[-1] != "0" else "1"), "x" * 500):
        with pytest.raises(NotFound):
            password_links.agent_of(MAKER, each, NOW)
    with pytest.raises(NotFound):
        password_links.agent_of(password_links.LinkMaker(b"another key", MAKER.page), token, NOW)


def test_a_poor_password_does_not_use_the_link_up(pool: UserPool, mailbox: Mailbox) -> None:
    an_agent(pool)
    token = reset_link(pool, mailbox)
    with pytest.raises(InvalidInput):
        password_links.use(pool, MAKER, token, "short", "short", NOW)
    password_links.use(pool, MAKER, token, OTHER_PASSWORD, OTHER_PASSWORD, NOW)


def test_asking_for_a_link_tells_nobody_whether_the_account_exists(pool: UserPool, mailbox: Mailbox) -> None:
    an_agent(pool)
    password_links.request_reset(MAKER, "nobody@shop.example", SOURCE, mailbox.send, NOW)
    assert mailbox.mails == []
    for email in ("lina@shop.example", "nobody2@shop.example"):
        for _ in range(3):
            password_links.request_reset(MAKER, email, "203.0.113.1", mailbox.send, NOW)
        with pytest.raises(TooMany):
            password_links.request_reset(MAKER, email, "203.0.113.2", mailbox.send, NOW)
    assert len(mailbox.mails) == 3


def test_a_lock_ends_with_a_new_password(pool: UserPool, mailbox: Mailbox) -> None:
    an_agent(pool)
    for _ in range(6):
        guess(pool, NOW)
    password_links.use(pool, MAKER, reset_link(pool, mailbox), OTHER_PASSWORD, OTHER_PASSWORD, NOW)
    assert enter(pool, OTHER_PASSWORD).kind == "done"


def test_ones_own_lock_ends_with_a_new_password_too(pool: UserPool, mailbox: Mailbox) -> None:
    an_agent(pool)
    enter(pool)
    for _ in range(6):
        guess(pool, NOW)
    password_links.use(pool, MAKER, reset_link(pool, mailbox), OTHER_PASSWORD, OTHER_PASSWORD, NOW)
    assert enter(pool, OTHER_PASSWORD).kind == "done"


def test_strangers_who_go_on_after_a_reset_lock_nobody_out_where_the_link_was_used(
    pool: UserPool, mailbox: Mailbox
) -> None:
    an_agent(pool)
    link = reset_link(pool, mailbox)
    password_links.use(pool, MAKER, link, OTHER_PASSWORD, OTHER_PASSWORD, NOW, SOURCE)
    for _ in range(6):
        guess(pool, NOW, source=ELSEWHERE)
    assert enter(pool, OTHER_PASSWORD).kind == "done"


def test_a_used_link_frees_the_way_to_the_next_one(pool: UserPool, mailbox: Mailbox) -> None:
    an_agent(pool)
    links = [reset_link(pool, mailbox) for _ in range(3)]
    with pytest.raises(TooMany):
        reset_link(pool, mailbox)
    password_links.use(pool, MAKER, links[-1], OTHER_PASSWORD, OTHER_PASSWORD, NOW)
    assert reset_link(pool, mailbox)


def test_strangers_who_ask_for_links_keep_nobody_from_one_where_they_signed_in(
    pool: UserPool, mailbox: Mailbox
) -> None:
    agent = an_agent(pool)
    enter(pool)
    for n in range(3):
        password_links.request_reset(MAKER, agent.email, f"203.0.113.{n}", mailbox.send, NOW)
    with pytest.raises(TooMany):
        password_links.request_reset(MAKER, agent.email, "203.0.113.9", mailbox.send, NOW)
    assert reset_link(pool, mailbox)


# Sessions


def test_a_session_slides_for_twelve_hours_and_ends_after_seven_days(pool: UserPool) -> None:
    an_agent(pool)
    token = enter(pool).token
    at = NOW
    while at < NOW + timedelta(days=6, hours=20):
        at += timedelta(hours=11)
        sessions.signed_in(token, at)
    with pytest.raises(NotSignedIn):
        sessions.signed_in(token, NOW + timedelta(days=7))
    idle = enter(pool).token
    with pytest.raises(NotSignedIn):
        sessions.signed_in(idle, NOW + timedelta(hours=12))


def test_signing_out_ends_this_session_only(pool: UserPool) -> None:
    an_agent(pool)
    here, there = enter(pool).token, enter(pool).token
    sessions.end(sessions.signed_in(here, NOW))
    with pytest.raises(NotSignedIn):
        sessions.signed_in(here, NOW)
    assert sessions.signed_in(there, NOW)


def test_signing_out_everywhere_ends_all_and_darkens_open_consoles(pool: UserPool) -> None:
    agent = an_agent(pool)
    tokens = [enter(pool).token for _ in range(3)]
    live.open_connection(live.Connection("c1", agent.id), NOW)
    live.open_connection(live.Connection("c2", "somebody else"), NOW)
    assert sessions.end_all(agent.id, NOW) == 3
    for token in tokens:
        with pytest.raises(NotSignedIn):
            sessions.signed_in(token, NOW)
    assert [each.id for each in live.connections()] == ["c2"]
    assert sessions.how_many(agent.id, NOW) == 0


def test_signing_out_everywhere_else_leaves_this_sessions_other_tab_listening(pool: UserPool) -> None:
    agent = an_agent(pool)
    here, there = (sessions.signed_in(enter(pool).token, NOW).session_id for _ in range(2))
    for name, session_id in (("tab", here), ("other tab", here), ("elsewhere", there), ("of no session", "")):
        live.open_connection(live.Connection(name, agent.id, session_id=session_id), NOW)
    assert sessions.end_all(agent.id, NOW, but=here) == 1
    assert {each.id for each in live.connections()} == {"tab", "other tab"}


def test_a_session_that_was_ended_is_not_brought_back_by_its_last_use(pool: UserPool) -> None:
    agent = an_agent(pool)
    token = enter(pool).token
    session = store.get(sessions.hashed(token), NOW)
    assert session is not None
    sessions.end_all(agent.id, NOW)
    store.extend(sessions.hashed(token), session, NOW + timedelta(hours=12))
    with pytest.raises(NotSignedIn):
        sessions.signed_in(token, NOW)


def test_a_role_change_and_a_deactivation_sign_out(pool: UserPool) -> None:
    an_agent(pool, "ada@shop.example", "Ada Admin", "admin")
    agent = an_agent(pool)
    token = enter(pool).token
    agents.change(pool, agent.id, AgentChange(agent.name, "viewer", (), active=True), SYSTEM, NOW)
    with pytest.raises(NotSignedIn):
        sessions.signed_in(token, NOW)
    token = enter(pool).token
    agents.change(pool, agent.id, AgentChange(agent.name, "viewer", (), active=False), SYSTEM, NOW)
    with pytest.raises(NotSignedIn):
        sessions.signed_in(token, NOW)


def test_an_own_change_of_password_keeps_this_browser_and_ends_the_others(pool: UserPool) -> None:
    an_agent(pool)
    here, there = enter(pool).token, enter(pool).token
    who = sessions.signed_in(here, NOW)
    with pytest.raises(InvalidInput) as refused:
        sign_in.change_own_password(pool, who, "wrong", OTHER_PASSWORD, OTHER_PASSWORD, SOURCE, NOW)
    assert list(refused.value.fields) == ["old"]
    sign_in.change_own_password(pool, who, GOOD_PASSWORD, OTHER_PASSWORD, OTHER_PASSWORD, SOURCE, NOW)
    assert sessions.signed_in(here, NOW)
    with pytest.raises(NotSignedIn):
        sessions.signed_in(there, NOW)


def test_a_factor_that_is_being_set_up_does_not_outlive_a_reset(pool: UserPool, mailbox: Mailbox) -> None:
    """Else who knew the old password finishes with an authenticator of their own."""
    an_agent(pool)
    directory.save_desk_settings(DeskSettings(require_totp=True))
    step = enter(pool)
    password_links.use(pool, MAKER, reset_link(pool, mailbox), OTHER_PASSWORD, OTHER_PASSWORD, NOW)
    with pytest.raises(NotSignedIn):
        sign_in.step_waiting(step.token, NOW, step.totp_secret)
    with pytest.raises(NotSignedIn):
        sign_in.finish_set_up(pool, step.token, totp(step.totp_secret), NOW)
    assert not directory.agent(step.agent_id).totp
    fresh = enter(pool, OTHER_PASSWORD)
    assert sign_in.finish_set_up(pool, fresh.token, totp(fresh.totp_secret), NOW).kind == "done"


def test_a_code_that_is_awaited_does_not_outlive_a_reset(pool: UserPool, mailbox: Mailbox) -> None:
    an_agent(pool)
    secret = with_second_factor(pool)
    step = enter(pool)
    password_links.use(pool, MAKER, reset_link(pool, mailbox), OTHER_PASSWORD, OTHER_PASSWORD, NOW)
    with pytest.raises(NotSignedIn):
        sign_in.enter_code(pool, step.token, totp(secret), SOURCE, NOW)


def test_a_factor_of_ones_own_is_finished_by_its_owner_alone(pool: UserPool) -> None:
    """Also on the public page, where nobody is signed in."""
    lina = an_agent(pool)
    ken = an_agent(pool, "ken@shop.example", "Ken Sato")
    step = sign_in.begin_own_set_up(pool, lina, GOOD_PASSWORD, SOURCE, NOW)
    for by in ("", ken.id):
        with pytest.raises(NotSignedIn):
            sign_in.finish_set_up(pool, step.token, totp(step.totp_secret), NOW, by=by)
    assert not directory.agent(lina.id).totp
    sign_in.finish_set_up(pool, step.token, totp(step.totp_secret), NOW, by=lina.id)
    assert directory.agent(lina.id).totp


def test_a_sign_in_that_all_sessions_ended_beside_is_ended_too(pool: UserPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The password was right when it was looked at; the new one came before the session was written."""
    agent = an_agent(pool)
    really = pool.check_password

    def overtaken(email: str, password: str) -> Any:
        answer = really(email, password)
        sessions.end_all(agent.id, NOW)
        return answer

    monkeypatch.setattr(pool, "check_password", overtaken)
    with pytest.raises(NotSignedIn):
        enter(pool)
    assert sessions.how_many(agent.id, NOW) == 0


def test_a_step_that_an_older_release_began_goes_on(pool: UserPool) -> None:
    """It carries no epoch, and neither does its agent."""
    agent = an_agent(pool)
    DocumentItem("SIGNINS#" + agent.id, "SIGNINS").delete()
    secret = with_second_factor(pool)
    step = enter(pool)
    kept = DocumentItem.get(f"SIGNIN#{sessions.hashed(step.token)}", "SIGNIN")
    assert kept.data and "epoch" not in kept.data
    assert sign_in.enter_code(pool, step.token, totp(secret), SOURCE, NOW).kind == "done"


@pytest.mark.parametrize("planted", ["", "planted-by-somebody", "x" * 5000, "../..", "\x00"])
def test_a_session_cannot_be_planted(pool: UserPool, planted: str) -> None:
    an_agent(pool)
    with pytest.raises(NotSignedIn):
        sessions.signed_in(planted, NOW)
    first, second = enter(pool).token, enter(pool).token
    assert first != second
    assert len(first) >= 43


def test_the_table_holds_no_token_in_clear(pool: UserPool, desk: Desk) -> None:
    an_agent(pool)
    token = enter(pool).token
    pages = desk.client("dynamodb").get_paginator("scan").paginate(TableName="test-table")
    everything = str([page["Items"] for page in pages])
    assert token not in everything
    assert GOOD_PASSWORD not in everything
