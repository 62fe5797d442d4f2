"""Named statements."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.store import sql


def test_every_file_of_statements_can_be_read() -> None:
    """Each file holds statements with names of their own, and none of them is empty."""
    for file in sql.files():
        found = sql.statements(file)
        assert found and all(found.values()), file


def test_parameters_are_those_outside_of_texts_and_comments() -> None:
    """A colon within a quoted text or a comment is no parameter."""
    text = "SELECT strftime('%H:mm', at) -- not :this\nFROM event WHERE seq > :seq AND run = :run"
    assert sql.parameters(text) == {"seq", "run"}


def test_a_name_may_stand_once_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two statements of one name are a mistake that is named."""
    (tmp_path / "twice.sql").write_text("-- name: a\nSELECT 1;\n-- name: a\nSELECT 2;\n")
    monkeypatch.setattr(sql, "_FOLDER", tmp_path)
    with pytest.raises(ValueError, match="'a' stands twice"):
        sql.statements.__wrapped__("twice")
