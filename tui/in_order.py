"""Keys in the order in which they were pressed, whatever the ones before them open.

Textual hands a key to the widget that has the focus, whose bindings run after it has bubbled up: a key that follows
within milliseconds would still go to the old widget. Here the next key waits until the last has come all the way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from textual.app import App
from textual.events import Event, Key
from textual.message_pump import MessagePump
from textual.screen import Screen

STEP_S = 0.01  # between two looks at whether all is there
PATIENCE_S = 3.0  # on a busy machine a tab may take one; after which a key no longer waits for the one before it


class InOrder(App[None]):
    """An app that deals with one key at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._held: deque[Key] = deque()
        self._serial = 0  # of the key under way
        self._passing = False
        self._before: Screen[object] | None = None  # the screen when it was pressed

    def is_settled(self) -> bool:
        """Whether what the last key opened can take the next one."""
        return True

    async def on_event(self, event: Event) -> None:
        """Deal with an event; a key that comes too early is held back."""
        if not isinstance(event, Key) or event.is_forwarded:
            await super().on_event(event)
        elif self._passing or not self.is_settled():
            self._held.append(event)
            if not self._passing:
                self._passed(self._begin())
        else:
            await self._take(event)

    def _begin(self) -> int:
        """Let no other key pass, for a while at most."""
        self._serial, self._passing, self._before = self._serial + 1, True, self.screen
        serial = self._serial
        self.set_timer(PATIENCE_S, lambda: self._over(serial))
        return serial

    async def _take(self, key: Key) -> None:
        """Let Textual have a key."""
        serial, path = self._begin(), self.focused or self.screen
        await super().on_event(key)
        self._follow(path, serial, lambda: self._follow(path, serial, lambda: self._passed(serial)))

    def _follow(self, node: MessagePump | None, serial: int, end: Callable[[], None]) -> None:
        """Pass wherever the key passes, behind it; the second time behind what a widget made of it."""
        if node is None or node is self:
            self.call_later(end)
        elif not node.call_later(self._follow, node._parent, serial, end):
            self._over(serial)

    def _passed(self, serial: int) -> None:
        if not self.screen_stack or serial != self._serial or not self._passing:
            return
        if self._is_there():
            self._over(serial)
        else:
            self.set_timer(STEP_S, lambda: self._passed(serial))

    def _is_there(self) -> bool:
        opened = self.screen is not self._before
        focused = not opened or self.focused is not None or (self.screen.is_mounted and not self.screen.focus_chain)
        return focused and self.is_settled()

    def _over(self, serial: int) -> None:
        """Go on to the next key."""
        if serial == self._serial and self._passing:
            self._passing = bool(self._held)
            if self._held and self.screen_stack:
                self.call_next(self._take, self._held.popleft())
