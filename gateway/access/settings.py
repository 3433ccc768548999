"""Settings of who may come in."""

from typing import Self

from pydantic import Field, SecretStr, model_validator

from schemas.settings import Settings

#: As many as HS256 makes use of.
SHORTEST_KEY_BYTES = 32
_HOW = """make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"""


class AccessSettings(Settings):
    """Whether people and programs are asked who they are, and what is signed for those who say it."""

    auth_required: bool = Field(False, description="Ask for an API key or an access token wherever it is not public")
    token_key: SecretStr = Field(SecretStr(""), description="Signs access tokens; required as soon as auth is")
    registration_open: bool = Field(False, description="Let anybody make himself a user, who may read and stream")
    session_days: float = Field(30.0, gt=0, le=3_650, description="Then a user has to log in again")

    @model_validator(mode="after")
    def _can_sign(self) -> Self:
        length = len(self.token_key.get_secret_value().encode())
        if self.auth_required and not length:
            raise ValueError(f"TICKCAST_TOKEN_KEY is missing, and TICKCAST_AUTH_REQUIRED is true: {_HOW}")
        if 0 < length < SHORTEST_KEY_BYTES:
            raise ValueError(
                f"TICKCAST_TOKEN_KEY has {length} bytes, and at least {SHORTEST_KEY_BYTES} are safe: {_HOW}"
            )
        return self
