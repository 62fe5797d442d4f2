"""The app that every screen of the console runs in: it gives the terminal back however it ends, and draws safely."""

from __future__ import annotations

import sys
import time
import traceback
from asyncio import AbstractEventLoop
from collections.abc import Sequence
from typing import ClassVar, TypeVar

from rich.color import ColorSystem
from textual import events
from textual._styles_cache import StylesCache
from textual.app import App
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.filter import LineFilter
from textual.theme import Theme as TextualTheme

from console import wire
from console.driver import ConsoleDriver
from console.lifeline import Lifeline
from console.text import sanitise_lines
from console.theming import Look, Palette, load_theme
from console.widgets.spans import Painted

Result = TypeVar("Result")


class TerminalApp(App[Result]):
    """An app on a terminal: no animation, no mouse reports, sanitised lines, and only changed cells on the wire."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+z", "suspend_process", "to the shell", show=False)]

    def __init__(self, *, palette: Palette | None = None, look: Look | None = None) -> None:
        self.wire_notice = wire.install()
        """Why the console's own wire is not in use; None when it is."""
        super().__init__(driver_class=ConsoleDriver)
        self.look = look or Look()
        """What the terminal can show, whatever the theme."""
        self.animation_level = "none"
        self._touched = time.monotonic()
        self._colours: ColorSystem | None = None
        self._net = wire.SafeLineFilter(ascii_only=self.look.ascii_only, monochrome=self.look.monochrome)
        self.palette = palette or Palette(load_theme(), monochrome=self.look.monochrome)
        """The styles in force; change it with `use_palette`."""
        self.use_palette(self.palette)

    def use_palette(self, palette: Palette) -> None:
        """Draw everything in another palette from now on."""
        self.palette = palette
        roles = {name: _of_textual(colour) for name, colour in palette.theme.roles.items()}
        name = f"dagdeck-{palette.theme.name}"
        self.register_theme(
            TextualTheme(
                name=name,
                primary=roles["accent"],
                secondary=roles["live"],
                accent=roles["accent"],
                success=roles["ok"],
                warning=roles["warn"],
                error=roles["bad"],
                foreground=roles["text"],
                background=roles["background"],
                surface=roles["background"],
                panel=roles["rule"],
                dark=palette.theme.dark,
            )
        )
        self.theme = name
        if self._running:
            for screen in self.screen_stack:
                for widget in screen.query(Painted):
                    widget.refresh()

    async def on_event(self, event: events.Event) -> None:
        """Remembers when somebody last did something."""
        if isinstance(event, events.InputEvent):
            self._touched = time.monotonic()
        await super().on_event(event)

    @property
    def quiet_for(self) -> float:
        """Seconds since somebody pressed a key or a button, or turned the wheel."""
        return time.monotonic() - self._touched

    def repaint(self) -> None:
        """Send every cell again, for a terminal that something else has written on."""
        wire.wire_of(self.console).forget()
        self.refresh()

    @property
    def hears_mouse(self) -> bool:
        """Whether the terminal is asked for clicks and the wheel."""
        return isinstance(self._driver, ConsoleDriver) and self._driver.hears_mouse

    def listen_to_mouse(self) -> bool:
        """Listens to the mouse from now on, or, if it did, leaves it to the terminal; gives which."""
        driver = self._driver
        return driver.listen_to_mouse() if isinstance(driver, ConsoleDriver) else False

    def frame_sent(self) -> bool:
        """Whether the terminal has taken everything that was drawn; always true without a terminal."""
        driver = self._driver
        return driver.frame_sent if isinstance(driver, ConsoleDriver) else True

    def pop_screen(self) -> AwaitComplete:
        """Lets go of what the screens before this one have drawn.

        Textual remembers it for up to a thousand widgets that are gone: a console that is open for days would keep the
        lines of every dialog.
        """
        forget = getattr(StylesCache.get_inner_outer, "cache_clear", None)
        if forget is not None:
            forget()
        return super().pop_screen()

    def link_slow(self) -> bool:
        """Whether what lies between here and the terminal has been slow of late; never without a terminal."""
        return isinstance(self._driver, ConsoleDriver) and self._driver.slow

    def spare_colours(self, on: bool) -> None:
        """Colours by their number among 256, which takes fewer bytes, or again as the theme has them."""
        console = self.console
        if on and console._color_system is ColorSystem.TRUECOLOR:
            console._color_system, self._colours = ColorSystem.EIGHT_BIT, console._color_system
        elif not on and self._colours is not None:
            console._color_system, self._colours = self._colours, None
        self.refresh()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """The one filter that lets only printable text through, and colours where they are wanted.

        Textual's own would only replace colours that no palette here uses, at the cost of a copy of every line.
        """
        return [self._net]

    def on_resize(self, event: events.Resize) -> None:
        """After a resize nothing that the terminal showed can be relied on, also when it is back at the same size."""
        picture = wire.wire_of(self.console)
        if (picture.width, picture.height) == tuple(event.size) and isinstance(self._driver, ConsoleDriver):
            picture.forget()
            self._driver.send_pending()

    def end(self, code: int) -> None:
        """End the app from another thread, with an exit code; waits for a loop that is only starting."""
        for _ in range(100):
            loop: AbstractEventLoop | None = self._loop
            if loop is not None and self._running:
                loop.call_soon_threadsafe(lambda: self.exit(return_code=code))
                return
            time.sleep(0.02)

    def _fatal_error(self) -> None:
        """Leave with the error as plain text: no values of variables, nothing a terminal could obey."""
        lines = sanitise_lines(traceback.format_exc())
        self._exit_renderables.append(
            "\n".join(("dagdeck: the console has failed; nothing that runs was touched", *lines))
        )
        self._close_messages_no_wait()

    def _set_pointer_shape(self, shape: str) -> None:
        """Without mouse reports there is no pointer to shape."""


def _of_textual(colour: str) -> str:
    """A theme's colour as Textual writes it."""
    return colour if colour.startswith("#") else f"ansi_{colour}"


def run_console(app: TerminalApp[Result], *, mouse: bool = False) -> int:
    """Run the app on this terminal until it ends; gives the exit code.

    SIGTERM, SIGHUP, SIGINT and a terminal that has hung up end it within seconds, with 128 and the signal's number.
    """
    with Lifeline(app.end, sys.__stdin__.fileno() if sys.__stdin__ is not None else 0):
        app.run(mouse=mouse)
    return app.return_code or 0
