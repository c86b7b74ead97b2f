"""One ticket comes back as it was, and nobody outside hears of it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.domain.message import Party
from chalicelib.jobs import relay
from chalicelib.services.change_ticket import Changes, change
from chalicelib.services.receive_message import receive
from chalicelib.services.reply_to_ticket import Reply, reply
from chalicelib.services.search import find
from chalicelib.store import counters, directory, lists, messages, pending, tickets
from chalicelib.store.lists import ListName
from chalicelib.store.transaction import Transaction
from infra import restore_ticket
from infra.restore_ticket import NotRestored, Wanted, restore, table_of
from tests.engine import Desk
from tests.services.test_rebuild import everything
from tests.services.test_receive_message import envelope, mail

pytestmark = pytest.mark.engine

TABLE = "test-table"
Raw = dict[str, Any]


@pytest.fixture
def ticket_id(desk: Desk) -> str:
    """A ticket with a long mail, an answer that was delivered, and one that waits to be sent."""
    desk.agent()
    long = "Where is order 4711? " * 300
    inbound = mail(desk, 1, text=long, new_text=long, html=f"<p>{long}</p>")
    found = receive(inbound, envelope(desk), desk.now).ticket_id or ""
    first = said(desk, found, "On its way.")
    messages.move_delivery(found, first, "delivered", ["queued"], desk.now, provider_id="SES-1", settled=True)
    said(desk, found, "It left the warehouse.")
    counted(desk, found)
    return found


def said(desk: Desk, ticket_id: str, text: str) -> str:
    desk.advance(minutes=5)
    return reply(ticket_id, desk.actor(), Reply(text, undo_seconds=0, send_anyway=True), desk.now).id


def counted(desk: Desk, ticket_id: str) -> None:
    counters.count_again(tickets.get(ticket_id), False)


def remembered(desk: Desk) -> str:
    """The table of this moment: the engine's own restore copies the present."""
    name = f"{TABLE}-at-{desk.now:%H%M%S}"
    desk.client("dynamodb").restore_table_to_point_in_time(
        SourceTableName=TABLE, TargetTableName=name, UseLatestRestorableTime=True
    )
    return name


def by_key(desk: Desk) -> dict[tuple[str, str], Raw]:
    return {(each["pk"]["S"], each["sk"]["S"]): each for each in everything(desk)}


def lose(desk: Desk, *prefixes: str) -> None:
    for pk, sk in by_key(desk):
        if f"{pk}/{sk}".startswith(prefixes):
            desk.client("dynamodb").delete_item(TableName=TABLE, Key={"pk": {"S": pk}, "sk": {"S": sk}})


def run(desk: Desk, source: str, ticket_id: str, **more: Any) -> tuple[bool, list[str]]:
    lines: list[str] = []
    may_write = more.pop("may_write", lambda: True)
    done = restore(desk.client, TABLE, source, Wanted(ticket_id, **more), lines.append, may_write)
    return done, lines


def parcels(before: dict[tuple[str, str], Raw], after: dict[tuple[str, str], Raw], desk: Desk) -> list[Any]:
    """What the relay makes of every difference."""
    found: list[Any] = []
    for key, item in after.items():
        if before.get(key) != item:
            record = {"dynamodb": {"Keys": {"pk": item["pk"], "sk": item["sk"]}, "NewImage": item}}
            if key in before:
                record["dynamodb"]["OldImage"] = before[key]
            found += relay.parcels_of(record, desk.now)
    return found


def test_a_lost_ticket_comes_back_whole_and_nothing_is_sent(desk: Desk, ticket_id: str) -> None:
    was, told = tickets.get(ticket_id), messages.oldest(ticket_id)[0]
    body = messages.body_of(told[0])
    source = remembered(desk)
    lose(desk, f"TICKET#{ticket_id}/", "SOURCE#", "COUNTERS", "RECENT", "BATCH#", "TERM#", "CUSTOMER#", "HANDLE#")
    before = by_key(desk)
    desk.advance(hours=3)

    done, lines = run(desk, source, ticket_id)

    assert done and any("comes back" in line for line in lines)
    now = tickets.get(ticket_id)
    assert (now.subject, now.status, now.customer_handle) == (was.subject, was.status, was.customer_handle)
    again = messages.oldest(ticket_id)[0]
    assert [(each.id, each.text) for each in again] == [(each.id, each.text) for each in told]
    assert messages.body_of(again[0]) == body
    assert parcels(before, by_key(desk), desk) == []
    assert {due.pk.partition("#")[0] for due in pending.overdue(desk.now + timedelta(days=400))} == {"RECEIPTS"}
    assert counters.all_counts()["pending"] == 1
    assert [each.ticket.id for each in find("parcel", desk.now).tickets] == [ticket_id]
    assert [row.id for row in lists.page(ListName("undelivered")).rows] == [ticket_id]
    assert "Ticket restored" in directory.audit_entries(f"{desk.now:%Y-%m}")[0].what


def test_what_was_not_sent_at_that_moment_is_unclear_and_stays_unsent(desk: Desk, ticket_id: str) -> None:
    source = remembered(desk)
    lose(desk, f"TICKET#{ticket_id}/")
    _, lines = run(desk, source, ticket_id)
    states = [each.delivery for each in messages.oldest(ticket_id)[0] if each.delivery]
    assert [each.state for each in states] == ["delivered", "unclear"]
    assert "backup" in states[1].reason
    assert any("becomes “unclear”" in line for line in lines)
    assert desk.queued("outbound") == [] and tickets.get(ticket_id).undelivered


@pytest.mark.parametrize("status", ["pending", "closed"])
def test_an_unclear_message_of_a_ticket_that_was_kept_is_on_the_list(desk: Desk, ticket_id: str, status: str) -> None:
    if status == "closed":
        change(ticket_id, desk.actor(), Changes(status="closed"), desk.now)
        counted(desk, ticket_id)
    source = remembered(desk)
    waiting = next(each.id for each in reversed(messages.oldest(ticket_id)[0]) if each.kind == "message")
    assert not tickets.get(ticket_id).undelivered
    lose(desk, f"TICKET#{ticket_id}/MESSAGE#{waiting}", f"TICKET#{ticket_id}/DELIVERY#{waiting}")
    before, was = by_key(desk), tickets.get(ticket_id)
    run(desk, source, ticket_id)
    now = tickets.get(ticket_id)
    assert messages.get_delivery(ticket_id, waiting).state == "unclear"
    assert now.undelivered and now.version == was.version + 1
    assert now.status == ("open" if status == "closed" else "pending")
    assert [row.id for row in lists.page(ListName("undelivered")).rows] == [ticket_id]
    assert parcels(before, by_key(desk), desk) == []
    assert counters.counted([ticket_id])[ticket_id].version == now.version


def test_what_becomes_of_a_restored_delivery_afterwards_is_passed_on(desk: Desk, ticket_id: str) -> None:
    source = remembered(desk)
    waiting = next(each.id for each in reversed(messages.oldest(ticket_id)[0]) if each.kind == "message")
    lose(desk, f"TICKET#{ticket_id}/")
    run(desk, source, ticket_id)
    before = by_key(desk)
    assert messages.move_delivery(ticket_id, waiting, "delivered", ["unclear"], desk.now, settled=True)
    (parcel,) = parcels(before, by_key(desk), desk)
    assert json.loads(parcel.entry["MessageBody"]) == {"kind": "delivery", "ticket": ticket_id, "message": waiting}


def test_a_copy_sent_in_place_of_a_restored_message_is_passed_on(desk: Desk, ticket_id: str) -> None:
    source = remembered(desk)
    waiting = next(each.id for each in reversed(messages.oldest(ticket_id)[0]) if each.kind == "message")
    lose(desk, f"TICKET#{ticket_id}/")
    run(desk, source, ticket_id)
    before, transaction = by_key(desk), Transaction()
    messages.supersede(transaction, ticket_id, waiting, desk.now, "Sent again.")
    transaction.commit()
    assert len(parcels(before, by_key(desk), desk)) == 1


def test_later_mail_finds_the_restored_ticket_and_a_repeated_one_is_known(desk: Desk, ticket_id: str) -> None:
    source = remembered(desk)
    lose(desk, f"TICKET#{ticket_id}/", "SOURCE#")
    run(desk, source, ticket_id)
    answer = mail(desk, 2, own_keys=("mid:2@example.com",), thread_keys=("mid:1@example.com",))
    assert receive(answer, envelope(desk, "o2"), desk.now).ticket_id == ticket_id
    repeated = receive(mail(desk, 1), envelope(desk, "o3"), desk.now)
    assert repeated.outcome == "suppressed"


def test_what_is_newer_stays_unless_told_otherwise(desk: Desk, ticket_id: str) -> None:
    source = remembered(desk)
    desk.advance(hours=1)
    closed = change(ticket_id, desk.actor(), Changes(status="closed", subject="Something else"), desk.now)
    counted(desk, ticket_id)
    later = said(desk, ticket_id, "Written since.")
    before = by_key(desk)
    done, lines = run(desk, source, ticket_id)
    assert not done and any("stays as it is now" in line and "the ticket" in line for line in lines)
    assert by_key(desk) == before

    done, lines = run(desk, source, ticket_id, overwrite=True)
    assert done and any("is overwritten" in line for line in lines)
    now = tickets.get(ticket_id)
    assert (now.subject, now.status) == ("Where is my parcel?", "pending") and now.version > closed.version
    assert later in [each.id for each in messages.oldest(ticket_id)[0]]
    assert parcels(before, by_key(desk), desk) == []
    assert counters.counted([ticket_id])[ticket_id].version == now.version
    assert counters.all_counts()["pending"] == 1


def test_how_far_a_delivery_got_is_never_put_back(desk: Desk, ticket_id: str) -> None:
    source = remembered(desk)
    waiting = next(each.id for each in reversed(messages.oldest(ticket_id)[0]) if each.kind == "message")
    messages.move_delivery(ticket_id, waiting, "sent", ["queued"], desk.now, settled=True)
    run(desk, source, ticket_id, overwrite=True)
    assert messages.get_delivery(ticket_id, waiting).state == "sent"


def test_a_look_changes_nothing(desk: Desk, ticket_id: str) -> None:
    source = remembered(desk)
    lose(desk, f"TICKET#{ticket_id}/MESSAGE#")
    before = by_key(desk)
    done, lines = run(desk, source, ticket_id, may_write=lambda: False)
    assert not done and lines[-1] == "Nothing was changed."
    assert by_key(desk) == before
    assert not any("4711" in line or "@" in line for line in lines)  # no words of the customer on the screen


def test_what_changes_while_it_is_restored_stays(desk: Desk, ticket_id: str) -> None:
    source = remembered(desk)
    lose(desk, f"TICKET#{ticket_id}/TICKET", f"TICKET#{ticket_id}/COUNTED")

    def meanwhile() -> bool:
        run(desk, source, ticket_id)  # somebody else restored it
        return True

    _, lines = run(desk, source, ticket_id, may_write=meanwhile)
    assert any("changed meanwhile" in line for line in lines)
    assert tickets.get(ticket_id).status == "pending"


def test_a_snoozed_ticket_comes_back_with_its_timer(desk: Desk, ticket_id: str) -> None:
    until = desk.now + timedelta(days=2)
    change(ticket_id, desk.actor(), Changes(snoozed_until=until), desk.now)
    source = remembered(desk)
    lose(desk, f"TICKET#{ticket_id}/")
    run(desk, source, ticket_id)
    assert tickets.get(ticket_id).snoozed_until == until
    assert [due.sk for due in pending.timers_due(until + timedelta(days=1))] == ["TIMER#snooze"]


def test_one_that_would_have_woken_meanwhile_comes_back_awake(desk: Desk, ticket_id: str) -> None:
    change(ticket_id, desk.actor(), Changes(snoozed_until=desk.now + timedelta(days=2)), desk.now)
    source = remembered(desk)
    lose(desk, f"TICKET#{ticket_id}/")
    desk.advance(days=3)
    run(desk, source, ticket_id)
    assert tickets.get(ticket_id).snoozed_until is None
    assert list(pending.timers_due(desk.now + timedelta(days=30))) == []


def test_a_ticket_that_was_not_there_cannot_come_back(desk: Desk, ticket_id: str) -> None:
    source = remembered(desk)
    with pytest.raises(NotRestored, match="no ticket 99999"):
        run(desk, source, "99999")


def test_other_people_s_tickets_stay_as_they_are(desk: Desk, ticket_id: str) -> None:
    other = receive(mail(desk, 9, sender=Party("", "eve@example.com")), envelope(desk, "o9"), desk.now).ticket_id
    source = remembered(desk)
    change(other or "", desk.actor(), Changes(status="closed"), desk.now)
    lose(desk, f"TICKET#{ticket_id}/")
    run(desk, source, ticket_id, overwrite=True)
    assert tickets.get(other or "").status == "closed"


# The table of that moment


class WithWindow:
    """The engine's client.  It can go back to this very second only, and copies the present whatever is asked."""

    def __init__(self, dynamodb: Any) -> None:
        self._dynamodb = dynamodb

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dynamodb, name)

    def describe_continuous_backups(self, **asked: Any) -> Any:
        found = self._dynamodb.describe_continuous_backups(**asked)
        recovery = found["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        recovery["EarliestRestorableDateTime"] -= timedelta(days=1)
        return found


def test_the_engine_s_own_restore_is_used_and_its_table_deleted(desk: Desk, ticket_id: str) -> None:
    dynamodb, lines = WithWindow(desk.client("dynamodb")), list[str]()
    enabled = {"PointInTimeRecoveryEnabled": True}
    dynamodb.update_continuous_backups(TableName=TABLE, PointInTimeRecoverySpecification=enabled)
    at = datetime.now(UTC) - timedelta(minutes=1)
    with table_of(dynamodb, TABLE, Wanted(ticket_id, at), lines.append, sleep=lambda _: None) as source:
        assert source in dynamodb.list_tables()["TableNames"]
        lose(desk, f"TICKET#{ticket_id}/")
        assert run(desk, source, ticket_id)[0]
    assert source not in dynamodb.list_tables()["TableNames"]
    assert "$ per GB" in lines[0] and lines[-1] == f"Deleted {source}."


def test_without_point_in_time_recovery_there_is_nothing_to_go_back_to(desk: Desk) -> None:
    with pytest.raises(NotRestored, match="is off"), table_of(desk.client("dynamodb"), TABLE, Wanted("1", desk.now)):
        pytest.fail("restored")


class SlowTables:
    """DynamoDB as AWS's documentation has it: a restored table takes its time.  Stands at our seam, the client."""

    def __init__(self, creating: int = 2, busy: bool = False) -> None:
        self.creating, self.busy, self.calls = creating, busy, list[tuple[str, Any]]()
        self.earliest, self.latest = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC)

    def describe_continuous_backups(self, **_: Any) -> Any:
        window = {"EarliestRestorableDateTime": self.earliest, "LatestRestorableDateTime": self.latest}
        recovery = {"PointInTimeRecoveryStatus": "ENABLED", **window}
        return {"ContinuousBackupsDescription": {"PointInTimeRecoveryDescription": recovery}}

    def restore_table_to_point_in_time(self, **asked: Any) -> None:
        self.calls.append(("restore", asked))

    def describe_table(self, **_: Any) -> Any:
        self.creating -= 1
        return {"Table": {"TableStatus": "CREATING" if self.creating >= 0 else "ACTIVE"}}

    def delete_table(self, **asked: Any) -> None:
        self.calls.append(("delete", asked))
        if self.busy:
            raise ClientError({"Error": {"Code": "ResourceInUseException", "Message": "in use"}}, "DeleteTable")


AT = datetime(2026, 11, 19, 12, tzinfo=UTC)


def test_a_table_is_asked_for_without_indexes_waited_for_and_deleted() -> None:
    tables, waits = SlowTables(), list[float]()
    with table_of(tables, "desk", Wanted("1", AT), lambda _: None, waits.append) as name:
        assert name == "desk-at-20261119120000"
    asked = tables.calls[0][1]
    assert asked == {
        "SourceTableName": "desk", "TargetTableName": name, "RestoreDateTime": AT,
        "BillingModeOverride": "PAY_PER_REQUEST", "GlobalSecondaryIndexOverride": [],
    }  # fmt: skip
    assert waits == [restore_ticket.POLL_SECONDS] * 2
    assert tables.calls[1:] == [("delete", {"TableName": name})]


@pytest.mark.parametrize("at", [datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)])
def test_a_moment_outside_the_window_is_refused_before_anything_is_paid(at: datetime) -> None:
    tables = SlowTables()
    with pytest.raises(NotRestored, match="2026-11-01"), table_of(tables, "desk", Wanted("1", at)):
        pytest.fail("restored")
    assert tables.calls == []


def test_the_table_is_deleted_also_when_the_restore_fails() -> None:
    tables = SlowTables(0)
    with pytest.raises(ValueError, match="broke"), table_of(tables, "desk", Wanted("1", AT), lambda _: None):
        raise ValueError("broke")
    assert [name for name, _ in tables.calls] == ["restore", "delete"]


def test_one_that_cannot_be_deleted_is_named() -> None:
    lines: list[str] = []
    with table_of(SlowTables(0, busy=True), "desk", Wanted("1", AT), lines.append):
        pass
    assert lines[-1] == "  aws dynamodb delete-table --table-name desk-at-20261119120000"


def test_it_can_be_kept_for_the_next_ticket_which_then_pays_nothing() -> None:
    tables, lines = SlowTables(0), list[str]()
    with table_of(tables, "desk", Wanted("1", AT, keep=True), lines.append) as name:
        pass
    assert name in lines[-1] and [each for each, _ in tables.calls] == ["restore"]
    with table_of(tables, "desk", Wanted("2", source=name)) as again:
        assert again == name
    assert len(tables.calls) == 1


def test_a_moment_names_its_zone() -> None:
    assert restore_ticket.moment("2026-11-20T10:00:00+01:00") == datetime(2026, 11, 20, 9, tzinfo=UTC)
    with pytest.raises(ValueError, match="zone"):
        restore_ticket.moment("2026-11-20T10:00:00")
