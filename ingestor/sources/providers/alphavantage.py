"""Alpha Vantage: quotes or minute bars of US stocks, asked for again and again within its plan, and bars of the past.

It has no stream. Its tickers are asked about in turn, while the exchange is open, as often as the plan allows.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from functools import partial
from itertools import cycle
from math import inf
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr

from ingestor.sources.bars import BarColumns
from ingestor.sources.live.answers import UNREADABLE, bar_columns, http_error
from ingestor.sources.live.calls import Calls
from ingestor.sources.live.packages import live_package
from ingestor.sources.live.polling import poll_pause_seconds
from ingestor.sources.live.provider import (
    MINUTE_BARS_SILENCE_SECONDS,
    BudgetSpentError,
    Limits,
    LiveTick,
    NoHistoryError,
    ProviderAwayError,
    ProviderSettings,
    Traits,
)
from ingestor.sources.live.sessions import Sessions, load_sessions
from ingestor.sources.live.threads import in_daemon_thread
from ingestor.sources.moments import Rejected
from ingestor.sources.providers.alphavantage_answers import DayLimitError, read_bars, require_data
from ingestor.sources.providers.alphavantage_polls import Polls
from ingestor.sources.providers.alphavantage_questions import INTERVALS, daily_questions, intraday_questions
from schemas.errors import StopAndSayError
from schemas.times import NS_PER_SECOND, Interval, bar_start_ns, interval_ns, to_rfc3339

_log = logging.getLogger(__name__)

_EXCHANGE = "XNYS"
_FREE_PLAN = (
    "alphavantage's free plan has prices of days only: set --interval 1d (TICKCAST_INTERVAL) and"
    " TICKCAST_ALPHAVANTAGE_STREAM=quotes, or TICKCAST_ALPHAVANTAGE_PLAN for a paid one"
)
_SESSION_SECONDS = 6.5 * 3_600
#: What is told so long after it happened: on the free plan a day's prices come in the night after it.
_DELAY_SECONDS = {"realtime": 0.0, "delayed": 900.0, "free": 12 * 3_600.0}
#: A bar of the last minute comes after the close; a slow plan needs long to ask about every ticker.
_CLOSING_SECONDS = 3_600.0
#: Waits are looked at again this often, for the budget may have changed.
_LONGEST_SLEEP_SECONDS = 60.0


class AlphaVantageSettings(ProviderSettings):
    """Its key, and what the plan gives."""

    alpha_vantage_api_key: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices(
            "TICKCAST_ALPHA_VANTAGE_API_KEY", "ALPHA_VANTAGE_API_KEY", "alpha_vantage_api_key"
        ),
        description="Alpha Vantage's key, also without TICKCAST_",
    )
    alphavantage_plan: Literal["free", "delayed", "realtime"] = Field(
        "free", description="free: a day's prices after its end; the others are paid, delayed by 15 minutes or not"
    )
    alphavantage_stream: Literal["quotes", "minutes"] = Field(
        "quotes",
        description="What is asked for again and again; minutes: the bars since the last time, paid plans only",
    )
    alphavantage_requests_per_minute: int = Field(5, ge=1, description="What the plan allows")
    alphavantage_requests_per_day: int = Field(25, ge=0, description="What the plan allows; 0: any number")
    alphavantage_history_share: float = Field(
        0.2, ge=0, lt=1, description="Of the requests, so much is left for history by what is asked again and again"
    )
    alphavantage_poll_seconds: float = Field(1.0, gt=0, description="Least time between two requests for live prices")
    alphavantage_url: str = "https://www.alphavantage.co/query"

    @property
    def limits(self) -> Limits:
        """Give what its plan allows."""
        return Limits(
            per_second=1 if self.alphavantage_plan == "free" else None,
            per_minute=self.alphavantage_requests_per_minute,
            per_day=self.alphavantage_requests_per_day or None,
        )


SETTINGS = AlphaVantageSettings


def open_provider(settings: AlphaVantageSettings, calls: Calls, answer_seconds: float) -> "AlphaVantage":
    """Open it; nothing is sent yet.

    Raises:
        StopAndSayError: The key is missing, or the package.
    """
    if not settings.alpha_vantage_api_key.get_secret_value():
        raise StopAndSayError("alphavantage needs a key: set ALPHA_VANTAGE_API_KEY (docs/sources.md)")
    return AlphaVantage(settings, calls, answer_seconds)


class AlphaVantage:
    """Its prices, and its bars.

    Args:
        sessions: When it is asked for live prices; None: in those of New York.
    """

    def __init__(
        self,
        settings: AlphaVantageSettings,
        calls: Calls,
        answer_seconds: float,
        sessions: Sessions | None = None,
        clock_ns: Callable[[], int] = time.time_ns,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        plan, stream = settings.alphavantage_plan, settings.alphavantage_stream
        delay_seconds = _DELAY_SECONDS[plan]
        least_silence_seconds = MINUTE_BARS_SILENCE_SECONDS if stream == "minutes" else 0.0
        days = 2 if plan == "free" else 1  # one quote of each
        self.traits = Traits(
            content={"adjustment": "raw" if plan == "free" else "all"},
            exchange=_EXCHANGE,
            delay_seconds=delay_seconds,
            closing_seconds=_CLOSING_SECONDS if stream == "minutes" else 0.0,
            adjusted=plan != "free",
            longest_silence_seconds=(
                days * _SESSION_SECONDS if settings.alphavantage_requests_per_day else least_silence_seconds
            ),
            not_streamed=_FREE_PLAN if plan == "free" and (settings.interval != "1d" or stream == "minutes") else None,
        )
        self._days_only = plan == "free"
        self._settings = settings
        self._calls = calls
        self._sessions = sessions
        self._key = settings.alpha_vantage_api_key.get_secret_value()
        self._delay_ns = int(delay_seconds * NS_PER_SECOND)
        self._wall_clock_ns = clock_ns
        self._sleep = sleep
        self._polled_at = -inf
        self._spent_until_ns = 0
        self._accepted = False
        self._said_unadjusted = False
        httpx = live_package("httpx")
        for name in ("httpx", "httpcore"):  # they write down addresses, and the key is in them
            logging.getLogger(name).setLevel(logging.WARNING)
        self._client = httpx.AsyncClient(timeout=answer_seconds)
        self._failures: tuple[type[Exception], ...] = (httpx.HTTPError, OSError)

    async def ticks(self, tickers: Sequence[str]) -> AsyncGenerator[list[LiveTick | Rejected], None]:
        """Ask about one ticker after the other and give what is new.

        The first answer tells whether the key is good; where there was one, or the exchange is closed, none is needed.
        """
        if self._sessions is None:
            self._sessions = await in_daemon_thread(partial(load_sessions, _EXCHANGE, self._wall_clock_ns()))
        now_ns = self._now_ns()
        polls = Polls(
            self._sessions,
            tickers,
            now_ns,
            days_only=self._days_only,
            minutes=self._settings.alphavantage_stream == "minutes",
            settled_seconds=self.traits.settled_seconds,
            closing_seconds=self.traits.closing_seconds,
        )
        # Bars of a minute go out together, for the first one tells the rest that the minute is over.
        rounds = cycle([tickers] if self._settings.alphavantage_stream == "minutes" else [[each] for each in tickers])
        if self._accepted or not self._sessions.is_open(now_ns):
            yield []
        else:
            yield await self._first_poll(polls, next(rounds)[0])
        for asked in rounds:
            heard = await self._round(polls, asked)
            if heard:
                yield heard

    async def history(
        self, tickers: Sequence[str], start_ns: int, end_ns: int, interval: Interval
    ) -> dict[str, BarColumns]:
        """Give bars, ticker by ticker, and those of minutes month after month."""
        if interval != "1d" and self._days_only:
            self._require_no_missed_day(start_ns)
            return {}
        if interval not in INTERVALS and interval != "1d":
            return {}
        if interval == "1d":
            self._say_if_unadjusted()
            questions = daily_questions(start_ns, self._now_ns(), adjusted=not self._days_only)
        else:
            questions = intraday_questions(start_ns, end_ns, self._now_ns(), interval)
        bars = {}
        for ticker in sorted(tickers):
            rows = [row for question in questions for row in await self._rows(ticker, question, interval)]
            columns = bar_columns(rows).between(start_ns, end_ns)
            if len(columns):
                bars[ticker] = columns
        return bars

    def _require_no_missed_day(self, start_ns: int) -> None:
        """Refuse to fill days; within the day nothing lacks, for its quote has all of it.

        Raises:
            NoHistoryError: The exchange was open on an earlier day since then.
        """
        today_ns = bar_start_ns(self._now_ns(), interval_ns("1d"))
        if self._sessions is None or self._sessions.open_ns_between(start_ns, today_ns):
            raise NoHistoryError("alphavantage's free plan has no bars within days")

    def _say_if_unadjusted(self) -> None:
        if self._days_only and not self._said_unadjusted:
            _log.warning("alphavantage's free plan has the last 100 days only, not adjusted for splits and dividends")
            self._said_unadjusted = True

    def _now_ns(self) -> int:
        """Give the time of the market that is told of now."""
        return self._wall_clock_ns() - self._delay_ns

    async def _first_poll(self, polls: Polls, ticker: str) -> list[LiveTick | Rejected]:
        polls.begin_round(self._now_ns())
        try:
            return await self._poll(polls, ticker)
        except BudgetSpentError as error:
            raise ProviderAwayError(str(error)) from error

    async def _round(self, polls: Polls, tickers: Sequence[str]) -> list[LiveTick | Rejected]:
        """Ask about one ticker after the other; where the exchange closes or the day is spent, not about the rest."""
        while (wait_seconds := self._seconds_to_turn(polls)) > 0:
            await self._sleep(min(wait_seconds, _LONGEST_SLEEP_SECONDS))
        polls.begin_round(self._now_ns())
        heard: list[LiveTick | Rejected] = []
        for ticker in tickers:
            wait_seconds = self._seconds_to_turn(polls)
            if wait_seconds == inf:
                break
            await self._sleep(max(0.0, wait_seconds))
            heard += await self._poll_if_allowed(polls, ticker)
        return heard

    async def _poll_if_allowed(self, polls: Polls, ticker: str) -> list[LiveTick | Rejected]:
        try:
            return await self._poll(polls, ticker)
        except BudgetSpentError as error:
            _log.warning("no new prices: %s", error)
            return []

    def _seconds_to_turn(self, polls: Polls) -> float:
        """Give the time until live prices may be asked for, so that the day's requests last until the close.

        Infinite: the exchange is closed, or what the day still allows is for history.
        """
        open_ns = polls.open_ns(self._now_ns())
        if not open_ns:
            return inf
        pause_seconds = poll_pause_seconds(
            self._calls.limits,
            self._calls.left_today(self._wall_clock_ns() + open_ns),
            open_ns / NS_PER_SECOND,
            kept_share=self._settings.alphavantage_history_share,
            least_seconds=self._settings.alphavantage_poll_seconds,
        )
        return inf if pause_seconds == inf else self._polled_at + pause_seconds - time.monotonic()

    async def _poll(self, polls: Polls, ticker: str) -> list[LiveTick | Rejected]:
        if polls.knows_all_of(ticker, self._now_ns()):
            return []
        self._polled_at = time.monotonic()
        body = await self._ask(ticker, polls.question)
        try:
            return [*polls.news(ticker, body, self._now_ns())]
        except UNREADABLE as error:
            reason = f"alphavantage: {type(error).__name__}: {error}"
            return [Rejected(value=body, code="message", reason=reason)]

    async def _rows(self, ticker: str, question: dict[str, str], interval: Interval) -> list[tuple[float, ...]]:
        body = await self._ask(ticker, question)
        try:
            return read_bars(body, interval)
        except UNREADABLE as error:
            raise ProviderAwayError(f"alphavantage: no bars: {type(error).__name__}") from error

    async def _ask(self, ticker: str, question: dict[str, str]) -> bytes:
        """Send a request within the budget, and none where it said that the day's are spent."""
        now_ns = self._wall_clock_ns()
        if now_ns < self._spent_until_ns:
            raise BudgetSpentError(
                f"alphavantage: the day's requests are spent until {to_rfc3339(self._spent_until_ns)}"
            )
        try:
            body = await self._calls.make(partial(self._request, question | {"symbol": ticker}))
        except DayLimitError as error:
            self._spent_until_ns = now_ns + int((error.retry_after_seconds or 0) * NS_PER_SECOND)
            raise BudgetSpentError(str(error)) from error
        self._accepted = True
        return body

    async def _request(self, question: dict[str, str]) -> bytes:
        entitlement = {} if self._days_only else {"entitlement": self._settings.alphavantage_plan}
        parameters = question | entitlement | {"apikey": self._key}
        try:
            answer = await self._client.get(self._settings.alphavantage_url, params=parameters)
        except self._failures as error:  # which knows the address, and in it the key
            raise ProviderAwayError(f"alphavantage: {type(error).__name__}") from None
        body = answer.content.replace(self._key.encode(), b"(the key)")  # it says: we have detected your API key as …
        if answer.status_code != 200:
            words = body[:200].decode(errors="replace")
            raise http_error("alphavantage", answer.status_code, words, answer.headers.get("Retry-After"))
        return require_data(body, self._wall_clock_ns())
