"""What each function may do: one hand-kept policy per function, nothing shared but the words below.

A resource is ``*`` only where AWS offers nothing narrower; ``ANY_RESOURCE`` names those actions with the reason.
"""

from collections.abc import Callable

from infra.cloudformation import Json, attribute, resource, sub
from infra.functions import FUNCTIONS, Function

ANY_RESOURCE = {
    "cloudwatch:GetMetricData": "has no resource type",
    "dynamodb:ListStreams": "has no resource type",
    "ses:GetAccount": "is about the account",
    "ses:DescribeActiveReceiptRuleSet": "receiving has no resource types",
    "ses:DescribeReceiptRule": "receiving has no resource types",
    "ses:UpdateReceiptRule": "receiving has no resource types",
}

Statements = list[Json]


def _allow(actions: list[str], *resources: Json | str) -> Json:
    return {"Effect": "Allow", "Action": actions, "Resource": list(resources)}


def _read_table() -> Json:
    actions = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:DescribeTable"]
    return _allow(actions, attribute("Table"), sub("${Table.Arn}/index/*"))


def _write_table() -> Json:
    """A transaction needs what its parts need, and ConditionCheckItem."""
    changes = ["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "ConditionCheckItem"]
    return _allow([f"dynamodb:{change}" for change in changes], attribute("Table"))


def _table() -> Statements:
    return [_read_table(), _write_table()]


def _send(*queues: str) -> Json:
    return _allow(["sqs:SendMessage"], *[attribute(f"{queue.capitalize()}Queue") for queue in queues])


def _receive(queue: str) -> Json:
    actions = ["ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes"]
    return _allow([f"sqs:{action}" for action in actions], attribute(f"{queue.capitalize()}Queue"))


def _dead_letters() -> Json:
    """Seen, retried and discarded in the console."""
    actions = ["ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes"]
    queues = ["InboundDeadQueue", "WorkDeadQueue", "LaterDeadQueue", "OutboundDeadQueue"]
    return _allow([f"sqs:{action}" for action in actions], *[attribute(queue) for queue in queues])


def _bury() -> Json:
    """Where Lambda itself puts an event that a function failed on."""
    return _allow(["sqs:SendMessage"], attribute("WorkDeadQueue"))


def _objects(bucket: str, prefix: str, *actions: str) -> Json:
    return _allow([f"s3:{action}" for action in actions], sub(f"${{{bucket}.Arn}}/{prefix}*"))


def _list_originals() -> Json:
    """Also what makes S3 answer 404 rather than 403 for an original that is not there."""
    return _allow(["s3:ListBucket"], attribute("OriginalsBucket"))


def _read_bodies() -> Json:
    """Bodies too long for an item lie beside the attachments, so whoever reads messages reads there."""
    return _objects("AttachmentsBucket", "", "GetObject")


def _secrets(*actions: str) -> Json:
    prefix = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter${ParameterPrefix}"
    return _allow([f"ssm:{action}" for action in actions], sub(f"{prefix}*"))


def _push() -> Json:
    sockets = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${WebsocketAPI}/api/*/@connections/*"
    return _allow(["execute-api:ManageConnections"], sub(sockets))


def _ses(kind: str) -> Json:
    return sub(f"arn:${{AWS::Partition}}:ses:${{AWS::Region}}:${{AWS::AccountId}}:{kind}/*")


def _send_mail() -> Json:
    return _allow(["ses:SendEmail", "ses:SendRawEmail"], _ses("identity"), _ses("configuration-set"))


def _sign_in() -> Json:
    actions = [
        "AdminInitiateAuth",
        "AdminRespondToAuthChallenge",
        "AdminCreateUser",
        "AdminSetUserPassword",
        "AdminSetUserMFAPreference",
        "AdminEnableUser",
        "AdminDisableUser",
    ]
    return _allow([f"cognito-idp:{action}" for action in actions], attribute("UserPool"))


def _mail_settings() -> Statements:
    """The inbox wizard: identities, their DNS records, the receipt rule's addresses."""
    identities = ["GetEmailIdentity", "CreateEmailIdentity", "PutEmailIdentityMailFromAttributes"]
    account = [
        "ses:GetAccount",
        "ses:DescribeActiveReceiptRuleSet",
        "ses:DescribeReceiptRule",
        "ses:UpdateReceiptRule",
    ]
    return [_allow([f"ses:{action}" for action in identities], _ses("identity")), _allow(account, "*")]


def _web() -> Statements:
    return [
        *_table(),
        _list_originals(),
        _objects("OriginalsBucket", "", "GetObject"),
        _objects("OriginalsBucket", "parked/", "DeleteObject"),
        _objects("AttachmentsBucket", "", "GetObject", "PutObject", "DeleteObject"),
        _allow(["s3:ListBucket"], attribute("AttachmentsBucket")),  # 404, not 403, for an upload that never arrived
        _send("inbound", "work", "later", "outbound"),
        _dead_letters(),
        _secrets("GetParameter", "PutParameter", "DeleteParameter"),
        _send_mail(),  # invitations and links to a new password
        _sign_in(),
        *_mail_settings(),
        _allow(["cloudwatch:GetMetricData"], "*"),  # what AWS counted, for the page of costs
    ]


def _hooks() -> Statements:
    return [
        *_table(),
        _objects("OriginalsBucket", "raw/", "PutObject"),
        _send("inbound"),
        _secrets("GetParameter"),
    ]


def _intake() -> Statements:
    return [
        _receive("inbound"),
        *_table(),
        _list_originals(),
        _objects("OriginalsBucket", "raw/", "GetObject", "DeleteObject"),
        _objects("OriginalsBucket", "kept/", "GetObject", "PutObject"),
        _objects("AttachmentsBucket", "", "GetObject", "PutObject"),
        _secrets("GetParameter"),
    ]


def _relay() -> Statements:
    """Only forwards: it may neither read nor write the table."""
    stream = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
    return [
        _allow(stream, attribute("Table", "StreamArn")),
        _allow(["dynamodb:ListStreams"], "*"),
        _send("work", "later", "outbound"),
        _objects("OriginalsBucket", "parked/", "PutObject"),
        _bury(),
    ]


def _work() -> Statements:
    return [
        _receive("work"),
        *_table(),
        _objects("AttachmentsBucket", "", "GetObject", "PutObject"),
        _push(),
    ]


def _later() -> Statements:
    return [_receive("later"), *_table(), _read_bodies(), _send("later", "outbound")]


def _deliver() -> Statements:
    """The only function that writes to customers."""
    return [
        _receive("outbound"),
        *_table(),
        _read_bodies(),
        _send("later", "outbound"),  # a message whose time has not come goes back to waiting
        _secrets("GetParameter"),
        _send_mail(),
    ]


def _delivery_events() -> Statements:
    return [*_table(), _read_bodies(), _bury()]


def _sweep() -> Statements:
    return [*_table(), _send("later")]


def _repair() -> Statements:
    return [
        *_table(),
        _list_originals(),
        _objects("OriginalsBucket", "raw/", "GetObject"),
        _objects("OriginalsBucket", "parked/", "GetObject", "DeleteObject"),
        _read_bodies(),
        _send("inbound", "work", "later", "outbound"),
    ]


def _hourly() -> Statements:
    return [*_table(), _list_originals(), _objects("OriginalsBucket", "", "GetObject")]


def _daily() -> Statements:
    return [
        *_table(),
        _list_originals(),
        _objects("OriginalsBucket", "", "GetObject"),
        _send("inbound", "work", "later"),
    ]


def _live_connect() -> Statements:
    return _table()


def _live_message() -> Statements:
    return [*_table(), _push()]  # a console that has just come hears that it missed something


def _live_disconnect() -> Statements:
    return _table()


STATEMENTS: dict[str, Callable[[], Statements]] = {
    "web": _web,
    "hooks": _hooks,
    "intake": _intake,
    "relay": _relay,
    "work": _work,
    "later": _later,
    "deliver": _deliver,
    "delivery_events": _delivery_events,
    "sweep": _sweep,
    "repair": _repair,
    "hourly": _hourly,
    "daily": _daily,
    "live_connect": _live_connect,
    "live_message": _live_message,
    "live_disconnect": _live_disconnect,
}


def _log_lines(function: Function) -> Json:
    return _allow(["logs:CreateLogStream", "logs:PutLogEvents"], attribute(function.log_group_id))


def _role(function: Function) -> Json:
    lambda_may_take_it = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    document = {"Version": "2012-10-17", "Statement": [_log_lines(function), *STATEMENTS[function.name]()]}
    policy = {"PolicyName": function.name.replace("_", "-"), "PolicyDocument": document}
    return resource("AWS::IAM::Role", {"AssumeRolePolicyDocument": lambda_may_take_it, "Policies": [policy]})


def resources(stage: str) -> dict[str, Json]:
    return {function.role_id: _role(function) for function in FUNCTIONS}
