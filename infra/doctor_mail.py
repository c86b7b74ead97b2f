"""The doctor's looks at mail: SES's opinion of the account, the domains' records, the receipt rules."""

from collections.abc import Iterator, Sequence
from typing import Any

from infra.doctor import GUIDE, Check, Finding, Patient, ok, only_on_aws, problem, warning
from infra.resources.mail import inbox_rule_name

NEARLY = 0.8
WIZARD = "Console, Settings → Inboxes: the wizard shows the records and looks them up."


def sending(patient: Patient) -> Iterator[Finding]:
    """The account may send, to everybody, and has mails left today."""
    if patient.local:
        yield only_on_aws("sending")
        return
    found = patient.client("sesv2").get_account()
    well = True
    if not found.get("SendingEnabled", True):
        well = False
        then = "Read SES's mail to the account's owner, mend the cause, then: aws sesv2 put-account-sending-attributes"
        yield problem("sending", "SES has paused sending for this account.", f"{then} --sending-enabled")
    if found.get("EnforcementStatus", "HEALTHY") != "HEALTHY":
        well = False
        words = f"SES has the account under {found['EnforcementStatus']} for bounces or complaints."
        yield problem("sending", words, "SES console, “Reputation metrics”.")
    if not found.get("ProductionAccessEnabled"):
        well = False
        words = "The account is in SES's sandbox: it writes to verified addresses only, 200 mails a day."
        yield warning("sending", words, "Ask for production access in the SES console; the inbox wizard has the text.")
    quota = found.get("SendQuota", {})
    most, sent = float(quota.get("Max24HourSend", 0)), float(quota.get("SentLast24Hours", 0))
    if most > 0 and sent >= NEARLY * most:
        well = False
        words = f"{sent:.0f} of {most:.0f} mails of the last 24 hours are used."
        then = "Ask for more in Service Quotas: SES, “Sending quota”."
        yield problem("sending", words, then) if sent >= most else warning("sending", words, then)
    if well:
        yield ok("sending", f"{sent:.0f} of {most:.0f} mails sent in the last 24 hours.")


def configuration_set(patient: Patient) -> Iterator[Finding]:
    """SES reports what became of each mail, through our configuration set."""
    name = patient.output("ConfigurationSetName")
    sesv2 = patient.client("sesv2")
    options = sesv2.get_configuration_set(ConfigurationSetName=name).get("SendingOptions", {})
    again = f"make deploy STAGE={patient.stage}"
    destinations = sesv2.get_configuration_set_event_destinations(ConfigurationSetName=name).get(
        "EventDestinations", ()
    )
    if not options.get("SendingEnabled", True):
        then = f"aws sesv2 put-configuration-set-sending-options --sending-enabled --configuration-set-name {name}"
        yield problem("delivery reports", f"Sending is switched off for {name}.", then)
    elif not any(each.get("Enabled") for each in destinations):
        yield problem("delivery reports", "SES does not report bounces to the desk.", again)
    else:
        yield ok("delivery reports", "SES reports to the desk.")


def domains(patient: Patient) -> Iterator[Finding]:
    """Every inbox's domain is known to SES, signed, and receives."""
    if patient.local:
        yield only_on_aws("domains")
        return
    setup = patient.code("services.mail_setup")
    inboxes = _mail_inboxes(patient)
    if not inboxes:
        yield warning("domains", "There is no e-mail inbox yet.", "Console, Settings → Inboxes.")
    region = patient.client("sesv2").meta.region_name
    seen = set[str]()
    for inbox in inboxes:
        domain, receives_at = setup.domain_of(inbox), setup.receiving_domain(inbox)
        if domain not in seen:
            seen.add(domain)
            state = setup.look(patient.client("sesv2"), patient.resolve, domain, receives_at, region)
            yield from _domain(domain, state)


def _domain(domain: str, state: Any) -> Iterator[Finding]:
    check = f"domain {domain}"
    if not state.known:
        yield problem(check, "SES does not know it: nothing can be sent from there.", WIZARD)
        return
    if not state.may_send:
        yield problem(check, "SES has no proof yet that it is yours: nothing can be sent from there.", WIZARD)
    for record in state.records:
        words = f"{record.what} at {record.host} is {record.state}. {record.sentence}"
        then = f"{record.host}  {record.kind}  {record.value}"
        if record.state in ("missing", "wrong"):
            yield warning(check, words, then)
        elif record.state == "unknown":
            yield warning(check, f"{record.what} at {record.host}: no name server answered.", "Try again in a minute.")
    if state.ready:
        yield ok(check, "Verified; DKIM, SPF, MAIL FROM, DMARC and MX are right.")


def _mail_inboxes(patient: Patient) -> Sequence[Any]:
    inboxes = patient.code("store.directory").inboxes()
    return [each for each in inboxes if each.channel == "email" and each.active]


def receipt_rules(patient: Patient) -> Iterator[Finding]:
    """SES takes mail for exactly the addresses of the inboxes."""
    if patient.local:
        yield only_on_aws("receiving")
        return
    active = patient.client("ses").describe_active_receipt_rule_set()
    again = f"make deploy STAGE={patient.stage}"
    name = inbox_rule_name(patient.stage)
    if not active.get("Metadata"):
        yield problem("receiving", "No receipt rule set is active: no mail comes in.", again)
        return
    rule = next((each for each in active.get("Rules", ()) if each["Name"] == name), None)
    if rule is None:
        words = f"The active receipt rule set {active['Metadata']['Name']} has not our rule: no mail comes in."
        yield problem("receiving", words, again)
        return
    if not rule.get("Enabled"):
        yield problem("receiving", f"The receipt rule {name} is switched off.", again)
    wanted = {_receives(each) for each in _mail_inboxes(patient)}
    missing = sorted(wanted - {each.lower() for each in rule.get("Recipients", ())})
    for address in missing:
        then = "Console, Settings → Inboxes: save that inbox again."
        yield problem("receiving", f"SES takes no mail for {address}.", then)
    if rule.get("Enabled") and not missing:
        yield ok("receiving", f"SES takes mail for {len(wanted)} addresses.")


def _receives(inbox: Any) -> str:
    return str(inbox.settings.get("forward_to") or inbox.address).lower()


def stopped_inboxes(patient: Patient) -> Iterator[Finding]:
    """Inboxes that stopped sending to protect the shop's name."""
    opened = patient.code("services.breaker").open_breakers()
    for inbox, why in opened:
        then = f"Console, home page: “Resume”, once the cause is gone. {GUIDE}"
        yield problem(
            "stopped inboxes", f"{inbox.name} sends nothing since {why.at:%Y-%m-%d %H:%M} UTC: {why.reason}", then
        )
    if not opened:
        yield ok("stopped inboxes", "None.")


CHECKS: tuple[Check, ...] = (sending, configuration_set, domains, receipt_rules, stopped_inboxes)
