"""The latest predictions over REST, in bytes that the view keeps ready."""

from http import HTTPStatus

from fastapi import APIRouter, Path
from starlette.convertors import Convertor, register_url_convertor
from starlette.responses import Response

from gateway.openapi import of_contract, problems
from gateway.parts import Parts
from gateway.problems import ProblemError
from gateway.routes.live import live_json
from schemas.public import PublicPrediction, PublicPredictions
from schemas.symbols import InvalidTickerError, normalise_ticker


class _AnyText(Convertor[str]):
    """Everything after the prefix, slashes and line ends too, so that what is not a symbol is 400 instead of 404."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("text", _AnyText())


def _symbol(text: str) -> str:
    try:
        return normalise_ticker(text)
    except InvalidTickerError as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "invalid-ticker", str(error), field="ticker") from error


def _unknown(parts: Parts, ticker: str) -> ProblemError:
    near = parts.latest.near(ticker)
    hint = f"did you mean {' or '.join(near)}?" if near else "GET /predictions lists the tickers that have one"
    return ProblemError(
        HTTPStatus.NOT_FOUND,
        "unknown-ticker",
        f"there is no prediction for {ticker}: {hint}",
        ticker=ticker,
        near_matches=near,
        known_tickers=len(parts.latest),
    )


def predictions_router(parts: Parts) -> APIRouter:
    """Give `/predict/{ticker}` and `/predictions`."""
    router = APIRouter(tags=["predictions"])

    @router.get(
        "/predict/{ticker:text}",
        summary="The latest prediction of a ticker",
        responses={200: of_contract(PublicPrediction), **problems(400, 404, 503)},
        response_class=Response,
    )
    async def predict(ticker: str = Path(description="A symbol, in any case", examples=["AAPL"])) -> Response:
        symbol = _symbol(ticker)
        entry = parts.latest.get(symbol)
        if entry is None or not parts.latest.caught_up:
            parts.require_caught_up()
            raise _unknown(parts, symbol)
        return live_json(entry.body)

    @router.get(
        "/predictions",
        summary="The latest prediction of every ticker",
        responses={200: of_contract(PublicPredictions), **problems(503)},
        response_class=Response,
    )
    async def predictions() -> Response:
        parts.require_caught_up()
        return live_json(parts.latest.all_bytes())

    return router
