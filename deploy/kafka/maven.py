"""The way to a Maven repository, through jgo, which is an extra: import this module only to fetch or to pin."""

from pathlib import Path
from typing import Any

from jgo.maven import MavenContext, PythonResolver

_TIMEOUT_SECONDS = 10


def maven_context(cache: Path, repository: str = "") -> Any:
    """Give jgo's view of a repository.

    Args:
        cache: Takes what is read; nothing else of this machine is looked at.
        repository: Its address; empty for Maven Central.
    """
    return MavenContext(
        resolver=PythonResolver(),
        repo_cache=cache,
        local_repos=[],
        remote_repos={"central": repository.rstrip("/")} if repository else None,
        timeout=_TIMEOUT_SECONDS,
    )
