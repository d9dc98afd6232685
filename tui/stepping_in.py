"""How a person steps in: orders are made, confirmed, written for the engine, and their answers told."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import work

from company.chart import OrgChart
from company.state import State
from tui import orders
from tui.desk import Desk
from tui.in_order import InOrder
from tui.orders import Choice, Order
from tui.outbox import SendError, send
from tui.revisions import sides
from tui.widgets.confirm import Confirm
from tui.widgets.differences import Differences
from tui.widgets.goto import GoTo, Target
from tui.widgets.needs import Need, Needs

Make = Callable[[State], Order | str]


class SteppingIn(InOrder):
    """The part of the dashboard that asks something of the company. It changes nothing itself."""

    desk: Desk

    def __init__(self) -> None:
        super().__init__()
        self._dialogs: dict[int, Confirm] = {}  # that wait for an answer, by the number of their command

    def _draw_status(self) -> None:
        """Show how things stand."""
        raise NotImplementedError

    def propose(self, make: Make) -> None:
        """Ask whether an order shall be given, or say why it cannot be."""
        order = self.desk.barred() or make(self.desk.whole.state)
        if isinstance(order, str):
            self.refuse(order)
        else:
            self.push_screen(Confirm(order, self._give))

    def propose_one_of(self, title: str, choices: Sequence[Choice], make: Callable[[State, str], Order | str]) -> None:
        """As `propose`, for an order that names one of several positions."""
        barred = self.desk.barred() or ("" if choices else "there is no other manager's position")
        if barred:
            self.refuse(barred)
            return

        def chosen(target: Target | None) -> None:
            if target is not None:
                self.propose(lambda state: make(state, target.id))

        found = [Target("position", choice.id, choice.words) for choice in choices]
        self.push_screen(GoTo(found, title, "a manager's position"), chosen)

    def refuse(self, why: str) -> None:
        """Say why something cannot be done."""
        self.notify(why, severity="warning", markup=False)

    def action_pause(self) -> None:
        self.propose(orders.pause)

    def action_differences(self) -> None:
        shot = self.desk.shot
        if shot.is_founded:
            found = sides(shot, self.desk.founding, self.draft())
            self.push_screen(Differences(found, list(shot.story)))

    def draft(self) -> OrgChart | None:
        """The chart that is being edited, where it is a sound one."""
        return None

    def action_needs(self) -> None:
        found = self.needs()
        if not found:
            self.notify("nothing needs you", markup=False, timeout=2)
            return
        self.push_screen(Needs(found), self._settle)

    def needs(self) -> list[Need]:
        """What waits for a person, in the order in which it was asked."""
        state = self.desk.whole.state
        found = [Need("", "the engine", self.desk.barred())] if self.desk.delta.engine == "dead" else []
        if self.desk.delta.engine != "finished":
            found += [Need(id, orders.request_words(asked), asked.because) for id, asked in state.requests.items()]
        return found

    def _settle(self, chosen: tuple[str, bool] | None) -> None:
        if chosen is not None:
            name, approve = chosen
            self.propose(lambda state: orders.settle(state, name, approve))

    def _give(self, order: Order, reason: str, dialog: Confirm) -> None:
        barred = self.desk.barred()
        if barred:
            dialog.tell(f"not sent: {barred}", "-bad")
        else:
            self._send(order, reason, dialog)

    @work(thread=True, group="orders")
    def _send(self, order: Order, reason: str, dialog: Confirm) -> None:
        args = {**order.args, "because": reason} if reason else dict(order.args)
        try:
            number = send(self.desk.directory, order.action, args)
        except SendError as error:
            self.call_from_thread(self._not_sent, str(error), dialog)
        else:
            self.call_from_thread(self._sent, number, order.title, dialog)

    def _not_sent(self, why: str, dialog: Confirm) -> None:
        if dialog in self.screen_stack:
            dialog.tell(f"not sent: {why}", "-bad")
        else:
            self.notify(f"not sent: {why}", severity="error", markup=False)

    def _sent(self, number: int, title: str, dialog: Confirm) -> None:
        self.desk.outbox.put(number, title)
        self._dialogs[number] = dialog
        self._draw_status()
        if dialog in self.screen_stack:
            dialog.tell(f"command {number} is written: waits for the engine", last=False)
        self.hear()

    def hear(self) -> None:
        """Tell the answers that have come, where they were asked for or as a notice."""
        for number, title, answer in self.desk.outbox.answered():
            words = f"{'done' if answer.done else 'refused'}: {answer.answer}"
            dialog = self._dialogs.pop(number, None)
            if dialog is not None and dialog in self.screen_stack:
                dialog.tell(words, "-good" if answer.done else "-bad")
            else:
                severity = "information" if answer.done else "warning"
                self.notify(f"{title} {words}", severity=severity, markup=False)
