"""What keeps the desk running: dead letters, breakers, counts, settings, open consoles."""

import json
from dataclasses import replace
from datetime import timedelta

from chalicelib import wiring
from chalicelib.jobs import live
from chalicelib.services import breaker, dead_letters, ledger, live_pass, originals, recount, search, search_index
from chalicelib.services import desk as desk_settings
from chalicelib.store import counters, directory, postings
from chalicelib.store.models import CounterItem
from tests.simulation.acts import Turn, act
from tests.simulation.cloud import PARAMETERS
from tests.simulation.world import Ended


@act(1.6)
def a_letter_died_before(turn: Turn) -> None:
    """A message that failed five times on a bad day: sent back, it must change nothing that is right."""
    desk = turn.desk
    if turn.chance(0.4, "rubbish"):
        body = "{" + " " * (turn.n % 7 + 8)
        desk.poison.add(body)
        desk.world.say("inbound", "rubbish died before")
        desk.world.cloud.send("inbound-dead", body)
        _somebody_looks(turn)
        return
    sent = turn.maybe(desk.deliveries(), "delivery")
    key = turn.maybe(list(desk.world.cloud.objects("kept/")), "original")
    facts = [("inbound", {"key": key})] if key else []
    if sent is not None:
        about = {"ticket": str(sent["ticket_id"]), "message": str(sent["message_id"])}
        facts += [
            ("work", {"kind": "ticket", "ticket": about["ticket"]}),
            ("work", {"kind": "message", **about}),
            ("later", {"kind": "deliver", **about, "at": desk.world.time.isoformat(), "attempts": "0"}),
        ]
    if not facts:
        return
    queue, fact = turn.among(facts, "fact")
    desk.world.say(queue, f"a letter died before: {fact}")
    body = json.dumps({**fact, "died": str(turn.n)})
    desk.letters.add(body)
    desk.world.cloud.send(f"{queue}-dead", body)
    _somebody_looks(turn)


def _somebody_looks(turn: Turn) -> None:
    if turn.chance(0.6, "the alarm rings"):
        turn.desk.world.after(turn.between(5, 200, "alarm"), lambda: retries_a_dead_letter(turn))


@act(2)
def retries_a_dead_letter(turn: Turn, tries: int = 0) -> None:
    desk = turn.desk
    admin = desk.actor(desk.agents[2])

    def retry() -> None:
        sqs, queues = wiring.client("sqs"), wiring.dead_queues()
        found = dead_letters.listing(sqs, queues)
        letter = turn.maybe([each.id for each in found], "letter")
        if letter is None:
            return
        if turn.chance(0.6, "discard") and _is_rubbish(desk.poison, found, letter):
            dead_letters.discard(sqs, queues, letter, "Rubbish.", admin, desk.now())
        else:
            dead_letters.retry(sqs, queues, letter, admin, desk.now())

    def done(ended: Ended) -> None:
        if ended.died and tries < 2:
            desk.world.after(turn.between(2, 20, "again", tries), lambda: retries_a_dead_letter(turn, tries + 1))

    desk.web(admin.id, "looks at the dead letters", retry, done)


def _is_rubbish(poison: set[str], found: tuple[dead_letters.DeadLetter, ...], letter: str) -> bool:
    return any(each.id == letter and each.body in poison for each in found)


@act(0.9)
def counts_anew(turn: Turn) -> None:
    """Now and then because a count is off, nobody knows why."""
    desk = turn.desk
    counts = sorted(key for key in desk.items if key[0] == "COUNTERS" and key[1] != counters.DAY)
    counter = turn.maybe(counts, "counter")
    if counter is not None and turn.chance(0.5, "off"):
        desk.spoiled.add("counts")
        CounterItem(*counter).update(actions=[CounterItem.amount.add(turn.among((-2, -1, 1, 3), "by how much"))])
        desk.world.say("table", f"! the count {counter[1]} is off")
    desk.world.invoke("daily", lambda: recount.recount(desk.now()), label="counts the lists anew")


@act(0.7)
def looks_at_the_ledger(turn: Turn) -> None:
    desk = turn.desk
    day = desk.world.time - timedelta(days=turn.among((0, 0, 1), "back"))
    look = f"{day:%Y-%m-%d}"
    desk.web("ada", f"looks at the ledger of {look}", lambda: (ledger.look(look, desk.now()), tuple(ledger.recent())))


@act(1.6)
def resumes_sending(turn: Turn) -> None:
    desk = turn.desk
    admin = desk.actor(desk.agents[2])

    def resume() -> None:
        for inbox, _ in breaker.open_breakers():
            breaker.resume(inbox.id, admin, desk.now())

    desk.web(admin.id, "resumes what is stopped", resume)


@act(0.8)
def changes_settings(turn: Turn) -> None:
    """An inbox switches its acknowledgement, its undo window, its limit; the reply key is rotated."""
    desk = turn.desk
    admin = desk.actor(desk.agents[2])
    what = turn.among(("inbox", "desk", "key"), "what")
    if what == "key":
        parameters = desk.world.cloud.aws.ssm.parameters
        parameters[f"{PARAMETERS}reply-key-before"] = parameters[f"{PARAMETERS}reply-key"]
        parameters[f"{PARAMETERS}reply-key"] = f"reply-key-{turn.n}"
        desk.world.say("ada", "rotates the reply key")
        return
    if what == "desk":
        url = f"https://desk{turn.n}.shop.example"
        desk.web(admin.id, "changes the desk", lambda: desk_settings.change(url, "", False, admin, desk.now()))
        return
    chosen = turn.among(desk.inboxes[:3], "inbox")
    changed = replace(
        chosen,
        signature=f"Signature {turn.n}",
        sends_per_minute=turn.among((2, 4, 120), "limit"),
        acknowledgement=turn.among(("", "We have your message {number}."), "thanks"),
    )
    desk.web(admin.id, f"changes inbox {chosen.id}", lambda: directory.save_inbox(changed, chosen))


@act(0.8)
def searches(turn: Turn) -> None:
    desk = turn.desk
    asked = ("parcel", "1002", "from:ada@one.example parcel", '"my word is"', "is:open after:2d", "parcel OR both")
    desk.web("lina", "searches", lambda: search.find(turn.among(asked, "what"), desk.now()))


@act(1.2)
def folds_postings(turn: Turn) -> None:
    """As the sixty-fourth message and the hour do on a busy desk: two of them at once, and one that is cut off."""
    world, whole = turn.desk.world, turn.chance(0.5, "to the blocks")
    for _ in range(turn.among((1, 1, 2), "folders")):
        world.invoke("hourly", search_index.move_all_on if whole else postings.fold_recent, label="folds postings")


@act(0.6)
def replays_an_original(turn: Turn) -> None:
    """An admin has a kept original read again: nothing may double."""
    desk = turn.desk
    key = turn.maybe(list(desk.world.cloud.objects("kept/")), "which")
    if key is not None:
        desk.web("ada", f"replays {key}", lambda: originals.replay(key, wiring.send_to_inbound))


@act(2)
def a_console_opens(turn: Turn) -> None:
    desk = turn.desk
    connection = f"socket{turn.n}"
    ticket = turn.maybe(desk.ticket_ids(), "ticket") or ""

    def opened(ended: Ended) -> None:
        if ended.well and ended.value == 200:
            desk.sockets.append(connection)
            desk.world.invoke("live_message", lambda: live.message(connection, f'{{"look": "{ticket}"}}'))

    def got(ended: Ended) -> None:
        if not ended.well:
            return
        given = str(ended.value)
        desk.world.cloud.aws.websocket.open[connection] = []
        desk.world.invoke("live_connect", lambda: live.connect(connection, {"pass": given})["statusCode"], opened)

    desk.web("lina", f"opens a console ({connection})", lambda: live_pass.issue("lina", desk.now()), got)


@act(1)
def a_console_closes(turn: Turn) -> None:
    """Decently, or without a word."""
    desk = turn.desk
    connection = turn.maybe(desk.sockets, "which")
    if connection is None:
        return
    desk.sockets.remove(connection)
    desk.world.cloud.aws.websocket.open.pop(connection, None)
    desk.world.say("lina", f"closes a console ({connection})")
    if turn.chance(0.5, "decently"):
        desk.world.invoke("live_disconnect", lambda: live.disconnect(connection), label=connection)
