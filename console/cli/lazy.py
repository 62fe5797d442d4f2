"""Groups of verbs that import the code of a verb only when it is called: a listing should not pay for the rest."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

import click


@dataclass(frozen=True, slots=True)
class Verb:
    """Where a verb's command object stands, and its line in the list of verbs."""

    module: str
    attribute: str
    section: str
    summary: str


class LazyGroup(click.Group):
    """A group over a table of verbs, listed by section in the table's order."""

    def __init__(self, verbs: dict[str, Verb], **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]  # handed on as they are
        self.verbs = verbs

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the verbs."""
        return list(self.verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports the verb and returns its command; None where there is no such verb."""
        verb = self.verbs.get(cmd_name)
        if verb is None:
            return None
        command = getattr(import_module(verb.module), verb.attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the verbs by section, from the table alone: help loads no verb."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, verb in self.verbs.items():
            sections.setdefault(verb.section, []).append((name, verb.summary))
        for section, rows in sections.items():
            with formatter.section(section):
                formatter.write_dl(rows)
