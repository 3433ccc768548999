"""How much Faust and what it stands on may say."""

import logging


def quieten(log_level: str) -> None:
    """Let them speak of errors alone, unless everything is asked for."""
    for name in ("faust", "mode", "aiokafka"):
        logging.getLogger(name).setLevel(logging.ERROR if log_level != "debug" else logging.DEBUG)
