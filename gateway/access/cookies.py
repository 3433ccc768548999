"""The refresh token of a browser, in a cookie that no script can read, and that no other site makes it send."""

from starlette.requests import Request
from starlette.responses import Response

from gateway.versioned import API_PREFIX

COOKIE = "tickcast_refresh"
#: A browser sends a cookie only to the paths below its own, and ours have two names.
_PATHS = ("/auth", f"{API_PREFIX}/auth")


def read_cookie(request: Request) -> str | None:
    """Give the refresh token that a request's cookie has."""
    return request.cookies.get(COOKIE)


def put_cookie(response: Response, request: Request, refresh_token: str, lifetime_seconds: int) -> None:
    """Have the browser keep a refresh token; with a lifetime of 0, forget it."""
    for path in _PATHS:
        response.set_cookie(
            COOKIE,
            refresh_token,
            max_age=lifetime_seconds,
            path=path,
            secure=_is_https(request),
            httponly=True,
            samesite="strict",
        )


def _is_https(request: Request) -> bool:
    """Tell whether the browser speaks HTTPS, with us or with a proxy before us: the page's origin then says so."""
    return request.url.scheme == "https" or request.headers.get("origin", "").startswith("https://")
