"""How jobs are named, so that the log itself remembers what an `Idempotency-Key` was used for. Pure."""

import hashlib
import re
import secrets
from typing import Any

import msgspec

from schemas.times import NS_PER_SECOND

#: An `Idempotency-Key` gives the same job for so long.
REMEMBERED_SECONDS = 86_400
_KEYED = re.compile(r"api-\d+-([0-9a-f]{32})-([0-9a-f]{16})").fullmatch


def new_id(kind: str = "api") -> str:
    """Name a job that was asked for without a key."""
    return f"{kind}-{secrets.token_hex(16)}"


def key_digest(caller: str, key: str) -> str:
    """Give what stands for a caller's key in ids: nobody sees the key itself."""
    return _digest([caller, key], 32)


def request_digest(request: Any) -> str:
    """Give what stands for what was asked: the path and the body, as they were understood."""
    return _digest(request, 16)


def keyed_id(of_key: str, of_request: str, now_ns: int) -> str:
    """Name the job of a key and a request: every gateway gives it the same name, on one day."""
    return f"api-{now_ns // (REMEMBERED_SECONDS * NS_PER_SECOND)}-{of_key}-{of_request}"


def digests_in(job_id: str) -> tuple[str, str] | None:
    """Give what stands for key and request in an id; None where it was asked for without a key."""
    found = _KEYED(job_id)
    return None if found is None else (found[1], found[2])


def _digest(value: Any, length: int) -> str:
    return hashlib.sha256(msgspec.json.encode(value)).hexdigest()[:length]
