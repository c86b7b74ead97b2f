"""A mail in and an answer out while the engine enforces each function's policy, as AWS would."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar
from urllib.request import Request, urlopen

import pytest

from infra import deploy
from infra.deploy import Local
from infra.functions import FUNCTIONS, Function, function
from infra.package import ROOT, Package
from infra.stack import Client
from local import receipt
from local.engine import client as engine_client
from tests.infra.conftest import STAGE, running_engine
from tests.infra.rights import UNJUDGED, Names, Own, names_of, physical_names, probes

pytestmark = [pytest.mark.engine, pytest.mark.slow]
T = TypeVar("T")
REFUSAL = re.compile(r"not authorized to perform: ([A-Za-z0-9-]+:[A-Za-z]+)|(AccessDenied)")
AS_ON_AWS = {"LOCAL": "0"}
"""On AWS no function reads the moved clock from the table."""
SUPPORT = "support@northwind-mugs.example"
MAIL = b"""From: Lina Meyer <lina@buyer.example>\r
To: support@northwind-mugs.example\r
Subject: Where is my mug?\r
Message-ID: <1@buyer.example>\r
Date: Fri, 20 Nov 2026 09:00:00 +0000\r
Content-Type: text/plain; charset=utf-8\r
\r
Hello, it should have come on Monday.\r
"""


SCHEDULED = {
    "version": "0",
    "account": "000000000000",
    "region": "eu-west-1",
    "detail": {},
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "time": "2026-11-20T09:00:00Z",
    "id": "1",
    "resources": [],
}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_engine(tmp_path_factory.mktemp("guarded"), auth=True) as endpoint:
        yield endpoint


class GuardedDesk:
    """A deployed and seeded desk whose functions may do only what their policies say."""

    def __init__(self, endpoint: str, built: Package) -> None:
        self.endpoint = endpoint
        self.client: Client = partial(engine_client, endpoint)
        self.outputs = deploy.deploy(STAGE, built, self.client, local=Local(endpoint, AS_ON_AWS), say=lambda _: None)
        self.client("sesv2").create_email_identity(EmailIdentity=SUPPORT.partition("@")[2])
        self.client("sesv2").create_email_identity(EmailIdentity=SUPPORT)
        self.token = self._seed()["api_token"]

    def _seed(self) -> dict[str, Any]:
        web = self.client("lambda").get_function_configuration(FunctionName=function("web").physical_name(STAGE))
        environment = web["Environment"]["Variables"] | {
            "PATH": os.environ["PATH"],
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_DEFAULT_REGION": self.client("lambda").meta.region_name,
            "AWS_ACCESS_KEY_ID": "000000000000",
            "AWS_SECRET_ACCESS_KEY": "local",
        }
        command = [sys.executable, "-m", "local.seed", "--bare"]
        seeded = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert seeded.returncode == 0, seeded.stderr
        known: dict[str, Any] = json.loads(seeded.stdout.splitlines()[-1])
        return known

    def api(self, method: str, path: str, body: object = None) -> Any:
        base = f"{self.endpoint}/_aws/execute-api/{self.outputs['RestAPIId']}/api/api/v1"
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(base + path, data, headers, method=method), timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def receive(self, raw: bytes) -> None:
        """As SES does: the original into the bucket, then the notice to the topic."""
        mail = receipt.receive(raw, "lina@buyer.example", [SUPPORT], "mx.buyer.example", datetime.now(UTC))
        bucket = self.outputs["OriginalsBucketName"]
        self.client("s3").put_object(Bucket=bucket, Key=mail.key, Body=mail.raw)
        notice = receipt.notification(mail, self.outputs["MailTopicArn"], bucket)
        self.client("sns").publish(TopicArn=self.outputs["MailTopicArn"], Message=json.dumps(notice))

    def tick(self, name: str) -> Any:
        payload = json.dumps(SCHEDULED).encode()
        answer = self.client("lambda").invoke(FunctionName=function(name).physical_name(STAGE), Payload=payload)
        return json.loads(answer["Payload"].read())

    def denials(self) -> set[str]:
        """Function and action of every refusal that any function logged."""
        logs = self.client("logs")
        return {
            f"{each.name}: {action}"
            for each in FUNCTIONS
            for event in logs.filter_log_events(logGroupName=f"/aws/lambda/{each.physical_name(STAGE)}")["events"]
            for action in ("".join(parts) for parts in REFUSAL.findall(event["message"]))
        }


@pytest.fixture(scope="module")
def desk(guarded: str, built: Package) -> GuardedDesk:
    return GuardedDesk(guarded, built)


def wait_for(find: Callable[[], T | None], what: str, desk: GuardedDesk, seconds: float = 60) -> T:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = find()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what} did not come; refused: {desk.denials()}")


def test_a_mail_comes_in_and_the_answer_goes_out(desk: GuardedDesk) -> None:
    desk.receive(MAIL)
    (ticket,) = wait_for(lambda: desk.api("GET", "/tickets")["items"], "the ticket", desk)
    answer = desk.api("POST", f"/tickets/{ticket['id']}/messages", {"kind": "reply", "text": "It comes today."})

    def sent() -> Any:
        messages = desk.api("GET", f"/tickets/{ticket['id']}/messages")["items"]
        return next((m for m in messages if m["id"] == answer["id"] and m["delivery"]["state"] == "sent"), None)

    wait_for(sent, "the answer's departure", desk)
    kept = desk.client("s3").list_objects_v2(Bucket=desk.outputs["OriginalsBucketName"])["Contents"]
    assert [each["Key"].partition("/")[0] for each in kept] == ["kept"]
    assert desk.denials() == set()


@pytest.mark.parametrize("name", ["sweep", "repair", "hourly", "daily"])
def test_the_clocks_may_do_their_work(desk: GuardedDesk, name: str) -> None:
    assert desk.tick(name) is None
    assert desk.denials() == set()


@pytest.mark.parametrize("path", ["/ledger", "/dead-letters", "/inboxes", "/agents", "/teams", "/search?q=mug"])
def test_the_web_function_may_show_what_it_shows(desk: GuardedDesk, path: str) -> None:
    desk.api("GET", path)
    assert desk.denials() == set()


@pytest.fixture(scope="module")
def names(desk: GuardedDesk) -> Names:
    web = desk.client("lambda").get_function_configuration(FunctionName=function("web").physical_name(STAGE))
    prefix = web["Environment"]["Variables"]["PARAMETER_PREFIX"]
    return names_of(desk.client, f"deskbell-{STAGE}", STAGE, prefix)


NOT_FOR = {
    "web": ["dynamodb:Scan", "dynamodb:DeleteTable", "cognito-idp:AdminDeleteUser", "iam:CreateRole"],
    "hooks": ["s3:GetObject", "s3:ListBucket", "ses:SendEmail", "ssm:PutParameter", "sqs:ReceiveMessage"],
    "intake": ["ses:SendEmail", "ssm:PutParameter", "sqs:SendMessage", "cognito-idp:ListUsers"],
    "relay": ["dynamodb:GetItem", "dynamodb:PutItem", "s3:GetObject", "ses:SendEmail", "ssm:GetParameter"],
    "work": ["ses:SendEmail", "sqs:SendMessage", "ssm:GetParameter", "s3:DeleteObject"],
    "later": ["ses:SendEmail", "ssm:GetParameter", "s3:PutObject"],
    "deliver": ["s3:PutObject", "s3:ListBucket", "ssm:PutParameter", "cognito-idp:AdminSetUserPassword"],
    "delivery_events": ["ses:SendEmail", "ssm:GetParameter", "s3:PutObject"],
    "sweep": ["ses:SendEmail", "s3:GetObject", "ssm:GetParameter"],
    "repair": ["ses:SendEmail", "s3:PutObject", "ssm:GetParameter"],
    "hourly": ["ses:SendEmail", "sqs:SendMessage", "s3:PutObject", "ssm:GetParameter"],
    "daily": ["ses:SendEmail", "s3:PutObject", "s3:DeleteObject", "ssm:GetParameter"],
    "live_connect": ["ses:SendEmail", "sqs:SendMessage", "s3:GetObject", "ssm:GetParameter"],
    "live_message": ["ses:SendEmail", "sqs:SendMessage", "s3:GetObject", "ssm:GetParameter"],
    "live_disconnect": ["ses:SendEmail", "sqs:SendMessage", "s3:GetObject", "ssm:GetParameter"],
}
"""Refused on whatever resource: written by hand, so that a policy that grew too wide fails here."""


@pytest.mark.parametrize("each", FUNCTIONS, ids=lambda each: each.name)
def test_a_function_may_do_what_its_policy_names_and_nothing_beyond(
    desk: GuardedDesk, names: Names, each: Function
) -> None:
    own = Own(desk.client, desk.endpoint, physical_names(desk.client, f"deskbell-{STAGE}")[each.role_id])
    allowed: set[str] = set()
    refused: set[str] = set()
    wrong = []
    for probe in probes(names):
        may = own.may(probe)
        (allowed if may else refused).add(probe.action)
        if may != own.should(probe) and (may or probe.action not in UNJUDGED):
            wrong.append(f"{'may' if may else 'may not'} {probe.name}")
    assert wrong == []
    assert allowed, "the probes reach something of this function's own"
    assert set(NOT_FOR[each.name]) <= refused - allowed
