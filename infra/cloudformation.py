"""Words of CloudFormation, so that the resource files read as what they declare."""

from typing import Any

Json = dict[str, Any]
"""A piece of a template, as CloudFormation spells it."""


def ref(logical_id: str) -> Json:
    return {"Ref": logical_id}


def attribute(logical_id: str, name: str = "Arn") -> Json:
    return {"Fn::GetAtt": [logical_id, name]}


def sub(text: str) -> Json:
    return {"Fn::Sub": text}


def when(condition: str, then: Any, otherwise: Any = None) -> Json:
    """``otherwise`` None leaves the property out."""
    return {"Fn::If": [condition, then, ref("AWS::NoValue") if otherwise is None else otherwise]}


def resource(kind: str, properties: Json, **attributes: Any) -> Json:
    """``attributes`` are DependsOn, DeletionPolicy and the like."""
    return {"Type": kind, "Properties": properties, **attributes}


KEPT_FROM_DELETION: Json = {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}
"""For what holds the merchant's data: a first deployment that fails cleans up, nothing later removes it by itself."""
