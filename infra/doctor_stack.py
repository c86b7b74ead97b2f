"""The doctor's looks at what CloudFormation made: functions, event sources, table, queues, logs, alarms."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from infra.deploy import AWS_KEEPS_UNRESERVED
from infra.doctor import GUIDE, Check, Finding, Patient, ok, only_on_aws, problem, warning
from infra.functions import FUNCTIONS, function
from infra.resources.alarms import FAILED_PAGE, WATCHED_FOR_AGE
from infra.resources.handlers import FEWEST_AT_ONCE, LOG_RETENTION_DAYS
from infra.resources.queues import QUEUES

OLD_SECONDS = 600
BY_SOURCE = ("intake", "relay", "work", "later", "deliver")


def functions(patient: Patient) -> Iterator[Finding]:
    """All there, able to run, and of one deployment."""
    client, code = patient.client("lambda"), set[str]()
    bad = []
    for each in FUNCTIONS:
        name = each.physical_name(patient.stage)
        try:
            found = client.get_function_configuration(FunctionName=name)
        except client.exceptions.ResourceNotFoundException:
            bad.append(f"{name} is missing")
            continue
        code.add(found["CodeSha256"])
        state = found.get("State", "Active")
        if state not in ("Active", "Inactive") or found.get("LastUpdateStatus") == "Failed":
            bad.append(f"{name} is {state}: {found.get('StateReason') or found.get('LastUpdateStatusReason', '')}")
    again = f"make deploy STAGE={patient.stage}"
    for each_bad in bad:
        yield problem("functions", f"{each_bad}.", again)
    if len(code) > 1:
        yield problem("functions", "Functions run code of different deployments.", again)
    if not bad and len(code) == 1:
        yield ok("functions", f"All {len(FUNCTIONS)} functions are there and run the same code.")


def concurrency(patient: Patient) -> Iterator[Finding]:
    """How many calls may run at once, in the account and in each function."""
    client = patient.client("lambda")
    stopped = []
    for each in FUNCTIONS:
        name = each.physical_name(patient.stage)
        reserved = client.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")
        if reserved == 0:
            stopped.append(name)
    for name in stopped:
        then = f"aws lambda delete-function-concurrency --function-name {name}"
        yield problem("concurrency", f"{name} may not run at all: its reserved concurrency is 0.", then)
    limit = client.get_account_settings()["AccountLimit"]
    free = int(limit["UnreservedConcurrentExecutions"])
    again = f"make deploy STAGE={patient.stage}"
    if free < AWS_KEEPS_UNRESERVED:
        words = f"Only {free} calls of all functions may run at once. A burst of mail will wait for them."
        then = f"Ask for more in Service Quotas: Lambda, “Concurrent executions”. Once you have it: {again}"
        yield warning("concurrency", words, then)
    elif patient.stack.parameters.get("FewExecutions") == "yes":
        words = f"{free} calls may run at once, but each queue still keeps to {FEWEST_AT_ONCE}, as in a new account."
        yield warning("concurrency", words, again)
    elif not stopped:
        yield ok("concurrency", f"{free} calls may run at once.")


def event_sources(patient: Patient) -> Iterator[Finding]:
    """Queues and the table's stream wake their functions."""
    client = patient.client("lambda")
    well = True
    for name in BY_SOURCE:
        physical = function(name).physical_name(patient.stage)
        sources = client.list_event_source_mappings(FunctionName=physical)["EventSourceMappings"]
        if not sources:
            well = False
            words = f"Nothing wakes {physical}."
            yield problem("event sources", words, f"make deploy STAGE={patient.stage}")
        for source in sources:
            if source["State"] not in ("Enabled", "Enabling", "Creating", "Updating"):
                well = False
                then = f"aws lambda update-event-source-mapping --uuid {source['UUID']} --enabled"
                words = f"The source of {physical} is {source['State']}: what waits there is not worked off."
                yield problem("event sources", words, then)
            elif "PROBLEM" in source.get("LastProcessingResult", ""):
                well = False
                words = f"{physical}: {source['LastProcessingResult']}"
                yield problem("event sources", words, f"{GUIDE}, “Could not be processed”; its log says why.")
    if well:
        yield ok("event sources", "Queues and the stream wake their functions.")


def schedules(patient: Patient) -> Iterator[Finding]:
    """The clocks go."""
    events = patient.client("events")
    rules = [each for each in _resources(patient) if each["ResourceType"] == "AWS::Events::Rule"]
    off = [
        name
        for name in (each["PhysicalResourceId"] for each in rules)
        if events.describe_rule(Name=name.rsplit("/", 1)[-1])["State"] == "DISABLED"
    ]
    for name in off:
        words = f"The schedule {name} is switched off: timers, repair or accounts stand still."
        yield problem("schedules", words, f"aws events enable-rule --name {name.rsplit('/', 1)[-1]}")
    if not rules:
        yield problem("schedules", "There is no schedule at all.", f"make deploy STAGE={patient.stage}")
    elif not off:
        yield ok("schedules", f"All {len(rules)} schedules are on.")


def _resources(patient: Patient) -> list[Any]:
    pages = patient.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=patient.name)
    return [each for page in pages for each in page["StackResourceSummaries"]]


def table(patient: Patient) -> Iterator[Finding]:
    """The table is there, and tells of its changes."""
    dynamodb, name = patient.client("dynamodb"), patient.output("TableName")
    found = dynamodb.describe_table(TableName=name)["Table"]
    again = f"make deploy STAGE={patient.stage}; or {GUIDE}, “Restore”"
    well = True
    if found["TableStatus"] not in ("ACTIVE", "UPDATING"):
        well = False
        yield problem("table", f"{name} is {found['TableStatus']}.", "Look at it in the DynamoDB console.")
    if not found.get("StreamSpecification", {}).get("StreamEnabled"):
        well = False
        yield problem("table", f"{name} has no stream: nothing follows from what is written.", again)
    if well:
        yield ok("table", f"{name} is there, and tells of its changes.")


def expiry(patient: Patient) -> Iterator[Finding]:
    """The table forgets what has expired."""
    if patient.local:
        yield only_on_aws("expiry")
        return
    name = patient.output("TableName")
    ttl = patient.client("dynamodb").describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    if ttl.get("TimeToLiveStatus") in ("ENABLED", "ENABLING") and ttl.get("AttributeName") == "expires_at":
        yield ok("expiry", "Time to live is on.")
        return
    command = 'aws dynamodb update-time-to-live --time-to-live-specification "Enabled=true,AttributeName=expires_at"'
    yield warning("expiry", "Expired sessions and drafts are never deleted.", f"{command} --table-name {name}")


def recovery(patient: Patient) -> Iterator[Finding]:
    """The table can be put back to any second of the last 35 days."""
    if patient.local:
        yield only_on_aws("recovery")
        return
    name = patient.output("TableName")
    found = patient.client("dynamodb").describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    if found.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus") == "ENABLED":
        yield ok("recovery", "Point-in-time recovery is on.")
        return
    command = "aws dynamodb update-continuous-backups --point-in-time-recovery-specification"
    then = f"{command} PointInTimeRecoveryEnabled=true --table-name {name}"
    yield problem("recovery", "Point-in-time recovery is off: a mistake could not be undone.", then)


def dead_letters(patient: Patient) -> Iterator[Finding]:
    sqs = patient.client("sqs")
    counted = {each.name: _waiting(sqs, patient.output(f"{each.dead_logical_id}Url")) for each in QUEUES}
    for name, count in counted.items():
        if count:
            words = f"{count} letters of the queue {name} could not be worked off."
            yield problem("dead letters", words, f"Console, {FAILED_PAGE}: read why, then try again.")
    if not any(counted.values()):
        yield ok("dead letters", "None.")


def _waiting(sqs: Any, url: str) -> int:
    asked = "ApproximateNumberOfMessages"
    return int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[asked])["Attributes"][asked])


def queues(patient: Patient) -> Iterator[Finding]:
    """Nothing has waited for long.  How long is CloudWatch's to say, five minutes late."""
    old = []
    for each in QUEUES:
        if each.name in WATCHED_FOR_AGE:
            name = patient.output(f"{each.logical_id}Url").rsplit("/", 1)[-1]
            seconds = _oldest_seconds(patient, name)
            if seconds >= OLD_SECONDS:
                old.append(name)
                words = f"A message has waited in {name} for {seconds / 60:.0f} minutes."
                yield problem("queues", words, "See “functions”, “concurrency” and “event sources” here.")
    if not old:
        yield ok("queues", "Nothing waits for long.")


def _oldest_seconds(patient: Patient, queue: str) -> float:
    now = patient.now()
    found = patient.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SQS", MetricName="ApproximateAgeOfOldestMessage",
        Dimensions=[{"Name": "QueueName", "Value": queue}],
        StartTime=now - timedelta(minutes=15), EndTime=now, Period=300, Statistics=["Maximum"],
    )  # fmt: skip
    points = sorted(found.get("Datapoints", ()), key=lambda each: each["Timestamp"])
    return float(points[-1]["Maximum"]) if points else 0.0


def alarms(patient: Patient) -> Iterator[Finding]:
    prefix = f"{patient.name}-"
    found = [
        each
        for page in patient.client("cloudwatch").get_paginator("describe_alarms").paginate(AlarmNamePrefix=prefix)
        for each in page.get("MetricAlarms", ())
    ]
    ringing = [each for each in found if each["StateValue"] == "ALARM"]
    for each in ringing:
        then = f"{GUIDE}, “Alarms”"
        yield problem("alarms", f"{each['AlarmName']} rings: {each.get('AlarmDescription', '')}", then)
    if not found:
        yield problem("alarms", "There is no alarm.", f"make deploy STAGE={patient.stage}")
    elif not ringing:
        yield ok("alarms", f"None of {len(found)} rings.")


def alarm_mail(patient: Patient) -> Iterator[Finding]:
    """Somebody hears the alarms."""
    topic = patient.output("AlarmTopicArn")
    listed = patient.client("sns").list_subscriptions_by_topic(TopicArn=topic).get("Subscriptions", ())
    confirmed = [each for each in listed if each["SubscriptionArn"].startswith("arn:")]
    if confirmed:
        yield ok("alarm mail", f"{len(confirmed)} told.")
    elif listed:
        words = "The address that is to hear of alarms has not confirmed."
        yield warning("alarm mail", words, "Open AWS's mail “Subscription Confirmation” there and follow its link.")
    else:
        then = f'make deploy STAGE={patient.stage} SET="AlarmEmail=you@shop.example"'
        yield warning("alarm mail", "Nobody is told of alarms.", then)


def logs(patient: Patient) -> Iterator[Finding]:
    """Logs end by themselves."""
    client = patient.client("logs")
    pages = client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=f"/aws/lambda/{patient.name}-")
    endless = [each["logGroupName"] for page in pages for each in page["logGroups"] if not each.get("retentionInDays")]
    for name in endless:
        then = f"aws logs put-retention-policy --retention-in-days {LOG_RETENTION_DAYS} --log-group-name {name}"
        yield warning("logs", f"{name} is kept for ever, and paid for.", then)
    if not endless:
        yield ok("logs", "Every log has an end.")


def account(patient: Patient) -> Iterator[Finding]:
    """The clock of this machine and AWS's: a signature is good for five minutes."""
    if patient.local:
        yield only_on_aws("clock")
        return
    from email.utils import parsedate_to_datetime

    answer = patient.client("sts").get_caller_identity()
    theirs = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    skew = abs((patient.now() - theirs).total_seconds())
    if skew > 60:
        words = f"The clock of this machine is {skew:.0f} seconds off AWS's."
        yield warning("clock", words, "Set it by NTP; AWS refuses signatures that are five minutes off.")
    else:
        yield ok("clock", "This machine and AWS agree.")


CHECKS: tuple[Check, ...] = (
    account, functions, concurrency, event_sources, schedules, table, expiry, recovery, queues, dead_letters, alarms,
    alarm_mail, logs,
)  # fmt: skip
