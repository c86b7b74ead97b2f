"""/ledger: what was received, and what became of it."""

from chalicelib.api.operations import Call, Operation, operation
from chalicelib.api.schema import Json, ListOf, Moment, Nullable, Number, Record, Text, Words

LEDGER_DAY = Record(
    "LedgerDay",
    {
        "day": Words("UTC, yyyy-mm-dd."),
        "received": Number(0, about="Originals in S3, each times the inboxes it was for."),
        "waiting": Number(0, about="Of these, how many are not dealt with yet."),
        "shown": Number(0),
        "quarantined": Number(0),
        "suppressed": Number(0),
        "difference": Number(-1_000_000_000, about="0, or messages are missing."),
        "missing": ListOf(Words(), about="Originals without a receipt, at most 100."),
        "counted_at": Nullable(
            Moment("A closed day is counted once, any other now; null: closed by a release that did not note it.")
        ),
    },
)


@operation(
    Operation(
        "get_ledger",
        "Account for every message received on a day",
        "Operations",
        "operations.read",
        LEDGER_DAY,
        query={
            "day": Text(
                "UTC; today unless said.",
                pattern="[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
                hint="Write it as yyyy-mm-dd.",
                example="2026-11-21",
            )
        },
    )
)
def get_ledger(call: Call) -> Json:
    from chalicelib.api.rest.render import when
    from chalicelib.services import ledger

    account = ledger.look(call.query.get("day") or f"{call.at:%Y-%m-%d}", call.at)
    return {
        "day": account.day,
        "received": account.received,
        "waiting": account.waiting,
        "shown": account.shown,
        "quarantined": account.quarantined,
        "suppressed": account.suppressed,
        "difference": account.difference,
        "missing": list(account.missing),
        "counted_at": when(account.counted_at),
    }
