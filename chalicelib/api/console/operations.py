"""/operations: is everything that was received shown, what was kept out and why, and what could not be processed."""

from datetime import date, datetime, timedelta
from typing import Any

from chalice.app import Response

from chalicelib import wiring
from chalicelib.api.console.settings_pages import FINE, Refusal, refusal_of, show
from chalicelib.api.web import Visit, html
from chalicelib.connectors import Original
from chalicelib.errors import DeskbellError, InvalidInput, NotFound
from chalicelib.services import audit, breaker, dead_letters, ledger, originals
from chalicelib.store import directory, objects

LEDGER, KEPT_OUT, FAILED = "/operations/ledger", "/operations/kept-out", "/operations/failed"
STOPPED = "/operations/stopped"
QUEUE_WORDS = {
    "inbound": "A message that came in",
    "work": "What follows on a message (counts, live lists, acknowledgement)",
    "later": "Something that was to happen at a set time",
    "outbound": "An answer on its way out",
    "parked": "A change that could not be passed on",
}
DAYS_BACK = 400


def home(visit: Visit) -> Response:
    return visit.go(LEDGER)


def show_ledger(visit: Visit) -> Response:
    """One day as it is now, or as it was closed, and the days before as they were counted at their end."""
    today = visit.at.date()
    try:
        wanted = _day(visit.query("day"), today)
    except InvalidInput as error:
        return _ledger_page(visit, today, refusal_of(error))
    return _ledger_page(visit, wanted, FINE)


def _ledger_page(visit: Visit, wanted: date, refusal: Refusal) -> Response:
    today = visit.at.date()
    return show(
        visit,
        "operations/ledger.html",
        LEDGER,
        refusal,
        day=ledger.look(wanted.isoformat(), visit.at),
        recent=[each for each in ledger.recent() if each.day < today.isoformat()],
        before=(wanted - timedelta(days=1)).isoformat(),
        after=(wanted + timedelta(days=1)).isoformat() if wanted < today else "",
        today=today.isoformat(),
    )


def take_in_again(visit: Visit) -> Response:
    """An original that is missing is read again; only what the day's account names can be."""
    try:
        day = _day(visit.form.value("day"), visit.at.date())
    except InvalidInput as error:
        return _ledger_page(visit, visit.at.date(), refusal_of(error))
    name = visit.form.value("original")
    try:
        if name not in ledger.look(day.isoformat(), visit.at).missing:
            raise NotFound("This original is no longer missing.")
        originals.replay(objects.kept_key(name, originals.midnight(day.isoformat())), wiring.send_to_inbound)
        audit.record(visit.actor, "Original read again", name, visit.at)
    except DeskbellError as error:
        return _ledger_page(visit, day, refusal_of(error))
    return visit.go(LEDGER, day=day.isoformat(), done="replayed")


def _day(text: str, today: date) -> date:
    if not text:
        return today
    try:
        wanted = date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput("That is no day.", {"day": "Choose a day, like 2026-11-21."}) from error
    if not today - timedelta(days=DAYS_BACK) <= wanted <= today:
        raise InvalidInput("Nothing is kept of that day.", {"day": f"Choose one of the last {DAYS_BACK} days."})
    return wanted


# Kept out


def show_kept_out(visit: Visit) -> Response:
    return _kept_out_page(visit, FINE)


def download(visit: Visit) -> Response:
    """The browser goes on to a link that works for a few minutes."""
    entry = originals.find_kept_out(visit.query("list"), visit.query("entry"), visit.at)
    link = originals.link_of_kept_out(entry)
    return html("", 303, {"Location": link, "Referrer-Policy": "no-referrer"})


def replay(visit: Visit) -> Response:
    try:
        entry = originals.find_kept_out(visit.form.value("list"), visit.form.value("entry"), visit.at)
        key = originals.current_key(entry.original_key, originals.midnight(entry.day))
        originals.replay(key, wiring.send_to_inbound)
        audit.record(visit.actor, "Original read again", entry.receipt_name, visit.at)
    except DeskbellError as error:
        return _kept_out_page(visit, refusal_of(error))
    return visit.go(KEPT_OUT, done="replayed")


def _kept_out_page(visit: Visit, refusal: Refusal) -> Response:
    return show(
        visit,
        "operations/kept_out.html",
        KEPT_OUT,
        refusal,
        pages={kind: originals.kept_out(kind, visit.query(kind)) for kind in originals.KINDS},
        asked={kind: visit.query(kind) for kind in originals.KINDS},
        offered=originals.is_offered,
        inbox_names={inbox.id: inbox.name for inbox in directory.inboxes()},
    )


# Could not be processed


def show_failed(visit: Visit) -> Response:
    return _failed_page(visit, FINE)


def retry(visit: Visit) -> Response:
    letter = visit.form.value("letter")
    try:
        dead_letters.retry(wiring.client("sqs"), wiring.dead_queues(), letter, visit.actor, visit.at)
    except DeskbellError as error:
        return _failed_page(visit, refusal_of(error))
    return visit.go(FAILED, done="retried")


def discard(visit: Visit) -> Response:
    letter, reason = visit.form.value("letter"), visit.form.value("reason")
    try:
        dead_letters.discard(wiring.client("sqs"), wiring.dead_queues(), letter, reason, visit.actor, visit.at)
    except DeskbellError as error:
        return _failed_page(visit, refusal_of(error), letter, reason)
    return visit.go(FAILED, done="discarded")


def download_failed(visit: Visit) -> Response:
    link = originals.link_of_unread(*_original_of(visit.query("letter")), _danger)
    return html("", 303, {"Location": link, "Referrer-Policy": "no-referrer"})


def _danger(stored: objects.StoredOriginal) -> str:
    return wiring.channel("email").danger(Original(stored.key, stored.body, stored.metadata, stored.at))


def _original_of(letter_id: str) -> tuple[str, datetime]:
    letters = dead_letters.listing(wiring.client("sqs"), wiring.dead_queues())
    for letter in letters:
        if letter.id == letter_id and letter.key is not None:
            return letter.key, letter.at
    raise NotFound("This entry is no longer in the list, or it is not about an original.")


def _failed_page(visit: Visit, refusal: Refusal, letter: str = "", reason: str = "") -> Response:
    context: dict[str, Any] = {"letter": letter, "reason": reason, "words": QUEUE_WORDS}
    letters = dead_letters.listing(wiring.client("sqs"), wiring.dead_queues())
    return show(visit, "operations/failed.html", FAILED, refusal, letters=letters, **context)


# Stopped sending


def show_stopped(visit: Visit) -> Response:
    """The inboxes whose circuit breaker is open."""
    return show(visit, "operations/stopped.html", STOPPED, stopped=breaker.open_breakers())


def resume(visit: Visit) -> Response:
    """Send again from an inbox; a second press finds it done."""
    inbox = directory.inbox(visit.form.value("inbox"))
    if breaker.resume(inbox.id, visit.actor, visit.at):
        audit.record(visit.actor, "Sending resumed", inbox.name, visit.at)
    return visit.go(STOPPED, done="resumed")
