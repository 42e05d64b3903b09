"""The terminal of a review: keys to the session, its screen to the terminal, its work beside both."""

from __future__ import annotations

import asyncio

from prompt_toolkit.application import Application
from prompt_toolkit.formatted_text import ANSI
from prompt_toolkit.input.base import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import FormattedTextControl, Layout, Window
from prompt_toolkit.output import ColorDepth, Output

from replay_agent.report.review.screen import screen
from replay_agent.report.review.session import Session

__all__ = ("run",)

_NAMES = {
    Keys.Up: "up",
    Keys.Down: "down",
    Keys.Left: "left",
    Keys.Right: "right",
    Keys.PageUp: "pageup",
    Keys.PageDown: "pagedown",
    Keys.Enter: "enter",
    Keys.ControlJ: "enter",
    Keys.Escape: "escape",
    Keys.Backspace: "backspace",
    Keys.ControlC: "ctrl-c",
}
_ESCAPE_WAITS = 0.05
"""Seconds to tell the key from the beginning of another one: the bytes of one arrive together."""
_PAUSE = 0.05
"""Seconds to draw in before the counting begins."""
_TICK = 0.5
"""Seconds between two looks at whether the terminal has another size."""


def run(session: Session, *, colour: bool, input: Input | None = None, output: Output | None = None) -> None:
    """Show a session until it is over."""
    application = _application(session, colour, input, output)
    application.ttimeoutlen = _ESCAPE_WAITS
    application.timeoutlen = 0.0  # no key is the beginning of another
    counter = _Counter(session, application)
    session.counts_beside = True
    application.before_render += counter.look
    application.run(handle_sigint=False)


class _Counter:
    """Counts prices beside the terminal: those of a large group take a second, and no key is to wait for them."""

    def __init__(self, session: Session, application: Application[None]) -> None:
        self._session, self._application = session, application
        self._is_counting = False

    def look(self, application: Application[None]) -> None:
        """Begin to count if something to be seen is not counted yet."""
        if not self._is_counting and self._session.view != "over" and self._session.uncounted() is not None:
            self._is_counting = True
            application.create_background_task(self._count())

    async def _count(self) -> None:
        try:
            await asyncio.sleep(_PAUSE)
            while (change := self._session.uncounted()) is not None:
                is_seen = change is self._session.current
                await asyncio.get_running_loop().run_in_executor(None, self._session.prices.of, change)
                if is_seen:
                    self._application.invalidate()
        finally:
            self._is_counting = False
        self._application.invalidate()


def _application(session: Session, colour: bool, input: Input | None, output: Output | None) -> Application[None]:
    def shown() -> ANSI:
        size = application.output.get_size()
        return ANSI("\n".join(screen(session, size.columns, size.rows, colour=colour)))

    application: Application[None] = Application(
        layout=Layout(Window(FormattedTextControl(shown, show_cursor=False), wrap_lines=False)),
        key_bindings=_bindings(session),
        full_screen=True,
        color_depth=ColorDepth.DEPTH_4_BIT if colour else ColorDepth.DEPTH_1_BIT,
        terminal_size_polling_interval=_TICK,
        input=input,
        output=output,
    )
    return application


def _bindings(session: Session) -> KeyBindings:
    bindings = KeyBindings()

    @bindings.add(Keys.Any)
    def _typed(event: KeyPressEvent) -> None:
        # What is pasted comes as one key, and is no decision.
        if len(event.data) == 1:
            _press(session, event, event.data)

    for key, name in _NAMES.items():

        @bindings.add(key)
        def _named(event: KeyPressEvent, name: str = name) -> None:
            _press(session, event, name)

    @bindings.add(Keys.SIGINT)
    def _interrupted(event: KeyPressEvent) -> None:
        _press(session, event, "ctrl-c")

    @bindings.add(Keys.BracketedPaste)
    def _pasted(event: KeyPressEvent) -> None:
        if session.view == "filtering":
            for character in event.data:
                session.press(character)

    return bindings


def _press(session: Session, event: KeyPressEvent, key: str) -> None:
    job = session.press(key)
    if job is not None:

        async def worked() -> None:
            await asyncio.get_running_loop().run_in_executor(None, job)
            session.finished()
            event.app.invalidate()

        event.app.create_background_task(worked())
    if session.view == "over":
        event.app.exit()
    event.app.invalidate()
