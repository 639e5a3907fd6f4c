"""Commands, done one after the other, each once: the same one comes with every beat's answer until it is completed."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Callable, Dict, Optional, Tuple

from fleetgraph_logging import _text

Command = Dict[str, Any]
Handler = Callable[[Dict[str, Any], Command], Any]

_REMEMBERED = 1_000


class CommandRefused(Exception):
    """Raised by a handler that will not do what it is asked; the command ends as REFUSED."""


class Mailbox:
    """`complete(command, outcome, result)` tells the platform how a command ended."""

    def __init__(self, complete: Callable[[Command, str, Any], None]) -> None:
        self._complete = complete
        self._handlers: Dict[str, Handler] = {}
        # By id: the fence it was told under and how it ended; nothing while it waits.
        self._seen: "OrderedDict[str, Optional[Tuple[str, str, Any]]]" = OrderedDict()

    def on(self, name: str, handler: Handler) -> None:
        self._handlers[name] = handler

    def takes(self, command: Command) -> bool:
        """Whether it is new, or was ended under a fence that is no longer good; it counts as seen from now on."""
        ended = self._seen.get(command["id"])
        if command["id"] in self._seen and (ended is None or ended[0] == command["fence"]):
            return False
        self._seen[command["id"]] = ended and (command["fence"], ended[1], ended[2])
        while len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return True

    def do(self, command: Command) -> None:
        """Does it, unless it was done; tells how it ended."""
        ended = self._seen.get(command["id"])
        outcome, result = ended[1:] if ended else self._outcome(command)
        self._seen[command["id"]] = (command["fence"], outcome, result)
        self._complete(command, outcome, result)

    def _outcome(self, command: Command) -> Tuple[str, Any]:
        handler = self._handlers.get(command["name"])
        if not handler:
            return "REFUSED", {"message": f"this agent knows no command {command['name']}"}
        try:
            return "DONE", handler(command.get("arguments") or {}, command)
        except CommandRefused as refused:
            return "REFUSED", {"message": _text(str(refused))}
        except Exception as error:
            return "FAILED", {"message": _text(str(error))}
