"""GET /costs, against the engine's own CloudWatch."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.store import documents
from tests.api.client import Api, bearer
from tests.engine import Desk
from tests.services.test_costs import CloudWatch, an_account


def counted(desk: Desk, amount: float) -> None:
    """What AWS would have counted of the API's requests in this hour."""
    point = {
        "MetricName": "Count",
        "Dimensions": [{"Name": "ApiName", "Value": "deskbell-test"}],
        "Timestamp": datetime.now(UTC),
        "Value": amount,
    }
    desk.client("cloudwatch").put_metric_data(Namespace="AWS/ApiGateway", MetricData=[point])


def at_the_machines_time(desk: Desk) -> str:
    """The engine dates what it counts by the machine's clock, so the desk's must show the same month."""
    desk.now = datetime.now(UTC)
    return f"{desk.now:%Y-%m}"


def test_a_month_is_priced_by_service_and_ticket(api: Api) -> None:
    month = at_the_machines_time(api.desk)
    counted(api.desk, 1_000_000)
    day = f"{api.desk.now:%Y-%m-%d}"
    documents.write("LEDGER", day, an_account(day, received=10, shown=10, opened=5))
    found = api.get("/costs").json
    assert (found["month"], found["tickets"], found["messages"]) == (month, 5, 10)
    assert found["services"]["API Gateway"] == pytest.approx(3.5)
    assert found["usd_per_ticket"] == pytest.approx(found["usd_after_free"] / 5, abs=1e-6)
    assert sum(found["services"].values()) == pytest.approx(found["usd"] + found["usd_mail_fees"], abs=1e-4)
    (requests,) = [line for line in found["lines"] if line["unit"] == "api_requests"]
    assert (requests["amount"], requests["estimated"]) == (1_000_000, False)
    assert found["usd_after_free"] < found["usd"]
    kept = {line["unit"]: line["estimated"] for line in found["lines"] if line["unit"].startswith("dynamodb_")}
    assert kept["dynamodb_gb"] and kept["dynamodb_backup_gb"] and not kept["dynamodb_writes"]
    assert list(found["left_out"]) == ["ses_data_gb"]


def test_a_month_without_a_ticket_has_no_cost_per_ticket(api: Api) -> None:
    assert api.get("/costs").json["usd_per_ticket"] is None


@pytest.mark.parametrize("month", ["2031-01", "2020-01", "2026-13", "now"])
def test_a_month_that_cannot_be_looked_at_is_refused(api: Api, month: str) -> None:
    answer = api.get("/costs", month=month)
    assert (answer.status, list(answer.json["fields"])) == (422, ["month"])


@pytest.mark.parametrize("scopes", [("read",), ("write",), ("read", "write")])
def test_only_an_admin_token_may_look(desk: Desk, scopes: tuple[str, ...]) -> None:
    assert Api(desk, bearer(desk, *scopes)).get("/costs").status == 403


def test_a_silent_cloudwatch_is_a_problem_to_try_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    make: Any = wiring.client
    silent = CloudWatch({}, broken=True)
    monkeypatch.setattr(wiring, "client", lambda service: silent if service == "cloudwatch" else make(service))
    answer = api.get("/costs")
    assert (answer.status, answer.headers["Retry-After"]) == (502, "60")
