"""/dead-letters: what could not be processed, and deciding about it."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

from chalicelib.api.operations import Call, Operation, operation
from chalicelib.api.schema import Json, Moment, Nullable, Number, Record, Text, Words, page_of
from chalicelib.domain.moments import stamp
from chalicelib.errors import NotFound
from chalicelib.services import dead_letters

PARKED = "parked."

LETTER = Record(
    "DeadLetter",
    {
        "id": Words("Id."),
        "queue": Words("`inbound`, `work`, `later`, `outbound`, or `parked` for what the relay could not send."),
        "at": Moment(),
        "attempts": Number(0),
        "original": Nullable(Words("Key of the original it is about, where it is about one.")),
    },
)
DECIDED = Record("Decided", {"id": Words("The letter's id.")})


def _public(letter_id: str) -> str:
    """Ids of parked records are keys with slashes, which no path part can hold."""
    if "/" not in letter_id:
        return letter_id
    return PARKED + urlsafe_b64encode(letter_id.encode()).decode().rstrip("=")


def _private(letter_id: str) -> str:
    if not letter_id.startswith(PARKED):
        return letter_id
    packed = letter_id.removeprefix(PARKED)
    try:
        return urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode()
    except ValueError as error:
        raise NotFound("There is no such letter.") from error


@operation(
    Operation(
        "list_dead_letters",
        "List what could not be processed, newest first",
        "Operations",
        "operations.read",
        page_of(LETTER),
        about="At most 100. Listing hides a letter from the next listing for two seconds.",
    )
)
def list_dead_letters(call: Call) -> Json:
    from chalicelib import wiring

    found = dead_letters.listing(wiring.client("sqs"), wiring.dead_queues())
    items = [
        {
            "id": _public(each.id),
            "queue": each.queue,
            "at": stamp(each.at),
            "attempts": each.attempts,
            "original": each.key,
        }
        for each in found
    ]
    return {"items": items, "next": None}


@operation(
    Operation(
        "retry_dead_letter",
        "Send a letter back to its queue",
        "Operations",
        "operations.retry",
        DECIDED,
    )
)
def retry_dead_letter(call: Call, letter_id: str) -> Json:
    from chalicelib import wiring

    dead_letters.retry(wiring.client("sqs"), wiring.dead_queues(), _private(letter_id), call.bot, call.at)
    return {"id": letter_id}


@operation(
    Operation(
        "discard_dead_letter",
        "Throw a letter away",
        "Operations",
        "operations.discard",
        DECIDED,
        body=Record(
            "Discard",
            {"reason": Text("Kept in the audit.", max_chars=500, blank=False)},
            example={"reason": "The order was cancelled by phone."},
        ),
        about="Its original, where it has one, is kept.",
    )
)
def discard_dead_letter(call: Call, letter_id: str) -> Json:
    from chalicelib import wiring

    reason = call.body["reason"]
    dead_letters.discard(wiring.client("sqs"), wiring.dead_queues(), _private(letter_id), reason, call.bot, call.at)
    return {"id": letter_id}
