"""What responses of REST are made of, for `/docs`. Predictions are in `schemas.public`."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Time = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$", description="RFC 3339, UTC")]
Integer = Annotated[int, Field(lt=2**53, gt=-(2**53))]


class Document(BaseModel):
    """Base of every response."""

    model_config = ConfigDict(extra="forbid")


class ProblemDocument(BaseModel):
    """An error as defined by RFC 9457; some types have additional members."""

    type: str
    title: str
    status: Integer
    detail: str
