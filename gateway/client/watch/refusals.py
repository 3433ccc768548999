"""Why it ends, in a line that names the fix."""

from collections.abc import Mapping

from gateway.client.errors import ClientError, ProtocolError, RefusedError
from gateway.client.watch.words import plain
from schemas.close_codes import CloseCode
from schemas.errors import RetryError, StopAndSayError, TickcastError
from schemas.sockets import ErrorMessage

_KEY = "set TICKCAST_API_KEY to one that is good and has the scope stream; `tickcast keys create` makes one"
_UNAUTHORISED = {401, 403, CloseCode.AUTH_REQUIRED, CloseCode.AUTH_FAILED, CloseCode.FORBIDDEN, CloseCode.REVOKED}
_ABOUT_KEYS = {"auth_required", "auth_failed", "forbidden"}
#: A connection of another time follows by itself.
_PASSING = {"auth_expired", "rate_limited"}


def nobody_there(url: str, reason: str) -> TickcastError:
    """Say that nothing answers."""
    fix = "start the system with `tickcast run`, or name another address with --url or TICKCAST_URL"
    return RetryError(f"nothing answers at {url} ({plain(reason)}): {fix}")


def not_ready(url: str, reason: str) -> TickcastError:
    """Say that it answers, but not what was asked for."""
    return RetryError(f"{url} has nothing to show yet ({plain(reason)}): ask again in a moment")


def unknown_ticker(ticker: str, problem: Mapping[str, object]) -> TickcastError:
    """Say that nothing is known of a ticker, as the gateway does."""
    detail = plain(str(problem.get("detail", f"there is no prediction for {ticker}")))
    fix = "" if problem.get("near_matches") else "; without a ticker, `tickcast watch` shows all that there are"
    return StopAndSayError(detail + fix)


def refused_message(message: ErrorMessage) -> TickcastError | None:
    """Give what a refused message of ours means; None: nothing, it passes."""
    if message.code in _PASSING:
        return None
    said = "the gateway asks for an API key" if message.code == "auth_required" else plain(message.message)
    return StopAndSayError(f"{said}: {_KEY}" if message.code in _ABOUT_KEYS else said)


def refused(url: str, error: ClientError) -> TickcastError:
    """Give what an error of the client means."""
    said = plain(str(error))
    match error:
        case RefusedError(code=code) if code in _UNAUTHORISED:
            return StopAndSayError(f"{said}: {_KEY}")
        case RefusedError(code=404 | 405):
            return StopAndSayError(f"what answers at {url} is no gateway ({said}): name its address with --url")
        case RefusedError(code=0):
            return StopAndSayError(f"{said}: SSL_CERT_FILE names a file with the authorities that are to be trusted")
        case ProtocolError():
            return StopAndSayError(f"{said}: install the version of Tickcast that the gateway has")
        case _:
            return StopAndSayError(said)
