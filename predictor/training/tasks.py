"""What the training does: fit a model set, see to it that one serves, or search for better parameters."""

import sys
import time
from pathlib import Path

from predictor.artifacts import read_manifest
from predictor.commanding.asking import ask, retrain_command
from predictor.manifest import TrainingOptions
from predictor.saving import model_event, save_model_set
from predictor.store import open_store
from predictor.stored_sets import put_set
from predictor.training.announce import announce, newest_decision, require_models_topic
from predictor.training.dataset import Dataset, dataset_from_bars
from predictor.training.ensure import announced_set, newest_set_on_disk, trained_through
from predictor.training.history import bars_before_start
from predictor.training.parameter_file import ParameterFile, read_parameter_file, write_parameters
from predictor.training.quiet import training_packages
from predictor.training.scoring import score_table
from predictor.training.service.next_state import NO_SET
from predictor.training.service.presence import trainer_runs
from predictor.training.settings import NO_PAST, TrainingSettings
from predictor.training.split import hold_out_split
from predictor.training.tell import Tell
from schemas.errors import StopAndSayError
from schemas.events import ModelAction
from schemas.terminal import safe
from schemas.times import to_rfc3339

SERVICE = "trainer"


def say(text: str) -> None:
    """Print for people."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def ensure_here(settings: TrainingSettings) -> None:
    """See to it that a set serves, unless a trainer runs: it does so itself, and alone writes `models`."""
    if settings.source != "simulated" and trainer_runs(settings):
        say("a trainer runs, and sees to it that a model set serves")
    else:
        ensure(settings)


def ensure(settings: TrainingSettings) -> None:
    """See to it that `models` names a set that can serve: the one it names, one on disk, or a new one.

    Raises:
        StopAndSayError: There is none, and there is not enough history to train one.
    """
    if settings.source == "simulated":
        say("simulated prices teach nothing: the statistical forecaster answers")
        return
    require_models_topic(settings)
    decision = newest_decision(settings)
    if decision is not None and decision.model_set == NO_SET:
        decision = None  # somebody asked for something, and was refused: nothing was ever chosen
    if decision is not None and decision.serving is None:
        say(f"{decision.decided_by} decided that no model set serves: {decision.reason}")
    elif decision is not None and announced_set(settings, decision, say) is not None:
        say(f"model set {decision.serving} serves already")
    elif (before_ns := settings.before_ns) is None:
        say(f"{NO_PAST}: the statistical forecaster answers")
    elif (found := newest_set_on_disk(settings, before_ns, say)) is not None:
        reason = f"the newest set on disk that fits, {trained_through(found.manifest, before_ns)}"
        _announce(settings, found.folder, ModelAction.ANNOUNCED, reason)
    else:
        train_and_save(settings, announcing=True)


def train_and_save(settings: TrainingSettings, *, announcing: bool, tell: Tell | None = None) -> Path:
    """Train a set, save it, print how good it is, and announce it where wanted.

    Args:
        tell: Told how far it is.

    Raises:
        StopAndSayError: There is not enough history, or the packages for training are not installed.
    """
    started = time.perf_counter()
    if announcing:
        require_models_topic(settings)
    dataset = _dataset(settings)
    last_bar = to_rfc3339(int(dataset.label_end_ns.max()))
    say(f"training on {len(dataset)} samples through {last_bar}, seed {settings.training_seed}")
    folder = _train(settings, dataset, tell)
    say(f"saved {folder} after {time.perf_counter() - started:.0f} s")
    if announcing:
        _announce(settings, folder, ModelAction.TRAINED, "trained on what lies before the start")
    return folder


def train_or_ask(settings: TrainingSettings, *, announcing: bool, here: bool) -> None:
    """Ask the trainer that runs for a training, and follow it; train here where none runs.

    Args:
        announcing: Announce a set that is trained here.
        here: Something was asked for that a command cannot say: train here, whoever runs.

    Raises:
        StopAndSayError: As `train_and_save`; or a set is to be announced that the trainer has not judged.
        NotDoneError: The trainer refuses it or rejects what came of it, or says nothing any more.
    """
    if (here and not announcing) or not trainer_runs(settings):
        train_and_save(settings, announcing=announcing)
        return
    if here:
        raise StopAndSayError(
            "a trainer runs, and it alone announces: train without --announce, then `tickcast models load SET`"
        )
    path = settings.training_parameters
    command = retrain_command(None if path is None else read_parameter_file(path), time.time_ns())
    say(safe(ask(settings, command, say).text))


def search_and_save(settings: TrainingSettings, *, trials: int, path: Path) -> None:
    """Search for better parameters than the defaults, and write them into a file that `train` reads.

    Raises:
        StopAndSayError: There is not enough history, or the packages for training are not installed.
    """
    dataset = _dataset(settings)
    say(f"searching on what lies before the hold-out of {len(dataset)} samples, seed {settings.training_seed}")
    with training_packages():
        from predictor.training.search import search  # noqa: PLC0415 - only who trains pays for scikit-learn
    write_parameters(search(dataset, settings.training_seed, trials, say), path)
    say(f"wrote {path}: use it with `train --parameters {path}`")


def _dataset(settings: TrainingSettings) -> Dataset:
    """Make the samples, and see that they are enough before TensorFlow is imported."""
    dataset = dataset_from_bars(
        bars_before_start(settings), settings.interval, settings.horizons, settings.training_window_bars
    )
    before = hold_out_split(dataset).before
    with training_packages():
        from predictor.training.folds import fold_rows  # noqa: PLC0415 - only who trains pays for scikit-learn
    fold_rows(before)
    return dataset


def _require_unseen_hold_out(found: ParameterFile, dataset: Dataset) -> None:
    """Check that the search of the parameters has not seen what they are to be held against.

    Raises:
        StopAndSayError: It has.
    """
    hold_out_ns = int(hold_out_split(dataset).after.as_of_ns.min())
    if found.through_ns > hold_out_ns:
        raise StopAndSayError(
            f"TICKCAST_TRAINING_PARAMETERS: the search has seen bars through {to_rfc3339(found.through_ns)}, but the "
            f"hold-out of this training begins at {to_rfc3339(hold_out_ns)}: search on the same bars or earlier"
        )


def _train(settings: TrainingSettings, dataset: Dataset, tell: Tell | None) -> Path:
    found = read_parameter_file(settings.training_parameters)
    _require_unseen_hold_out(found, dataset)
    options = TrainingOptions(
        source=settings.source,
        before_ns=settings.before_ns if settings.before_ns is not None else int(dataset.label_end_ns.max()),
        window_bars=settings.training_window_bars,
        seed=settings.training_seed,
        parameters=found.parameters,
    )
    with training_packages():
        from predictor.training.pipeline import train  # noqa: PLC0415 - only who trains pays for TensorFlow
    trained = train(dataset, settings.interval, options, time.time_ns(), tell=tell)
    say(score_table(trained.manifest))
    return save_model_set(trained.manifest, trained.files, settings.models_directory)


def _announce(settings: TrainingSettings, folder: Path, action: ModelAction, reason: str) -> None:
    manifest = read_manifest(folder)
    manifest_sha256 = put_set(open_store(settings), folder)  # first: whoever reads of a set can have it
    event = model_event(manifest, folder, action, SERVICE, reason, time.time_ns(), manifest_sha256=manifest_sha256)
    announce(settings, event)
    say(f"announced {manifest.model_set}: {reason}")
