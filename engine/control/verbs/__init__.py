"""What operators can ask for: one module per verb or pair of opposites, so that the folder lists them."""

from engine.control.plans import Verb
from engine.control.verbs.answer import Answer
from engine.control.verbs.backfill import BackfillCreate
from engine.control.verbs.backfills import BackfillCancel, BackfillPause, BackfillResume, BackfillRetry
from engine.control.verbs.breakers import Reset, Trip
from engine.control.verbs.clear import Clear, Rerun
from engine.control.verbs.engine import Acknowledge, Drain, Prune, Stop
from engine.control.verbs.hold import Hold, Release
from engine.control.verbs.inbox import Claim, Resolve
from engine.control.verbs.mark import Mark
from engine.control.verbs.pause import Pause, Resume
from engine.control.verbs.pools import Remove, Resize
from engine.control.verbs.prioritize import Prioritize
from engine.control.verbs.recover import Recover
from engine.control.verbs.retry import Retry
from engine.control.verbs.stack import Stack
from engine.control.verbs.stop import Cancel, Kill
from engine.control.verbs.trash import Delete, Restore
from engine.control.verbs.trigger import Trigger
from engine.control.verbs.undo import Undo

VERBS: dict[str, Verb] = {
    verb.name: verb
    for verb in (
        Trigger(),
        BackfillCreate(),
        BackfillPause(),
        BackfillResume(),
        BackfillCancel(),
        BackfillRetry(),
        Rerun(),
        Clear(),
        Mark(),
        Retry(),
        Kill(),
        Cancel(),
        Stack(),
        Prioritize(),
        Delete(),
        Restore(),
        Claim(),
        Resolve(),
        Recover(),
        Pause(),
        Resume(),
        Resize(),
        Remove(),
        Answer(),
        Trip(),
        Reset(),
        Hold(),
        Release(),
        Stop(),
        Drain(),
        Acknowledge(),
        Prune(),
    )
}
VERBS["undo"] = Undo(VERBS)
