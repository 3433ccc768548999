"""The metrics of several workers in one text. Pure."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, generate_latest

from schemas import metrics


def together(texts: Mapping[int, bytes | None]) -> bytes:
    """Give Prometheus' texts of all workers as one, in which every sample says its `worker`; None: no answer."""
    families: dict[str, tuple[list[str], list[str]]] = {}
    for number, text in texts.items():
        family: tuple[list[str], list[str]] = ([], [])
        for line in (text or b"").decode().splitlines():
            if line.startswith("# HELP "):
                family = families.setdefault(line.split(" ", 3)[2], ([], []))
            head, samples = family
            if not line.startswith("#"):
                samples.append(_labelled(line, number))
            elif line not in head:
                head.append(line)
    lines = [line for head, samples in families.values() for line in (*head, *samples)]
    return "".join(f"{line}\n" for line in lines).encode() + _answered(texts)


def _labelled(sample: str, number: int) -> str:
    name, _, rest = sample.partition(" ")
    if "{" not in name:
        return f'{name}{{worker="{number}"}} {rest}'
    name, _, rest = sample.partition("{")
    return f'{name}{{worker="{number}",{rest}'


def _answered(texts: Mapping[int, bytes | None]) -> bytes:
    registry = CollectorRegistry()
    workers = metrics.WORKERS.gauge(registry)
    for number, text in texts.items():
        workers.labels(str(number)).set(text is not None)
    return generate_latest(registry)
