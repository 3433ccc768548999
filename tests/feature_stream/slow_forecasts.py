"""`python -m tests.feature_stream.slow_forecasts`: the service, with a reader of forecasts that takes 3 s to begin."""

import asyncio
import runpy

from feature_stream.outcomes import forecast_feed


class SlowFeed(forecast_feed.ForecastFeed):
    """Sleeps first."""

    async def _follow(self) -> None:
        await asyncio.sleep(3.0)
        await super()._follow()


if __name__ == "__main__":
    forecast_feed.ForecastFeed = SlowFeed  # type: ignore[misc]  # before the service takes it
    runpy.run_module("feature_stream.outcomes", run_name="__main__")
