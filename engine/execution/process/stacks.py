"""The signal on which a Python attempt prints the stacks of all its threads. Set up once, in what attempts are made of:
forks keep it, at no cost of theirs."""

from __future__ import annotations

import faulthandler
import signal

SIGNAL: int = signal.SIGRTMIN + 5 if hasattr(signal, "SIGRTMIN") else signal.SIGUSR2


def listen() -> None:
    """From now on the signal prints to standard error, in this process and in its forks."""
    faulthandler.register(SIGNAL, all_threads=True)
