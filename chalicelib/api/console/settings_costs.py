"""/settings/costs: what a month of this desk cost at AWS."""

from chalice.app import Response

from chalicelib import wiring
from chalicelib.api.console.settings_pages import FINE, Refusal, refusal_of, show
from chalicelib.api.web import Visit
from chalicelib.domain.usage import ESTIMATED, LEFT_OUT
from chalicelib.errors import InvalidInput, Refused
from chalicelib.services import costs
from chalicelib.services.costs import MonthCost
from chalicelib.web.money import amount, usd

COSTS = "/settings/costs"


def show_costs(visit: Visit) -> Response:
    """A month that cannot be looked at is refused above this month's figures; so is a CloudWatch that is silent."""
    newest = costs.months(visit.at)[0]
    wanted = visit.query("month") or newest
    try:
        return _page(visit, costs.month(wiring.client("cloudwatch"), wanted, visit.at), FINE)
    except InvalidInput as error:
        return _page(visit, costs.month(wiring.client("cloudwatch"), newest, visit.at), refusal_of(error))
    except Refused as error:
        return _page(visit, None, refusal_of(error), wanted)


def _page(visit: Visit, found: MonthCost | None, refusal: Refusal, month: str = "") -> Response:
    return show(
        visit,
        "settings/costs.html",
        COSTS,
        refusal,
        found=found,
        month=found.month if found else month,
        months=costs.months(visit.at),
        estimates=ESTIMATED,
        left_out=LEFT_OUT,
        usd=usd,
        amount=amount,
    )
