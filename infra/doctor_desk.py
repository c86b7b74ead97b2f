"""The doctor's looks at the desk itself: does it answer, does the account of its mail add up, can anybody sign in."""

import json
from collections.abc import Iterator
from datetime import timedelta

from chalicelib import __version__
from infra.deploy import SECRETS
from infra.doctor import GUIDE, Check, Finding, Patient, ok, problem, warning
from infra.resources.alarms import FAILED_PAGE

TRAY_MINUTES = 15
CERTIFICATE_DAYS = 14


def health(patient: Patient) -> Iterator[Finding]:
    """The address in the console's own settings answers, with the version of this checkout."""
    address = _address(patient)
    try:
        answer = patient.get(f"{address}/api/v1/health")
        told = json.loads(answer.body) if answer.status == 200 else {}
    except (OSError, ValueError) as error:
        told, answer = {}, None
        yield problem("health", f"{address} does not answer: {error}", f"{GUIDE}, “Doctor”")
    if answer is not None and not told.get("ok"):
        then = f"aws logs tail /aws/lambda/{patient.name}-web --since 10m"
        yield problem("health", f"{address} answers {answer.status}.", then)
    if told.get("ok"):
        yield ok("health", f"{address} answers, version {told.get('version', '?')}.")
        yield from _version(patient, str(told.get("version", "?")))
    if answer is not None and answer.certificate_ends is not None:
        left = answer.certificate_ends - patient.now()
        if left < timedelta(days=CERTIFICATE_DAYS):
            words = f"The certificate of {address} ends in {left.days} days."
            yield warning("certificate", words, "Certificate Manager console: see why it was not renewed.")
        else:
            yield ok("certificate", f"Good for {left.days} days.")


def _version(patient: Patient, deployed: str) -> Iterator[Finding]:
    here = __version__
    if deployed == here:
        yield ok("version", f"{here}, as in this checkout.")
    else:
        then = f"make deploy STAGE={patient.stage}, or check out what is deployed before you repair anything."
        yield warning("version", f"{deployed} is deployed, this checkout is {here}.", then)


def _address(patient: Patient) -> str:
    given = patient.stack.parameters.get("ConsoleOrigin", "")
    return (given or patient.output("ConsoleURL")).rstrip("/")


def secrets(patient: Patient) -> Iterator[Finding]:
    """The key that signs reply addresses and password links."""
    prefix = patient.stack.parameters.get("ParameterPrefix") or f"/deskbell/{patient.stage}/"
    asked = [prefix + name for name in SECRETS]
    missing = patient.client("ssm").get_parameters(Names=asked).get("InvalidParameters", ())
    for name in missing:
        words = f"The key {name} is missing: no mail is read, nothing is sent, no password link is made."
        yield problem("keys", words, f"make deploy STAGE={patient.stage} makes a new one.")
    if not missing:
        yield ok("keys", "All there.")


def sign_in(patient: Patient) -> Iterator[Finding]:
    """The user pool exists, and an admin can get in."""
    patient.client("cognito-idp").describe_user_pool(UserPoolId=patient.output("UserPoolId"))
    admins = [each for each in patient.code("store.directory").agents() if each.role == "admin" and each.active]
    if admins:
        yield ok("sign-in", f"{len(admins)} active admins.")
    else:
        then = f"make deploy STAGE={patient.stage} ADMIN_EMAIL=you@shop.example"
        yield problem("sign-in", "There is no active admin.", then)


def ledger(patient: Patient) -> Iterator[Finding]:
    """Every mail of today and yesterday is shown, or kept out with a reason."""
    today = patient.code("config").now()
    off = False
    for at in (today - timedelta(days=1), today):
        account = patient.code("services.ledger").day(f"{at:%Y-%m-%d}")
        if account.difference:
            off = True
            named = f" First: {account.missing[0]}." if account.missing else ""
            words = f"{account.day}: {account.received} received, {abs(account.difference)} not accounted for.{named}"
            yield problem("ledger", words, f"{GUIDE}, “Doctor”: mail that is received and not shown.")
    if not off:
        yield ok("ledger", "Yesterday and today add up.")


def tray(patient: Patient) -> Iterator[Finding]:
    """Originals that nobody has read, and records that the relay could not send on."""
    objects = patient.code("store.objects")
    before = patient.now() - timedelta(minutes=TRAY_MINUTES)
    old = sum(1 for _, at in objects.list_originals(objects.RAW) if at < before)
    if old:
        words = f"{old} originals have not been read for {TRAY_MINUTES} minutes."
        yield problem("originals", words, "See “event sources” here; the repair brings them again every five minutes.")
    else:
        yield ok("originals", "All read.")
    parked = sum(1 for _ in objects.list_originals(objects.PARKED))
    if parked:
        then = f"Console, {FAILED_PAGE}: “A change that could not be passed on”."
        yield problem("parked records", f"{parked} could not be sent on.", then)
    else:
        yield ok("parked records", "None.")


def usage(patient: Patient) -> Iterator[Finding]:
    """What this month costs is counted, where somebody has asked."""
    now = patient.code("config").now()
    kept = patient.code("store.usage").read(f"{now:%Y-%m}")
    if kept is None:
        yield ok("costs", "Nobody has asked for this month's yet.")
    elif not any(kept.counts.values()):
        words = "AWS gave no counts for this month: what the desk costs is not known."
        yield warning("costs", words, f"make deploy STAGE={patient.stage}, so that the console may read CloudWatch.")
    else:
        yield ok("costs", f"Counted, last on {kept.read_at:%Y-%m-%d}.")


def servers(patient: Patient) -> Iterator[Finding]:
    """The servers that inboxes name are ones that the desk still calls: 0.1.0 took any."""
    off = False
    for inbox in patient.code("store.directory").inboxes():
        server = str(inbox.settings.get("base_url", ""))
        fault = patient.code("services.outside").fault(server, patient.local) if server else ""
        if fault:
            off = True
            words = (
                f"{inbox.name} uses {server}, and the desk calls no such address: it neither sends nor receives there."
            )
            then = (
                "Let the server answer at a public name, with https and on port 443. Then, in the console's Settings → "
                f"Inboxes → {inbox.name}: {fault}"
            )
            yield (problem if inbox.active else warning)("servers", words, then)
    if not off:
        yield ok("servers", "Every inbox names a server of the internet, or none.")


CHECKS: tuple[Check, ...] = (health, secrets, sign_in, ledger, tray, usage, servers)
