"""What every contestant with our frames is given for its librdkafka."""

#: Where 64 MiB wait it fetches nothing, and looks again after a second: at the speed of frames they are gone by then.
FETCH_CONFIG = {"fetch.queue.backoff.ms": "5"}
