"""What is said of running tasks that are silent, and of those that cannot be killed."""

from dataclasses import replace

from console.figures import silence
from console.model.link import Gauges, LinkState
from console.view.run import quiet_words
from console.view.why import why_task
from console.view.words import task_words
from engine.model.moments import MINUTE, SECOND
from tests.support.console import NOW, link, scene, trades


def test_silence_is_told_with_the_processors_share() -> None:
    """In whole minutes and per cents; the share is left out until it is known."""
    assert silence(NOW - 38 * MINUTE - 5 * SECOND, 0.4, NOW) == "silent 38m  cpu 0%"
    assert silence(NOW - MINUTE, None, NOW) == "silent 1m"


def test_a_silent_task_says_so_while_the_link_stands() -> None:
    """A long idle one stands out; one that works quietly does not; without a link nothing is claimed."""
    run = trades()
    card = next(task for task in run.tasks if task.attempts)
    assert card.latest is not None
    seen = scene(detail=run)

    def words(cpu: float, minutes: int, state: LinkState = LinkState.UP) -> tuple[tuple[str, str], ...]:
        gauges = Gauges(NOW, 1, 16, 0, 1, 0, 0, quiet={card.latest.id: (NOW - minutes * MINUTE, cpu)})
        return quiet_words(replace(seen, link=link(state=state, gauges=gauges)), card)

    assert words(0.0, 38) == (("silent 38m  cpu 0%", "warn"),)
    assert words(97.2, 38) == (("silent 38m  cpu 97%", "dim"),)
    assert words(0.0, 2)[0][1] == "dim"
    assert words(0.0, 38, LinkState.DOWN) == ()
    assert quiet_words(replace(seen, link=link(gauges=Gauges(NOW, 1, 16, 0, 1, 0, 0))), card) == ()


def test_what_cannot_be_killed_is_not_shown_as_dead() -> None:
    """Its state reads unkillable with what will follow, and why it is so."""
    run = trades()
    card = run.tasks[0]._replace(
        state="killing", reason="unkillable", then_state="failed", last_error="process 7 is in uninterruptible sleep"
    )
    assert task_words(card, NOW) == "unkillable > failed"
    _, parts = why_task(scene(detail=run), run, card)
    assert any("process 7 is in uninterruptible sleep" in text for text, _ in parts)
