"""`dagdeck reset-terminal`: for the terminal that a killed console could not give back."""

from __future__ import annotations

import contextlib
import os
import sys
import termios

import click

from console.cli.errors import CliError
from console.lifeline import GIVE_BACK

SEQUENCE = f"\x1b[0m{GIVE_BACK}\x1b>\x1b[?1l\x1b[r\x1b(B\r\n"
"""What a console gives back itself, and: attributes off, keypad and cursor keys normal, scroll region whole, ASCII."""


def sane(descriptor: int) -> None:
    """Line editing, echo, signals and carriage returns back on. Raises termios.error where it is no terminal."""
    iflag, oflag, cflag, lflag, ispeed, ospeed, cc = termios.tcgetattr(descriptor)
    iflag |= termios.ICRNL | termios.IXON | termios.BRKINT
    iflag &= ~(termios.INLCR | termios.IGNCR)
    oflag |= termios.OPOST | termios.ONLCR
    lflag |= termios.ICANON | termios.ECHO | termios.ECHOE | termios.ECHOK | termios.ISIG | termios.IEXTEN
    cc[termios.VMIN], cc[termios.VTIME] = 1, 0
    termios.tcsetattr(descriptor, termios.TCSANOW, [iflag, oflag, cflag, lflag, ispeed, ospeed, cc])


@click.command("reset-terminal")
def reset_terminal() -> None:
    """Give a broken terminal back: echo and line editing on, mouse reports off, ordinary screen.

    A console that ends gives its terminal back by itself; one that was killed with SIGKILL cannot.
    """
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            if stream.isatty():
                descriptor = stream.fileno()
                sane(descriptor)
                os.write(descriptor if stream is not sys.stdin else _writable(descriptor), SEQUENCE.encode())
                return
    raise CliError("neither standard input nor output is a terminal: there is nothing to reset")


def _writable(descriptor: int) -> int:
    return os.open(os.ttyname(descriptor), os.O_WRONLY | os.O_NOCTTY)
