"""One agent as the program that is it sees it: it reports, obeys and answers."""

from __future__ import annotations

import contextlib
import logging
import queue
import signal
import threading
import time
from typing import Any, Callable, Dict, Iterator, List, Optional

from fleetgraph_logging import FleetHandler, _context

from . import _client as said
from ._client import Client, FleetFailure, Json, refusal
from ._hooks import Hook, HookContext, Hooks
from ._life import ASKED_BY, START, Move, move_towards
from ._mailbox import Command, CommandRefused, Handler, Mailbox
from ._statistics import Statistics, checked
from ._story import Story
from ._telemetry import Span, Telemetry


class Agent:
    """Made by `connect`. Commands, moves and configurations are done one after the other, in a thread of its own."""

    def __init__(self, client: Client, definition: Json, identity: Json) -> None:
        self._client = client
        self.definition = definition
        self._identity = identity
        self.state = "REGISTERED"
        self._desired = "REGISTERED"
        self._failed = False
        self._steps: Dict[str, Callable[[], Any]] = {}
        self._checks: Dict[str, Callable[[], Any]] = {}
        self._upgrade_to: Optional[Callable[[Json], Any]] = None
        self._story = Story()
        self._sequence = 0
        self._statistics = Statistics()
        self._lock = threading.RLock()
        self._soon = threading.Event()
        self._closed = threading.Event()
        self._ended = threading.Event()
        self._at_end: List[Callable[[], None]] = []
        self._jobs: "queue.Queue[Optional[Callable[[], None]]]" = queue.Queue(10_000)
        self._hooks = Hooks(self._hook_told)
        self._mailbox = Mailbox(self._complete)
        self._mailbox.on("restart", lambda args, command: self._restart())
        self._mailbox.on("config", lambda args, command: self._take_config())
        self._mailbox.on("upgrade", lambda args, command: self._upgrade(args))
        self._mailbox.on("profile", lambda args, command: self._profile(args))
        for asked, desired in ASKED_BY.items():
            self._mailbox.on(asked, self._obeying(desired))
        resource = {"service.name": self.name, "service.version": definition["version"], "fleet.agent.id": self.id,
                    "fleet.agent.kind": definition["kind"]}
        self._telemetry = Telemetry(client, lambda: self._identity["token"], resource)
        self.log = logging.getLogger(f"fleetgraph.{self.name}")
        self.log.setLevel(logging.DEBUG)
        self._handler = FleetHandler(client.url, identity["token"], self.name, self.id, definition["version"])
        self.log.addHandler(self._handler)
        self._threads = [threading.Thread(target=run, name=f"fleetgraph-{name}", daemon=True)
                         for name, run in (("heart", self._beat_on), ("work", self._work_on))]

    @property
    def id(self) -> str:
        """Its global id, the same for life."""
        return str(self._identity["id"])

    @property
    def name(self) -> str:
        """Unique in the fleet, and the `service.name` of its telemetry."""
        return str(self.definition["name"])

    @property
    def config(self) -> Json:
        """The configuration it works by."""
        return dict(self._identity["config"])

    # What the program says of itself

    def on(self, step: str, run: Callable[[], Any]) -> None:
        """Does the code's part of `start`, `pause`, `resume`, `stop`; one that raises leaves the agent FAILED."""
        self._steps[step] = run

    def hook(self, name: str, **options: Any) -> Callable[[Hook], Hook]:
        """Decorator: runs at a point of its life (HOOKS), with `timeout`, `retry`, `ignore`; each run is in its timeline."""

        def add(run: Hook) -> Hook:
            self._hooks.add(name, run, **options)
            return run

        return add

    def command(self, name: str) -> Callable[[Callable[[Json], Any]], Callable[[Json], Any]]:
        """Decorator: does what a command of this name asks. CommandRefused ends it as REFUSED, what else is raised as FAILED."""

        def add(run: Callable[[Json], Any]) -> Callable[[Json], Any]:
            self._mailbox.on(name, lambda args, command: self._command(name, command, lambda: run(args)))
            return run

        return add

    def on_config(self, run: Callable[[Json, int], Any]) -> None:
        """Told each new configuration; it counts as taken over when this returns."""
        self._hooks.add("onConfig", lambda told: run(told.config or {}, told.config_version or 0), timeout=0)

    def on_upgrade(self, run: Callable[[Json], Any]) -> None:
        """Becomes another version in place; without it `upgrade` is refused."""
        self._upgrade_to = run

    def check(self, name: str, run: Callable[[], Any]) -> None:
        """A check whose outcome, a bool or a message of what is wrong, goes with every beat."""
        self._checks[name] = run

    def event(self, name: str, detail: Optional[Json] = None) -> None:
        """Tells a line of its own timeline with the next beat, as `own.<name>`."""
        self._story.add(f"own.{name}", detail or {})

    def counter(self, name: str, by: float = 1.0, **labels: str) -> None:
        """Adds to a counter."""
        self._telemetry.value(name, True, by, labels)

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Sets a gauge."""
        self._telemetry.value(name, False, value, labels)

    @contextlib.contextmanager
    def task(self, name: str, traceparent: Optional[str] = None, **attributes: Any) -> Iterator[Span]:
        """A piece of its work: a span of the current trace, or of the `traceparent` it came with; counted in its statistics."""
        span = Span(name, attributes, traceparent)
        token = _context.set((span.trace_id, span.span_id))
        started = time.monotonic()
        try:
            yield span
        except BaseException as error:
            span.fail(error)
            raise
        finally:
            _context.reset(token)
            self._telemetry.ended(span)
            self._statistics.add(span.error is not None, (time.monotonic() - started) * 1000)

    # Its life

    def at_end(self, run: Callable[[], None]) -> None:
        """Runs when it has stopped and said farewell."""
        self._at_end.append(run)

    def start(self) -> None:
        """Begins to beat and to obey; returns at once."""
        for thread in self._threads:
            thread.start()

    def wait(self) -> None:
        """Waits until it is closed; SIGTERM and SIGINT close it. For the main thread of a program that is nothing else."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._closed.set())
        self._closed.wait()
        self.close()

    def close(self, limit: float = 5.0) -> None:
        """Stops, says farewell, and sends what waits, within about `limit` seconds."""
        if self._ended.is_set():
            return
        self._ended.set()
        self._closed.set()
        self._soon.set()
        self._jobs.put(self._stop)
        self._jobs.put(None)
        for thread in self._threads:
            if thread.ident:
                thread.join(limit / 2)
        self._farewell()
        for end in self._at_end:
            end()
        self._telemetry.close(limit / 2)
        self._handler.close()

    def _farewell(self) -> None:
        """The last beat, and as many more as what is left to tell needs."""
        for _ in range(10):
            try:
                self._beat()
            except FleetFailure:
                return
            if not len(self._story):
                return

    def _stop(self) -> None:
        move = move_towards(self.state, "STOPPED")
        if move:
            self._make(move)

    def _work_on(self) -> None:
        while True:
            job = self._jobs.get()
            if job is None:
                return
            job()

    def _beat_on(self) -> None:
        every = 1.0
        while not self._closed.is_set():
            self._soon.clear()
            try:
                every = self._beat() or every
            except FleetFailure as failure:
                if failure.code == "UNAUTHENTICATED":
                    with contextlib.suppress(FleetFailure):
                        self._identity = register(self._client, self.definition, self._closed)
            self._soon.wait(every)

    def _beat(self) -> Optional[float]:
        with self._lock:
            events = self._story.next()
            beat = self._saying(events)
        try:
            answer = self._client.query(said.BEAT, {"input": beat}, self._identity["token"])
        except FleetFailure as failure:
            if events and '"events" is not defined' in str(failure):
                # The platform is older than events: it goes without.
                self._story.forget()
                self._soon.set()
            raise
        refused = refusal(answer)
        if refused and refused.code == "NOT_FOUND":
            self._closed.set()
            return None
        if refused:
            self.log.warning("a beat was refused: %s", refused)
            return None
        self._story.taken(events)
        self._heard(answer)
        return float(answer["beatEveryMs"]) / 1000

    def _saying(self, events: List[Json]) -> Json:
        # It rises over restarts because it starts from the clock.
        self._sequence = max(self._sequence + 1, int(time.time() * 1000))
        beat: Json = {"agentId": self.id, "sequence": self._sequence, "state": self.state,
                      "version": self.definition["version"], "configVersion": self._identity["configVersion"],
                      "checks": [checked(name, check) for name, check in self._checks.items()],
                      "stats": self._statistics.take()}
        if events:
            beat["events"] = events
        return beat

    def _heard(self, answer: Json) -> None:
        if self._ended.is_set():
            return
        for command in answer["commands"]:
            if self._mailbox.takes(command):
                self._jobs.put(self._doing(command))
        if answer["configVersion"] > self._identity["configVersion"]:
            self._jobs.put(lambda: self._quietly(self._take_config))
        desired = answer["desiredState"]
        if desired != self._desired:
            self._failed = False
        self._desired = desired
        if not self._failed and move_towards(self.state, desired):
            self._jobs.put(self._converge)

    def _doing(self, command: Command) -> Callable[[], None]:
        return lambda: self._mailbox.do(command)

    def _obeying(self, desired: str) -> Handler:
        return lambda args, command: self._obey(desired)

    def _quietly(self, work: Callable[[], Any]) -> None:
        # What went wrong is told already; the next beat tries again.
        with contextlib.suppress(Exception):
            work()

    def _converge(self) -> None:
        move = move_towards(self.state, self._desired)
        while move and not self._failed:
            self._make(move)
            move = move_towards(self.state, self._desired)

    def _obey(self, desired: str) -> Json:
        self._failed = False
        self._desired = desired
        self._converge()
        if self._failed:
            raise RuntimeError(f"the agent is {self.state}")
        return {"state": self.state}

    def _restart(self) -> Json:
        with self._watched("the restart failed"):
            self._hooks.run("beforeRestart")
        stop = move_towards(self.state, "STOPPED")
        if stop:
            self._make(stop)
        self._failed = False
        self._make(START)
        if self._failed:
            raise RuntimeError("the start failed")
        with self._watched("the restart failed"):
            self._hooks.run("afterRestart")
        return {"state": self.state}

    def _make(self, move: Move) -> None:
        if move.through:
            self._enter(move.through)
        hook = move.step.capitalize() if move.step else ""
        try:
            if move.step:
                self._hooks.run(f"before{hook}")
                self._steps.get(move.step, lambda: None)()
            self._enter(move.to)
            if move.step:
                self._hooks.run(f"after{hook}")
        except Exception as error:
            self._failed = True
            self._enter("FAILED")
            self._fault(f"{move.step} failed", error)

    def _enter(self, state: str) -> None:
        self.state = state
        self._soon.set()

    def _command(self, name: str, command: Command, run: Callable[[], Any]) -> Any:
        args = command.get("arguments") or {}
        with self._watched(f"command {name} failed"), self.task(f"command {name}", args.get("traceparent")):
            self._hooks.run("beforeCommand", command=command)
            self._hooks.run("onCommand", command=command)
            result = run()
            self._hooks.run("afterCommand", command=command)
            return result

    def _take_config(self) -> Json:
        with self._watched("the new configuration was not taken over"):
            fresh = self._client.query(said.CONFIG, {"id": self.id}, self._identity["token"])
            if fresh and fresh["configVersion"] > self._identity["configVersion"]:
                subject = {"config": fresh["config"], "config_version": fresh["configVersion"]}
                self._hooks.run("beforeConfig", **subject)
                self._hooks.run("onConfig", **subject)
                self._identity = {**self._identity, **fresh}
                self._soon.set()
                self._hooks.run("afterConfig", **subject)
        return {"configVersion": self._identity["configVersion"]}

    def _upgrade(self, args: Json) -> Json:
        to = args.get("version")
        if not self._upgrade_to:
            raise CommandRefused("this agent cannot change its version")
        if not isinstance(to, str) or not to:
            raise CommandRefused("version is a string")
        version = (self.definition["version"], to)
        with self._watched(f"the upgrade to {to} failed"):
            self._hooks.run("beforeMigrate", version=version, config=args.get("config"))
            self._upgrade_to(args)
            self.definition = {**self.definition, "version": to}
            taken = {name: args[name] for name in ("config", "configVersion") if args.get(name) is not None}
            self._identity = {**self._identity, **taken}
            self._soon.set()
            self._hooks.run("afterMigrate", version=version, config=args.get("config"))
        return {"version": to}

    def _profile(self, args: Json) -> Json:
        from ._profiler import begin_profile  # most agents are never profiled

        def bring(body: bytes) -> None:
            self._quietly(lambda: self._client.patiently(
                lambda: self._client.post("/v1/profiles", body, self._identity["token"], "gzip"), self._closed))

        return begin_profile(args, bring)

    @contextlib.contextmanager
    def _watched(self, what: str) -> Iterator[None]:
        try:
            yield
        except CommandRefused:
            raise
        except Exception as error:
            self._fault(what, error)
            raise

    def _fault(self, what: str, error: Exception) -> None:
        self.log.error(what, exc_info=(type(error), error, error.__traceback__))
        with contextlib.suppress(Exception):
            self._hooks.run("onError", error=error, what=what)

    def _hook_told(self, hook: str, report: Json, ignored: Optional[BaseException]) -> None:
        if ignored is not None:
            self.log.warning("hook %s failed and is ignored: %s", hook, ignored)
        self._story.add(f"hook.{hook}", report)

    def _complete(self, command: Command, outcome: str, result: Any) -> None:
        given = {"id": command["id"], "fence": command["fence"], "outcome": outcome, "result": result,
                 "clientMutationId": f"complete-{command['id']}"}
        try:
            payload = self._client.patiently(
                lambda: self._client.query(said.COMPLETE, {"input": given}, self._identity["token"]), self._closed)
            refused = refusal(payload)
            if refused:
                raise refused
        except FleetFailure as failure:
            self.log.warning("the end of command %s was not taken: %s", command["name"], failure)
