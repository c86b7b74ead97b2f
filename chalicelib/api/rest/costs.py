"""/costs: what a month cost at AWS's list prices."""

from dataclasses import dataclass

from chalicelib.api.operations import Call, Operation, operation
from chalicelib.api.schema import Faults, Flag, Json, ListOf, MapOf, Moment, Nullable, Number, Record, Text, Words


@dataclass(frozen=True)
class Amount:
    """A number with a fraction, not below 0; in answers only."""

    about: str = ""

    def check(self, value: object, at: str, faults: Faults) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
            faults[at] = "This must be a number of at least 0."
            return 0.0
        return float(value)

    def schema(self) -> Json:
        said: Json = {"type": "number", "minimum": 0}
        return {**said, "description": self.about} if self.about else said


USD = Amount("US dollars.")
COST_LINE = Record(
    "CostLine",
    {
        "unit": Words("Name of what AWS bills."),
        "service": Words(),
        "words": Words(),
        "amount": Amount("How many of it."),
        "usd": USD,
        "estimated": Flag("AWS publishes no count of it, or none of the desk alone."),
    },
)
COST_MONTH = Record(
    "CostMonth",
    {
        "month": Words("UTC, yyyy-mm."),
        "read_at": Moment(
            "When AWS's counts were read. At most an hour ago, unless the month is settled or AWS is silent."
        ),
        "prices_as_of": Words("Day of the list prices, yyyy-mm-dd."),
        "prices_region": Words("Region whose list prices these are."),
        "usd": Amount("At list prices, without the fee for each mail."),
        "usd_mail_fees": Amount("SES's fee for mails sent and received."),
        "usd_after_free": Amount("Both, less what AWS gives every account for good."),
        "tickets": Number(0, about="Opened by received messages."),
        "messages": Number(0, about="Received and shown."),
        "usd_per_ticket": Nullable(Amount("Of `usd_after_free`; null before the first ticket.")),
        "services": MapOf(USD, Words(), about="Each service's share, fees included."),
        "lines": ListOf(COST_LINE),
        "left_out": MapOf(Words(), Words(), about="Units that AWS bills and no line holds, each with the reason."),
    },
)


@operation(
    Operation(
        "get_costs",
        "What a month cost at AWS's list prices",
        "Operations",
        "costs.read",
        COST_MONTH,
        query={
            "month": Text(
                "UTC; this month unless said, at most a year back.",
                pattern="[0-9]{4}-(0[1-9]|1[0-2])",
                hint="Write it as yyyy-mm.",
                example="2026-11",
            )
        },
        errors=(502,),
        about="Counted by AWS, priced by a dated list. Your region, taxes and discounts make the bill differ. Mails "
        "sent are the messages that Deskbell sent itself, to Telegram too, from this account and region; your shop's "
        "other mail is not among them.",
    )
)
def get_costs(call: Call) -> Json:
    from chalicelib import wiring
    from chalicelib.api.rest.render import when
    from chalicelib.domain.usage import ESTIMATED, LEFT_OUT
    from chalicelib.services import costs

    which = call.query.get("month") or costs.months(call.at)[0]
    found = costs.month(wiring.client("cloudwatch"), which, call.at)
    bill, after = found.bill, found.after_free
    return {
        "month": found.month,
        "read_at": when(found.usage.read_at),
        "prices_as_of": found.prices.as_of.isoformat(),
        "prices_region": found.prices.region,
        "usd": _cents(bill.total),
        "usd_mail_fees": _cents(bill.fees),
        "usd_after_free": _cents(after.total + after.fees),
        "tickets": found.usage.tickets,
        "messages": found.usage.messages,
        "usd_per_ticket": None if found.usd_a_ticket is None else _cents(found.usd_a_ticket),
        "services": {service: _cents(usd) for service, usd in bill.by_service().items()},
        "lines": [
            {
                "unit": line.price.unit,
                "service": line.price.service,
                "words": line.price.words,
                "amount": line.amount,
                "usd": _cents(line.usd),
                "estimated": line.price.unit in ESTIMATED,
            }
            for line in bill.lines
        ],
        "left_out": LEFT_OUT,
    }


def _cents(usd: float) -> float:
    """To a ten-thousandth of a cent: a ticket costs a tenth of a cent."""
    return round(usd, 6)
