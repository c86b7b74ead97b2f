"""``make restore STAGE=prod TICKET=1042 AT=2026-11-20T09:00:00Z``: one ticket as it was at that moment.

The table is restored to that moment under another name, without indexes; what the ticket lacks is copied back, and the
other table is deleted again.  It shows first what it would change.  Nothing is sent because of it: what comes back
carries an origin that the relay does not pass on, and no pending mark.
"""

import argparse
import importlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from infra import desk, package, restore_plan
from infra.deploy import clients
from infra.restore_plan import Change, Item
from infra.stack import Client, Say

POLL_SECONDS = 15.0
WAIT_SECONDS = 12 * 3600.0
ATTEMPTS = 5
WHAT_IT_COSTS = (
    "Restoring a table takes AWS some 20 minutes to several hours, however little of it is wanted, and costs about "
    "0.15 $ per GB of the table, once. The copy is deleted afterwards."
)


class NotRestored(Exception):
    """A sentence for the screen; nothing was changed unless it says so."""


@dataclass(frozen=True)
class Wanted:
    """What to restore.  ``source``: a table that holds the moment already, instead of ``at``."""

    ticket: str
    at: datetime | None = None
    source: str = ""
    overwrite: bool = False
    keep: bool = False


def moment(text: str) -> datetime:
    """An instant with its zone; raise ValueError without one."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone. Write 2026-11-20T09:00:00Z, or +01:00 at the end.")
    return at.astimezone(UTC)


# The table of that moment


@contextmanager
def table_of(
    dynamodb: Any, table: str, wanted: Wanted, say: Say = print, sleep: Callable[[float], None] = time.sleep
) -> Iterator[str]:
    """The name of a table as it was at ``wanted.at``; deleted at the end unless it is to be kept."""
    if wanted.source:
        yield wanted.source
        return
    if wanted.at is None:
        raise NotRestored("Say which moment (AT), or which restored table (SOURCE).")
    _check_window(dynamodb, table, wanted.at)
    target = f"{table[:200]}-at-{wanted.at:%Y%m%d%H%M%S}"
    say(f"{WHAT_IT_COSTS}\nRestoring {table} as of {wanted.at.isoformat()} to {target}.")
    dynamodb.restore_table_to_point_in_time(
        SourceTableName=table,
        TargetTableName=target,
        RestoreDateTime=wanted.at,
        BillingModeOverride="PAY_PER_REQUEST",
        GlobalSecondaryIndexOverride=[],
    )
    try:
        _await_active(dynamodb, target, say, sleep)
        yield target
    finally:
        if wanted.keep:
            say(f"{target} is kept. Use it again with SOURCE={target}; it costs until you delete it.")
        else:
            _delete(dynamodb, target, say)


def _check_window(dynamodb: Any, table: str, at: datetime) -> None:
    found = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    recovery = found.get("PointInTimeRecoveryDescription", {})
    if recovery.get("PointInTimeRecoveryStatus") != "ENABLED":
        raise NotRestored(f"Point-in-time recovery of {table} is off: there is no moment to go back to.")
    earliest, latest = recovery.get("EarliestRestorableDateTime"), recovery.get("LatestRestorableDateTime")
    if (earliest and at < earliest) or (latest and at > latest):
        raise NotRestored(f"The table can be restored to any moment from {earliest} to {latest}, and to no other.")


def _await_active(dynamodb: Any, table: str, say: Say, sleep: Callable[[float], None]) -> None:
    for n in range(int(WAIT_SECONDS / POLL_SECONDS)):
        status = dynamodb.describe_table(TableName=table)["Table"]["TableStatus"]
        if status == "ACTIVE":
            return
        if n % 20 == 0:
            say(f"{table} is {status}.")
        sleep(POLL_SECONDS)
    raise NotRestored(
        f"{table} is not ready after {WAIT_SECONDS / 3600:.0f} hours. Look at it in the DynamoDB console."
    )


def _delete(dynamodb: Any, table: str, say: Say) -> None:
    try:
        dynamodb.delete_table(TableName=table)
    except ClientError as error:
        say(f"{table} could not be deleted ({error}). Delete it yourself, or it goes on costing:")
        say(f"  aws dynamodb delete-table --table-name {table}")
        return
    say(f"Deleted {table}.")


# The ticket


def items_of(dynamodb: Any, table: str, pk: str) -> list[Item]:
    pages = dynamodb.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": pk}},
        ConsistentRead=True,
    )
    return [item for page in pages for item in page["Items"]]


def restore(
    client: Client,
    table: str,
    source: str,
    wanted: Wanted,
    say: Say = print,
    may_write: Callable[[], bool] = lambda: True,
) -> bool:
    """Show what would change, ask, and do it; False when nothing was to do or nothing was wanted.

    The desk's own code must be connected to the stage (``desk.connect``).
    """
    dynamodb, pk = client("dynamodb"), f"TICKET#{wanted.ticket}"
    before = items_of(dynamodb, source, pk)
    if not any(item["sk"]["S"] == "TICKET" for item in before):
        raise NotRestored(f"There was no ticket {wanted.ticket} at that moment.")
    live = items_of(dynamodb, table, pk)
    if restore_plan.merged(before) != restore_plan.merged(live):
        raise NotRestored(
            f"Ticket {wanted.ticket} was merged or taken apart since that moment. Merge it as it was or take it apart "
            "in the console; then repeat."
        )
    changes = restore_plan.plan(before, live, wanted.overwrite)
    for line in restore_plan.told(changes):
        say(line)
    _warn_of_files(client, changes, say)
    if not any(each.writes for each in changes):
        say("Nothing to restore.")
        return False
    if not may_write():
        say("Nothing was changed.")
        return False
    _apply(client, table, source, wanted, changes, say)
    return True


def _apply(client: Client, table: str, source: str, wanted: Wanted, changes: list[Change], say: Say) -> None:
    dynamodb = client("dynamodb")
    lost = 0
    ticket = next((each for each in changes if each.sk == "TICKET"), None)
    unclear = restore_plan.makes_unclear(changes)
    if unclear and not (ticket and ticket.writes):  # first, so that no crash leaves an unclear message on no list
        _show_unclear(dynamodb, table, wanted.ticket)
    for each in changes:
        if each.writes and each.sk != "TICKET" and not _put(dynamodb, table, each.item, each.live):
            lost += 1
            say(f"  changed meanwhile, so kept: {each.words}")
    if ticket is not None and ticket.writes and not _put_ticket(dynamodb, table, wanted.ticket, ticket, unclear):
        lost += 1
        say("  the ticket changed meanwhile, so it is kept")
        if unclear:
            _show_unclear(dynamodb, table, wanted.ticket)
    keys = _restore_keys(dynamodb, table, source, wanted.ticket, changes)
    customer = _restore_customer(dynamodb, table, source, (ticket.item if ticket else {}))
    _derive(wanted.ticket)
    written = sum(each.writes for each in changes) - lost
    detail = f"ticket {wanted.ticket} as of {wanted.at or source}: {written} items, {lost} changed meanwhile"
    _audit(detail)
    say(f"Restored {detail}; {keys} keys for later mail, {customer} items of the customer.")


def _put(dynamodb: Any, table: str, item: Item, live: Item | None) -> bool:
    """Write it over what was seen, and over nothing else."""
    if live is None:
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
    else:
        condition = {"ConditionExpression": "#data = :data", "ExpressionAttributeNames": {"#data": "data"}}
        condition["ExpressionAttributeValues"] = {":data": live.get("data", {"S": ""})}
    return _conditionally(lambda: dynamodb.put_item(TableName=table, Item=item, **condition))


def _conditionally(write: Callable[[], object]) -> bool:
    try:
        write()
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise
    return True


def _put_ticket(dynamodb: Any, table: str, ticket_id: str, change: Change, unclear: bool) -> bool:
    """The ticket with list keys of today, at a version above all that were counted; its snooze with its timer."""
    tickets, models, config = (_desk(name) for name in ("store.tickets", "store.models", "config"))
    counters, now = _desk("store.counters"), config.now()
    item = models.TicketItem.from_raw_data(change.item)
    ticket = tickets.as_ticket(item)
    counted = counters.counted([ticket_id]).get(ticket_id)
    live_version = int(change.live["version"]["N"]) if change.live else 0
    until = ticket.snoozed_until
    ticket = replace(
        ticket,
        version=max(ticket.version, live_version, counted.version if counted else 0) + 1,
        snoozed_until=until if until is not None and until > now else None,
    )
    ticket = _shown(ticket) if unclear else ticket
    raw = tickets.as_item(ticket, now, item.seen_by or (), origin="rebuild").serialize()
    condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
    if change.live:
        condition = {"ConditionExpression": "version = :seen"}
        condition["ExpressionAttributeValues"] = {":seen": change.live["version"]}
    if not _conditionally(lambda: dynamodb.put_item(TableName=table, Item=raw, **condition)):
        return False
    if ticket.snoozed_until is not None:
        _desk("services.change_ticket").snooze_timer(ticket_id, ticket.snoozed_until).save()
    return True


def _shown(ticket: Any) -> Any:
    """The ticket on the "undelivered" list: only live ones stand there, so a closed one is opened again."""
    if ticket.status in (*_desk("domain.ticket").LIVE, "spam", "trash"):
        return replace(ticket, undelivered=True)
    return replace(ticket, undelivered=True, status="open", closed_at=None)


def _show_unclear(dynamodb: Any, table: str, ticket_id: str) -> None:
    """The ticket stays as it is, but somebody has to look whether a message of it arrived."""
    tickets, now = _desk("store.tickets"), _desk("config").now()
    for _ in range(ATTEMPTS):
        loaded = tickets.load(ticket_id)
        shown = _shown(loaded.ticket)
        if shown == loaded.ticket:
            return
        shown = replace(shown, version=shown.version + 1)
        asked = {
            "TableName": table,
            "Item": tickets.as_item(shown, now, loaded.seen_by, origin="rebuild").serialize(),
            "ConditionExpression": "version = :seen",
            "ExpressionAttributeValues": {":seen": {"N": str(loaded.ticket.version)}},
        }
        if _conditionally(partial(dynamodb.put_item, **asked)):
            return
    raise NotRestored("The ticket is changing too quickly. Repeat it; that does no harm.")


def _restore_keys(dynamodb: Any, table: str, source: str, ticket_id: str, changes: list[Change]) -> int:
    """By which later mail finds the ticket, and by which a repeated one is known."""
    sources, codec = _desk("store.sources"), _desk("store.codec")
    written = 0
    for key in dict.fromkeys(restore_plan.keys_of(changes)):
        for item in items_of(dynamodb, source, sources.partition(key)):
            if codec.decode(sources.Source, item["data"]["S"]).ticket_id == ticket_id:
                written += _put(dynamodb, table, restore_plan.as_restored(item), None)
    return written


def _restore_customer(dynamodb: Any, table: str, source: str, ticket: Item) -> int:
    """Whoever wrote, and the addresses they wrote from, where they are gone."""
    customer_id = ticket.get("customer_id", {}).get("S")
    if not customer_id:
        return 0
    found = items_of(dynamodb, source, f"CUSTOMER#{customer_id}")
    codec, people = _desk("store.codec"), _desk("domain.people")
    handles = [handle for each in found for handle in codec.decode(people.Customer, each["data"]["S"]).handles]
    for handle in handles:
        found += items_of(dynamodb, source, f"HANDLE#{handle}")
    return sum(_put(dynamodb, table, restore_plan.as_restored(each), None) for each in found)


def _derive(ticket_id: str) -> None:
    """Lists, counters and words follow from what is there now."""
    derived, rebuild, recount = _desk("store.derived"), _desk("services.rebuild"), _desk("services.recount")
    items = derived.stored([ticket_id])
    derived.put_lists_right(items)
    recount.count_stale([ticket_id], _desk("config").now())
    for item in items:
        rebuild.index(_desk("store.tickets").as_ticket(item).id)


def _audit(detail: str) -> None:
    people, now = _desk("domain.people"), _desk("config").now()
    _desk("services.audit").record(people.SYSTEM, "Ticket restored from a backup", detail, now)


def _warn_of_files(client: Client, changes: list[Change], say: Say) -> None:
    """Files have no versions: what is deleted in S3 is gone."""
    bucket = _desk("config").settings().attachments_bucket
    for key, name in restore_plan.files_of(changes):
        try:
            client("s3").head_object(Bucket=bucket, Key=key)
        except ClientError:
            say(f"  the file {name} is gone: the message comes back without it")


def _desk(name: str) -> Any:
    return importlib.import_module(f"chalicelib.{name}")


# The command


def main(arguments: list[str] | None = None) -> int:
    given = _arguments(arguments)
    try:
        stage = package.check_stage(given.stage)
        at = moment(given.at) if given.at else None
        wanted = Wanted(str(int(given.ticket)), at, given.source, given.overwrite, given.keep)
        desk.find_local_engine(stage)
        client = clients()
        desk.connect(stage, client)
        table = os.environ["TABLE_NAME"]
        with table_of(client("dynamodb"), table, wanted) as source:
            restore(client, table, source, wanted, may_write=lambda: given.yes or _asked(wanted.ticket))
        return 0
    except (NotRestored, desk.NoDesk, ValueError) as error:
        print(f"Not restored. {error}", file=sys.stderr)
    except desk.TROUBLE as error:
        said = f"Not restored to the end. {desk.told(error)}. The next call goes on there: repeating it does no harm."
        print(said, file=sys.stderr)
    return 1


def _asked(ticket: str) -> bool:
    if not sys.stdin.isatty():
        print("This was only a look: say YES=1 to do it where nobody can be asked.")
        return False
    return input(f"Type {ticket} to restore it so: ").strip() == ticket


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stage", default="prod")
    parser.add_argument("--ticket", required=True, help="its number")
    parser.add_argument("--at", default="", help="the moment, with its zone: 2026-11-20T09:00:00Z")
    parser.add_argument("--source", default="", help="a table restored earlier, instead of --at")
    parser.add_argument("--overwrite", action="store_true", help="also put back what was changed since")
    parser.add_argument("--keep", action="store_true", help="keep the restored table, for the next ticket")
    parser.add_argument("--yes", action="store_true", help="do it without asking")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
