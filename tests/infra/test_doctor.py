"""The doctor finds each trouble, says it in plain words with what to do, and finds none in a healthy desk."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError
from pynamodb.exceptions import GetError, QueryError

import infra.rebuild
from chalicelib import __version__, config, wiring
from chalicelib.api.console import operations, settings_pages
from chalicelib.domain.people import Agent, Inbox
from chalicelib.errors import NotConfigured
from chalicelib.jobs import inbound
from chalicelib.services import breaker, outside
from chalicelib.services.mail_setup import DomainState, Record, State
from chalicelib.store import directory, documents, objects, tickets
from infra import deploy, desk, doctor, doctor_desk, doctor_mail, doctor_net, doctor_stack, restore_ticket, stack
from infra.deploy import Local
from infra.doctor import Answer, Finding, Patient
from infra.functions import function
from infra.package import ROOT, Package
from infra.stack import Client
from local.engine import ACCOUNT, REGION
from tests.stack import wait_for

pytestmark = pytest.mark.engine

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
FAILED_PAGE = next(
    f"{item.group}, “{item.words}”" for item in settings_pages.MENU if item.path == operations.FAILED
)  # as whoever looks for it reads it in the menu
HEALTHY = Answer(200, json.dumps({"ok": True, "version": __version__}))


@pytest.fixture(scope="module")
def outputs(built: Package, client: Client, endpoint: str) -> Iterator[dict[str, str]]:
    """One desk for all; each test puts right again what it breaks."""
    made = deploy.deploy("test", built, client, local=Local(endpoint), say=lambda _: None)
    here = {"ConsoleOrigin": f"{endpoint}/_aws/execute-api/{made['RestAPIId']}/api"}
    yield deploy.deploy("test", built, client, local=Local(endpoint), parameters=here, say=lambda _: None)
    with urlopen(f"{endpoint}/_ministack/reset", data=b""):
        pass


@pytest.fixture
def patient(
    outputs: dict[str, str], client: Client, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Patient]:
    own = {"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}
    own |= {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "local"}
    for name, value in {**desk.settings_of("test", client), **own}.items():
        monkeypatch.setenv(name, value)
    config.settings.cache_clear()
    wiring.connect()
    tickets.forget_leases()
    monkeypatch.setattr(config, "now", lambda: datetime.now(UTC))
    deployed = stack.describe(client("cloudformation"), "deskbell-test")
    assert deployed
    wait_for(lambda: are_ready(client), 60, what="the functions")
    yield Patient(
        "test", client, deployed, True, lambda: datetime.now(UTC), lambda _: HEALTHY, lambda *_: (),
        lambda name: __import__(f"chalicelib.{name}", fromlist=["_"]),
    )  # fmt: skip
    config.settings.cache_clear()


def are_ready(client: Client) -> bool:
    """Shortly after a deployment functions are still pending."""
    functions = [
        client("lambda").get_function_configuration(FunctionName=each["FunctionName"])
        for each in client("lambda").list_functions()["Functions"]
    ]
    return all((each["State"], each["LastUpdateStatus"]) == ("Active", "Successful") for each in functions)


def found(patient: Patient, check: doctor.Check) -> list[Finding]:
    return list(doctor.examine(patient, [check]))


def verdicts(patient: Patient, check: doctor.Check) -> list[str]:
    return [each.verdict for each in found(patient, check)]


def only(patient: Patient, check: doctor.Check) -> Finding:
    (one,) = found(patient, check)
    return one


def fake(patient: Patient, **services: Any) -> Patient:
    """With other clients in place of the engine's, for what the engine has not."""
    real = patient.client
    return replace(patient, client=lambda name: services.get(name.replace("-", "_")) or real(name))


# A healthy desk


def test_a_healthy_desk_has_no_problem(patient: Patient) -> None:
    directory.save_agent(Agent("ada", "ada@shop.example", "Ada", "admin", True, NOW))
    findings = list(doctor.examine(patient, doctor.all_checks()))
    assert [each for each in findings if each.verdict == "problem"] == []
    assert {each.check for each in findings if each.verdict == "ok"} >= {
        "functions", "event sources", "schedules", "table", "queues", "dead letters", "alarms", "logs", "health",
        "keys", "version", "sign-in", "ledger", "originals", "parked records", "stopped inboxes", "delivery reports",
        "costs",
    }  # fmt: skip
    assert all(each.then for each in findings if each.verdict in ("warning", "problem"))


def run_command(endpoint: str, *arguments: str, module: str = "infra.doctor") -> "subprocess.CompletedProcess[str]":
    environment = {
        "PATH": os.environ["PATH"], "AWS_ENDPOINT_URL": endpoint, "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "local",
    }  # fmt: skip
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_the_command_prints_findings_and_fails_on_a_problem(patient: Patient, endpoint: str) -> None:
    directory.save_agent(Agent("ada", "ada@shop.example", "Ada", "admin", False, NOW))
    answer = run_command(endpoint, "--stage", "test")
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert (
        "PROBLEM  sign-in: There is no active admin.\n          → make deploy STAGE=test ADMIN_EMAIL=" in answer.stdout
    )
    assert answer.stdout.splitlines()[-1].startswith("1 problem, ")
    told = json.loads(run_command(endpoint, "--stage", "test", "--json").stdout)
    assert {"check", "verdict", "words", "then"} == told[0].keys()


def test_a_stage_that_is_not_there_is_a_problem(patient: Patient, endpoint: str) -> None:
    answer = run_command(endpoint, "--stage", "other")
    assert answer.returncode == 1 and "There is no stack deskbell-other here." in answer.stdout


def test_the_rebuild_runs_against_a_deployed_stage(patient: Patient, endpoint: str) -> None:
    answer = run_command(endpoint, "--stage", "test", "--only", "words", module="infra.rebuild")
    assert answer.returncode == 0, answer.stderr
    assert "0 tickets" in answer.stdout
    assert "There is no desk" in run_command(endpoint, "--stage", "other", module="infra.rebuild").stderr


def test_the_restore_runs_against_a_deployed_stage(patient: Patient, endpoint: str) -> None:
    table = os.environ["TABLE_NAME"]
    asked = ("--stage", "test", "--ticket", "1001", "--source", table)
    answer = run_command(endpoint, *asked, module="infra.restore_ticket")
    assert answer.returncode == 1 and "There was no ticket 1001" in answer.stderr


# Before anything else


class NoCredentials:
    meta = SimpleNamespace(region_name=REGION)

    def get_caller_identity(self) -> Any:
        raise ClientError({"Error": {"Code": "InvalidClientTokenId", "Message": "not valid"}}, "GetCallerIdentity")


def test_wrong_credentials_are_said_first() -> None:
    findings, deployed = doctor.at_all("test", lambda _: NoCredentials())
    assert deployed is None and findings[0].verdict == "problem" and "AWS_PROFILE" in findings[0].then


@pytest.mark.parametrize(
    ("status", "verdict"),
    [("UPDATE_COMPLETE", "ok"), ("UPDATE_IN_PROGRESS", "warning"), ("UPDATE_ROLLBACK_COMPLETE", "warning"),
     ("UPDATE_ROLLBACK_FAILED", "problem")],
)  # fmt: skip
def test_the_stack_s_state(status: str, verdict: str) -> None:
    assert doctor._stack_state("prod", status).verdict == verdict


def test_what_may_not_be_looked_at_is_a_warning_and_stops_nothing(patient: Patient) -> None:
    def denied(_: Patient) -> Iterator[Finding]:
        yield from ()
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "Look")

    findings = list(doctor.examine(patient, [denied, doctor_stack.logs]))
    assert [each.verdict for each in findings] == ["warning", "ok"]


ILL = QueryError(cause=ClientError({"Error": {"Code": "InternalServerError", "Message": "ill"}}, "Query"))


@pytest.mark.parametrize(
    ("error", "words"),
    [(ILL, "The table says: "),
     (GetError(cause=ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetItem")), "may not"),
     (QueryError(), "Error performing query"), (NotConfigured("There is no key."), "The desk says: There is no key.")],
)  # fmt: skip
def test_an_ill_table_stops_no_other_check(patient: Patient, error: Exception, words: str) -> None:
    def ill(_: Patient) -> Iterator[Finding]:
        yield from ()
        raise error

    first, second = list(doctor.examine(patient, [ill, doctor_stack.logs]))
    assert (first.check, first.verdict, second.verdict) == ("ill", "warning", "ok")
    assert words in first.words and not first.words.endswith("..")


@pytest.mark.parametrize("error", [ILL, NotConfigured("There is no key.")])
@pytest.mark.parametrize(
    ("module", "step", "arguments"),
    [(infra.rebuild, "rebuild", []), (restore_ticket, "restore", ["--ticket", "1001", "--source", "other"])],
)  # fmt: skip
def test_a_repair_that_is_cut_off_says_so_and_where_it_goes_on(
    error: Exception, module: Any, step: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(module, step, fail)
    monkeypatch.setattr(module, "clients", lambda: lambda _: None)
    monkeypatch.setattr(desk, "connect", lambda *_: None)
    monkeypatch.setenv("TABLE_NAME", "table")
    assert module.main(["--stage", "test", *arguments]) == 1
    said = capsys.readouterr().err
    assert "to the end. The " in said and " says: " in said and "The next call goes on there" in said


def test_settings_that_cannot_be_read_are_a_finding(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> Patient:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetFunctionConfiguration")

    monkeypatch.setattr(doctor, "clients", lambda: lambda _: None)
    monkeypatch.setattr(doctor, "at_all", lambda *_: ([], stack.Stack("UPDATE_COMPLETE", {}, {})))
    monkeypatch.setattr(doctor, "patient_of", fail)
    doctor.main(["--stage", "test"])
    assert "WARNING  settings: Your credentials may not look at this." in capsys.readouterr().out


# What CloudFormation made


def test_a_function_that_is_missing(patient: Patient) -> None:
    missing = replace(patient, stage="gone")
    assert set(verdicts(missing, doctor_stack.functions)) == {"problem"}


def test_functions_of_two_deployments(patient: Patient, client: Client) -> None:
    class Mixed:
        exceptions = client("lambda").exceptions
        calls = 0

        def get_function_configuration(self, **_: Any) -> Any:
            self.calls += 1
            return {"CodeSha256": str(self.calls % 2), "State": "Active"}

    assert "different deployments" in only(fake(patient, **{"lambda": Mixed()}), doctor_stack.functions).words


def test_a_function_that_may_not_run_and_an_account_with_no_room(patient: Patient, client: Client) -> None:
    functions, name = client("lambda"), function("deliver").physical_name("test")
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        assert any(each.verdict == "problem" and name in each.then for each in found(patient, doctor_stack.concurrency))
    finally:
        functions.delete_function_concurrency(FunctionName=name)

    assert only(fake(patient, **{"lambda": Account(10)}), doctor_stack.concurrency).verdict == "warning"


class Account:
    """Lambda lets it run so many functions at once."""

    def __init__(self, limit: int) -> None:
        self.limit = limit

    def get_function_concurrency(self, **_: Any) -> Any:
        return {}

    def get_account_settings(self) -> Any:
        return {"AccountLimit": {"UnreservedConcurrentExecutions": self.limit}}


def test_an_account_whose_limit_was_raised_after_the_deployment(patient: Patient) -> None:
    """The queues keep to what a new account can bear until a deployment looks again."""
    raised = fake(patient, **{"lambda": Account(1000)})
    assert only(raised, doctor_stack.concurrency).verdict == "ok"
    made_for_few = replace(patient.stack, parameters={**patient.stack.parameters, "FewExecutions": "yes"})
    finding = only(replace(raised, stack=made_for_few), doctor_stack.concurrency)
    assert (finding.verdict, finding.then) == ("warning", "make deploy STAGE=test")


def test_an_event_source_that_is_switched_off(patient: Patient, client: Client) -> None:
    functions, name = client("lambda"), function("intake").physical_name("test")
    (source,) = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=source["UUID"], Enabled=False)
    try:
        finding = only(patient, doctor_stack.event_sources)
        assert finding.verdict == "problem" and source["UUID"] in finding.then
    finally:
        functions.update_event_source_mapping(UUID=source["UUID"], Enabled=True)
    assert verdicts(patient, doctor_stack.event_sources) == ["ok"]


def test_an_event_source_that_is_missing_or_fails(patient: Patient) -> None:
    class Sources:
        def list_event_source_mappings(self, FunctionName: str) -> Any:
            if FunctionName.endswith("relay"):
                return {"EventSourceMappings": []}
            trouble = "PROBLEM: Function call failed" if FunctionName.endswith("work") else "OK"
            one = {"State": "Enabled", "UUID": "1", "LastProcessingResult": trouble}
            return {"EventSourceMappings": [one]}

    assert verdicts(fake(patient, **{"lambda": Sources()}), doctor_stack.event_sources) == ["problem", "problem"]


def test_a_schedule_that_is_switched_off(patient: Patient, client: Client) -> None:
    resources = client("cloudformation").list_stack_resources(StackName="deskbell-test")["StackResourceSummaries"]
    rule = next(each["PhysicalResourceId"] for each in resources if each["ResourceType"] == "AWS::Events::Rule")
    client("events").disable_rule(Name=rule)
    try:
        finding = only(patient, doctor_stack.schedules)
        assert finding.verdict == "problem" and rule in finding.then
    finally:
        client("events").enable_rule(Name=rule)
    assert verdicts(patient, doctor_stack.schedules) == ["ok"]


@pytest.mark.parametrize("status", ["CREATING", "ARCHIVED"])
def test_a_table_without_a_stream_and_not_in_order(patient: Patient, status: str) -> None:
    table = SimpleNamespace(describe_table=lambda **_: {"Table": {"TableStatus": status}})
    assert verdicts(fake(patient, dynamodb=table), doctor_stack.table) == ["problem", "problem"]


@pytest.mark.parametrize(("on", "verdict"), [(False, "warning"), (True, "ok")])
def test_a_table_that_never_forgets(patient: Patient, client: Client, on: bool, verdict: str) -> None:
    wanted = {"Enabled": on, "AttributeName": "expires_at"}
    client("dynamodb").update_time_to_live(TableName=patient.output("TableName"), TimeToLiveSpecification=wanted)
    assert only(replace(patient, local=False), doctor_stack.expiry).verdict == verdict


@pytest.mark.parametrize(("on", "verdict"), [(True, "ok"), (False, "problem")])
def test_whether_the_table_can_be_put_back(patient: Patient, client: Client, on: bool, verdict: str) -> None:
    client("dynamodb").update_continuous_backups(
        TableName=patient.output("TableName"), PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": on}
    )
    assert only(replace(patient, local=False), doctor_stack.recovery).verdict == verdict


def test_dead_letters_are_counted_by_queue(patient: Patient, client: Client) -> None:
    url = patient.output("WorkDeadQueueUrl")
    client("sqs").send_message(QueueUrl=url, MessageBody="{}")
    try:
        finding = only(patient, doctor_stack.dead_letters)
        assert finding.verdict == "problem" and finding.words.startswith("1 letters of the queue work")
        assert FAILED_PAGE in finding.then
    finally:
        client("sqs").purge_queue(QueueUrl=url)
    assert verdicts(patient, doctor_stack.dead_letters) == ["ok"]


class Metrics:
    """CloudWatch with an old message, as AWS answers; the engine measures no queue."""

    def get_metric_statistics(self, **asked: Any) -> Any:
        (queue,) = (each["Value"] for each in asked["Dimensions"])
        newest = {"Timestamp": asked["EndTime"], "Maximum": 1260.0 if queue.endswith("inbound") else 3.0}
        return {"Datapoints": [newest, {"Timestamp": asked["StartTime"], "Maximum": 5.0}]}


def test_mail_that_waits_for_long(patient: Patient) -> None:
    finding = only(fake(patient, cloudwatch=Metrics()), doctor_stack.queues)
    assert finding.verdict == "problem" and "21 minutes" in finding.words


def test_an_alarm_that_rings(patient: Patient, client: Client) -> None:
    cloudwatch, name = client("cloudwatch"), "deskbell-test-dead-letters-work"
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="test")
    try:
        finding = only(patient, doctor_stack.alarms)
        assert finding.verdict == "problem" and FAILED_PAGE in finding.words
    finally:
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="test")


@pytest.mark.parametrize(
    ("arns", "verdict"), [([], "warning"), (["PendingConfirmation"], "warning"), (["arn:aws:sns:x:1:alarms:2"], "ok")]
)
def test_who_is_told_of_alarms(patient: Patient, arns: list[str], verdict: str) -> None:
    listed = {"Subscriptions": [{"SubscriptionArn": arn} for arn in arns]}
    topics = SimpleNamespace(list_subscriptions_by_topic=lambda **_: listed)
    assert only(fake(patient, sns=topics), doctor_stack.alarm_mail).verdict == verdict


def test_a_log_that_is_kept_for_ever(patient: Patient, client: Client) -> None:
    group = "/aws/lambda/deskbell-test-web"
    client("logs").delete_retention_policy(logGroupName=group)
    try:
        finding = only(patient, doctor_stack.logs)
        assert finding.verdict == "warning" and group in finding.then
    finally:
        client("logs").put_retention_policy(logGroupName=group, retentionInDays=30)


@pytest.mark.parametrize(("seconds", "verdict"), [(2, "ok"), (240, "warning")])
def test_a_clock_that_is_wrong(patient: Patient, seconds: int, verdict: str) -> None:
    theirs = {"ResponseMetadata": {"HTTPHeaders": {"date": "Fri, 20 Nov 2026 09:00:00 GMT"}}}
    sts = SimpleNamespace(get_caller_identity=lambda: theirs)
    aside = replace(fake(patient, sts=sts), local=False, now=lambda: NOW + timedelta(seconds=seconds))
    assert only(aside, doctor_stack.account).verdict == verdict


# Mail


def account(**values: Any) -> Any:
    quota = {"Max24HourSend": 50_000.0, "SentLast24Hours": values.pop("sent", 10.0)}
    told = {"ProductionAccessEnabled": True, "SendingEnabled": True, "EnforcementStatus": "HEALTHY", "SendQuota": quota}
    return SimpleNamespace(get_account=lambda: told | values, meta=SimpleNamespace(region_name=REGION))


@pytest.mark.parametrize(
    ("values", "verdict"),
    [({}, "ok"), ({"SendingEnabled": False}, "problem"), ({"EnforcementStatus": "PROBATION"}, "problem"),
     ({"ProductionAccessEnabled": False}, "warning"), ({"sent": 45_000.0}, "warning"), ({"sent": 50_000.0}, "problem")],
)  # fmt: skip
def test_what_ses_says_of_the_account(patient: Patient, values: dict[str, Any], verdict: str) -> None:
    aside = replace(fake(patient, sesv2=account(**values)), local=False)
    assert only(aside, doctor_mail.sending).verdict == verdict


@pytest.mark.parametrize(
    ("sending", "reports", "verdict"), [(True, True, "ok"), (False, True, "problem"), (True, False, "problem")]
)
def test_delivery_reports(patient: Patient, sending: bool, reports: bool, verdict: str) -> None:
    sesv2 = SimpleNamespace(
        get_configuration_set=lambda **_: {"SendingOptions": {"SendingEnabled": sending}},
        get_configuration_set_event_destinations=lambda **_: {"EventDestinations": [{"Enabled": reports}]},
    )
    assert only(fake(patient, sesv2=sesv2), doctor_mail.configuration_set).verdict == verdict


def with_inbox(patient: Patient, state: DomainState | None = None, **services: Any) -> Patient:
    """One e-mail inbox, and a wizard that found ``state``."""
    inboxes = [Inbox("support", "email", "support@shop.example", "Shop")]
    setup = SimpleNamespace(
        domain_of=lambda _: "shop.example", receiving_domain=lambda _: "shop.example", look=lambda *_: state
    )
    codes = {"store.directory": SimpleNamespace(inboxes=lambda: inboxes), "services.mail_setup": setup}
    return replace(fake(patient, **services), local=False, code=lambda name: codes[name])


def domain(*states: State, known: bool = True, may_send: bool = True) -> DomainState:
    records = tuple(
        Record(
            "DKIM signature", "x._domainkey.shop.example", "CNAME", "x.dkim.amazonses.com", state, "Add this record."
        )
        for state in states
    )
    return DomainState("shop.example", known, may_send, "other", records)


@pytest.mark.parametrize(
    ("state", "wanted"),
    [(domain("right"), ["ok"]), (domain("right", "missing", "unknown"), ["warning", "warning"]),
     (domain(known=False), ["problem"]), (domain("wrong", may_send=False), ["problem", "warning"])],
)  # fmt: skip
def test_a_domain_and_its_records(patient: Patient, state: DomainState, wanted: list[str]) -> None:
    findings = found(with_inbox(patient, state, sesv2=account()), doctor_mail.domains)
    assert [each.verdict for each in findings] == wanted
    assert all("shop.example" in each.check for each in findings)


def rules(**rule: Any) -> Any:
    ours = {"Name": "deskbell-test-inboxes", "Enabled": True, "Recipients": ["support@shop.example"]} | rule
    found = {"Metadata": {"Name": "theirs"}, "Rules": [ours]}
    return SimpleNamespace(describe_active_receipt_rule_set=lambda: found)


@pytest.mark.parametrize(
    ("ses", "verdict"),
    [(rules(), "ok"), (rules(Enabled=False), "problem"), (rules(Recipients=["other@shop.example"]), "problem"),
     (rules(Name="someone-s"), "problem"),
     (SimpleNamespace(describe_active_receipt_rule_set=dict), "problem")],
)  # fmt: skip
def test_whether_mail_comes_in(patient: Patient, ses: Any, verdict: str) -> None:
    assert only(with_inbox(patient, ses=ses), doctor_mail.receipt_rules).verdict == verdict


def test_an_inbox_that_stopped_sending(patient: Patient) -> None:
    inbox = Inbox("support", "email", "support@shop.example", "Shop")
    directory.save_inbox(inbox)
    breaker._open(inbox, "More than 20 messages failed within a minute.", datetime.now(UTC))
    try:
        finding = only(patient, doctor_mail.stopped_inboxes)
        assert finding.verdict == "problem" and "Shop sends nothing" in finding.words
    finally:
        documents.delete("BREAKER#support", "OPENED")
        documents.delete("INBOXES", "support")
        documents.delete("ADDRESS#support@shop.example", "ADDRESS")


# The desk


def refused(_: str) -> Answer:
    raise OSError("connection refused")


@pytest.mark.parametrize(
    ("get", "wanted"),
    [(lambda _: HEALTHY, ["ok", "ok"]), (refused, ["problem"]), (lambda _: Answer(502), ["problem"]),
     (lambda _: Answer(200, "<html>"), ["problem"]),
     (lambda _: replace(HEALTHY, body='{"ok": true, "version": "0.0.1"}'), ["ok", "warning"]),
     (lambda _: replace(HEALTHY, certificate_ends=datetime.now(UTC) + timedelta(days=60)), ["ok", "ok", "ok"]),
     (lambda _: replace(HEALTHY, certificate_ends=datetime.now(UTC) + timedelta(days=3)), ["ok", "ok", "warning"])],
)  # fmt: skip
def test_whether_the_desk_answers(patient: Patient, get: Callable[[str], Answer], wanted: list[str]) -> None:
    assert verdicts(replace(patient, get=get), doctor_desk.health) == wanted


def test_what_speaks_no_http_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            line, _ = server.accept()
            with line:
                line.recv(1000)
                line.sendall(b"220 mail.example ESMTP\r\n\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        with pytest.raises(OSError, match="not HTTP"):
            doctor_net.get(f"http://127.0.0.1:{server.getsockname()[1]}/")
        thread.join(timeout=10)


@pytest.mark.parametrize(
    ("server", "active", "verdict"),
    [("", True, "ok"), ("https://bots.shop.example", True, "ok"), ("https://bots.shop.example:8443", True, "problem"),
     ("https://10.0.0.7", True, "problem"), ("http://bots.internal", False, "warning")],
)  # fmt: skip
def test_a_server_that_an_earlier_version_took(patient: Patient, server: str, active: bool, verdict: str) -> None:
    bot = Inbox("bot", "telegram", "shop_bot", "Bot", active=active, settings={"base_url": server})
    codes = {"store.directory": SimpleNamespace(inboxes=lambda: [bot]), "services.outside": outside}
    finding = only(replace(patient, local=False, code=lambda name: codes[name]), doctor_desk.servers)
    assert finding.verdict == verdict
    if verdict != "ok":
        assert f"Bot uses {server}" in finding.words and "port 443" in finding.then and "Enter " in finding.then


def test_a_key_that_is_missing(patient: Patient, client: Client) -> None:
    ssm, name = client("ssm"), "/deskbell/test/reply-key"
    value = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    ssm.delete_parameter(Name=name)
    try:
        finding = only(patient, doctor_desk.secrets)
        assert finding.verdict == "problem" and name in finding.words and "signed in" not in finding.words
    finally:
        ssm.put_parameter(Name=name, Value=value, Type="SecureString")
    assert verdicts(patient, doctor_desk.secrets) == ["ok"]


def test_mail_that_nobody_read_and_records_that_were_parked(patient: Patient) -> None:
    for key in ("raw/m1", "parked/2026/11/20/p1"):
        objects.put_original(key, b"mail", {})
    later = replace(patient, now=lambda: datetime.now(UTC) + timedelta(minutes=20))
    originals, parked = doctor_desk.tray(patient)
    assert (originals.verdict, parked.verdict) == ("ok", "problem")
    assert FAILED_PAGE in parked.then and operations.QUEUE_WORDS["parked"] in parked.then
    assert verdicts(later, doctor_desk.tray) == ["problem", "problem"]
    for key in ("raw/m1", "parked/2026/11/20/p1"):
        objects.delete_original(key)


def test_what_ses_puts_into_the_tray_to_try_the_bucket(patient: Patient) -> None:
    probe = "raw/AMAZON_SES_SETUP_NOTIFICATION"
    objects.put_original(probe, b"SES may write here.", {})
    later = replace(patient, now=lambda: datetime.now(UTC) + timedelta(minutes=20))
    assert verdicts(later, doctor_desk.tray)[0] == "problem"
    inbound.take_in(json.dumps({"key": probe}))
    assert verdicts(later, doctor_desk.tray)[0] == "ok"


def test_mail_that_is_received_and_not_shown(patient: Patient) -> None:
    key = f"kept/{datetime.now(UTC):%Y/%m/%d}/lost"
    objects.put_original(key, b"mail", {"recipients": "support@shop.example"})
    try:
        finding = only(patient, doctor_desk.ledger)
        assert finding.verdict == "problem" and "1 received, 1 not accounted for. First: lost." in finding.words
    finally:
        objects.delete_original(key)
    assert verdicts(patient, doctor_desk.ledger) == ["ok"]


def test_mail_that_is_not_shown_is_read_again_as_the_guide_says(patient: Patient) -> None:
    directory.save_inbox(Inbox("support", "email", "support@shop.example", "Shop"))
    key = f"kept/{datetime.now(UTC):%Y/%m/%d}/lost"
    mail = b"From: eve@example.com\r\nTo: support@shop.example\r\nSubject: Lost\r\n\r\nWhere is it?\r\n"
    objects.put_original(key, mail, {"recipients": "support@shop.example", "source": "eve@example.com"})
    assert verdicts(patient, doctor_desk.ledger) == ["problem"]
    for _ in range(2):
        inbound.take_in(json.dumps({"key": key}))
        assert verdicts(patient, doctor_desk.ledger) == ["ok"]
    assert tickets.get("1001").subject == "Lost"


@pytest.mark.parametrize(("counts", "verdict"), [(None, "ok"), ({"reads": 0.0}, "warning"), ({"reads": 5.0}, "ok")])
def test_what_the_month_costs(patient: Patient, counts: dict[str, float] | None, verdict: str) -> None:
    kept = None if counts is None else SimpleNamespace(counts=counts, read_at=NOW)
    codes = {"config": config, "store.usage": SimpleNamespace(read=lambda _: kept)}
    assert only(replace(patient, code=lambda name: codes[name]), doctor_desk.usage).verdict == verdict


def test_what_the_local_engine_has_not_is_said_to_be_not_looked_at(patient: Patient) -> None:
    for check in (
        doctor_stack.expiry,
        doctor_mail.sending,
        doctor_mail.domains,
        doctor_mail.receipt_rules,
        doctor_stack.account,
        doctor_stack.recovery,
    ):
        assert verdicts(patient, check) == ["skipped"]


def test_every_chapter_that_is_named_stands_in_the_guide() -> None:
    chapters = set(re.findall(r"^#+ (.+)$", (ROOT / doctor.GUIDE).read_text(), re.MULTILINE))
    sources = "".join(path.read_text() for path in (ROOT / "infra").glob("*.py"))
    named = set(re.findall(r"{GUIDE}, “([^”]+)”", sources))
    assert named and named <= chapters
