"""Probes of what a function's own credentials may do: one call each, chosen so that it changes nothing that matters."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.cloudformation import Json
from infra.functions import FUNCTIONS

REFUSED = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException"})
QUEUES = ("Inbound", "Work", "Later", "Outbound")
UNJUDGED = frozenset({"logs:CreateLogStream", "dynamodb:DescribeStream"})
"""The engine compares these with a group without ``:*`` and with ``*``, so it refuses even what AWS allows: a refusal
of them proves something, an admission cannot be asked for."""
FOREIGN_PARAMETER = "/somebody-elses/secret"
Clients = Callable[[str], Any]


@dataclass(frozen=True)
class Names:
    """What the stack's resources are called.  table, queues: by what the template calls them."""

    region: str
    account: str
    table: str
    stream: str
    originals: str
    attachments: str
    pool: str
    socket: str
    parameters: str
    queues: Mapping[str, str]
    groups: Mapping[str, str]
    functions: Mapping[str, str]

    def arn(self, service: str, rest: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{rest}"


@dataclass(frozen=True)
class Probe:
    """``resource``: the ARN that a policy must name to allow it."""

    action: str
    resource: str
    call: Callable[[Clients], object]

    @property
    def name(self) -> str:
        return f"{self.action} {self.resource}"


def probes(names: Names) -> list[Probe]:
    found = [*_table(names), *_objects(names), *_parameters(names), *_mail(names), *_people(names), *_rest(names)]
    for queue, url in names.queues.items():
        found += _queue(names, queue, url)
    return found


def _table(names: Names) -> list[Probe]:
    table, key = names.table, {"pk": {"S": "probe"}, "sk": {"S": "probe"}}
    query = {
        "TableName": table, "KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": {"S": "probe"}},
    }  # fmt: skip
    of_index = {**query, "IndexName": "by_time", "KeyConditionExpression": "time_key = :p"}
    check = {"ConditionCheck": {"TableName": table, "Key": key, "ConditionExpression": "attribute_not_exists(pk)"}}
    calls: dict[str, Callable[[Any], object]] = {
        "GetItem": lambda db: db.get_item(TableName=table, Key=key),
        "BatchGetItem": lambda db: db.batch_get_item(RequestItems={table: {"Keys": [key]}}),
        "Query": lambda db: db.query(**query),
        "DescribeTable": lambda db: db.describe_table(TableName=table),
        "PutItem": lambda db: db.put_item(TableName=table, Item=key),
        "UpdateItem": lambda db: db.update_item(TableName=table, Key=key),
        "DeleteItem": lambda db: db.delete_item(TableName=table, Key=key),
        "BatchWriteItem": lambda db: db.batch_write_item(RequestItems={table: [{"DeleteRequest": {"Key": key}}]}),
        "ConditionCheckItem": lambda db: db.transact_write_items(TransactItems=[check]),
        "Scan": lambda db: db.scan(TableName=table, Limit=1),
        "DeleteTable": lambda db: db.delete_table(TableName=table),
        "UpdateTimeToLive": lambda db: db.update_time_to_live(
            TableName=table, TimeToLiveSpecification={"Enabled": False, "AttributeName": "expires_at"}
        ),
    }
    arn = names.arn("dynamodb", f"table/{table}")
    found = [_probe("dynamodb", action, arn, call) for action, call in calls.items()]
    found.append(_probe("dynamodb", "Query", f"{arn}/index/by_time", lambda db: db.query(**of_index)))
    stream = names.stream
    return [
        *found,
        Probe("dynamodb:ListStreams", "*", lambda clients: clients("dynamodbstreams").list_streams()),
        Probe(
            "dynamodb:DescribeStream", stream,
            lambda clients: clients("dynamodbstreams").describe_stream(StreamArn=stream),
        ),
    ]  # fmt: skip


def _objects(names: Names) -> list[Probe]:
    found = []
    places = [(names.originals, "raw/"), (names.originals, "kept/"), (names.originals, "parked/")]
    for bucket, prefix in (*places, (names.attachments, "files/")):
        where = {"Bucket": bucket, "Key": f"{prefix}probe"}
        arn = f"arn:aws:s3:::{bucket}/{prefix}probe"
        found += [
            _probe("s3", "PutObject", arn, _asks("put_object", Body=b"probe", **where)),
            _probe("s3", "GetObject", arn, _asks("get_object", **where)),
            _probe("s3", "DeleteObject", arn, _asks("delete_object", **where)),
        ]
    for bucket in (names.originals, names.attachments):
        arn = f"arn:aws:s3:::{bucket}"
        found += [
            _probe("s3", "ListBucket", arn, _asks("list_objects_v2", Bucket=bucket, MaxKeys=1)),
            _probe("s3", "DeleteBucket", arn, _asks("delete_bucket", Bucket=bucket)),
            _probe("s3", "PutBucketPolicy", arn, _asks("put_bucket_policy", Bucket=bucket, Policy="{}")),
        ]
    return found


def _queue(names: Names, queue: str, url: str) -> list[Probe]:
    arn = names.arn("sqs", url.rsplit("/", 1)[1])
    calls: dict[str, Callable[[Any], object]] = {
        # A delay that SQS refuses: whoever may send gets that far, and no function wakes.
        "SendMessage": lambda sqs: sqs.send_message(QueueUrl=url, MessageBody="probe", DelaySeconds=9_999),
        "ReceiveMessage": lambda sqs: sqs.receive_message(QueueUrl=url, VisibilityTimeout=0, WaitTimeSeconds=0),
        "DeleteMessage": lambda sqs: sqs.delete_message(QueueUrl=url, ReceiptHandle="probe"),
        "ChangeMessageVisibility": lambda sqs: sqs.change_message_visibility(
            QueueUrl=url, ReceiptHandle="probe", VisibilityTimeout=0
        ),
        "GetQueueAttributes": lambda sqs: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"]),
        "PurgeQueue": lambda sqs: sqs.purge_queue(QueueUrl=url),
        "DeleteQueue": lambda sqs: sqs.delete_queue(QueueUrl=url),
    }
    return [_probe("sqs", action, arn, call) for action, call in calls.items()]


def _parameters(names: Names) -> list[Probe]:
    found = []
    secret = {"Value": "probe", "Type": "SecureString", "Overwrite": True}
    for name in (f"{names.parameters}probe", FOREIGN_PARAMETER):
        arn = names.arn("ssm", f"parameter{name}")
        found += [
            _probe("ssm", "PutParameter", arn, _asks("put_parameter", Name=name, **secret)),
            _probe("ssm", "GetParameter", arn, _asks("get_parameter", Name=name, WithDecryption=True)),
            _probe("ssm", "DeleteParameter", arn, _asks("delete_parameter", Name=name)),
        ]
    return found


def _mail(names: Names) -> list[Probe]:
    identity = names.arn("ses", "identity/probe.example")
    content = {"Raw": {"Data": b"From: a@probe.example\r\n\r\nx"}}
    to = {"ToAddresses": ["b@probe.example"]}
    return [
        _probe(
            "ses", "SendEmail", identity,
            lambda ses: ses.send_email(FromEmailAddress="a@probe.example", Destination=to, Content=content), "sesv2",
        ),
        _probe(
            "ses", "GetEmailIdentity", identity,
            lambda ses: ses.get_email_identity(EmailIdentity="probe.example"), "sesv2",
        ),
        _probe(
            "ses", "DeleteEmailIdentity", identity,
            lambda ses: ses.delete_email_identity(EmailIdentity="probe.example"), "sesv2",
        ),
        _probe("ses", "GetAccount", "*", lambda ses: ses.get_account(), "sesv2"),
    ]  # fmt: skip


def _people(names: Names) -> list[Probe]:
    pool, arn = names.pool, names.arn("cognito-idp", f"userpool/{names.pool}")
    them = {"UserPoolId": pool, "Username": "nobody@probe.example"}
    calls: dict[str, Callable[[Any], object]] = {
        "AdminSetUserPassword": lambda idp: idp.admin_set_user_password(**them, Password="Probe words 12 kettle"),
        "AdminEnableUser": lambda idp: idp.admin_enable_user(**them),
        "AdminDisableUser": lambda idp: idp.admin_disable_user(**them),
        "AdminSetUserMFAPreference": lambda idp: idp.admin_set_user_mfa_preference(**them),
        "AdminDeleteUser": lambda idp: idp.admin_delete_user(**them),
        "ListUsers": lambda idp: idp.list_users(UserPoolId=pool),
        "DeleteUserPool": lambda idp: idp.delete_user_pool(UserPoolId=pool),
    }
    return [_probe("cognito-idp", action, arn, call) for action, call in calls.items()]


def _rest(names: Names) -> list[Probe]:
    """Log groups, other functions, and what would make an intruder an owner."""
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    found = [
        _probe("iam", "CreateRole", names.arn("iam", "role/probe"), lambda iam: _create_role(iam, trust)),
        _probe(
            "cloudformation", "DeleteStack", names.arn("cloudformation", "stack/probe/*"),
            lambda cfn: cfn.delete_stack(StackName="probe"),
        ),
    ]  # fmt: skip
    for name, group in names.groups.items():
        arn = names.arn("logs", f"log-group:{group}:log-stream:probe")
        found.append(
            _probe("logs", "CreateLogStream", arn, _asks(
                "create_log_stream", logGroupName=group, logStreamName="probe"
            ))
        )  # fmt: skip
        function = names.functions[name]
        arn = names.arn("lambda", f"function:{function}")
        found.append(
            _probe("lambda", "UpdateFunctionCode", arn, _asks(
                "update_function_code", FunctionName=function, ZipFile=b"probe"
            ))
        )  # fmt: skip
    return found


def _create_role(iam: Any, trust: str) -> object:
    return iam.create_role(RoleName="probe", AssumeRolePolicyDocument=trust)


def _asks(operation: str, **arguments: Any) -> Callable[[Any], object]:
    return lambda client: getattr(client, operation)(**arguments)


def _probe(service: str, action: str, arn: str, call: Callable[[Any], object], client: str = "") -> Probe:
    return Probe(f"{service}:{action}", arn, lambda clients: call(clients(client or service)))


# A function's own rights


class Own:
    """The credentials and the policy that one function has been deployed with."""

    def __init__(self, admin: Clients, endpoint: str, role_name: str) -> None:
        iam = admin("iam")
        self.role = role_name
        self._endpoint, self._region = endpoint, iam.meta.region_name
        self.statements = [
            statement
            for policy in iam.list_role_policies(RoleName=role_name)["PolicyNames"]
            for statement in _document(iam.get_role_policy(RoleName=role_name, PolicyName=policy))["Statement"]
        ]
        arn = iam.get_role(RoleName=role_name)["Role"]["Arn"]
        taken = admin("sts").assume_role(RoleArn=arn, RoleSessionName="probe")["Credentials"]
        self._session = boto3.Session(taken["AccessKeyId"], taken["SecretAccessKey"], taken["SessionToken"])
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        if service not in self._clients:
            once = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
            make: Any = self._session.client  # the stubs want each service's name as a literal
            self._clients[service] = make(service, region_name=self._region, endpoint_url=self._endpoint, config=once)
        return self._clients[service]

    def should(self, probe: Probe) -> bool:
        """Does the deployed policy allow it?"""
        return any(
            probe.action in each["Action"]
            and any(fnmatchcase(probe.resource, arn) for arn in _listed(each["Resource"]))
            for each in self.statements
        )

    def may(self, probe: Probe) -> bool:
        """Does the engine?  Whatever it answers but a refusal was let through."""
        try:
            probe.call(self.client)
        except ClientError as error:
            return error.response["Error"]["Code"] not in REFUSED
        return True


def _document(answer: Json) -> Json:
    found = answer["PolicyDocument"]
    loaded: Json = json.loads(unquote(found)) if isinstance(found, str) else found
    return loaded


def _listed(resource: Any) -> list[str]:
    return [resource] if isinstance(resource, str) else list(resource)


def names_of(admin: Clients, stack: str, stage: str, parameters: str) -> Names:
    """Read off the deployed stack."""
    physical = physical_names(admin, stack)
    table = admin("dynamodb").describe_table(TableName=physical["Table"])["Table"]
    _, _, _, region, account, _ = table["TableArn"].split(":", 5)
    return Names(
        region, account, physical["Table"], table["LatestStreamArn"], physical["OriginalsBucket"],
        physical["AttachmentsBucket"], physical["UserPool"], physical["WebsocketAPI"], parameters,
        {f"{name}{kind}": physical[f"{name}{kind}"] for name in QUEUES for kind in ("Queue", "DeadQueue")},
        {each.name: f"/aws/lambda/{each.physical_name(stage)}" for each in FUNCTIONS},
        {each.name: each.physical_name(stage) for each in FUNCTIONS},
    )  # fmt: skip


def physical_names(admin: Clients, stack: str) -> dict[str, str]:
    """Physical names by what the template calls them."""
    pages = admin("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    return {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for page in pages
        for each in page["StackResourceSummaries"]
    }
