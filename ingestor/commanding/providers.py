"""Which providers of live prices can be used from here. No key is ever shown."""

import asyncio
import time
from collections.abc import Collection
from importlib import import_module

from msgspec import Struct
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from ingestor.sources.live.budget import Budget
from ingestor.sources.live.figures import LiveFigures
from ingestor.sources.live.opening import open_provider
from ingestor.sources.live.provider import BudgetSpentError, Provider, ProviderSettings, only_foreseen
from ingestor.sources.live.settings import LiveSettings
from schemas.errors import RetryError, StopAndSayError
from schemas.settings import load_settings
from schemas.times import interval_ns

#: What is asked for: the daily bars of a ticker that all have, of so many days.
_ASKED_TICKER, _ASKED_DAYS = "AAPL", 7
_ANSWER_SECONDS = 20.0
_DAY_NS = interval_ns("1d")


class ProviderRow(Struct, frozen=True, kw_only=True):
    """A provider, as far as this machine knows.

    Attributes:
        key: `yes`, `no`, or `not needed`; `unknown` where its settings are wrong.
        reachable: `yes`, `no`, `refused` for the key or plan, or `not asked`.
        left: Requests that the plan still allows, by `second`, `minute` and `day` (any 24 hours), where limited.
        note: What is wrong.
    """

    source: str
    key: str
    reachable: str = "not asked"
    left: dict[str, int] = {}
    note: str = ""


async def look_at(names: Collection[str], settings: LiveSettings, *, ask: bool) -> list[ProviderRow]:
    """Look at providers, all at a time.

    Args:
        ask: Also send one request to each that has its key, if its budget allows that.
    """
    return list(await asyncio.gather(*(_row(name, settings, ask=ask) for name in names)))


async def _row(name: str, settings: LiveSettings, *, ask: bool) -> ProviderRow:
    settings_type: type[ProviderSettings] = import_module(f"ingestor.sources.providers.{name}").SETTINGS
    key = "unknown"
    try:
        own = load_settings(settings_type)
        key = _key(own)
        provider = open_provider(name, LiveFigures(name, CollectorRegistry()), settings, most_attempts=1)
        reachable, note = await _asked(provider) if ask else ("not asked", "")
        left = Budget(name, own.limits, settings.source_budget_directory).left()
    except (StopAndSayError, BudgetSpentError) as error:
        return ProviderRow(source=name, key=key, note=str(error))
    return ProviderRow(source=name, key=key, reachable=reachable, left=left, note=note)


def _key(own: ProviderSettings) -> str:
    fields = ((name, value) for name, value in own if name not in ProviderSettings.model_fields)  # Kafka's are not its
    secrets = [value for _, value in fields if isinstance(value, SecretStr)]
    return "not needed" if not secrets else "yes" if all(secret.get_secret_value() for secret in secrets) else "no"


async def _asked(provider: Provider) -> tuple[str, str]:
    end_ns = time.time_ns() // _DAY_NS * _DAY_NS
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            with only_foreseen():
                await provider.history([_ASKED_TICKER], end_ns - _ASKED_DAYS * _DAY_NS, end_ns, "1d")
    except TimeoutError:
        return "no", f"no answer within {_ANSWER_SECONDS:g} s"
    except BudgetSpentError as error:
        return "not asked", str(error)
    except RetryError as error:
        return "no", str(error)
    except StopAndSayError as error:
        return "refused", str(error)
    return "yes", ""
