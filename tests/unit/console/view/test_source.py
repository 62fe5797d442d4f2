"""Versions in words and lines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.model.source import CodeCard, Diff, SourceCard, VersionCard
from console.view.source import code_sentence, commit_words, diff_words, source_rows, title
from console.view.spans import plain, width_of

OLD = VersionCard(1, 3, 0)
NEW = VersionCard(2, 5, 0, "a1b9c3d0f", "Ann", 0, True)
DIFF = Diff(("--- a/f.py", "+++ b/f.py", "@@ -1 +1 @@", "-a", "+b"), 1, 1, 1, ("load",))
CARD = SourceCard("etl", OLD, NEW, "f.py", (("f.py", ("import x", "", "# note")),), DIFF, {"load": 1}, None, 4)


@pytest.mark.parametrize(
    ("diff", "words"),
    [
        (Diff(), "the same"),
        (DIFF, "1 file +1 −1, new task load"),
        (Diff(gone_tasks=tuple("abcdef")), "gone tasks a, b, c, d and 2 more"),
        (Diff(note="too much"), "too much"),
    ],
)
def test_a_difference_is_said_in_a_few_words(diff: Diff, words: str) -> None:
    """Files with their lines, then tasks, at most four by name."""
    assert diff_words(diff) == words


def test_a_version_names_its_commit() -> None:
    """Short, with the author; what nobody committed is said so; outside a checkout there is nothing to say."""
    assert commit_words(NEW) == "a1b9c3d by Ann, with uncommitted changes"
    assert commit_words(OLD) == ""


def test_a_dialog_says_with_which_code_it_goes_on() -> None:
    """Another version, the version of an episode that is not over, or the same one."""
    changed = CodeCard("etl", OLD, NEW, 5, 2, False, DIFF)
    assert code_sentence(changed) == (
        "code: version 3 > 5 (a1b9c3d by Ann, with uncommitted changes) for 2 runs: 1 file +1 −1, new task load"
    )
    kept = CodeCard("etl", OLD, OLD, 5, 1, False, Diff())
    assert code_sentence(kept) == "code: stays version 3 until the run is over; the current one is 5"
    same = CodeCard("etl", OLD, OLD, 3, 1, False, Diff())
    assert code_sentence(same) == "code: same version (3)"
    assert code_sentence(replace(same, broken=True)).endswith("cannot be loaded now, this is the last good version")


@pytest.mark.parametrize("width", [20, 58, 160])
def test_every_row_fits(width: int) -> None:
    """Source and difference keep to the window, whatever its width."""
    long = replace(CARD, files=(("f.py", ("x" * 500, "漢" * 90)),))
    for comparing in (False, True):
        rows = source_rows(long, comparing, width)
        assert rows and all(width_of(spans) <= width for _, spans in rows if _ is not None)


def test_the_source_has_line_numbers_and_the_difference_its_tasks() -> None:
    """Rows are found by file and line; the difference begins with what became of tasks."""
    rows = source_rows(CARD, False, 80)
    assert [key for key, _ in rows] == [("file", "f.py", 0), *(("line", "f.py", n) for n in (1, 2, 3))]
    assert plain(rows[1][1]) == "   1  import x"
    shown = [plain(spans) for _, spans in source_rows(CARD, True, 80)]
    assert "new task  load" in shown and shown[-2:] == ["-a", "+b"]
    assert "from version 3 to version 5 (a1b9c3d by Ann" in shown[0]


def test_nothing_to_compare_and_nothing_to_show_are_said() -> None:
    """The current version has not changed since itself; code that is gone cannot be shown."""
    assert "nothing has changed since" in plain(source_rows(replace(CARD, current=OLD), True, 90)[0][1])
    assert plain(source_rows(replace(CARD, trouble="it is gone"), False, 90)[0][1]) == "it is gone"
    left, right = title(CARD, "etl", "etl@1", 160)
    assert "etl > version 3" in plain(left) and "used by etl@1   current is version 5" in plain(right)
