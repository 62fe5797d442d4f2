"""From a parsed file to an update: validation, and which file may define which DAG id."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.authoring.exceptions import ParamError
from engine.authoring.params import check_value
from engine.dagfiles.updates import Broken, Loaded
from engine.dagfiles.validate import advice, validate
from engine.environments import Environments
from engine.model.dag import Commit, DagSpec, ImportFailure, ParsedFile


def is_whole(parsed: ParsedFile) -> bool:
    """Whether the file itself could be imported; single DAGs of it may still be wrong."""
    return all(failure.dag_id is not None for failure in parsed.errors)


class Judge:
    """Decides what becomes of parsed files. A DAG id belongs to the file that it was first loaded from.

    `owners` maps DAG ids to such files, from before; the id is free again when its file is gone or drops it.
    """

    def __init__(
        self,
        owners: Mapping[str, str],
        pools: Callable[[], Mapping[str, int]],
        environments: Environments | None = None,
    ) -> None:
        self._environments = environments or Environments()
        self._owners = dict(owners)
        self._pools = pools
        self._refused: dict[str, set[str]] = {}

    def files(self) -> set[str]:
        """The files that own an id."""
        return set(self._owners.values())

    def release(self, parsed: ParsedFile) -> None:
        """Frees the ids that a file no longer defines. A file that cannot be imported keeps its ids."""
        if is_whole(parsed):
            defined = {dag.dag_id for dag in parsed.dags} | {failure.dag_id for failure in parsed.errors}
            self._free(parsed.file, lambda dag_id: dag_id not in defined)

    def forget(self, file: str) -> None:
        """Frees all ids of a file that is gone."""
        self._refused.pop(file, None)
        self._free(file, lambda dag_id: True)

    def rivals(self, parsed: ParsedFile) -> set[str]:
        """The other files that own ids which this one defines."""
        return {self._owners.get(dag.dag_id, parsed.file) for dag in parsed.dags} - {parsed.file}

    def hopeful(self) -> set[str]:
        """Files that were refused an id which is free now."""
        return {file for file, ids in self._refused.items() if any(dag_id not in self._owners for dag_id in ids)}

    def judge(self, parsed: ParsedFile, bundle: str | None, commit: Commit | None = None) -> Loaded | Broken:
        """The update for a file, and its claim to the ids of its sound DAGs."""
        self._refused.pop(parsed.file, None)
        if not is_whole(parsed) or bundle is None:
            return Broken(parsed.file, tuple(parsed.errors))
        failures, sound, warnings = list(parsed.errors), [], list(parsed.warnings)
        pools = self._pools()
        for dag in parsed.dags:
            found = validate(dag, pools) or self._vet_configured(dag) or self._claim(dag)
            failures.extend(found)
            if not found:
                sound.append(dag)
                warnings.extend(advice(dag))
        if failures and not sound:
            return Broken(parsed.file, tuple(failures))
        return Loaded(
            parsed.file, bundle, tuple(sound), tuple(warnings), tuple(failures), tuple(parsed.modules), commit
        )

    def _vet_configured(self, dag: DagSpec) -> list[ImportFailure]:
        """Connections must be known, and what the home's environment says of params must fit their declarations."""
        known = self._environments.known_connections()
        for task in dag.tasks:
            for name in task.connections:
                if name not in known:
                    message = (
                        f"task {task.task_id!r}: there is no connection {name!r} "
                        f"(there are: {', '.join(sorted(known)) or 'none'}): add [connections.{name}] to dagdeck.toml"
                    )
                    return [ImportFailure(dag.file, message, task.line or dag.line, None, dag.dag_id)]
        try:
            for name, value in self._environments.defaults(dag, {}).items():
                if value is not None:
                    check_value(name, dag.params[name], value)
        except ParamError as problem:
            where = f"environment {self._environments.active}" if self._environments.active else "[params]"
            return [ImportFailure(dag.file, f"{where} in dagdeck.toml: {problem}", dag.line, None, dag.dag_id)]
        return []

    def _claim(self, dag: DagSpec) -> list[ImportFailure]:
        owner = self._owners.setdefault(dag.dag_id, dag.file)
        if owner == dag.file:
            return []
        self._refused.setdefault(dag.file, set()).add(dag.dag_id)
        message = (
            f"DAG id {dag.dag_id!r} is defined in {owner} and in {dag.file}: the one in {owner} is used; "
            "give one of them another id"
        )
        return [ImportFailure(dag.file, message, dag.line, None, dag.dag_id)]

    def _free(self, file: str, is_free: Callable[[str], bool]) -> None:
        for dag_id in [dag_id for dag_id, owner in self._owners.items() if owner == file and is_free(dag_id)]:
            del self._owners[dag_id]
