"""The Postman collection: whole, of the published form, and made of requests that the gateway takes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft7Validator

from gateway.app import build_api
from gateway.postman import collection_of
from schemas.sockets import EVENTS_PATH
from tests.gateway.full_parts import full_parts
from tests.gateway.web import client_of

#: What https://schema.getpostman.com/json/collection/v2.1.0/collection.json asks of what is used here.
_PAIRS: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["key", "value"],
        "properties": {name: {"type": "string"} for name in ("key", "value", "description")},
    },
}
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["info", "item"],
    "properties": {
        "info": {
            "required": ["name", "schema"],
            "properties": {"schema": {"pattern": "/v2\\.1\\.0/collection\\.json$"}, "name": {"type": "string"}},
        },
        "variable": _PAIRS,
        "auth": {"required": ["type"], "properties": {"type": {"const": "apikey"}, "apikey": _PAIRS}},
        "item": {"items": {"required": ["item", "name"], "properties": {"item": {"items": {"$ref": "#/$defs/item"}}}}},
    },
    "$defs": {
        "item": {
            "required": ["request", "name", "response"],
            "properties": {
                "request": {"$ref": "#/$defs/request"},
                "response": {
                    "items": {
                        "required": ["code", "body"],
                        "properties": {
                            "code": {"type": "integer"},
                            "body": {"type": "string"},
                            "header": _PAIRS,
                            "originalRequest": {"$ref": "#/$defs/request"},
                        },
                    }
                },
            },
        },
        "request": {
            "required": ["method", "url", "header"],
            "properties": {
                "method": {"enum": ["GET", "POST", "PUT", "PATCH", "DELETE"]},
                "header": _PAIRS,
                "body": {"required": ["mode", "raw"], "properties": {"mode": {"const": "raw"}}},
                "url": {
                    "required": ["raw", "host", "path"],
                    "properties": {"raw": {"type": "string"}, "query": _PAIRS, "variable": _PAIRS},
                },
            },
        },
    },
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return build_api(full_parts()).openapi()


@pytest.fixture(scope="module")
def collection(document: dict[str, Any]) -> dict[str, Any]:
    return collection_of(document, "http://localhost:8000")


def items_of(collection: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for folder in collection["item"]:
        for item in folder["item"]:
            yield folder["name"], item


def test_it_has_the_published_form(collection: dict[str, Any]) -> None:
    assert [error.message for error in Draft7Validator(_SCHEMA).iter_errors(collection)] == []
    assert {each["key"]: each["value"] for each in collection["variable"]} == {
        "baseUrl": "http://localhost:8000",
        "apiKey": "",
    }


def test_every_operation_is_there_once_in_the_folder_of_its_tag(
    document: dict[str, Any], collection: dict[str, Any]
) -> None:
    found = []
    for tag, item in items_of(collection):
        path = "/".join(f"{{{part[1:]}}}" if part.startswith(":") else part for part in item["request"]["url"]["path"])
        found.append((tag, item["request"]["method"].lower(), f"/{path}"))
    described = [
        (operation["tags"][0], method, path)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    assert sorted(found) == sorted(described)
    query = {each["key"]: each for _, item in items_of(collection) for each in item["request"]["url"]["query"]}
    assert query["symbol"] == {
        "key": "symbol",
        "value": "AAPL",
        "description": "A symbol, in any case",
        "disabled": False,
    }
    assert query["cursor"]["disabled"]


async def test_every_request_of_it_is_one_that_the_gateway_takes(collection: dict[str, Any]) -> None:
    async with client_of(full_parts()) as client:
        for _, item in items_of(collection):
            request = item["request"]
            url = request["url"]["raw"].replace("{{baseUrl}}", "http://localhost:8000")
            if EVENTS_PATH in url:  # its answer has no end
                continue
            for variable in request["url"]["variable"]:
                url = url.replace(f":{variable['key']}", variable["value"])
            headers = {each["key"]: each["value"] for each in request["header"] if not each.get("disabled")}
            answer = await client.request(
                request["method"], url, headers=headers, content=request.get("body", {}).get("raw")
            )
            is_taken = answer.status_code not in (400, 404, 405, 415, 500) or "auth-off" in answer.text
            assert is_taken, (item["name"], answer.text)
            for saved in item["response"] if answer.is_success else ():
                assert saved["code"] == answer.status_code
                assert {*answer.json()} <= {*json.loads(saved["body"])}, item["name"]
