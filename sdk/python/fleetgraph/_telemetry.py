"""Spans and metrics as OTLP/JSON, sent from a thread of its own: work never waits for it."""

from __future__ import annotations

import json
import queue
import random
import secrets
import threading
import time
from typing import Any, Callable, Dict, List, Optional, Tuple

from fleetgraph_logging import _TRACEPARENT, _context, _key_values, _text

from ._client import Client, FleetFailure

_METRICS_EVERY = 10.0
_BATCH = 500


class Span:
    """A piece of work in a trace; it ends, and is sent, with its `with`."""

    def __init__(self, name: str, attributes: Dict[str, Any], traceparent: Optional[str]) -> None:
        match = _TRACEPARENT.match(traceparent or "")
        around = _context.get()
        self.name = name
        self.attributes = dict(attributes)
        self.trace_id: str = match.group(1) if match else around[0] if around else secrets.token_hex(16)
        self.parent_id: Optional[str] = match.group(2) if match else around[1] if around else None
        self.span_id = secrets.token_hex(8)
        self.started = time.time_ns()
        self.error: Optional[str] = None

    @property
    def traceparent(self) -> str:
        """To be passed on with work that goes elsewhere (W3C Trace Context)."""
        return f"00-{self.trace_id}-{self.span_id}-01"

    def fail(self, error: object) -> None:
        """Marks the work as failed; what is raised does so by itself."""
        self.error = _text(str(error))

    def spend(self, provider: str, model: str, input_tokens: int, output_tokens: int) -> None:
        """What a model spent on this work (OpenTelemetry's gen_ai conventions)."""
        self.attributes.update({
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": model,
            "gen_ai.usage.input_tokens": input_tokens,
            "gen_ai.usage.output_tokens": output_tokens,
        })

    def export(self) -> Dict[str, Any]:
        """In OTLP/JSON, ended now."""
        told: Dict[str, Any] = {
            "traceId": self.trace_id,
            "spanId": self.span_id,
            "name": self.name,
            "kind": 5,
            "startTimeUnixNano": str(self.started),
            "endTimeUnixNano": str(max(time.time_ns(), self.started)),
            "attributes": _key_values(self.attributes),
            "status": {"code": 2, "message": self.error} if self.error else {},
        }
        if self.parent_id:
            told["parentSpanId"] = self.parent_id
        return told


class Telemetry:
    """Bounded: beyond 5,000 spans that wait new ones are dropped and counted in `dropped`."""

    def __init__(self, client: Client, token: Callable[[], str], resource: Dict[str, str]) -> None:
        self._client = client
        self._token = token
        self._resource = {"attributes": _key_values(resource)}
        self._spans: "queue.Queue[Dict[str, Any]]" = queue.Queue(5_000)
        self._values: Dict[Tuple[str, bool, Tuple[Tuple[str, str], ...]], float] = {}
        self._lock = threading.Lock()
        self._started = str(time.time_ns())
        self._closed = threading.Event()
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="fleetgraph-telemetry", daemon=True)
        self._thread.start()

    def ended(self, span: Span) -> None:
        try:
            self._spans.put_nowait(span.export())
        except queue.Full:
            self.dropped += 1

    def value(self, name: str, is_sum: bool, value: float, labels: Dict[str, str]) -> None:
        key = (name, is_sum, tuple(sorted(labels.items())))
        with self._lock:
            self._values[key] = self._values.get(key, 0.0) + value if is_sum else value

    def close(self, limit: float) -> None:
        """Sends what waits, for at most `limit` seconds."""
        self._closed.set()
        self._thread.join(limit)

    def _run(self) -> None:
        due = time.monotonic() + _METRICS_EVERY
        while True:
            last = self._closed.wait(0.2)
            spans: List[Dict[str, Any]] = []
            while len(spans) < _BATCH and not self._spans.empty():
                spans.append(self._spans.get_nowait())
            if spans:
                self._send("/v1/traces", {"resourceSpans": [self._of("scopeSpans", "spans", spans)]})
            if last and self._spans.empty() or time.monotonic() >= due:
                due = time.monotonic() + _METRICS_EVERY
                metrics = self._metrics()
                if metrics:
                    self._send("/v1/metrics", {"resourceMetrics": [self._of("scopeMetrics", "metrics", metrics)]})
                if last:
                    return

    def _of(self, scope: str, records: str, items: List[Dict[str, Any]]) -> Dict[str, Any]:
        return {"resource": self._resource, scope: [{"scope": {"name": "fleetgraph-sdk"}, records: items}]}

    def _metrics(self) -> List[Dict[str, Any]]:
        now = str(time.time_ns())
        told = []
        with self._lock:
            values = list(self._values.items())
        for (name, is_sum, labels), value in values:
            point = {"attributes": _key_values(dict(labels)), "startTimeUnixNano": self._started,
                     "timeUnixNano": now, "asDouble": value}
            sums = {"aggregationTemporality": 2, "isMonotonic": True, "dataPoints": [point]}
            told.append({"name": name, "sum": sums} if is_sum else {"name": name, "gauge": {"dataPoints": [point]}})
        return told

    def _send(self, path: str, body: Dict[str, Any]) -> None:
        """The same body until it is answered; once closing, a few attempts."""
        data = json.dumps(body).encode()
        for attempt in range(1_000_000):
            try:
                self._client.post(path, data, self._token())
                return
            except FleetFailure as failure:
                if not failure.retryable or (self._closed.is_set() and attempt >= 3):
                    return
                time.sleep(max(failure.retry_after, random.random() * min(10.0, 0.1 * 2 ** min(attempt, 16))))
