"""Forecasts from callers' own prices: asked of the predictor over Kafka, answered here. No Kafka in this room."""

import asyncio
import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from gateway.instruments import Instruments
from gateway.presentation import time_text
from gateway.problems import ProblemError, bad_request
from gateway.settings import GatewaySettings
from schemas.events import Direction, Forecast, ForecastRequest, PriceRange
from schemas.public import Time
from schemas.symbols import InvalidTickerError, normalise_ticker

#: Requests that wait for an answer at a time.
MOST_WAITING = 1_000
#: Answers that are kept.
MOST_KEPT = 1_000

#: Sends a request unless that takes longer than so many seconds; nobody waits for it.
SendRequest = Callable[[ForecastRequest, float], None]

Price = Annotated[float, Meta(gt=0)]


class OwnPrices(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Closing prices, the oldest first, one a bar; `ticker` has what becomes of the forecast kept in `outcomes`."""

    recent_prices: Annotated[list[Price], Meta(min_length=10, max_length=10_000)]
    ticker: str | None = None


class OwnForecast(Struct, frozen=True, kw_only=True):
    """The forecast of the next close.

    Attributes:
        prediction: The price.
        model_type: `arima`, or `statistical` where no model set serves.
        arima_order: p, d and q.
        timestamp: When it was answered.
        confidence: Probability that the direction is right.
    """

    prediction: float
    model_type: str
    arima_order: list[int] | None
    timestamp: Time
    ticker: str | None
    from_price: float | None
    log_return: float
    percent: float
    direction: Direction
    confidence: float
    interval_95: PriceRange | None
    interval_99: PriceRange | None
    model_set: str
    degraded: str | None


def _unanswered(seconds: float) -> ProblemError:
    detail = f"no predictor answered within {seconds:g} s: see /health, and try again"
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "no-answer", detail, {"Retry-After": "2"})


def _too_many() -> ProblemError:
    detail = f"{MOST_WAITING:,} forecasts are being waited for: try again in a second"
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "too-many-forecasts", detail, {"Retry-After": "1"})


class ForecastDesk:
    """Asks, and hands answers to who waits. Equal questions share one request, and for a while one answer.

    Attributes:
        send: Set by the service; without it nobody answers.
    """

    def __init__(
        self, settings: GatewaySettings, instruments: Instruments, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self.send: SendRequest | None = None
        self._settings = settings
        self._instruments = instruments
        self._clock_s = clock_s
        self._by_request: dict[str, asyncio.Future[Forecast]] = {}
        self._by_question: dict[str, asyncio.Future[Forecast]] = {}
        self._kept: OrderedDict[str, tuple[float, Forecast]] = OrderedDict()

    async def ask(self, prices: OwnPrices, model_set: str | None) -> OwnForecast:
        """Give the forecast of the next close.

        Args:
            prices: As the caller gave them.
            model_set: The one that serves: another one answers otherwise.

        Raises:
            ProblemError: 400: a value is of no use. 503: nobody answers in time, or too many wait.
        """
        ticker = None if prices.ticker is None else _symbol(prices.ticker)
        question = _question(prices.recent_prices, ticker, model_set)
        kept = self._kept_answer(question)
        (self._instruments.forecast_hits if kept else self._instruments.forecast_misses).inc()
        forecast = kept or await self._answer(question, prices.recent_prices, ticker)
        if forecast.error is not None:
            field, _, rest = forecast.error.replace("closes", "recent_prices").partition(": ")
            raise bad_request("invalid-input", field, f"{field}: {rest}")
        return _public(forecast)

    def answered(self, forecast: Forecast) -> None:
        """Take an answer from the topic; most are other gateways'."""
        waiting = self._by_request.get(forecast.request_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(forecast)

    async def _answer(self, question: str, closes: Sequence[float], ticker: str | None) -> Forecast:
        waiting = self._by_question.get(question) or self._request(question, closes, ticker)
        try:
            return await asyncio.shield(waiting)  # others may wait for it too
        except TimeoutError:
            raise _unanswered(self._settings.forecast_answer_seconds) from None

    def _request(self, question: str, closes: Sequence[float], ticker: str | None) -> asyncio.Future[Forecast]:
        if self.send is None:
            raise _unanswered(0)
        if len(self._by_request) >= MOST_WAITING:
            raise _too_many()
        request = ForecastRequest(
            id=secrets.token_hex(16),
            interval=self._settings.interval,
            bars=[],
            closes=list(closes),
            requested_at_ns=time.time_ns(),
            ticker=ticker,
        )
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[Forecast] = loop.create_future()
        self._by_request[request.id] = self._by_question[question] = waiting
        seconds = self._settings.forecast_answer_seconds
        timer = loop.call_later(seconds, waiting.set_exception, TimeoutError())

        def over(ended: asyncio.Future[Forecast]) -> None:
            timer.cancel()
            del self._by_request[request.id]
            del self._by_question[question]
            if ended.exception() is None:
                self._keep(question, ended.result())

        waiting.add_done_callback(over)
        self.send(request, seconds)
        return waiting

    def _keep(self, question: str, forecast: Forecast) -> None:
        self._kept[question] = self._clock_s() + self._settings.forecast_cache_seconds, forecast
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    def _kept_answer(self, question: str) -> Forecast | None:
        until_s, forecast = self._kept.get(question, (0.0, None))
        return forecast if self._clock_s() < until_s else None


def _symbol(text: str) -> str:
    try:
        return normalise_ticker(text)
    except InvalidTickerError as error:
        raise bad_request("invalid-ticker", "ticker", str(error)) from error


def _question(closes: Sequence[float], ticker: str | None, model_set: str | None) -> str:
    return hashlib.sha256(msgspec.json.encode((list(closes), ticker, model_set))).hexdigest()


def _public(forecast: Forecast) -> OwnForecast:
    said = forecast.horizons[0]
    return OwnForecast(
        prediction=said.price_target,
        model_type="statistical" if forecast.arima_order is None else "arima",
        arima_order=forecast.arima_order,
        timestamp=time_text(forecast.answered_at_ns),
        ticker=forecast.ticker,
        from_price=forecast.from_price,
        log_return=said.log_return,
        percent=said.percent,
        direction=said.direction,
        confidence=said.confidence,
        interval_95=said.interval_95,
        interval_99=said.interval_99,
        model_set=forecast.model_set,
        degraded=forecast.degraded,
    )
