"""Sample DAGs whose point is what an engine does with failures: retried, ended, limited, as they say."""

from __future__ import annotations

import pytest

from tests.integration.engine.conftest import MakeSite
from tests.support.source import PROJECT

pytestmark = pytest.mark.processes

NAMES = ("kills_demo", "partial_work", "retry_after", "retry_rules")


async def test_the_samples_about_failures_end_as_they_say(make_site: MakeSite) -> None:
    """Each task ends in its state after its number of tries, with the reasons that its file promises."""
    site = await make_site({f"{name}.py": (PROJECT / "sample_dags" / f"{name}.py").read_text() for name in NAMES})
    await site.start()
    runs = {name: await site.trigger(name) for name in NAMES}
    ended = {name: await site.over(run_id) for name, run_id in runs.items()}
    assert ended == {
        "kills_demo": "failed",
        "partial_work": "success",
        "retry_after": "success",
        "retry_rules": "failed",
    }
    assert site.tasks(runs["kills_demo"]) == {"says_goodbye": "failed", "escapes": "failed", "hungry": "failed"}
    assert site.tasks(runs["retry_rules"]) == {
        "read_file": "skipped", "send": "success", "queue": "success", "upload": "failed",
    }  # fmt: skip

    def tries(name: str, task_id: str) -> list[tuple[str, str | None, str]]:
        return [(row["outcome"], row["failure_class"], row["reason"]) for row in site.attempts(runs[name], task_id)]

    assert tries("kills_demo", "says_goodbye") == [("timeout", "timeout", "timeout")]
    assert tries("kills_demo", "escapes") == [("timeout", "timeout", "timeout")]
    assert tries("kills_demo", "hungry") == [("failed", "infrastructure", "out_of_memory")]
    assert [kind for _, kind, _ in tries("partial_work", "fetch_stations")] == ["partial", "partial", None]
    assert [kind for _, kind, _ in tries("retry_after", "ask_a_busy_service")] == ["transient", "transient", None]
    assert [kind for _, kind, _ in tries("retry_rules", "read_file")] == ["transient", None]
    assert tries("retry_rules", "upload") == [("failed", "permanent", "retry_rule")]
    first, second, third = site.attempts(runs["retry_after"], "ask_a_busy_service")
    assert second["started_at"] - first["ended_at"] >= 2_000_000
    assert third["started_at"] - second["ended_at"] >= 3_000_000
    assert not [text for text in site.processes().values() if "sleep 300" in text]
