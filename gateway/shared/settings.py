"""Where the Redis is that gateways share, and how long answers of the database are given again."""

from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from schemas.settings import Settings

_SCHEMES = ("redis", "rediss", "unix")


def _kept(seconds: float, path: str) -> Any:
    return Field(seconds, ge=0, le=900, description=f"Equal questions of {path} get the same answer so long")


class SharedSettings(Settings):
    """What the gateways of a deployment agree on."""

    redis_url: SecretStr = Field(
        SecretStr(""),
        description="redis://USER:PASSWORD@HOST:PORT/0, or rediss:// for TLS: shared by gateways; empty: none",
    )
    redis_answer_ms: int = Field(50, ge=1, le=5_000, description="An answer of Redis is waited for so long")

    history_cache_seconds: float = _kept(15.0, "/history")
    bars_cache_seconds: float = _kept(5.0, "/bars")
    features_cache_seconds: float = _kept(5.0, "/features")
    accuracy_cache_seconds: float = _kept(60.0, "/accuracy?by=week and by=date")

    @field_validator("redis_url")
    @classmethod
    def _redis_url(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text and urlsplit(text).scheme not in _SCHEMES:
            raise ValueError("give redis://USER:PASSWORD@HOST:PORT/0, or rediss:// for TLS")
        return value
