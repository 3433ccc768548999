"""What each path asks for. A path that is not here is open to nobody."""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

from starlette.routing import compile_path


class Scope(StrEnum):
    """What a caller may be allowed."""

    READ = "read"
    STREAM = "stream"
    ADMIN = "admin"


def write_scopes(scopes: Iterable[Scope]) -> str:
    """Write scopes as they are kept and listed."""
    return ",".join(sorted(scopes))


def read_scopes(text: str) -> frozenset[Scope]:
    """Read scopes.

    Raises:
        ValueError: One is none.
    """
    return frozenset(Scope(part.strip()) for part in text.split(",") if part.strip())


#: By what they ask for: methods and templates, without the prefix `/api/v1`. None: nothing, they are public.
TABLE: Mapping[Scope | None, tuple[str, ...]] = {
    None: (
        "GET /",
        "GET /page/{name:path}",
        "GET /docs",
        "GET /docs/oauth2-redirect",
        "GET /redoc",
        "GET /openapi.json",
        "GET /static-offline-docs/{path:path}",
        "GET /health",
        "GET /health/live",
        "GET /health/ready",
        "POST /auth/register",
        "POST /auth/token",
        "POST /auth/refresh",
        "POST /auth/revoke",
    ),
    Scope.READ: (
        "GET /predict",
        "POST /predict",
        "GET /predict/{ticker:text}",
        "POST /predict/batch",
        "GET /predictions",
        "GET /history/{ticker:text}",
        "GET /bars/{ticker:text}",
        "GET /features/{ticker:text}",
        "GET /models/status",
        "GET /model/status/{ticker}",
        "GET /models/compare/{ticker}",
        "GET /jobs/{id:text}",
        "GET /sources",
        "GET /accuracy",
        "GET /accuracy/{ticker}",
        "GET /performance/metrics",
        "GET /performance/summary",
        "GET /warmup/status",
        "GET /metrics",
        "GET /usage",
        "POST /feedback",
    ),
    Scope.STREAM: (
        "GET /ws/predictions",
        "GET /ws/bars",
        "GET /events/predictions",
        "POST /events/ticket",
    ),
    Scope.ADMIN: (
        "POST /model/retrain/{ticker:text}",
        "POST /models/{name}/load",
        "POST /models/{name}/unload",
        "POST /models/rollback",
        "POST /sources/{source}/{action}",
    ),
}


class ScopeTable:
    """Finds what a path asks for, by the very patterns that routes are found by, whose convertors are registered."""

    def __init__(self, table: Mapping[Scope | None, Iterable[str]] = TABLE) -> None:
        self._exact: dict[tuple[str, str], Scope | None] = {}
        self._patterns: dict[tuple[str, str], list[tuple[re.Pattern[str], Scope | None]]] = {}
        for scope, lines in table.items():
            for line in lines:
                self._add(scope, *line.split(" ", 1))
        self._methods = {method for method, _ in (*self._exact, *self._patterns)}

    def _add(self, scope: Scope | None, method: str, template: str) -> None:
        if "{" not in template:
            self._exact[method, template] = scope
        else:
            place = (method, _first_part(template))
            self._patterns.setdefault(place, []).append((compile_path(template)[0], scope))

    def methods(self, path: str) -> list[str]:
        """Give the methods that a path has, as `Allow` names them; none where nothing matches it."""
        found = {method for method in self._methods if self._matching(method, path)}
        return sorted(found | {"OPTIONS"} | ({"HEAD"} if "GET" in found else set())) if found else []

    def needed(self, method: str, path: str) -> frozenset[Scope] | None:
        """Give what a request asks for, of all that it matches together; None where it matches nothing.

        Which methods a path has is no secret: `/openapi.json` says it, too.
        """
        if method == "OPTIONS":
            return frozenset() if self.methods(path) else None
        found = self._matching(method, path)
        return frozenset(scope for scope in found if scope is not None) if found else None

    def _matching(self, method: str, path: str) -> set[Scope | None]:
        found = {scope for pattern, scope in self._patterns.get((method, _first_part(path)), ()) if pattern.match(path)}
        if (method, path) in self._exact:
            found.add(self._exact[method, path])
        return found


def _first_part(path: str) -> str:
    return path[1:].partition("/")[0]
