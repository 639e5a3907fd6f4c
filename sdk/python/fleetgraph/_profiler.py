"""Profiles of this process, in Chrome's formats: made by a thread that looks at all others, tracemalloc, or py-spy when it is asked for."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import tracemalloc
from types import FrameType
from typing import Any, Callable, Dict, List, Optional, Tuple

from fleetgraph_logging import _text

from ._mailbox import CommandRefused

Json = Dict[str, Any]
# Name, file, line from 1.
_Frame = Tuple[str, str, int]

_EVERY = 0.005
_MAX_DEPTH = 250
_MAX_LOOKS = 100_000
_MAX_PACKED = 4 << 20
_MAX_PLAIN = 8 << 20
# In this process: two profilers would measure each other.
_busy = threading.Lock()


def begin_profile(args: Json, deliver: Callable[[bytes], None]) -> Json:
    """Begins, and delivers what was seen when the time is over, from a thread of its own. Raises CommandRefused."""
    profile, kind, seconds, engine = (args.get(name) for name in ("profile", "kind", "seconds", "engine"))
    if not isinstance(profile, str) or kind not in ("CPU", "HEAP"):
        raise CommandRefused("profile is an id, kind is CPU or HEAP")
    if not isinstance(seconds, (int, float)) or not 1 <= seconds <= 60:
        raise CommandRefused("seconds is 1 to 60")
    make = _maker(kind, engine)
    if not _busy.acquire(blocking=False):
        raise CommandRefused("another profile of this process is being made")

    def run() -> None:
        try:
            body = _packed({"profile": profile, "content": make(float(seconds))})
        except Exception as error:
            body = _packed({"profile": profile, "error": _text(str(error))})
        finally:
            _busy.release()
        deliver(body)

    threading.Thread(target=run, name="fleetgraph-profiler", daemon=True).start()
    return {"begun": True}


def _maker(kind: str, engine: Any) -> Callable[[float], Json]:
    if engine is None:
        return _cpu if kind == "CPU" else _heap
    if engine != "py-spy" or kind != "CPU":
        raise CommandRefused(f"{_text(str(engine))} is nothing that Python can profile {kind} with")
    path = shutil.which("py-spy")
    if not path:
        raise CommandRefused("py-spy is not on its PATH")
    return lambda seconds: _py_spy(str(path), seconds)


def _packed(told: Json) -> bytes:
    text = json.dumps(told).encode()
    body = gzip.compress(text)
    if len(text) > _MAX_PLAIN or len(body) > _MAX_PACKED:
        raise ValueError("the profile is greater than the platform takes: ask for fewer seconds")
    return body


class _Stacks:
    """Stacks as the nodes of a tree, and how long each was seen, microseconds."""

    def __init__(self) -> None:
        self._ids: Dict[Tuple[int, _Frame], int] = {}
        self._nodes: List[Json] = []
        self._looks: List[int] = []
        self._lasted: List[int] = [0]
        self._add(0, ("(root)", "", 0))

    def seen(self, frames: List[_Frame], microseconds: int) -> None:
        """The outermost first."""
        node = 1
        for frame in frames[:_MAX_DEPTH]:
            node = self._ids.get((node, frame)) or self._add(node, frame)
        self._looks.append(node)
        self._lasted.append(microseconds)

    def __len__(self) -> int:
        return len(self._looks)

    def profile(self) -> Json:
        # A delta is the time before its sample: the last one ends what was seen before it.
        return {"nodes": self._nodes, "startTime": 0, "endTime": sum(self._lasted),
                "samples": [*self._looks, 1], "timeDeltas": self._lasted}

    def _add(self, parent: int, frame: _Frame) -> int:
        name, file, line = frame
        number = len(self._nodes) + 1
        frame_of = {"functionName": name, "scriptId": "0", "url": file, "lineNumber": line - 1, "columnNumber": -1}
        self._nodes.append({"id": number, "callFrame": frame_of, "hitCount": 0, "children": []})
        if parent:
            self._nodes[parent - 1]["children"].append(number)
            self._ids[(parent, frame)] = number
        return number


def _cpu(seconds: float) -> Json:
    """Looks at the frames of all threads; each counts for the processor time that its thread took since the last look."""
    stacks = _Stacks()
    clock = _ThreadClock()
    until = time.monotonic() + seconds
    own = threading.get_ident()
    while time.monotonic() < until and len(stacks) < _MAX_LOOKS:
        time.sleep(_EVERY)
        threads = {thread.ident: thread for thread in threading.enumerate()}
        for ident, frame in sys._current_frames().items():
            thread = threads.get(ident)
            took = clock.took(thread.native_id if thread else None)
            if ident != own and took > 0:
                stacks.seen([(f"thread {thread.name if thread else ident}", "", 0), *_frames(frame)], took)
    return stacks.profile()


class _ThreadClock:
    """Processor time of threads, from Linux; elsewhere a look is as long as the time between two."""

    def __init__(self) -> None:
        self._last: Dict[Optional[int], int] = {}
        self._is_known = os.path.exists("/proc/self/schedstat")

    def took(self, native: Optional[int]) -> int:
        if not self._is_known:
            return int(_EVERY * 1e6)
        try:
            with open(f"/proc/self/task/{native}/schedstat", "rb") as file:
                now = int(file.read().split()[0])
        except (OSError, ValueError, IndexError):
            return 0
        before = self._last.get(native, now)
        self._last[native] = now
        return (now - before) // 1_000


def _frames(frame: Optional[FrameType]) -> List[_Frame]:
    found: List[_Frame] = []
    while frame is not None:
        code = frame.f_code
        found.append((getattr(code, "co_qualname", code.co_name), code.co_filename, code.co_firstlineno))
        frame = frame.f_back
    return found[::-1]


def _heap(seconds: float) -> Json:
    """What is allocated while it looks, and still held at the end."""
    if tracemalloc.is_tracing():
        raise RuntimeError("tracemalloc is used by the program itself")
    tracemalloc.start(25)
    try:
        time.sleep(seconds)
        statistics = tracemalloc.take_snapshot().statistics("traceback")
    finally:
        tracemalloc.stop()
    head = _place("(root)", "", 0)
    for statistic in statistics:
        node = head
        for frame in statistic.traceback:
            name = f"{os.path.basename(frame.filename)}:{frame.lineno}"
            node = node["under"].setdefault((frame.filename, frame.lineno), _place(name, frame.filename, frame.lineno))
        node["selfSize"] += statistic.size
    return {"head": _listed(head), "samples": []}


def _place(name: str, file: str, line: int) -> Json:
    return {"callFrame": {"functionName": name, "scriptId": "0", "url": file, "lineNumber": line - 1}, "selfSize": 0, "under": {}}


def _listed(place: Json) -> Json:
    return {"callFrame": place["callFrame"], "selfSize": place["selfSize"],
            "children": [_listed(under) for under in place["under"].values()]}


def _py_spy(path: str, seconds: float) -> Json:
    """By another process that reads this one's memory; the system may forbid it that."""
    command = [path, "record", "--pid", str(os.getpid()), "--duration", str(int(seconds)), "--rate", "200",
               "--format", "raw", "--output", "/dev/stdout"]
    made = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30, check=False)
    if made.returncode:
        raise RuntimeError(f"py-spy ended with {made.returncode}: {made.stderr.strip()[-300:]}")
    stacks = _Stacks()
    for line in made.stdout.splitlines():
        stack, _, count = line.rpartition(" ")
        if stack and count.isdigit():
            stacks.seen([_spied(frame) for frame in stack.split(";")], int(count) * 5_000)
    return stacks.profile()


def _spied(text: str) -> _Frame:
    """`name (file:line)`."""
    name, _, place = text.partition(" (")
    file, _, line = place.rstrip(")").rpartition(":")
    return (name, file, int(line)) if line.isdigit() else (name, place.rstrip(")"), 0)
