"""Log lines of a Python agent: as JSON lines of docs/log-line.schema.json, or straight to the platform. Standard library only.

    import logging
    from fleetgraph_logging import FleetHandler, trace

    logging.getLogger().addHandler(FleetHandler("http://127.0.0.1:4000", token, service="translator-7"))
    with trace(traceparent):
        logging.getLogger(__name__).error("charge failed", exc_info=True, extra={"order": 7})
"""

from __future__ import annotations

import atexit
import contextlib
import contextvars
import datetime
import json
import logging
import math
import queue
import random
import re
import secrets
import sys
import threading
import time
import traceback
import urllib.error
import urllib.request
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

__all__ = ["FleetHandler", "LineFormatter", "trace"]

REDACTED = "[redacted]"
MAX_TEXT = 16_384
MAX_ITEMS = 100
MAX_DEPTH = 6
_SECRET_NAME = re.compile(
    r"password|passwd|passphrase|secret|authorization|cookie|credential|api[-_.]?key|private[-_.]?key|access[-_.]?key|token$", re.I
)
_SECRET_VALUE = re.compile(
    r"\b(?:Bearer|Basic) +[\w.~+/=-]{8,}|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.S | re.A,
)
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}")
# What every record has; all else was given as `extra`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_OWN = frozenset({"time", "level", "service", "event", "agentId", "traceId", "spanId"})
_TEXTS = frozenset({"error", "errorType", "errorCode", "stack", "requestId", "house", "logger"})
_context: contextvars.ContextVar[Optional[Tuple[str, str]]] = contextvars.ContextVar("fleetgraph_trace", default=None)
Fields = Dict[str, Any]


@contextlib.contextmanager
def trace(traceparent: Optional[str] = None) -> Iterator[str]:
    """Lines inside belong to this trace: the one of a `traceparent` (W3C Trace Context, 3.2), else a new one."""
    match = _TRACEPARENT.match(traceparent or "")
    trace_id = match.group(1) if match else secrets.token_hex(16)
    token = _context.set((trace_id, secrets.token_hex(8)))
    try:
        yield trace_id
    finally:
        _context.reset(token)


def _level(levelno: int) -> Tuple[str, int]:
    for least, name, number in (
        (logging.CRITICAL, "fatal", 21),
        (logging.ERROR, "error", 17),
        (logging.WARNING, "warn", 13),
        (logging.INFO, "info", 9),
        (logging.DEBUG, "debug", 5),
    ):
        if levelno >= least:
            return name, number
    return "trace", 1


def _is_secret(name: str, value: object) -> bool:
    return value is not None and not isinstance(value, (bool, int, float)) and bool(_SECRET_NAME.search(name))


def _text(value: object) -> str:
    text = value if isinstance(value, str) else str(value)
    text = text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "…"
    # A lone surrogate cannot be written as UTF-8.
    return _SECRET_VALUE.sub(REDACTED, text).encode("utf-8", "replace").decode("utf-8")


def _plain(value: Any, depth: int = 0) -> Any:
    """A value as JSON can say it; what nests on and on, and what cannot be read, is told in a word."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, str):
        return _text(value)
    if depth >= MAX_DEPTH:
        return "[deeper]"
    if isinstance(value, dict):
        items = [(_text(name), item) for name, item in list(value.items())[:MAX_ITEMS]]
        return {name: REDACTED if _is_secret(name, item) else _plain(item, depth + 1) for name, item in items}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item, depth + 1) for item in list(value)[:MAX_ITEMS]]
    try:
        return _text(value)
    except Exception:
        return "[unreadable]"


def _message(record: logging.LogRecord) -> str:
    try:
        return _text(record.getMessage()) or "nothing said"
    except Exception:
        # Arguments that do not fit the message are no reason to lose it.
        return _text(record.msg) or "nothing said"


def _error(record: logging.LogRecord) -> Fields:
    """What the error of a record says of itself: its class, message, code and stack."""
    info = record.exc_info
    if not info or info[1] is None:
        return {}
    thrown = info[1]
    found = {"error": _text(thrown), "errorType": type(thrown).__name__}
    code = getattr(thrown, "code", None) or getattr(thrown, "errno", None)
    if isinstance(code, (str, int)):
        found["errorCode"] = str(code)
    found["stack"] = _text("".join(traceback.format_exception(*info)))
    return found


def _extra(record: logging.LogRecord) -> Fields:
    fields = [(name, value) for name, value in vars(record).items() if name not in _STANDARD]
    return {name: REDACTED if _is_secret(name, value) else _plain(value) for name, value in fields[:MAX_ITEMS]}


class LineFormatter(logging.Formatter):
    """Formats a record as one line of docs/log-line.schema.json, without its newline. Never raises."""

    def __init__(self, service: str, agent_id: Optional[str] = None) -> None:
        super().__init__()
        self._base = {"service": service or "unnamed", **({"agentId": agent_id} if agent_id else {})}

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON, without secrets; inside `trace` with its ids. Never raises for what it is given."""
        when = datetime.datetime.fromtimestamp(record.created, datetime.timezone.utc)
        line = {
            "time": when.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": _level(record.levelno)[0],
            **self._base,
            "event": _message(record),
            "logger": record.name,
        }
        context = _context.get()
        if context:
            line["traceId"], line["spanId"] = context
        for name, value in {**_extra(record), **_error(record)}.items():
            named = f"fields.{name}" if name in _OWN else name
            line[named] = json.dumps(value) if name in _TEXTS and not isinstance(value, str) else value
        return json.dumps(line, ensure_ascii=False)


class FleetHandler(logging.Handler):
    """Sends records to the platform as OTLP/JSON from a thread of its own: logging never waits for it and never raises.

    A body never changes once it was tried, so that the platform stores it once however often it comes. Beyond `max_records` that
    wait, new ones are dropped and counted in `dropped`.
    """

    def __init__(self, url: str, token: str, service: str, agent_id: Optional[str] = None,
                 version: Optional[str] = None, level: int = logging.NOTSET, max_records: int = 20_000,
                 batch: int = 1_000, flush_every: float = 0.5, timeout: float = 10.0) -> None:
        super().__init__(level)
        self._url = url.rstrip("/") + "/v1/logs"
        self._token = token
        self._batch = batch
        self._flush_every = flush_every
        self._timeout = timeout
        resource = {"service.name": service, "service.version": version, "fleet.agent.id": agent_id}
        self._resource = {"attributes": _key_values({name: text for name, text in resource.items() if text})}
        self._waiting: "queue.Queue[Fields]" = queue.Queue(max_records)
        # Not `_closed`: logging.Handler has one of its own.
        self._stopping = threading.Event()
        self.dropped = 0
        self.rejected = 0
        self._thread = threading.Thread(target=self._run, name="fleetgraph-logs", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def emit(self, record: logging.LogRecord) -> None:
        """Lets the record wait to be sent; when too many wait it is dropped and counted. Never raises, never waits."""
        try:
            self._waiting.put_nowait(_otlp(record))
        except queue.Full:
            self.dropped += 1
        except Exception:
            self.dropped += 1

    def flush(self, limit: float = 5.0) -> bool:  # type: ignore[override]
        """Waits until what waits was answered. Returns whether it was within the limit, seconds."""
        until = time.monotonic() + limit
        while self._waiting.unfinished_tasks and time.monotonic() < until:
            time.sleep(0.01)
        return not self._waiting.unfinished_tasks

    def close(self) -> None:
        """Sends what waits, and ends."""
        if not self._stopping.is_set():
            self.flush()
            self._stopping.set()
            atexit.unregister(self.close)
        super().close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            records = self._take()
            if not records:
                continue
            body = json.dumps(
                {"resourceLogs": [{"resource": self._resource, "scopeLogs": [{"logRecords": records}]}]}
            ).encode()
            self._send(body, len(records))
            for _ in records:
                self._waiting.task_done()

    def _take(self) -> List[Fields]:
        try:
            records = [self._waiting.get(timeout=0.1)]
        except queue.Empty:
            return []
        until = time.monotonic() + self._flush_every
        while len(records) < self._batch:
            try:
                records.append(self._waiting.get(timeout=max(0.0, until - time.monotonic())))
            except queue.Empty:
                break
        return records

    def _send(self, body: bytes, count: int) -> None:
        """Tries until it is answered. Waits grow, with full jitter, up to 10 s; Retry-After is kept."""
        attempt = 0
        while not self._stopping.is_set():
            headers = {"content-type": "application/json", "authorization": f"Bearer {self._token}"}
            request = urllib.request.Request(self._url, data=body, headers=headers, method="POST")
            asked = 0.0
            try:
                with urllib.request.urlopen(request, timeout=self._timeout) as answer:
                    told = json.loads(answer.read() or b"{}").get("partialSuccess") or {}
                    self.rejected += int(told.get("rejectedLogRecords", 0))
                    return
            except urllib.error.HTTPError as error:
                error.close()
                if error.code not in (408, 429) and error.code < 500:
                    self.rejected += count
                    return
                with contextlib.suppress(TypeError, ValueError):
                    asked = float(error.headers.get("retry-after") or 0)
            except Exception as error:
                if attempt == 0:
                    print(f"fleetgraph: log lines wait: {error}", file=sys.stderr)
            self._stopping.wait(max(asked, random.random() * min(10.0, 0.1 * 2**min(attempt, 16))))
            attempt += 1
        self.dropped += count


def _otlp(record: logging.LogRecord) -> Fields:
    error = _error(record)
    fields = {"logger": record.name, **_extra(record)}
    for name, to in (("errorType", "exception.type"), ("error", "exception.message"),
                     ("stack", "exception.stacktrace"), ("errorCode", "error.code")):
        if name in error:
            fields[to] = error[name]
    name, number = _level(record.levelno)
    nanos = str(int(record.created * 1_000_000) * 1_000)
    context = _context.get()
    return {
        "timeUnixNano": nanos,
        "observedTimeUnixNano": nanos,
        "severityNumber": number,
        "severityText": name.upper(),
        "body": {"stringValue": _message(record)},
        "attributes": _key_values(fields),
        **({"traceId": context[0], "spanId": context[1]} if context else {}),
    }


def _key_values(fields: Mapping[str, Any]) -> List[Fields]:
    return [{"key": name, "value": _any_value(value)} for name, value in fields.items() if value is not None]


def _any_value(value: Any) -> Fields:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    return {"stringValue": value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}
