"""Accounts in the database, asked from an event loop."""

import asyncio

from pydantic import SecretStr

from gateway.access.ledger import Ledger
from gateway.access.session_store import SessionStore
from gateway.access.user_store import UserStore
from gateway.access.users import DEFAULT_SCOPES, User
from gateway.database.accounts import next_revision
from gateway.database.migrate import open_migrated
from gateway.database.settings import DatabaseSettings
from gateway.problems import ProblemError
from tests.gateway.samples import NOON_NS

ADA = User("1", "ada", DEFAULT_SCOPES, NOON_NS)


async def test_changes_that_meet_a_lock_give_up_and_the_next_question_is_answered(database_url: str) -> None:
    settings = DatabaseSettings(_env_file=None, database_url=SecretStr(database_url), database_answer_seconds=3.0)
    engine, ledger = open_migrated(settings), Ledger(settings)
    UserStore(engine).add(ADA, "hash")
    assert await ledger.ask(lambda ours: UserStore(ours).get(ADA.id)) == ADA
    with engine.begin() as other:
        next_revision(other)
        ends = [ledger.ask(lambda ours: SessionStore(ours).end("a", NOON_NS)) for _ in range(2)]
        for refused in await asyncio.gather(*ends, return_exceptions=True):
            assert isinstance(refused, ProblemError)
            assert refused.name == "accounts-unavailable"
        assert await ledger.ask(lambda ours: UserStore(ours).get(ADA.id)) == ADA
    assert await ledger.ask(lambda ours: SessionStore(ours).end("a", NOON_NS)) is False
    ledger.close()
    engine.dispose()
