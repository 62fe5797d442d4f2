"""Previews and commands: planned by the same code, recorded with their actor, applied exactly once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import msgspec

from engine.control import protocol as p
from engine.control.actors import Actor
from engine.control.estimating import length, takes, work_of
from engine.control.plans import Archive, Ask, Gatherer, Plan, Refusal, Resolver, Target, Verb
from engine.control.previews import Previews
from engine.control.selecting import chosen
from engine.control.verbs import VERBS
from engine.lifecycle.changes import Former
from engine.model.moments import SECOND, Micros
from engine.scheduler.core import Scheduler
from engine.scheduler.turn import Turn
from engine.scheduler.undo import Undoable, remember
from engine.store.batch import CommandRow
from engine.store.stored import StoredCommand

T = TypeVar("T")

_MOVERS = 10_000
_NAMED = 1_000


def _following(tasks: int) -> str:
    return "" if not tasks else ", 1 more task follows" if tasks == 1 else f", {tasks} more tasks follow"


class Commands:
    """Answers previews and carries out commands."""

    def __init__(self, scheduler: Scheduler, archive: Archive) -> None:
        self._scheduler = scheduler
        self._archive = archive
        self._previews = Previews()
        self._movers: OrderedDict[tuple[str, int | str], tuple[str, str, Micros]] = OrderedDict()
        self._under_way: dict[str, asyncio.Future[p.Done]] = {}

    # --- previews -------------------------------------------------------------------------------------------------

    async def preview(self, asked: p.AskPreview, actor: Actor) -> p.Preview:
        """What a command would touch. Raises Refusal."""
        verb = _verb(asked.verb)
        self._refuse_when_degraded(asked.verb)
        ask = await self._resolved(verb, Ask(asked.verb, asked.select, asked.args, actor.name))
        async with self._loaded(ask.select.run_ids):
            self._refuse_when_degraded(asked.verb)
            ask = await self._gathered(verb, ask)
            now = self._scheduler.clock.now()
            plan = self._sensible(ask, lambda: verb.plan(self._scheduler, ask, now))
            follows = self._sensible(ask, plan.follows)
            rows = [*(target.effect for target in plan.targets), *follows]
            time = await self._takes(rows, now)
        preview_id = self._scheduler.new_id(now)
        preview = p.Preview(
            id=asked.id,
            preview_id=preview_id,
            seq=self._scheduler.committed_seq,
            verb=asked.verb,
            sentence=plan.sentence + _following(len(follows)) + (f", about {length(time)}" if time is not None else ""),
            total=len(rows),
            counts=plan.counts,
            kills=plan.kills,
            reopens=plan.reopens,
            warnings=plan.warnings,
            code=plan.code,
            takes=time,
        )
        return self._previews.keep(preview, rows, now)

    async def _takes(self, rows: list[p.Effect], now: Micros) -> Micros | None:
        """How long what would run takes, by how long it usually does."""
        state = self._scheduler.state
        plans = {row.dag_id: state.dags[row.dag_id].version.plan for row in rows if row.dag_id in state.dags}
        work = work_of(rows, plans)
        usual: dict[tuple[str, str], Micros] = {}
        for dag_id, each in work.items():
            for task, time in (await self._archive.usual_task_times(dag_id, each.tasks, now)).items():
                usual[dag_id, task] = time
        return takes(work, plans, usual, self._scheduler.ledger.slots)

    def more(self, asked: p.AskMore) -> p.Preview:
        """The next rows of a preview. Raises Refusal when it has expired."""
        return self._previews.page(asked, self._scheduler.clock.now())

    # --- commands -------------------------------------------------------------------------------------------------

    async def carry_out(self, command: p.Command, actor: Actor, client: str) -> p.Done:
        """Applies a command, once. Returns when it is committed; raises Refusal when nothing was changed."""
        verb = _verb(command.verb)
        if not _is_command_id(command.command_id):
            raise Refusal("invalid", "a command id is 32 hex digits")
        if command.seen_seq is not None and not 0 <= command.seen_seq < 1 << 63:
            raise Refusal("invalid", f"seen_seq is the number of an event, not {command.seen_seq}")
        under_way = self._under_way.get(command.command_id)
        if under_way is not None:
            return msgspec.structs.replace(await asyncio.shield(under_way), id=command.id)
        future: asyncio.Future[p.Done] = asyncio.get_running_loop().create_future()
        self._under_way[command.command_id] = future
        try:
            before = await self._archive.find_command(command.command_id)
            if before is not None:
                _resolve(future, _again(command, before))
                return future.result()
            self._prune_when_degraded(command.verb)
            self._refuse_when_degraded()
            ask = Ask(command.verb, command.select, command.args, actor.name, command.command_id, command.note)
            ask = await self._resolved(verb, replace(ask, origin=_origin(actor, client)))
            async with self._loaded(ask.select.run_ids):
                self._refuse_when_degraded()
                ask = await self._gathered(verb, ask)
                work = partial(self._apply, command, verb, ask, actor, client, future)
                self._scheduler.post(work, partial(_fail, future))
                return await asyncio.shield(future)
        except Exception as error:
            _fail(future, error)
            raise
        finally:
            del self._under_way[command.command_id]
            if future.done():
                future.exception()  # whoever waits has its own copy

    def _apply(
        self,
        command: p.Command,
        verb: Verb,
        ask: Ask,
        actor: Actor,
        client: str,
        future: asyncio.Future[p.Done],
        turn: Turn,
    ) -> None:
        turn.failed.append(partial(_fail, future))
        try:
            plan = self._sensible(ask, lambda: verb.plan(self._scheduler, ask, turn.now))
            kept, skipped = self._guard(plan, command.seen_seq, turn.now)
        except Refusal as error:
            refusal = error
            self._record(turn, command, actor, client, "refused", str(refusal), {})
            turn.committed.append(lambda _seq: _fail(future, refusal))
            return
        former = turn.changes.former = Former()
        result = plan.carry(turn, kept)
        turn.changes.former = None
        for target in kept:
            self._movers[target.key] = (command.verb, actor.name, turn.now)
            self._movers.move_to_end(target.key)
        while len(self._movers) > _MOVERS:
            self._movers.popitem(last=False)
        done = plan.done(kept)
        if command.verb != "undo" and not plan.final:
            inverse = None if plan.inverse is None else plan.inverse(kept)
            made = Undoable(command.command_id, command.verb, actor.name, turn.now, done, inverse=inverse)
            remember(self._scheduler, turn, made, former)
        skipped = _cut(skipped)
        self._record(turn, command, actor, client, "done", done, {**result, "changed": len(kept)})
        turn.committed.append(lambda seq: _resolve(future, p.Done(command.id, seq, done, len(kept), skipped, result)))

    async def _resolved(self, verb: Verb, ask: Ask) -> Ask:
        """The same, with the names of what its expression means, or of what the verb is about. Raises Refusal."""
        if isinstance(verb, Resolver):
            ask = await verb.resolve(self._scheduler, self._archive, ask)
        if not ask.select.expression:
            return ask
        return await chosen(self._archive, ask, self._scheduler.clock.now())

    async def _gathered(self, verb: Verb, ask: Ask) -> Ask:
        """The same with what the verb needs of the store. What makes no sense is refused by its plan."""
        if not isinstance(verb, Gatherer):
            return ask
        try:
            found = await verb.gather(self._scheduler, self._archive, ask, self._scheduler.clock.now())
        except Refusal:
            return ask
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            self._scheduler.log.exception("gathering_failed", verb=ask.verb, error=str(error))
            return ask
        return replace(ask, found=found)

    def _sensible(self, ask: Ask, think: Callable[[], T]) -> T:
        """What a verb thinks of a command. Thinking changes nothing, so what makes no sense is refused."""
        try:
            return think()
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            self._scheduler.log.exception("plan_failed", verb=ask.verb, error=str(error))
            raise Refusal("invalid", f"{ask.verb} cannot be planned: {type(error).__name__}: {error}") from error

    def _guard(self, plan: Plan, seen_seq: int | None, now: Micros) -> tuple[list[Target], list[str]]:
        """Leaves out rows that moved since the operator looked, naming who came first. Raises Refusal if all did."""
        if seen_seq is None:
            return plan.targets, []
        kept = [target for target in plan.targets if target.changed_seq <= seen_seq]
        skipped = [self._why_stale(target, now) for target in plan.targets if target.changed_seq > seen_seq]
        if skipped and not kept:
            raise Refusal("stale", f"it changed since you looked: {'; '.join(skipped[:5])}")
        return kept, skipped

    def _why_stale(self, target: Target, now: Micros) -> str:
        mover = self._movers.get(target.key)
        if mover is None:
            return f"{target.name} is {target.effect.state} now"
        verb, who, at = mover
        return f"{target.name}: {verb} by {who} {max(0, now - at) // SECOND} s ago, {target.effect.state} now"

    def _record(
        self,
        turn: Turn,
        command: p.Command,
        actor: Actor,
        client: str,
        outcome: Any,
        message: str,
        result: dict[str, Any],
    ) -> None:
        turn.batch.command = CommandRow(
            id=command.command_id,
            verb=command.verb,
            uid=actor.uid,
            user=actor.user,
            client="console" if client == "console" else "cli",
            received_at=turn.now,
            outcome=outcome,
            message=message,
            args=command.args,
            selector=msgspec.to_builtins(command.select),
            seen_seq=command.seen_seq,
            login_uid=actor.login_uid,
            claimed={**actor.claimed, **actor.seen},
            result=result,
            note=command.note,
        )

    # --- both -----------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _loaded(self, run_ids: list[str]) -> AsyncIterator[None]:
        """Keeps the named runs in memory meanwhile, also those that are over."""
        for run_id in run_ids:
            if run_id not in self._scheduler.state.names:
                await self._archive.load_run(run_id)
        state = self._scheduler.state
        pinned = [state.names[run_id] for run_id in run_ids if run_id in state.names]
        for run in pinned:
            state.pin(run)
        try:
            yield
        finally:
            for run in pinned:
                state.unpin(run)
                if self._scheduler.state is state:
                    self._scheduler.release(run)

    def _prune_when_degraded(self, verb: str) -> None:
        """Files are pruned also on a full disk, and then most of all; only who asked for it cannot be written down."""
        if verb == "prune" and self._scheduler.degraded is not None:
            self._scheduler.request_prune()
            raise Refusal(
                "degraded",
                "files that are older than they are kept are being removed, but no audit tells of it: the engine can "
                f"write nothing down now: {self._scheduler.degraded}",
            )

    def _refuse_when_degraded(self, verb: str = "") -> None:
        if self._scheduler.degraded is not None and verb != "prune":
            raise Refusal("degraded", f"the engine takes no changes now: {self._scheduler.degraded}")


def _verb(name: str) -> Verb:
    verb = VERBS.get(name)
    if verb is None:
        raise Refusal("invalid", f"there is no verb {name!r}; verbs are {', '.join(sorted(VERBS))}")
    return verb


def _origin(actor: Actor, client: str) -> str:
    """Which client, and where its connection comes from, which is only what it says."""
    claimed = actor.claimed.get("SSH_CONNECTION", "").split()
    return f"{client} from {claimed[0]}?" if claimed else client


def _cut(skipped: list[str]) -> list[str]:
    """So many that a reply can name them."""
    more = len(skipped) - _NAMED
    return skipped if more <= 0 else [*skipped[:_NAMED], f"and {more} more"]


def _is_command_id(text: str) -> bool:
    return len(text) == 32 and all(digit in "0123456789abcdef" for digit in text)


def _again(command: p.Command, before: StoredCommand) -> p.Done:
    """The answer to a command that was applied before: the same as then."""
    if before.outcome != "done":
        raise Refusal("state", before.message)
    result = dict(before.result)
    changed = int(result.pop("changed", 0))
    return p.Done(command.id, before.applied_seq, before.message, changed, [], result)


def _resolve(future: asyncio.Future[p.Done], done: p.Done) -> None:
    if not future.done():
        future.set_result(done)


def _fail(future: asyncio.Future[p.Done], error: Exception) -> None:
    if not future.done():
        wrapped = error if isinstance(error, Refusal) else Refusal("degraded", f"nothing was changed: {error}")
        future.set_exception(wrapped)
