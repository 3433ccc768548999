"""A registered model in MLflow: versions, their runs and aliases. Each step may be the last; the next call goes on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from predictor.artifacts import MANIFEST_FILE
from predictor.manifest import Manifest
from predictor.training.mirror_content import DECISION, MODEL_SET, metrics_of, parameters_of, tags_of
from schemas.times import NS_PER_MILLISECOND

#: Of each alias the set that it should name; None: nothing.
Wanted = Mapping[str, str | None]

_FOLDER = "model_set"
_PAGE = 200


class Registry:
    """What MLflow knows of our sets.

    A set is known by the tag `model_set` of its version and of its run, so whatever a crash has left is found again.
    """

    def __init__(self, client: Any, name: str, artifacts: str | None) -> None:
        self._client = client
        self._name = name
        self._artifacts = artifacts

    def versions(self) -> dict[str, Any]:
        """Give the versions by set."""
        found: dict[str, Any] = {}
        token = None
        while True:
            page = self._client.search_model_versions(f"name='{self._name}'", max_results=_PAGE, page_token=token)
            for version in sorted(page, key=lambda each: int(each.version)):
                if MODEL_SET in version.tags:
                    found[version.tags[MODEL_SET]] = version
            token = page.token
            if not token:
                return found

    def add(self, manifest: Manifest, folder: Path, decision_id: str | None) -> None:
        """Make a set's version; where there is one, only its decision may change."""
        version = self.versions().get(manifest.model_set)
        if version is None:
            self._create(manifest, folder, tags_of(manifest, folder, decision_id))
        elif decision_id is not None and version.tags.get(DECISION) != decision_id:
            self._client.set_model_version_tag(self._name, version.version, DECISION, decision_id)

    def set_aliases(self, wanted: Wanted) -> None:
        """Make the aliases name the versions of these sets; an alias of a set without a version goes."""
        versions = self.versions()
        model = self._model()
        current = {} if model is None else {alias: str(version) for alias, version in model.aliases.items()}
        for alias, model_set in wanted.items():
            version = versions.get(model_set) if model_set is not None else None
            if version is None and alias in current:
                self._client.delete_registered_model_alias(self._name, alias)
            elif version is not None and current.get(alias) != str(version.version):
                self._client.set_registered_model_alias(self._name, alias, str(version.version))

    def end_unfinished_runs(self) -> None:
        """Mark the runs as killed that nobody goes on with."""
        experiment = self._client.get_experiment_by_name(self._name)
        if experiment is None:
            return
        for run in self._client.search_runs([experiment.experiment_id], "attributes.status = 'RUNNING'"):
            self._client.set_terminated(run.info.run_id, "KILLED")

    def _create(self, manifest: Manifest, folder: Path, tags: dict[str, str]) -> None:
        from mlflow.entities import Metric, Param, RunTag  # noqa: PLC0415 - seconds, and only the trainer pays

        made_at_ms = manifest.created_at_ns // NS_PER_MILLISECOND
        run = self._run(manifest, tags, made_at_ms)
        run_id = run.info.run_id
        self._client.log_batch(
            run_id,
            params=[Param(name, value) for name, value in parameters_of(manifest).items()],
            metrics=[Metric(name, value, made_at_ms, 0) for name, value in metrics_of(manifest).items()],
            tags=[RunTag(name, value) for name, value in tags.items()],
        )
        for file in (MANIFEST_FILE, *(member.file for member in manifest.members)):
            if (folder / file).exists():
                self._client.log_artifact(run_id, str(folder / file), _FOLDER)
        self._client.set_terminated(run_id)
        if self._model() is None:
            self._client.create_registered_model(self._name, description="Model sets; the topic `models` decides.")
        source = f"{run.info.artifact_uri}/{_FOLDER}"
        self._client.create_model_version(self._name, source, run_id=run_id, tags=tags, await_creation_for=0)

    def _run(self, manifest: Manifest, tags: dict[str, str], made_at_ms: int) -> Any:
        """Give the run of a set: the one that a crash has left, or a new one."""
        experiment_id = self._experiment_id()
        left = self._client.search_runs([experiment_id], f"tags.{MODEL_SET} = '{manifest.model_set}'", max_results=1)
        if left:
            return left[0]
        return self._client.create_run(experiment_id, made_at_ms, tags, manifest.model_set)

    def _experiment_id(self) -> str:
        experiment = self._client.get_experiment_by_name(self._name)
        if experiment is None:
            return str(self._client.create_experiment(self._name, self._artifacts))
        if experiment.lifecycle_stage == "deleted":
            self._client.restore_experiment(experiment.experiment_id)
        return str(experiment.experiment_id)

    def _model(self) -> Any:
        found = self._client.search_registered_models(f"name='{self._name}'", max_results=1)
        return found[0] if found else None
