"""Originals (raw/, kept/, parked/) and attachments."""

from infra.cloudformation import KEPT_FROM_DELETION, Json, attribute, ref, resource, sub, when


def _bucket(stage: str, lifecycle: list[Json], **more: Json) -> Json:
    abandoned = {
        "Id": "abandoned-uploads",
        "Status": "Enabled",
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    }
    properties = {
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        },
        "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        },
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "LifecycleConfiguration": {"Rules": [abandoned, *lifecycle]},
        "Tags": [{"Key": "deskbell:stage", "Value": stage}],
        **more,
    }
    return resource("AWS::S3::Bucket", properties, **KEPT_FROM_DELETION)


def _expire(prefix: str, days: Json | int) -> Json:
    return {"Id": prefix.rstrip("/"), "Status": "Enabled", "Prefix": prefix, "ExpirationInDays": days}


def _policy(bucket: str, *statements: Json) -> Json:
    tls_only = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [attribute(bucket), sub(f"${{{bucket}.Arn}}/*")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    document = {"Version": "2012-10-17", "Statement": [tls_only, *statements]}
    return resource("AWS::S3::BucketPolicy", {"Bucket": ref(bucket), "PolicyDocument": document})


def _mail_may_arrive(stage: str) -> Json:
    """Our rules may stand in a rule set of somebody else (infra/receiving.py), so only their names are fixed."""
    rules = "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:receipt-rule-set/*:receipt-rule/"
    return {
        "Sid": "MailArrives",
        "Effect": "Allow",
        "Principal": {"Service": "ses.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": sub("${OriginalsBucket.Arn}/raw/*"),
        "Condition": {
            "StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")},
            "ArnLike": {"aws:SourceArn": sub(f"{rules}deskbell-{stage}-*")},
        },
    }


def resources(stage: str) -> dict[str, Json]:
    # raw/ never expires: it is a tray, and what lies there has not been read yet.
    originals = _bucket(
        stage, [_expire("kept/", ref("OriginalsRetentionDays")), _expire("parked/", ref("OriginalsRetentionDays"))]
    )
    # The browser talks to S3 itself, with presigned URLs.  The console's own address cannot be named here: the
    # API depends on its function, which knows this bucket.
    gateway = sub("https://*.execute-api.${AWS::Region}.${AWS::URLSuffix}")
    cross_origin: Json = {
        "CorsRules": [
            {
                "AllowedOrigins": [gateway, when("HasConsoleOrigin", ref("ConsoleOrigin"))],
                "AllowedMethods": ["GET", "HEAD", "PUT", "POST"],
                "AllowedHeaders": ["*"],
                "ExposedHeaders": ["ETag"],
                "MaxAge": 3600,
            }
        ]
    }
    return {
        "OriginalsBucket": originals,
        "OriginalsBucketPolicy": _policy("OriginalsBucket", _mail_may_arrive(stage)),
        # answers/ holds what idempotency keys answered; nobody repeats a call after three days.
        "AttachmentsBucket": _bucket(stage, [_expire("answers/", 3)], CorsConfiguration=cross_origin),
        "AttachmentsBucketPolicy": _policy("AttachmentsBucket"),
    }
