"""Who is at the other end, and what of that is known rather than claimed."""

from __future__ import annotations

import os
import pty
import pwd
import signal
import socket

from engine.control.actors import Actor, identify, user_name


def test_the_login_goes_before_the_account_and_a_claim_is_marked() -> None:
    """What the system kept of the login counts; else a claim, marked; else the account."""
    root = pwd.getpwuid(0).pw_name
    assert Actor(4711, 0, {"SUDO_USER": "mallory"}).user == root
    assert Actor(0, None, {"SUDO_USER": "ops1"}).user == "ops1?"
    assert Actor(0, None).user == root


def test_an_account_without_a_name_is_called_by_its_number() -> None:
    """Nobody is left unnamed."""
    assert user_name(3_999_999_999) == "uid 3999999999"


def test_a_process_is_identified_by_the_kernel() -> None:
    """The uid is the one that was attested; a process that is gone has no login that could be read."""
    assert identify(os.getpid(), 1234).uid == 1234
    gone = identify(2**22 + 1, 1234)
    assert (gone.uid, gone.login_uid, gone.seen) == (1234, None, {"host": socket.gethostname()})


def test_the_terminal_of_a_process_is_the_one_that_the_kernel_knows() -> None:
    """A process at a terminal of its own is seen there, whatever it says of itself."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.write(1, f"{os.ttyname(1)} ".encode())
        signal.pause()
    try:
        name = os.read(terminal, 100).decode().strip()
        assert identify(pid, 0).seen["terminal"] == name.removeprefix("/dev/")
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)
