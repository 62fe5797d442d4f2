"""The settings that are about years: each is read, and what makes no sense is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.cli.template import CONFIG_TEXT
from engine.care import Channel, Heartbeat, Retention
from engine.config import Settings, load_settings
from engine.home import Home, HomeError


def settings(tmp_path: Path, text: str) -> Settings:
    """What the settings' text means."""
    home = Home(tmp_path)
    home.config.write_text(text)
    return load_settings(home)


def test_the_template_says_the_defaults(tmp_path: Path) -> None:
    """Every setting of [retention] that `dagdeck init` writes down is the default it says."""
    section = CONFIG_TEXT.split("[retention]")[1].split("\n\n")[0].replace("# ", "")
    assert settings(tmp_path, "[retention]" + section).retention == Retention() == settings(tmp_path, "").retention


def test_a_dag_is_told_where_its_pattern_says(tmp_path: Path) -> None:
    """The first pattern that fits decides; an empty table is silence; everything else goes the common way."""
    found = settings(
        tmp_path,
        'heartbeat_url = "https://example.org/ping"\n'
        '[on_failure]\nwebhook = "https://example.org/all"\n'
        '[on_failure.dags."trades_*"]\ncommand = ["/bin/page", "trades"]\n'
        "[on_failure.dags.noisy]\n",
    )
    assert found.telling.channel("sales") == Channel(webhook="https://example.org/all")
    assert found.telling.channel("trades_us") == Channel(("/bin/page", "trades"))
    assert found.telling.channel("noisy") == Channel()
    assert found.heartbeat == Heartbeat("https://example.org/ping", 60.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[retention]\nlog_days = -1", "retention.log_days = -1"),
        (
            'heartbeat_url = "https://hc.example.org:99999/x"',
            "heartbeat_url = 'https://hc.example.org:99999/x' should be",
        ),
        ('heartbeat_url = "http://[::1/x"', "heartbeat_url = 'http://[::1/x' should be"),
        ("[retention]\nlogs = 3", "unknown setting retention.logs"),
        ('[retention]\nat = "3am"', "retention.at = '3am'"),
        ("[retention]\nrun_days = true", "retention.run_days = True"),
        ('[on_failure]\ncommand = "page me"', "on_failure.command should be a list"),
        ('[on_failure]\ncommand = ["page"]', "absolute path"),
        ('[on_failure]\nwebhook = "file:///etc/passwd"', "begins with https"),
        ('[on_failure.dags.x]\nmail = "me"', "unknown setting on_failure.dags.x.mail"),
        ("[on_failure]\napart_seconds = -1", "apart_seconds"),
        ('heartbeat_url = "ping me"', "heartbeat_url = 'ping me'"),
        ('heartbeat_url = "https://x"\nheartbeat_seconds = 0', "heartbeat_seconds = 0"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(tmp_path: Path, text: str, words: str) -> None:
    """The error names the file, the setting and what is allowed."""
    with pytest.raises(HomeError) as caught:
        settings(tmp_path, text)
    assert str(tmp_path / "dagdeck.toml") in str(caught.value)
    assert words in str(caught.value)
