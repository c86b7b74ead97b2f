"""Ten alarms, all to one topic: as many as AWS gives for nothing.  One metric each, for a metric is what is billed."""

from infra.cloudformation import Json, attribute, ref, resource
from infra.resources.queues import QUEUES

WATCHED_FOR_AGE = ("inbound", "outbound")
"""``later`` waits on purpose, and a stuck ``work`` shows as function errors."""

FAILED_PAGE = "Operations, “Could not be processed”"
"""Where the console lists dead letters, as its menu says it."""


def _alarm(stage: str, name: str, says: str, threshold: float, **more: object) -> Json:
    properties = {
        "AlarmName": f"deskbell-{stage}-{name}",
        "AlarmDescription": says,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Threshold": threshold,
        "EvaluationPeriods": 1,
        "TreatMissingData": "notBreaching",
        "AlarmActions": [ref("AlarmTopic")],
        "OKActions": [ref("AlarmTopic")],
        **more,
    }
    return resource("AWS::CloudWatch::Alarm", properties)


def _metric(namespace: str, name: str, statistic: str, period_seconds: int) -> Json:
    return {"Namespace": namespace, "MetricName": name, "Statistic": statistic, "Period": period_seconds}


def _queue_alarm(stage: str, name: str, says: str, threshold: float, metric: str, queue: str) -> Json:
    watched = _metric("AWS/SQS", metric, "Maximum", 300)
    dimensions = [{"Name": "QueueName", "Value": attribute(queue, "QueueName")}]
    return _alarm(stage, name, says, threshold, **watched, Dimensions=dimensions)


def _queue_alarms(stage: str) -> dict[str, Json]:
    dead, age = "ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"
    found: dict[str, Json] = {}
    for queue in QUEUES:
        found[f"{queue.dead_logical_id}Alarm"] = _queue_alarm(
            stage,
            f"dead-letters-{queue.name}",
            f"Something could not be worked off. Console, {FAILED_PAGE}: read why, then try again.",
            1,
            dead,
            queue.dead_logical_id,
        )
        if queue.name in WATCHED_FOR_AGE:
            found[f"{queue.logical_id}AgeAlarm"] = _queue_alarm(
                stage, f"old-messages-{queue.name}", "Mail has waited for ten minutes.", 600, age, queue.logical_id
            )
    return found


def resources(stage: str) -> dict[str, Json]:
    lambda_sum = ("Sum", 300)
    return {
        "AlarmTopic": resource("AWS::SNS::Topic", {"TopicName": f"deskbell-{stage}-alarms"}),
        "AlarmMail": resource(
            "AWS::SNS::Subscription",
            {"TopicArn": ref("AlarmTopic"), "Protocol": "email", "Endpoint": ref("AlarmEmail")},
            Condition="HasAlarmEmail",
        ),
        **_queue_alarms(stage),
        # Without a dimension these count all functions of the account and region, so a neighbour may ring too.
        "ErrorAlarm": _alarm(
            stage,
            "function-errors",
            "Functions of this account and region failed five times within five minutes.",
            5,
            **_metric("AWS/Lambda", "Errors", *lambda_sum),
        ),
        "ThrottleAlarm": _alarm(
            stage,
            "function-throttles",
            "Functions of this account and region were refused for lack of concurrency.",
            10,
            **_metric("AWS/Lambda", "Throttles", *lambda_sum),
        ),
        # SES puts an account under review near 5 % bounces or 0.1 % complaints.
        "BounceAlarm": _alarm(
            stage,
            "bounce-rate",
            "4 % of the account's mail bounces; SES reviews accounts at 5 %.",
            0.04,
            **_metric("AWS/SES", "Reputation.BounceRate", "Average", 3600),
        ),
        "ComplaintAlarm": _alarm(
            stage,
            "complaint-rate",
            "0.08 % of the account's mail is reported as spam; SES reviews accounts at 0.1 %.",
            0.0008,
            **_metric("AWS/SES", "Reputation.ComplaintRate", "Average", 3600),
        ),
    }
