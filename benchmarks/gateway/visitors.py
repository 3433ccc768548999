"""What locust's users do: mostly ask for one ticker's prediction, seldom for more. `locust -f` reads this file."""

import random

from locust import FastHttpUser, between, task

TICKERS = 500


def some_ticker() -> str:
    """Name one of the feed's."""
    return f"T{random.randrange(TICKERS):05d}"


class Visitor(FastHttpUser):
    """Somebody who thinks for a second between two requests, more or less: those who come together do not stay so."""

    wait_time = between(0.5, 1.5)

    @task(65)
    def one(self) -> None:
        """Ask for a ticker."""
        self.client.get(f"/api/v1/predict/{some_ticker()}", name="/predict/{ticker}")

    @task(5)
    def one_horizon(self) -> None:
        """Ask for one horizon of it, which is made for the request."""
        self.client.get(f"/api/v1/predict/{some_ticker()}?horizon=5", name="/predict/{ticker}?horizon=")

    @task(10)
    def ten(self) -> None:
        """Ask for a few."""
        names = ",".join(some_ticker() for _ in range(10))
        self.client.get(f"/api/v1/predictions?tickers={names}", name="/predictions?tickers=")

    @task(5)
    def history(self) -> None:
        """Ask what came of the predictions of a ticker that many look at: half of all at the same one."""
        number = min(int(random.paretovariate(1)), TICKERS) - 1
        self.client.get(f"/api/v1/history/T{number:05d}?days=30", name="/history/{ticker}")

    @task(5)
    def models(self) -> None:
        """Ask what serves."""
        self.client.get("/api/v1/models/status", name="/models/status")

    @task(10)
    def health(self) -> None:
        """Look whether it is well."""
        self.client.get("/api/v1/health", name="/health")
