"""What an agent has to tell of its life: each event waits until a beat that carried it was taken."""

from __future__ import annotations

import datetime
import secrets
import threading
import time
from typing import Any, Dict, List

_EVENTS_A_BEAT = 64
_MAX_WAITING = 512

Event = Dict[str, Any]


class Story:
    """Bounded; what comes beyond is dropped. `is_heard` ends with a platform that is older than events."""

    def __init__(self) -> None:
        self.is_heard = True
        self._waiting: List[Event] = []
        self._last_ms = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, name: str, detail: Dict[str, Any]) -> None:
        with self._lock:
            if not self.is_heard or len(self._waiting) >= _MAX_WAITING:
                return
            # Each a millisecond after the one before, so that the timeline keeps their order.
            self._last_ms = max(self._last_ms + 1, int(time.time() * 1000))
            at = datetime.datetime.fromtimestamp(self._last_ms / 1000, datetime.timezone.utc)
            occurred = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            event = {"id": secrets.token_hex(16), "occurredAt": occurred, "name": name, "detail": detail}
            self._waiting.append(event)

    def next(self) -> List[Event]:
        """What the next beat carries."""
        with self._lock:
            return self._waiting[:_EVENTS_A_BEAT]

    def taken(self, events: List[Event]) -> None:
        """These were stored."""
        ids = {event["id"] for event in events}
        with self._lock:
            self._waiting = [event for event in self._waiting if event["id"] not in ids]

    def forget(self) -> None:
        """The platform is older than events: what waits goes to nobody."""
        with self._lock:
            self.is_heard = False
            self._waiting.clear()
