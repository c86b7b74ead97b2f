"""The one CloudFormation template: what Chalice makes of app.py, merged with what stands here."""

from infra import policies
from infra.cloudformation import Json, attribute, ref, sub
from infra.resources import alarms, buckets, handlers, http, identity, mail, queues, table

NO_RECIPIENT = "nobody@deskbell.invalid"
"""An empty list would make SES give us the mail of every address of the account."""


def _parameter(description: str, default: str | int, kind: str = "String", **more: object) -> Json:
    return {"Type": kind, "Default": default, "Description": description, **more}


def _parameters(stage: str) -> Json:
    return {
        "ParameterPrefix": _parameter("Where the desk's secrets lie in SSM.", f"/deskbell/{stage}/"),
        "InboxRecipients": _parameter(
            "Not to be given: what the receipt rule is made with. The inboxes' addresses are put into it afterwards.",
            NO_RECIPIENT,
            "CommaDelimitedList",
        ),
        "BounceDomain": _parameter(
            "A domain that serves no mail but this desk's: unknown addresses there bounce. Empty: none.", ""
        ),
        "ConsoleOrigin": _parameter("https://desk.shop.example, where the console has a domain of its own.", ""),
        "AlarmEmail": _parameter("Who is told of alarms. Empty: nobody by mail.", ""),
        "OriginalsRetentionDays": _parameter("How long originals are kept once read.", 400, "Number", MinValue=30),
        "HooksConcurrency": _parameter(
            "Concurrent executions set aside for webhooks. 0: none, as new accounts have none to spare.", 0, "Number"
        ),
        "FewExecutions": _parameter(
            "yes while Lambda lets the account run fewer than 100 functions at once. The deployment looks.",
            "no",
            AllowedValues=["yes", "no"],
        ),
    }


def _given(parameter: str, nothing: str | int = "") -> Json:
    return {"Fn::Not": [{"Fn::Equals": [ref(parameter), nothing]}]}


def _conditions() -> Json:
    return {
        "BouncesUnknown": _given("BounceDomain"),
        "HasConsoleOrigin": _given("ConsoleOrigin"),
        "HasAlarmEmail": _given("AlarmEmail"),
        "HasHooksConcurrency": _given("HooksConcurrency", 0),
        "HasFewExecutions": {"Fn::Equals": [ref("FewExecutions"), "yes"]},
    }


def _outputs() -> Json:
    values: dict[str, Json] = {
        "ConsoleURL": sub(
            f"https://${{RestAPI}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/{handlers.API_STAGE}/"
        ),
        "HooksHandlerName": ref("HooksHandler"),
        "TableName": ref("Table"),
        "TableStreamArn": attribute("Table", "StreamArn"),
        "OriginalsBucketName": ref("OriginalsBucket"),
        "AttachmentsBucketName": ref("AttachmentsBucket"),
        "UserPoolId": ref("UserPool"),
        "UserPoolClientId": ref("UserPoolClient"),
        "ConfigurationSetName": ref("ConfigurationSet"),
        "MailTopicArn": ref("MailTopic"),
        "DeliveryTopicArn": ref("DeliveryTopic"),
        "AlarmTopicArn": ref("AlarmTopic"),
    }
    for queue in queues.QUEUES:
        values[f"{queue.logical_id}Url"] = ref(queue.logical_id)
        values[f"{queue.dead_logical_id}Url"] = ref(queue.dead_logical_id)
    return {name: {"Value": value} for name, value in values.items()}


def merge_template(stage: str) -> Json:
    """What ``chalice package --merge-template`` is given; merged deeply, ours wins."""
    topics = (table, queues, buckets, mail, identity, handlers, policies, http, alarms)
    resources: dict[str, Json] = {}
    for topic in topics:
        for logical_id, declared in topic.resources(stage).items():
            if logical_id in resources:
                raise ValueError(f"{logical_id} is declared twice")
            resources[logical_id] = declared
    return {
        "Description": f"Deskbell help desk, stage {stage}",
        "Parameters": _parameters(stage),
        "Conditions": _conditions(),
        "Globals": {"Function": {"Environment": {"Variables": handlers.environment(stage)}}},
        "Resources": resources,
        "Outputs": _outputs(),
    }


def finish(template: Json, stage: str) -> Json:
    """Return Chalice's merged template with what merging cannot do: event sources and the second HTTP function."""
    resources = dict(template["Resources"])
    handlers.set_sources(resources)
    resources["HooksHandler"] = handlers.hooks_function(stage, resources["APIHandler"])
    http.send_public_paths_to_hooks(resources["RestAPI"]["Properties"]["DefinitionBody"])
    return template | {"Resources": resources}
