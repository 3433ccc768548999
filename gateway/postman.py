"""`python -m gateway.postman`: the REST API as a Postman collection (v2.1.0), made from the OpenAPI document."""

import json
import sys
from http import HTTPStatus
from typing import Any

from gateway.app import build_api
from gateway.instruments import Instruments
from gateway.parts import Parts
from gateway.service import SERVICE
from gateway.settings import GatewaySettings
from schemas.service import run_service
from schemas.status import StatusBoard

_SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
_JSON = "application/json"

Document = dict[str, Any]


def collection_of(document: Document, base_url: str) -> Document:
    """Give the collection of an OpenAPI document: a folder a tag, in it each operation once."""
    folders: dict[str, list[Document]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            folders.setdefault(operation["tags"][0], []).append(_item(document, method.upper(), path, operation))
    return {
        "info": {
            "name": document["info"]["title"],
            "description": document["info"]["description"],
            "version": document["info"]["version"],
            "schema": _SCHEMA,
        },
        "auth": {
            "type": "apikey",
            "apikey": [
                {"key": "key", "value": "X-API-Key", "type": "string"},
                {"key": "value", "value": "{{apiKey}}", "type": "string"},
                {"key": "in", "value": "header", "type": "string"},
            ],
        },
        "variable": [
            {"key": "baseUrl", "value": base_url, "type": "string"},
            {"key": "apiKey", "value": "", "type": "string", "description": "From `tickcast keys create`"},
        ],
        "item": [{"name": tag, "item": items} for tag, items in folders.items()],
    }


def _item(document: Document, method: str, path: str, operation: Document) -> Document:
    request: Document = {
        "method": method,
        "description": operation.get("description", ""),
        "header": _parameters(operation, "header"),
        "url": _url(path, operation),
    }
    content = operation.get("requestBody", {}).get("content", {}).get(_JSON)
    if content is not None:
        request["header"].append({"key": "Content-Type", "value": _JSON})
        raw = json.dumps(content.get("example", {}), indent=2)
        request["body"] = {"mode": "raw", "raw": raw, "options": {"raw": {"language": "json"}}}
    return {"name": operation["summary"], "request": request, "response": _responses(document, operation, request)}


def _url(path: str, operation: Document) -> Document:
    segments = [f":{part[1:-1]}" if part.startswith("{") else part for part in path.strip("/").split("/")]
    query = _parameters(operation, "query")
    sent = "&".join(f"{each['key']}={each['value']}" for each in query if not each["disabled"])
    return {
        "raw": "/".join(("{{baseUrl}}", *segments)) + (f"?{sent}" if sent else ""),
        "host": ["{{baseUrl}}"],
        "path": segments,
        "query": query,
        "variable": [
            {name: value for name, value in each.items() if name != "disabled"}
            for each in _parameters(operation, "path")
        ],
    }


def _parameters(operation: Document, place: str) -> list[Document]:
    """Give parameters; those that need not be sent are there, and switched off."""
    return [
        {
            "key": parameter["name"],
            "value": _example(parameter["schema"]),
            "description": parameter.get("description", ""),
            "disabled": not parameter.get("required", False),
        }
        for parameter in operation.get("parameters", ())
        if parameter["in"] == place
    ]


def _example(schema: Document) -> str:
    examples = [*schema.get("examples", ()), schema.get("default", "")]
    return str(examples[0])


def _responses(document: Document, operation: Document, request: Document) -> list[Document]:
    """Give the example of a good answer, where there is one."""
    status, good = next(item for item in operation["responses"].items() if item[0].startswith("2"))
    name = good.get("content", {}).get(_JSON, {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
    return [
        {
            "name": "An example",
            "originalRequest": request,
            "code": int(status),
            "status": HTTPStatus(int(status)).phrase,
            "header": [{"key": "Content-Type", "value": _JSON}],
            "body": json.dumps(example, indent=2),
        }
        for example in document["components"]["schemas"].get(name, {}).get("examples", ())
    ]


def _write(settings: GatewaySettings) -> None:
    parts = Parts(settings=settings, board=StatusBoard(SERVICE, settings.instance), instruments=Instruments())
    scheme = "https" if settings.uses_tls else "http"
    collection = collection_of(build_api(parts).openapi(), f"{scheme}://127.0.0.1:{settings.gateway_port}")
    sys.stdout.write(json.dumps(collection, indent=2) + "\n")


if __name__ == "__main__":
    run_service("postman", GatewaySettings, _write)
