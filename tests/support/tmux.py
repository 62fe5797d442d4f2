"""The live console inside a tmux of its own, which a terminal shows."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from types import TracebackType

from tests.support.live import Live, command

_SETTINGS = """
set -g status off
set -g default-terminal tmux-256color
set -as terminal-features ",xterm*:RGB"
set -s escape-time 0
"""


class InTmux(Live):
    """A tmux in a pseudo terminal, with nothing in it but the console."""

    def __init__(self, folder: Path, size: tuple[int, int]) -> None:
        self._socket, settings = folder / "tmux", folder / "tmux.conf"
        settings.write_text(_SETTINGS)
        inside = shlex.join(command(folder / "told"))
        super().__init__(
            folder, size, "xterm-256color", ["tmux", "-S", str(self._socket), "-f", str(settings), "new", inside]
        )
        self.blind = False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        subprocess.run(["tmux", "-S", str(self._socket), "kill-server"], check=False, capture_output=True, timeout=10)
        super().__exit__(kind, error, trace)
