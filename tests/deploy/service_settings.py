"""Every settings class of the project: what may be set, and for whom."""

import importlib
import pkgutil

import deploy
import feature_stream
import gateway
import ingestor
import predictor
from deploy.run_options import RunSettings
from schemas.settings import ENV_PREFIX, Settings

ROOMS = (deploy, feature_stream, gateway, ingestor, predictor)


def settings_classes() -> tuple[type[Settings], ...]:
    """Find the shared settings and each room's own; those of a run repeat the services'."""
    for room in ROOMS:
        for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            if module.name.rpartition(".")[2] == "settings" or ".sources.providers." in module.name:
                importlib.import_module(module.name)
    classes: list[type[Settings]] = [Settings, *_descendants(Settings)]
    return tuple(c for c in classes if c is not RunSettings and not c.__module__.startswith("tests"))


def _descendants(parent: type[Settings]) -> list[type[Settings]]:
    found: list[type[Settings]] = []
    for child in parent.__subclasses__():
        found += [child, *_descendants(child)]
    return found


def variables(settings_type: type[Settings]) -> set[str]:
    """Give the environment variables that a service reads."""
    return {f"{ENV_PREFIX}{name.upper()}" for name in settings_type.model_fields}
