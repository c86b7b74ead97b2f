"""The REST API: two functions behind one address, and answers for what no function sees."""

import json

from infra.cloudformation import Json, ref, resource, sub

PUBLIC_PATHS = ("/hooks",)
"""Served by the hooks function: strangers call them, so they have their own role and concurrency."""


def _problem(status: int, title: str, detail: str) -> Json:
    """An answer as RFC 9457 has it, like those of our own functions.  ``detail`` may hold gateway variables."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return {
        "StatusCode": status,
        "ResponseParameters": {"Headers": {"Content-Type": "'application/problem+json'"}},
        "ResponseTemplates": {"application/json": json.dumps(body)},
    }


def gateway_responses() -> Json:
    """What API Gateway itself answers, by the kind of trouble."""
    return {
        # API Gateway says "missing authentication token" of every path it does not know.
        "MISSING_AUTHENTICATION_TOKEN": _problem(404, "Not found", "There is nothing at this address."),
        "REQUEST_TOO_LARGE": _problem(413, "Too large", "Send at most 10 MB; files go to the address of an upload."),
        "THROTTLED": _problem(429, "Too many requests", "Wait a few seconds, then send it again."),
        "INTEGRATION_TIMEOUT": _problem(
            504, "Timed out", "This took over 29 seconds and may have been done; look before you send it again."
        ),
        "INTEGRATION_FAILURE": _problem(502, "Failed", "The desk could not be reached. Try again in a minute."),
    }


def resources(stage: str) -> dict[str, Json]:
    api = {
        "Name": f"deskbell-{stage}",
        "OpenApiVersion": "2.0",  # without it SAM adds a second stage, called "Stage"
        "EndpointConfiguration": {"Type": "REGIONAL"},
        "GatewayResponses": gateway_responses(),
    }
    permission = {
        "FunctionName": ref("HooksHandler"),
        "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": sub("arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${RestAPI}/*"),
    }
    return {
        "RestAPI": {"Properties": api},
        "HooksHandlerInvokePermission": resource("AWS::Lambda::Permission", permission),
    }


def is_public(path: str) -> bool:
    return any(path == public or path.startswith(f"{public}/") for public in PUBLIC_PATHS)


def send_public_paths_to_hooks(definition: Json) -> None:
    """Change ``definition`` (the API's swagger) in place."""
    for path, methods in definition["paths"].items():
        if is_public(path):
            for method in methods.values():
                integration = method["x-amazon-apigateway-integration"]
                if "uri" in integration:  # a CORS preflight is answered by the gateway itself
                    integration["uri"] = sub(integration["uri"]["Fn::Sub"].replace("APIHandler", "HooksHandler"))
