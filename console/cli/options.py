"""The options that many verbs share, so that they are spelled and explained the same everywhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

import click

from console.cli import names
from console.cli.session import home_option

F = TypeVar("F", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON with stable keys.")


def param_option(words: str) -> Callable[[F], F]:
    """`--param K=V`, any number of times, handed on as `params`; completed with names, then values."""
    return click.option("--param", "params", multiple=True, metavar="K=V", shell_complete=names.params, help=words)


def reading(function: F) -> F:
    """A verb that only looks: `--json`, `--home`."""
    return json_option(home_option(function))


@dataclass(frozen=True, slots=True)
class Asking:
    """How a changing verb is to ask: only preview, ask first, or act; and what to write into the audit."""

    dry_run: bool
    yes: bool
    note: str | None
    as_json: bool


def changing(function: Callable[..., Any]) -> Callable[..., Any]:
    """A verb that changes something: `--dry-run`, `--yes`, `--note`, `--json`, `--home`, handed on as one `asking`."""

    @click.option("--dry-run", is_flag=True, help="Show what would change; change nothing.")
    @click.option("--yes", "-y", is_flag=True, help="Do not ask.")
    @click.option("--note", metavar="TEXT", help="A remark for the audit.")
    @json_option
    @home_option
    @wraps(function)
    def called(*args: Any, dry_run: bool, yes: bool, note: str | None, as_json: bool, **kwargs: Any) -> Any:
        return function(*args, asking=Asking(dry_run, yes, note, as_json), **kwargs)

    return called


class Listing(click.Group):
    """A group that lists where no verb of it is named: `dagdeck pools --json` is `dagdeck pools list --json`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As it stands, with the verb `list` where it goes without saying; what is completed stays as it was typed."""
        names_none = not args or args[0].startswith("-")
        says_more = any(arg in self.commands or arg in ctx.help_option_names for arg in args)
        if names_none and not says_more and not ctx.resilient_parsing:
            args = ["list", *args]
        return super().parse_args(ctx, args)
