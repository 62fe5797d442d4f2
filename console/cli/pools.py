"""`dagdeck pools`: how many tasks may use something at the same time, and who does."""

from __future__ import annotations

import re
import time
from typing import Any

import click
from click.shell_completion import CompletionItem

from console.cli import names
from console.cli.changing import change, report
from console.cli.link import select
from console.cli.options import Asking, Listing, changing, reading
from console.cli.output import Column, emit_json, table
from console.cli.reading import iso, open_store, reads_home
from console.cli.session import Session, home_option, pass_session
from console.figures import duration
from engine.model.dag import MOST_SLOTS

UNLIMITED = -1


class Slots(click.ParamType[int]):
    """A number of slots, or `unlimited`."""

    name = "slots"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number; -1 stands for no limit."""
        if value in ("unlimited", "-1"):
            return UNLIMITED
        if not str(value).isdecimal():
            self.fail(f"{value!r} is not a number of slots, nor 'unlimited'", param, ctx)
        if len(str(value)) > len(str(MOST_SLOTS)) + 20 or int(value) > MOST_SLOTS:
            self.fail(f"{str(value)[:40]} slots are too many: at most {MOST_SLOTS}, or 'unlimited'", param, ctx)
        return int(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The one that is a word."""
        return [CompletionItem("unlimited")] if "unlimited".startswith(incomplete) else []


class _Resize(click.Command):
    """A command whose number may be written with a minus, which else would be taken for an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As it stands; raises BadParameter for a negative number of slots that is no option's value."""
        for at, text in enumerate(args):
            if re.fullmatch(r"-\d+", text) and (at == 0 or not args[at - 1].startswith("--")):
                if text != str(UNLIMITED):
                    raise click.BadParameter(f"{text} is not a number of slots: 0 or more, or 'unlimited'", ctx)
                args = [*args[:at], "unlimited", *args[at + 1 :]]
        return super().parse_args(ctx, args)


@click.group(cls=Listing)
@home_option
def pools() -> None:
    """Pools: their slots, how many are taken and by whom, and how many waiting tasks ask for."""


@pools.command("list")
@reading
@pass_session
def list_pools(session: Session, as_json: bool) -> None:
    """List all pools; `dagdeck pools` alone does the same."""
    # Imported on first use: listings of other things need no explanations.
    from console.cli.explaining import pool_holders

    with open_store(session.home) as store, store.snapshot():
        found = reads_home.pools(store)
        holding = pool_holders(store)
    now = time.time_ns() // 1000
    if as_json:
        emit_json(
            [
                {
                    "pool": row.name,
                    "slots": row.slots if row.slots >= 0 else None,
                    "taken": row.used,
                    "wanted": row.wanted,
                    "include_deferred": row.include_deferred,
                    "description": row.description,
                    "holders": [
                        {
                            "run_id": holder.run_id,
                            "task_id": holder.task_id,
                            "map_index": holder.map_index,
                            "slots": slots,
                            "state": holder.state,
                            "started_at": None if holder.is_waiting else iso(holder.started_at),
                        }
                        for holder, slots in holding.get(row.name, ())
                    ],
                }
                for row in found
            ]
        )
        return
    columns = [
        Column("pool"),
        Column("slots", right=True),
        Column("taken", right=True),
        Column("wanted", right=True),
        Column("held longest by"),
    ]
    rows = []
    for row in found:
        first = next(iter(holding.get(row.name, ())), None)
        who = ""
        if first is not None:
            holder = first[0]
            since = f"  {duration(now - holder.started_at)}" if holder.started_at is not None else ""
            since = "  waits to be tried again" if holder.is_waiting else since
            who = f"{holder.task_id} of {holder.run_id}{since}"
        rows.append((row.name, row.slots if row.slots >= 0 else "no limit", row.used, row.wanted, who))
    table(columns, rows)


@pools.command(cls=_Resize)
@click.argument("pool", shell_complete=names.pools)
@click.argument("slots", type=Slots())
@click.option("--description", metavar="TEXT", help="What the pool is for.")
@click.option(
    "--include-deferred/--leave-out-deferred",
    default=None,
    help="Whether tasks that have begun and wait without a process, for their retry for instance, keep their slots.",
)
@changing
@pass_session
def resize(
    session: Session, pool: str, slots: int, description: str | None, include_deferred: bool | None, asking: Asking
) -> None:
    """Make POOL, or change its size to SLOTS: a number, 0 to start nothing of it, or `unlimited`.

    Whoever holds slots keeps them. The size stays until somebody sets another, or dagdeck.toml says a new one.
    """
    args: dict[str, Any] = {"pool": pool, "slots": slots}
    if description is not None:
        args["description"] = description
    if include_deferred is not None:
        args["include_deferred"] = include_deferred
    report(change(session, "resize", select(), args, asking), asking)


@pools.command()
@click.argument("pool", shell_complete=names.pools)
@changing
@pass_session
def remove(session: Session, pool: str, asking: Asking) -> None:
    """Remove POOL, which no DAG may use any more."""
    report(change(session, "remove", select(), {"pool": pool}, asking), asking)
