"""The kind's behaviour, with nobody at the other end: no platform is needed."""

from __future__ import annotations

import contextlib
import logging
import unittest
from typing import Any, Callable, Dict, Iterator

import fleetgraph
from {{package}}.agent import Config, kind


class Bench:
    """Stands where an agent would: keeps what the kind wires, and runs it when a test asks."""

    def __init__(self, **config: Any) -> None:
        self.config = config
        self.log = logging.getLogger("bench")
        self.hooks: Dict[str, Callable[[Any], Any]] = {}
        self.commands: Dict[str, Callable[[Any], Any]] = {}
        self.checks: Dict[str, Callable[[], Any]] = {}
        self.tasks = 0
        kind.build(self)  # type: ignore[arg-type]

    def hook(self, name: str, **_: Any) -> Callable[[Any], Any]:
        return lambda run: self.hooks.__setitem__(name, run)

    def command(self, name: str) -> Callable[[Any], Any]:
        return lambda run: self.commands.__setitem__(name, run)

    def check(self, name: str, run: Callable[[], Any]) -> None:
        self.checks[name] = run

    def counter(self, name: str, by: float = 1.0) -> None:
        pass

    def at_end(self, run: Callable[[], None]) -> None:
        pass

    @contextlib.contextmanager
    def task(self, name: str) -> Iterator[None]:
        self.tasks += 1
        yield


class AgentTest(unittest.TestCase):
    def test_it_starts_and_says_so(self) -> None:
        agent = Bench()
        with self.assertLogs("bench") as said:
            agent.hooks["beforeStart"](fleetgraph.HookContext("beforeStart"))
            agent.hooks["afterStart"](fleetgraph.HookContext("afterStart"))
        self.assertEqual([record.getMessage() for record in said.records], ["ready"])

    def test_it_greets_as_it_is_configured(self) -> None:
        agent = Bench(greeting="Good day")
        self.assertEqual(agent.commands["greet"]({"name": "Ada"}), {"text": "Good day, Ada!"})
        self.assertEqual(agent.tasks, 1)

    def test_its_command_refuses_what_is_no_task(self) -> None:
        with self.assertRaises(fleetgraph.CommandRefused):
            Bench().commands["greet"]({})

    def test_a_configuration_that_does_not_fit_is_refused(self) -> None:
        agent = Bench()
        agent.hooks["beforeConfig"](fleetgraph.HookContext("beforeConfig", config={"greeting": "Hi"}))
        for wrong in ({"greeting": 7}, {"maxLetters": 0}, {"other": 1}):
            with self.assertRaises(ValueError):
                agent.hooks["beforeConfig"](fleetgraph.HookContext("beforeConfig", config=wrong))
        self.assertEqual(Config.read({"maxLetters": 5}), Config(max_letters=5))

    def test_its_check_tells_of_tasks_that_fail_one_after_the_other(self) -> None:
        agent = Bench(maxLetters=2)
        for _ in range(3):
            with self.assertRaises(ValueError):
                agent.commands["greet"]({"name": "too long"})
        self.assertEqual(agent.checks["tasks"](), "3 tasks failed in a row")
        agent.commands["greet"]({"name": "Al"})
        self.assertIs(agent.checks["tasks"](), True)


if __name__ == "__main__":
    unittest.main()
