"""The answer to one too many."""

from http import HTTPStatus

from gateway.problems import ProblemError

#: As the draft of the headers names it.
_VIOLATED = "violated-policies"


def limit_reached(name: str, limit_name: str, detail: str, wait_seconds: int) -> ProblemError:
    """Refuse what is more than a limit.

    Args:
        name: The problem type's.
        wait_seconds: When to come back.
    """
    headers = {"Retry-After": str(wait_seconds)}
    return ProblemError(HTTPStatus.TOO_MANY_REQUESTS, name, detail, headers, **{_VIOLATED: [limit_name]})


def reason_of(refused: ProblemError) -> str:
    """Give what a refusal is counted by: the limit that was reached, or else the problem's name."""
    violated = refused.extra.get(_VIOLATED)
    return f"limit-{violated[0]}" if violated else refused.name
