"""How the console looks: themes by key and by name, and a link that is spared."""

from __future__ import annotations

from console.theming import available
from tests.support.console import console, trades, world


async def test_themes_follow_each_other_and_are_called_by_name() -> None:
    """`T` goes through all themes and round again; `:theme` takes a name, and refuses one that there is not."""
    async with console(world(trades())) as screen:
        first, names = screen.app.palette.theme.name, available()
        seen = []
        for _ in names:
            await screen.press("T")
            seen.append(screen.app.palette.theme.name)
        assert seen == names[names.index(first) + 1 :] + names[: names.index(first) + 1]
        assert f"theme {first}" in screen.text
        await screen.press(":", *"theme day", "enter")
        assert screen.app.palette.theme.name == "day"
        await screen.press(":", *"theme plaid", "enter")
        assert "no such theme" in screen.text and screen.app.palette.theme.name == "day"


async def test_a_theme_without_colours_takes_them_from_no_theme_after_it() -> None:
    """After `mono` the next theme has its colours again, unless the terminal has none."""
    async with console(world(trades())) as screen:
        await screen.press(":", *"theme mono", "enter")
        assert screen.app.palette.monochrome
        await screen.press(":", *"theme night", "enter")
        assert not screen.app.palette.monochrome


async def test_a_slow_link_is_spared_until_it_is_not_any_more() -> None:
    """`:lofi` says what is sent less and stands in the rule; again sends all of it."""
    async with console(world(trades())) as screen:
        await screen.press(":", *"lofi", "enter")
        assert "low bandwidth: timers every 5 s" in screen.text and screen.app.lofi
        await screen.press(":", *"lofi", "enter")
        assert "full rate" in screen.text and not screen.app.lofi
