"""The messages of the socket: one line each, bounded, and read back as what they were."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.control import protocol as p

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
COMMANDS = st.builds(
    p.Command,
    id=st.integers(0, 2**31),
    command_id=NAMES,
    verb=NAMES,
    select=st.builds(p.Selector, st.lists(NAMES, max_size=3), st.lists(NAMES, max_size=3), st.lists(NAMES, max_size=3)),
    args=st.dictionaries(NAMES, st.none() | st.booleans() | st.integers(-(2**53), 2**53) | NAMES, max_size=4),
    seen_seq=st.none() | st.integers(0, 2**62),
    note=st.none() | NAMES,
)


@given(COMMANDS)
def test_a_command_is_one_line_that_reads_back(command: p.Command) -> None:
    """Whatever is in it, also line ends and control characters."""
    line = p.encode(command)
    assert line.count(b"\n") == 1 and line.endswith(b"\n")
    assert p.decode_client(line) == command


@given(st.binary(max_size=300))
def test_bytes_that_are_no_message_are_refused_as_such(line: bytes) -> None:
    """Nothing but a decode error comes of them."""
    with pytest.raises(msgspec.DecodeError):
        p.decode_client(line)


def test_a_message_over_the_limit_is_refused_by_its_sender() -> None:
    """A line of more than 1 MiB is never sent: the other end would drop the link."""
    with pytest.raises(ValueError, match="over the limit"):
        p.encode(p.Command(1, "a" * 32, "clear", p.Selector(run_ids=["x" * p.MAX_LINE])))


def test_messages_of_the_other_side_are_no_messages() -> None:
    """A client cannot send what only engines say."""
    with pytest.raises(msgspec.ValidationError):
        p.decode_client(p.encode(p.Committed(7)))
    assert p.decode_server(p.encode(p.Committed(7))) == p.Committed(7)
