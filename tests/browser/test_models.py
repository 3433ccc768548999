"""The models in a real browser: what serves, whether it is to be trained again, and a training to its end."""

import asyncio
import time
from typing import Any

import pytest
from playwright.async_api import Browser, Route, expect

from gateway.parts import Parts
from schemas.events import CommandAction, CommandProgress, ModelAction, ModelCommand, ServiceState
from schemas.topics import MODEL_COMMANDS, MODELS
from tests.browser.dashboard import parts_with, report, said, shown, tell
from tests.gateway.boards import board
from tests.gateway.command_topic import CommandTopic, read
from tests.gateway.samples import model_event, model_member, status
from tests.gateway.test_commands import asked

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

OLD = "stale: retrain_recommended"


def trainer_works(parts: Parts, job: str, share: float, message: str) -> None:
    """Do what the trainer's report does while it trains."""
    now_ns = time.time_ns()
    progress = CommandProgress(id=job, action="retrain", state="running", progress=share, message=message)
    parts.services.accept(status("trainer", commands=[progress], updated_at_ns=now_ns), now_ns)


def trainer_decides(parts: Parts, job: str, action: ModelAction, **changes: Any) -> None:
    """Do what the trainer's decision does."""
    now_ns = time.time_ns()
    member = model_member(name="forest", version="2026.11")
    made = {"action": action, "command_id": job, "members": [member], "numbers": {"error_ratio": 0.97}}
    read(parts, MODELS, model_event("set-2", now_ns, **(made | changes)))
    parts.services.accept(status("trainer", updated_at_ns=now_ns), now_ns)


async def sent_to(topic: CommandTopic) -> ModelCommand:
    """Wait for a command."""
    async with asyncio.timeout(20):
        while not topic.sent:
            await asyncio.sleep(0.05)
    command: ModelCommand = topic.sent[0]
    return command


async def test_a_training_is_asked_for_followed_and_its_set_appears(browser: Browser) -> None:
    parts = parts_with("AAPL")
    topic = CommandTopic(parts)
    async with shown(browser, parts, "#/models") as (_, visit):
        page = visit.page
        retraining, champion = [page.get_by_role("region", name=name) for name in ("Retraining", "Champion")]
        button = retraining.get_by_role("button", name="Retrain the models")
        await expect(champion).to_contain_text("set-1")
        await button.click()
        command = await sent_to(topic)
        await expect(retraining).to_contain_text("It waits for the trainer")
        await expect(button).to_be_disabled()
        trainer_works(parts, command.id, 0.5, "fold 2 of 3")
        await expect(retraining).to_contain_text("It runs, 50% done: fold 2 of 3.")
        await expect(page.get_by_role("progressbar")).to_have_attribute("value", "0.5")
        trainer_decides(parts, command.id, ModelAction.PROMOTED, reason="its error is no larger")
        await expect(retraining).to_contain_text("● Done: set-2 was trained, found no worse, and serves now.")
        await expect(retraining).to_contain_text("Because: its error is no larger.")
        await expect(retraining).to_contain_text("error ratio 0.97")
        await expect(champion).to_contain_text("set-2")
        await expect(page.get_by_role("region", name="Members", exact=True)).to_contain_text("2026.11")
        await expect(button).to_be_enabled()
        await expect(page.get_by_role("progressbar")).to_be_hidden()


async def test_a_training_that_somebody_else_asked_for_is_seen_and_why_it_was_refused(browser: Browser) -> None:
    parts = parts_with("AAPL")
    read(parts, MODEL_COMMANDS, asked("person/1", action=CommandAction.RETRAIN, requested_at_ns=time.time_ns()))
    trainer_works(parts, "person/1", 0.25, "fold 1 of 3")
    async with shown(browser, parts, "#/models") as (_, visit):
        retraining = visit.page.get_by_role("region", name="Retraining")
        await expect(retraining).to_contain_text("It runs, 25% done: fold 1 of 3.")
        await expect(retraining).to_contain_text("Asked for by cli/alice.")
        assert await visit.serious_findings() == []
        await visit.page.evaluate("location.hash = '#/watch'")
        trainer_decides(parts, "person/1", ModelAction.REJECTED, serving="set-1", reason="its error is larger")
        await visit.page.evaluate("location.hash = '#/models'")
        await expect(retraining).to_contain_text("■ Not taken: set-1 goes on serving.")
        await expect(retraining).to_contain_text("Because: its error is larger.")


async def test_a_training_is_followed_on_after_the_gateway_was_asked_too_much(browser: Browser) -> None:
    parts = parts_with("AAPL")
    read(parts, MODEL_COMMANDS, asked("person/1", action=CommandAction.RETRAIN, requested_at_ns=time.time_ns()))
    trainer_works(parts, "person/1", 0.25, "fold 1 of 3")
    async with shown(browser, parts, allowed=("429",)) as (_, visit):

        async def refuse(route: Route) -> None:
            await route.fulfill(status=429, json={"detail": "too many requests"})

        await visit.page.route("**/jobs/**", refuse)
        await visit.page.evaluate("location.hash = '#/models'")
        retraining = visit.page.get_by_role("region", name="Retraining")
        await expect(retraining).to_contain_text("cannot be seen: too many requests")
        await visit.page.unroute("**/jobs/**")
        await expect(retraining).to_contain_text("It runs, 25% done: fold 1 of 3.")


@pytest.mark.parametrize(("answered", "words"), [(403, "the scope admin"), (404, "tickcast models retrain")])
async def test_who_may_not_train_is_told_what_to_do(browser: Browser, answered: int, words: str) -> None:
    async with shown(browser, parts_with("AAPL"), "#/models", allowed=(str(answered),)) as (_, visit):

        async def refuse(route: Route) -> None:
            await route.fulfill(status=answered, json={"detail": "no"})

        await visit.page.route("**/model/retrain/AAPL", refuse)
        await visit.page.get_by_role("button", name="Retrain the models").click()
        await expect(visit.page.get_by_role("region", name="Retraining")).to_contain_text(words)


async def test_drift_is_said_in_words(browser: Browser) -> None:
    parts = parts_with("AAPL")
    drift = {"dates": "400", "error": "stable", "error_excess": "0.120", "loss": "alarm", "loss_dates": "3"}
    more = {"loss_excess": "1.400", "retrain": "asked", "inputs": "volatility", "inputs_psi": "1.290"}
    parts.scores.accept(board("*", drift=drift | more))
    async with shown(browser, parts, "#/models") as (_, visit):
        region = visit.page.get_by_role("region", name="Drift", exact=True)
        await expect(region).to_contain_text("A retraining is recommended: errors drift.")
        await expect(region).to_contain_text("volatility moved most (index 1.290)")
        rows = region.locator("tbody tr")
        await expect(rows.nth(0)).to_contain_text("● stable")
        await expect(rows.nth(0)).to_contain_text("12%")
        await expect(rows.nth(1)).to_contain_text("⚠ in alarm for 3 dates")


async def test_old_models_are_to_be_retrained_and_nothing_is_degraded(browser: Browser) -> None:
    parts = parts_with("AAPL")
    report(parts, "predictor", ServiceState.READY, f"model set set-1 is {OLD}")
    tell(parts, said("AAPL", degraded=OLD), 5)
    async with shown(browser, parts, "#/models") as (_, visit):
        drift = visit.page.get_by_role("region", name="Drift", exact=True)
        await expect(drift).to_contain_text("A retraining is recommended: the models are old.")
        await expect(drift).to_contain_text("Nothing is known of drift")
        await expect(visit.page.get_by_role("region", name="Champion")).to_contain_text("● serving")
        await expect(visit.page.locator("#banner")).to_be_empty()
        await visit.page.goto(visit.page.url.replace("#/models", "#/watch"))
        await expect(visit.page.locator("tbody .remarks")).to_have_text("old models")
        await expect(visit.page.locator("#banner")).to_be_empty()
