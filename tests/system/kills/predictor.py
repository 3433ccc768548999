"""`python -m tests.system.kills.predictor`: the predictor, with a trap, on a machine that sees no folder of another."""

from pathlib import Path

from predictor import announced, artifacts, saving, stored_sets
from predictor.announced import Announced
from predictor.publisher import Publisher
from predictor.reader import FeatureReader
from predictor.service import SERVICE, run
from predictor.serving import Serving
from predictor.settings import PredictorSettings
from predictor.store import ArtifactStore
from schemas.service import run_service
from tests.system.kills.trap import Trap


def _our_folder(settings: PredictorSettings, named: Announced) -> Path:
    return settings.models_directory / named.name


def _serve(settings: PredictorSettings) -> None:
    vars(announced)["_folder_of"] = _our_folder
    trap = Trap(settings.models_directory.parent)
    trap.watch(Serving, "announce", "_swap")
    trap.watch(ArtifactStore, "get")
    trap.watch(saving, "_write")
    trap.watch(stored_sets, "save_folder")
    trap.watch(artifacts, "_load_member")
    trap.watch(Publisher, "send", "wait")
    trap.watch(FeatureReader, "commit")
    run(settings)


if __name__ == "__main__":
    run_service(SERVICE, PredictorSettings, _serve)
