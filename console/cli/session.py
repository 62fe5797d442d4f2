"""What one command line is about: its home, found when a verb first asks for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from console.cli.errors import CliError, Exit, NoHome
from engine.config import Settings, load_settings
from engine.home import Home, HomeError, find_home
from engine.model.typed import dagdeck

F = TypeVar("F", bound=Callable[..., Any])


class Session:
    """The home named on the command line, in the environment or by the place, and its settings."""

    def __init__(self, home: str | None = None) -> None:
        self.named = home
        self._home: Home | None = None

    @property
    def home(self) -> Home:
        """The home. Raises NoHome naming how to make one, and which of this user's homes have an engine running."""
        if self._home is None:
            try:
                self._home = find_home(self.named)
            except HomeError as error:
                raise NoHome(_with_running_homes(str(error))) from error
        return self._home

    @property
    def settings(self) -> Settings:
        """What the home's `dagdeck.toml` says. Raises CliError naming the key that is wrong."""
        try:
            return load_settings(self.home)
        except HomeError as error:
            raise CliError(str(error), Exit.USAGE) from error

    @property
    def zone(self) -> str:
        """The zone of the home, UTC where there is no home: for verbs that need none."""
        try:
            return load_settings(find_home(self.named)).timezone
        except HomeError:
            return "UTC"


def _with_running_homes(text: str) -> str:
    from console.cli.homes import running_homes

    homes = running_homes()
    if not homes:
        return text
    listed = "\n".join(f"  {dagdeck(home.root)}" for home in homes)
    return f"{text}\nHomes of yours with a running engine:\n{listed}"


def _remember(ctx: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.ensure_object(Session).named = value


def home_option(function: F) -> F:
    """Adds `--home`, before the verb or after it."""
    return click.option(
        "--home",
        metavar="DIR",
        expose_value=False,
        callback=_remember,
        help="The home. Else $DAGDECK_HOME, the nearest dagdeck.toml upwards, ~/.dagdeck.",
    )(function)


pass_session = click.make_pass_decorator(Session, ensure=True)
