"""Where local Kafka keeps its jars, and where they come from."""

import os
from pathlib import Path

from pydantic import Field

from schemas.settings import Settings


def _jars_folder() -> Path:
    """Give a folder that all clones of one user share, or this clone's own where the user has no home."""
    cache = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(cache) if cache else Path.home() / ".cache") / "tickcast" / "jars"
    except RuntimeError:
        return Path("var") / "jars"


class LocalKafkaSettings(Settings):
    """Settings of local Kafka."""

    jars_folder: Path = Field(default_factory=_jars_folder, description="Kafka's jars, shared between clones")
    maven_repository: str = Field("", description="Address of a Maven mirror; empty: Maven Central")
    kafka_port: int = Field(9092, ge=0, le=65_535, description="Of local Kafka, where it is free; 0: any")
    kafka_java_options: str = Field("", description="More options for the Java of local Kafka, as in a shell")
    kafka_heap_mib: int = Field(512, ge=128, description="Java heap of local Kafka")
