"""The smallest Textual program there is: one widget with one line. What its first paint costs, every console pays."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static

TEXT = "one-widget"


class BareApp(App[None]):
    """One line of text."""

    def compose(self) -> ComposeResult:
        """The one widget."""
        yield Static(TEXT, markup=False)


if __name__ == "__main__":
    BareApp().run()
