"""A predictor of the tests, which answers what the gateway asks at once."""

import asyncio
from typing import Any

from msgspec import structs

from gateway.parts import Parts
from schemas.events import Forecast, ForecastRequest
from tests.gateway.recorder.events import example


class Predictor:
    """Answers what is asked, or keeps silent."""

    def __init__(self, parts: Parts, **changes: Any) -> None:
        self.asked: list[ForecastRequest] = []
        self._parts = parts
        self._changes = changes
        self.silent = False
        parts.forecasts.send = self._send

    def _send(self, request: ForecastRequest, _seconds: float) -> None:
        self.asked.append(request)
        if not self.silent:
            answer = structs.replace(example(Forecast), request_id=request.id, ticker=request.ticker, **self._changes)
            asyncio.get_running_loop().call_soon(self._parts.forecasts.answered, answer)
