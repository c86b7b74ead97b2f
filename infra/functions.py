"""Every function's size, in one place (docs/architecture.md, "Functions")."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Function:
    """``logical_id`` and ``event`` are the names Chalice gives in its template; ``event`` None: called over HTTP."""

    name: str
    logical_id: str
    memory_mb: int
    timeout_seconds: int
    event: str | None = None

    @property
    def role_id(self) -> str:
        return f"{self.logical_id}Role"

    @property
    def log_group_id(self) -> str:
        return f"{self.logical_id}Logs"

    def physical_name(self, stage: str) -> str:
        """Fixed, so that its log group can exist, with a retention, before its first line."""
        return f"deskbell-{stage}-{self.name.replace('_', '-')}"


GATEWAY_SECONDS = 29  # API Gateway gives up then; longer work belongs on a queue

FUNCTIONS = (
    Function("web", "APIHandler", 1024, GATEWAY_SECONDS),
    Function("hooks", "HooksHandler", 512, GATEWAY_SECONDS),
    # A mail of 40 MB lies in memory as bytes, as parts and as the attachment that goes to S3.
    Function("intake", "Intake", 1024, 60, "IntakeSqsEventSource"),
    Function("relay", "Relay", 256, 60, "RelayDynamodbEventSource"),
    Function("work", "Work", 512, 60, "WorkSqsEventSource"),
    Function("later", "Later", 256, 60, "LaterSqsEventSource"),
    Function("deliver", "Deliver", 1024, 90, "DeliverSqsEventSource"),
    Function("delivery_events", "DeliveryEvents", 512, 30, "DeliveryEventsSnsSubscription"),
    Function("sweep", "Sweep", 256, 50, "SweepEvent"),  # over before the next minute's begins
    Function("repair", "Repair", 512, 240, "RepairEvent"),
    Function("hourly", "Hourly", 512, 300, "HourlyEvent"),
    Function("daily", "Daily", 1024, 900, "DailyEvent"),
    Function("live_connect", "WebsocketConnect", 512, 10),
    Function("live_message", "WebsocketMessage", 512, 10),
    Function("live_disconnect", "WebsocketDisconnect", 256, 10),
)


def function(name: str) -> Function:
    return next(each for each in FUNCTIONS if each.name == name)
