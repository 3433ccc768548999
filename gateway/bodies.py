"""JSON that clients send, read with errors that name the field and the fix."""

import re
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request

from gateway.problems import bad_request

_PLACE = re.compile(r" - at `\$\.?(.*)`$")
_NAMED = re.compile(r"field `(\w+)`")

Read = TypeVar("Read")


async def read_json(request: Request) -> Any:
    """Read a request's JSON; `gateway.access.bodies` has let nothing else pass than what says that it is JSON.

    Raises:
        ProblemError: 400: it is none.
    """
    try:
        return msgspec.json.decode(await request.body())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise bad_request("invalid-json", "body", f"the body is not JSON: {error}") from error


async def read_optional_json(request: Request) -> Any:
    """Read a request's JSON; no body is an empty object.

    Raises:
        ProblemError: 400: it is none.
    """
    return await read_json(request) if await request.body() else {}


def read_as(given: Any, wanted: type[Read], example: str) -> Read:
    """Give a JSON value as a type.

    Raises:
        ProblemError: 400, with what is wrong where, and an example.
    """
    try:
        return msgspec.convert(given, wanted)
    except msgspec.ValidationError as error:
        text = str(error)
        place, named = _PLACE.search(text), _NAMED.search(text)
        field = ".".join(part for part in (place and place[1], named and named[1]) if part) or "body"
        detail = f"{_PLACE.sub('', text)} in {field}: send a body like {example}"
        raise bad_request("invalid-input", field, detail) from error
