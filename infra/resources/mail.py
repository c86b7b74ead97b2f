"""SES in (receipt rules, notice topic) and out (configuration set, event topic)."""

from infra.cloudformation import Json, attribute, ref, resource, sub

INBOX_RULE = "InboxRule"
"""Rule 1's logical id."""
EVENTS = ("send", "reject", "bounce", "complaint", "delivery", "deliveryDelay", "renderingFailure")


def rule_set_name(stage: str) -> str:
    return f"deskbell-{stage}"


def inbox_rule_name(stage: str) -> str:
    """Rule 1.  The desk's Settings keep its recipients equal to the inboxes' addresses."""
    return f"deskbell-{stage}-inboxes"


def unknown_rule_name(stage: str) -> str:
    """Rule 2.  Exists only where the merchant names a domain that serves no mail but this desk's."""
    return f"deskbell-{stage}-unknown"


def _topic_for_ses(topic: str) -> Json:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "ses.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": ref(topic),
        "Condition": {"StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")}},
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return resource("AWS::SNS::TopicPolicy", {"Topics": [ref(topic)], "PolicyDocument": document})


def _topics(stage: str) -> dict[str, Json]:
    return {
        "MailTopic": resource("AWS::SNS::Topic", {"TopicName": f"deskbell-{stage}-mail"}),
        "MailTopicPolicy": _topic_for_ses("MailTopic"),
        "MailSubscription": resource(
            "AWS::SNS::Subscription",
            {
                "TopicArn": ref("MailTopic"),
                "Protocol": "sqs",
                "Endpoint": attribute("InboundQueue"),
                "RawMessageDelivery": True,
            },
        ),
        "DeliveryTopic": resource("AWS::SNS::Topic", {"TopicName": f"deskbell-{stage}-delivery-events"}),
        "DeliveryTopicPolicy": _topic_for_ses("DeliveryTopic"),
    }


def _rule(rule: Json, **more: Json) -> Json:
    return resource("AWS::SES::ReceiptRule", {"RuleSetName": ref("MailRuleSet"), "Rule": rule, **more})


def _receiving(stage: str) -> dict[str, Json]:
    """Rule 1's recipients are the inboxes', which CloudFormation does not know: Settings and the deployment set them.

    An update leaves the live rule alone as long as what stands here resolves to the same.  So the parameter keeps its
    value for ever: 0.1.0 passed addresses in it, and any other value would take those out of the live rule.
    """
    inboxes = {
        "Name": inbox_rule_name(stage),
        "Enabled": True,
        "ScanEnabled": True,  # without it spam and virus verdicts mean nothing
        "TlsPolicy": "Optional",
        "Recipients": ref("InboxRecipients"),
        "Actions": [
            {
                "S3Action": {
                    "BucketName": ref("OriginalsBucket"),
                    "ObjectKeyPrefix": "raw/",
                    "TopicArn": ref("MailTopic"),
                }
            },
            {"StopAction": {"Scope": "RuleSet"}},  # else the catch-all would bounce the same mail
        ],
    }
    unknown = {
        "Name": unknown_rule_name(stage),
        "Enabled": True,
        "ScanEnabled": False,
        "TlsPolicy": "Optional",
        "Recipients": [ref("BounceDomain")],
        "Actions": [
            {
                "BounceAction": {
                    "SmtpReplyCode": "550",
                    "StatusCode": "5.1.1",
                    "Message": "There is no such mailbox here",
                    "Sender": sub("mailer-daemon@${BounceDomain}"),
                }
            }
        ],
    }
    return {
        "MailRuleSet": resource("AWS::SES::ReceiptRuleSet", {"RuleSetName": rule_set_name(stage)}),
        INBOX_RULE: _rule(inboxes) | {"DependsOn": ["OriginalsBucketPolicy", "MailTopicPolicy"]},
        "UnknownRule": _rule(unknown, After=ref(INBOX_RULE)) | {"Condition": "BouncesUnknown"},
    }


def _sending(stage: str) -> dict[str, Json]:
    return {
        "ConfigurationSet": resource(
            "AWS::SES::ConfigurationSet",
            {
                "Name": f"deskbell-{stage}",
                "ReputationOptions": {"ReputationMetricsEnabled": True},
                "SuppressionOptions": {"SuppressedReasons": ["BOUNCE", "COMPLAINT"]},
            },
        ),
        "ConfigurationSetEvents": resource(
            "AWS::SES::ConfigurationSetEventDestination",
            {
                "ConfigurationSetName": ref("ConfigurationSet"),
                "EventDestination": {
                    "Name": "delivery-events",
                    "Enabled": True,
                    "MatchingEventTypes": list(EVENTS),
                    "SnsDestination": {"TopicARN": ref("DeliveryTopic")},
                },
            },
            DependsOn=["DeliveryTopicPolicy"],
        ),
    }


def resources(stage: str) -> dict[str, Json]:
    return _topics(stage) | _receiving(stage) | _sending(stage)
