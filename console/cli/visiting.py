"""`dagdeck open`: the console at an address."""

from __future__ import annotations

import click

from console.actions.views import VIEWS
from console.cli.addresses import located
from console.cli.errors import CliError, Exit
from console.cli.opening import open_console
from console.cli.reading import open_store
from console.cli.session import Session, home_option, pass_session
from console.model.place import Place, read_address


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
        place = read_address(text, VIEWS)
    except ValueError as error:
        raise CliError(str(error), Exit.USAGE) from error
    if place.dag_id is None:
        return place
    with open_store(session.home) as store:
        return located(store, place)
