"""The OpenAPI document says what the routes do."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from chalicelib.api.openapi import document
from chalicelib.api.operations import DECLARED
from chalicelib.api.rest.routes import PREFIX, ROUTES
from tests.api.client import Api

DOCUMENT = document("/api/v1")


def test_every_route_is_in_the_document_and_the_other_way_round() -> None:
    from app import app

    routes = {
        (path.removeprefix(PREFIX), method.lower())
        for path, methods in app.routes.items()
        for method in methods
        if path.startswith(PREFIX) and path != f"{PREFIX}/openapi.json"
    }
    assert routes == {(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods}


def test_it_is_served_to_everybody(api: Api) -> None:
    answer = api.call("GET", "/openapi.json", headers={"authorization": ""})
    assert answer.status == 200
    assert answer.json == json.loads(json.dumps(DOCUMENT))


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        yield from (value for name, value in part.items() if name == "$ref")
        for each in part.values():
            yield from _references(each)
    elif isinstance(part, list):
        for each in part:
            yield from _references(each)


def test_references_lead_somewhere_and_every_schema_is_used() -> None:
    named = {reference.rsplit("/", 1)[-1] for reference in _references(DOCUMENT)}
    assert named == set(DOCUMENT["components"]["schemas"])


@pytest.mark.parametrize("name", sorted(DOCUMENT["components"]["schemas"]))
def test_schemas_are_json_schema(name: str) -> None:
    jsonschema_rs.meta.validate(DOCUMENT["components"]["schemas"][name])


def test_names_are_unique_and_every_call_names_the_scopes_that_allow_it() -> None:
    assert set(DECLARED) == set(ROUTES)
    for methods in DOCUMENT["paths"].values():
        for described in methods.values():
            assert described["operationId"] == "get_health" or described["security"][0]["token"]


def test_every_post_takes_an_idempotency_key() -> None:
    for path, methods in DOCUMENT["paths"].items():
        if "post" in methods:
            assert "Idempotency-Key" in [each["name"] for each in methods["post"]["parameters"]], path


def test_what_is_not_there_yet_is_said_and_not_pretended() -> None:
    assert not any(path.startswith(("/orders", "/reports")) for path in DOCUMENT["paths"])
    assert "/orders" in DOCUMENT["info"]["description"]
