"""PostgreSQL and Redis beside the system on this machine, where a run asks for them."""

from collections.abc import Collection
from pathlib import Path

from deploy.local_postgres import LocalPostgres, start_postgres
from deploy.local_redis import LocalRedis, free_redis_port, start_redis
from deploy.say import Say
from deploy.system_parts import DATABASE_URL
from schemas.errors import StopAndSayError


class LocalServers:
    """Those of one run. What is live goes on without them, so one that dies is just started again."""

    def __init__(self, var: Path, say: Say) -> None:
        self._var = var
        self._say = say
        self._postgres: LocalPostgres | None = None
        self._redis: LocalRedis | None = None
        self._redis_port = 0

    def start(self, *, postgres: bool, redis: bool, reserved_ports: Collection[int] = ()) -> None:
        """Start what is asked for, from the main thread.

        Raises:
            StopAndSayError: It cannot be had, or does not come up.
        """
        if postgres:
            self._postgres = start_postgres(self._var / "postgres")
            self._say(f"PostgreSQL, data in {self._var / 'postgres'}")
        if redis:
            self._redis_port = free_redis_port(reserved_ports)
            self._redis = start_redis(self._var / "redis", self._redis_port)
            self._say(f"Redis on {self._redis.address}, in memory")

    @property
    def variables(self) -> dict[str, str]:
        """Give the `TICKCAST_*` variables that lead to them."""
        found = {}
        if self._postgres is not None:
            found[DATABASE_URL] = self._postgres.url
        if self._redis is not None:
            found["TICKCAST_REDIS_URL"] = self._redis.url
        return found

    def revive(self) -> None:
        """Start again what has ended; what does not come up is tried again the next time."""
        try:
            if self._postgres is not None and not self._postgres.alive():
                self._say("PostgreSQL has ended; starting it again")
                self._postgres = start_postgres(self._var / "postgres")
            if self._redis is not None and self._redis.process.poll() is not None:
                self._say("Redis has ended; starting it again")
                self._redis = start_redis(self._var / "redis", self._redis_port)
        except StopAndSayError as error:
            self._say(str(error))

    def stop(self) -> None:
        """End them. Idempotent."""
        if self._redis is not None:
            self._redis.stop()
        if self._postgres is not None:
            self._postgres.stop()
