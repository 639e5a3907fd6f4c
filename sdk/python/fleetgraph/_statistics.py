"""What goes with every beat: the work since the one before, and the outcomes of checks."""

from __future__ import annotations

import threading
from typing import Any, Callable, Dict


class Statistics:
    """Counts tasks from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests, self._errors, self._took = 0, 0, 0.0

    def add(self, failed: bool, took_ms: float) -> None:
        with self._lock:
            self._requests += 1
            self._errors += failed
            self._took += took_ms

    def take(self) -> Dict[str, Any]:
        """Since the last time they were taken."""
        with self._lock:
            requests, errors, took = self._requests, self._errors, self._took
            self._requests, self._errors, self._took = 0, 0, 0.0
        return {"requests": requests, "errors": errors, **({"latencyMs": took / requests} if requests else {})}


def checked(name: str, check: Callable[[], Any]) -> Dict[str, Any]:
    """True is well; a text says what is not."""
    found = check()
    return {"name": name, "ok": found} if isinstance(found, bool) else {"name": name, "ok": False, "message": str(found)}
