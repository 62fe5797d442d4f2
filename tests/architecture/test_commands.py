"""Commands that are shown to be copied go through the one place that quotes them."""

from __future__ import annotations

import re

from tests.support.source import name_of, python_files

_JOINED = re.compile(r'"\s*\n\s*f?"')
_RAW = re.compile(
    r"(?:--home|dagdeck init|dagdeck restore|chmod(?: -R)? [\w=-]+|chown -R (?:\{\w+\}|\S+)|rm -r) "
    r"\{(?!quoted\()"
)


def test_no_path_is_pasted_into_a_command_as_it_is() -> None:
    """A path in a command that people copy is quoted: one with blanks would be several words."""
    found = []
    for path in (*python_files("engine"), *python_files("console")):
        text = _JOINED.sub("", path.read_text())
        found += [f"{name_of(path)}: {match.group()}" for match in _RAW.finditer(text)]
    assert found == []
