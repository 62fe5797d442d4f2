"""Where an address leads: its DAG, run and task as the store has them. One answer for the shell and for the console."""

from __future__ import annotations

from dataclasses import replace

from console.cli.reading import Reader, find_dag, find_run, find_task
from console.model.place import Place
from engine.model.ids import instance_name


def located(store: Reader, place: Place) -> Place:
    """The place with the whole id of the run that it names in short, such as `DAG@latest`.

    Raises NotFound for a DAG or task that is not there, and the store's errors for a run that cannot be told.
    """
    if place.dag_id is None:
        return place
    if place.run_id is None:
        find_dag(store, place.dag_id)
        return place
    run = find_run(store, place.run_id)
    if place.task_id is not None:
        find_task(store, run, instance_name(place.task_id, place.map_index))
    return replace(place, run_id=run.run_id, dag_id=run.dag_id)
