"""`dagdeck open`: the console at an address."""

from __future__ import annotations

from dataclasses import replace

import click

from console.actions.views import VIEWS
from console.cli.errors import CliError, Exit
from console.cli.opening import open_console
from console.cli.reading import find_dag, find_run, find_task, open_store
from console.cli.session import Session, home_option, pass_session
from console.model.place import Place, parse_address
from engine.model.ids import instance_name


@click.command("open")
@click.argument("address")
@home_option
@click.option("--read-only", is_flag=True, help="Let this console change nothing.")
@pass_session
def open_(session: Session, address: str, read_only: bool) -> int:
    """Open the console at an address.

    An address is what `#` copies in the console, such as `log/DAG@20261122T010000Z/TASK?attempt=2`. DAG, RUN
    (`DAG@latest`, `DAG@-1`, an id) and RUN/TASK are addresses too.
    """
    return open_console(session, read_only=read_only, start=place_of(session, address))


def place_of(session: Session, text: str) -> Place:
    """The place that an address or a short form means, with its DAG, run and task looked up.

    Raises CliError for what is no address, NotFound for what is not there.
    """
    try:
        place = parse_address(text)
        if place.view not in VIEWS:
            place = parse_address(f"{'run' if '@' in place.view else 'dag'}/{text.strip().strip('/')}")
    except ValueError as error:
        raise CliError(str(error), Exit.USAGE) from error
    if place.dag_id is None:
        return place
    with open_store(session.home) as store:
        if place.run_id is None:
            find_dag(store, place.dag_id)
            return place
        run = find_run(store, place.run_id)
        if place.task_id is not None:
            find_task(store, run, instance_name(place.task_id, place.map_index))
    return replace(place, run_id=run.run_id, dag_id=run.dag_id)
