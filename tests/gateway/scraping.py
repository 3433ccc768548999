"""What a scrape of a gateway gives."""

from prometheus_client.parser import text_string_to_metric_families

from gateway.parts import Parts


def scraped(parts: Parts) -> dict[str, dict[tuple[str, ...], float]]:
    """Give the samples of each gauge, by their labels' values."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(parts.instruments.text().decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found
