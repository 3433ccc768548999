"""Where the watched gateway is, and who asks it."""

from pydantic import Field, SecretStr

from schemas.settings import Settings


class WatchSettings(Settings):
    """What `tickcast watch` needs to know."""

    url: str = Field("http://127.0.0.1:8000", description="Of the gateway that `tickcast watch` asks")
    api_key: SecretStr = Field(SecretStr(""), description="With which `tickcast watch` asks it; empty: none")
