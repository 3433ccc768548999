"""What a training process does: fit, compare, save. It decides nothing."""

from collections.abc import Callable
from pathlib import Path

from predictor.artifacts import read_manifest
from predictor.saving import save_model_set
from predictor.training.service.job import Job
from predictor.training.service.verdict import Attempted
from predictor.training.settings import TrainingSettings
from predictor.training.tasks import train_and_save
from predictor.training.tell import Tell
from schemas.events import RetrainKind

#: Does a job.
Attempt = Callable[[TrainingSettings, Job, Tell], Attempted]

FIRST_REASON = "trained on what lies before the start"


def attempt(settings: TrainingSettings, job: Job, tell: Tell) -> Attempted:
    """Do a job.

    Raises:
        TickcastError: It cannot be done; the text says why.
    """
    if job.champion_folder is None:
        folder = train_and_save(settings, announcing=False, tell=tell)
        return Attempted(champion=None, promote=True, reason=FIRST_REASON, model_set=folder.name)
    if job.challenger_folder is not None:
        return _judge(settings, job, Path(job.champion_folder), Path(job.challenger_folder))
    return _compare(settings, job, Path(job.champion_folder), tell)


def _compare(settings: TrainingSettings, job: Job, champion_folder: Path, tell: Tell) -> Attempted:
    from predictor.training.candidate import try_change, try_refresh  # noqa: PLC0415 - heavy, and not for the service
    from predictor.training.evidence import read_live  # noqa: PLC0415

    champion = read_manifest(champion_folder)
    outcomes = read_live(settings, champion)
    if job.kind is RetrainKind.CHANGE:
        tried = try_change(
            settings, champion, job.parameters, outcomes, tell, searched_through_ns=job.searched_through_ns
        )
    else:
        tried = try_refresh(settings, champion, outcomes, tell)
    name = None
    if tried.trained is not None and tried.judgment.promote:
        name = save_model_set(tried.trained.manifest, tried.trained.files, settings.models_directory).name
    return Attempted(
        champion=job.champion,
        promote=tried.judgment.promote,
        reason=tried.judgment.reason,
        numbers=tried.judgment.numbers,
        model_set=name,
    )


def _judge(settings: TrainingSettings, job: Job, champion_folder: Path, challenger_folder: Path) -> Attempted:
    from predictor.training.evidence import read_shadow  # noqa: PLC0415
    from predictor.training.promotion import judge_shadow  # noqa: PLC0415

    champion, challenger = read_manifest(champion_folder), read_manifest(challenger_folder)
    found = judge_shadow(read_shadow(settings, champion, challenger), champion, challenger)
    return Attempted(
        champion=job.champion,
        promote=None if found is None else found.promote,
        reason="there is not enough evidence yet" if found is None else found.reason,
        numbers={} if found is None else found.numbers,
        model_set=job.challenger,
    )
