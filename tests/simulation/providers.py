"""What SES reports of the mails it took: as each recipient's server answers."""

from datetime import timedelta
from typing import Any

from tests.simulation import draws
from tests.simulation.aws.ses import SentMail
from tests.simulation.sources import Sources
from tests.simulation.world import World


class SesEvents:
    """Publishes the events of every mail sent: late, out of order, and now and then twice."""

    def __init__(self, world: World, sources: Sources) -> None:
        self.world = world
        self.sources = sources
        world.watchers.append(self._see)

    def _see(self, service: str, operation: str, arguments: dict[str, Any], answer: Any) -> None:
        if service == "sesv2" and operation == "SendEmail" and "msg" in self.world.cloud.sent[-1].tags:
            self._report(self.world.cloud.sent[-1], len(self.world.cloud.sent))

    def _report(self, mail: SentMail, n: int) -> None:
        self._publish(mail, "Send", {"send": {}}, n, 0, 3)
        for place, address in enumerate(mail.to):
            self._of(mail, address, n * 100 + place)

    def _of(self, mail: SentMail, address: str, n: int) -> None:
        who = address.partition("@")[0]
        if who == "bounce":
            self._publish(mail, "Bounce", {"bounce": self._bounce(address, "Permanent", "General", n)}, n, 1, 30)
        elif who == "full":
            self._publish(mail, "Bounce", {"bounce": self._bounce(address, "Transient", "MailboxFull", n)}, n, 5, 300)
        elif who == "slow":
            late = {"delayType": "MailboxFull", "delayedRecipients": [{"emailAddress": address}]}
            self._publish(mail, "DeliveryDelay", {"deliveryDelay": {**late, "timestamp": self._in(60)}}, n, 30, 120)
            self._publish(mail, "Delivery", {"delivery": self._delivery(address, 400)}, n, 400, 900)
        else:
            self._publish(mail, "Delivery", {"delivery": self._delivery(address, 4)}, n, 0.5, 60)
        if who == "complain":
            said = {"complainedRecipients": [{"emailAddress": address}], "complaintFeedbackType": "abuse"}
            document = {"complaint": {**said, "timestamp": self._in(200), "feedbackId": f"complaint-{n}"}}
            self._publish(mail, "Complaint", document, n, 200, 600)

    def _in(self, seconds: float) -> str:
        return (self.world.time + timedelta(seconds=seconds)).isoformat()

    def _delivery(self, address: str, seconds: float) -> dict[str, Any]:
        return {"recipients": [address], "timestamp": self._in(seconds), "smtpResponse": "250 ok"}

    def _bounce(self, address: str, kind: str, sub_kind: str, n: int) -> dict[str, Any]:
        return {
            "bounceType": kind, "bounceSubType": sub_kind, "timestamp": self._in(5), "feedbackId": f"bounce-{n}",
            "bouncedRecipients": [{"emailAddress": address, "diagnosticCode": "smtp; 550 5.1.1"}],
        }  # fmt: skip

    def _publish(self, mail: SentMail, kind: str, part: dict[str, Any], n: int, soonest: float, latest: float) -> None:
        world = self.world
        tags = {name: [value] for name, value in mail.tags.items()}
        about = {
            "messageId": mail.ses_id,
            "timestamp": world.time.isoformat(),
            "destination": list(mail.to),
            "tags": tags,
        }
        document = {"eventType": kind, "mail": about, **part}
        wait = draws.between(soonest, latest, world.seed, kind, n)
        name = f"{kind}-{n}"
        world.after(wait, lambda: self.sources.publish(document, name))
        if world.faults.chance("delivered twice", world.faults.rates.delivered_twice, "event", kind, n):
            world.after(
                wait + draws.between(0, 300, world.seed, "again", kind, n), lambda: self.sources.publish(document, name)
            )
