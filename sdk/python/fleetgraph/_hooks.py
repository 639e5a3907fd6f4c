"""Hooks: the points of an agent's life at which its code may step in, each with a time limit and a failure policy."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Optional, Tuple

from fleetgraph_logging import _text

HOOKS: Tuple[str, ...] = (
    *("beforeStart", "afterStart", "beforePause", "afterPause", "beforeResume", "afterResume"),
    *("beforeStop", "afterStop", "beforeRestart", "afterRestart", "beforeMigrate", "afterMigrate"),
    *("beforeConfig", "onConfig", "afterConfig", "beforeCommand", "onCommand", "afterCommand", "onError"),
)
"""The points of an agent's life at which its code may step in."""


class HookTimeout(Exception):
    """A hook that did not end within its time."""


@dataclass
class HookContext:
    """What a hook is about; `over` is set when its time is over."""

    hook: str
    config: Optional[Dict[str, Any]] = None
    config_version: Optional[int] = None
    command: Optional[Dict[str, Any]] = None
    version: Optional[Tuple[str, str]] = None
    error: Optional[BaseException] = None
    what: Optional[str] = None
    over: threading.Event = field(default_factory=threading.Event)


Hook = Callable[[HookContext], Any]


@dataclass
class _Entry:
    run: Hook
    timeout: float
    attempts: int
    ignore: bool


class Hooks:
    """In the order they were added; those after a stop in the reverse order."""

    def __init__(self, told: Callable[[str, Dict[str, Any], Optional[BaseException]], None]) -> None:
        self._told = told
        self._entries: Dict[str, List[_Entry]] = {}

    def add(self, name: str, run: Hook, timeout: float = 10.0, retry: int = 0, ignore: Optional[bool] = None) -> None:
        """`timeout` in seconds, 0 for none; `retry` more attempts; `ignore` a failure: so after… and onError unless said."""
        if name not in HOOKS:
            raise ValueError(f"there is no hook {name}")
        ignored = name.startswith("after") or name == "onError" if ignore is None else ignore
        self._entries.setdefault(name, []).append(_Entry(run, timeout, 1 + retry, ignored))

    def run(self, name: str, **subject: Any) -> None:
        """Runs all of a name. Raises what the first raised whose failure is not ignored."""
        entries = self._entries.get(name, [])
        for entry in reversed(entries) if name == "afterStop" else entries:
            started = time.monotonic()
            failed: Optional[BaseException] = None
            for attempt in range(1, entry.attempts + 1):
                failed = _attempt(entry, HookContext(name, **subject))
                if failed is None:
                    break
            report: Dict[str, Any] = {"durationMs": round((time.monotonic() - started) * 1000), "outcome": "done"}
            if attempt > 1:
                report["attempts"] = attempt
            if failed is not None:
                report["outcome"] = "timedOut" if isinstance(failed, HookTimeout) else "failed"
                report["error"] = _text(str(failed))[:500]
            self._told(name, report, failed if entry.ignore else None)
            if failed is not None and not entry.ignore:
                raise failed


def _attempt(entry: _Entry, context: HookContext) -> Optional[BaseException]:
    """What it raised. With a limit it runs in a thread of its own, which cannot be killed: it is told by `over`."""
    raised: List[BaseException] = []

    def work() -> None:
        try:
            entry.run(context)
        except Exception as error:
            raised.append(error)

    if not entry.timeout:
        work()
        return raised[0] if raised else None
    thread = threading.Thread(target=work, name=f"fleetgraph-{context.hook}", daemon=True)
    thread.start()
    thread.join(entry.timeout)
    if thread.is_alive():
        context.over.set()
        return HookTimeout(f"{context.hook} took longer than {round(entry.timeout * 1000)} ms")
    return raised[0] if raised else None
