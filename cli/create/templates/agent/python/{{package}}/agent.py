"""What agents of this kind are and do: put your own work in its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Mapping

import fleetgraph


@dataclass(frozen=True)
class Config:
    """The configuration, with its defaults. The platform stores it; one that does not fit is refused."""

    greeting: str = "Hello"
    max_letters: int = 60

    @staticmethod
    def read(given: Mapping[str, Any]) -> Config:
        """Raises ValueError with every place that is wrong."""
        config = Config(given.get("greeting", Config.greeting), given.get("maxLetters", Config.max_letters))
        wrong = [f"/{name} is unknown" for name in given if name not in ("greeting", "maxLetters")]
        if not isinstance(config.greeting, str) or not 1 <= len(config.greeting) <= 80:
            wrong.append("/greeting must be a text of 1 to 80 characters")
        if type(config.max_letters) is not int or not 1 <= config.max_letters <= 200:
            wrong.append("/maxLetters must be a whole number, 1 to 200")
        if wrong:
            raise ValueError("; ".join(wrong))
        return config


class Tally:
    """What it has done since it started."""

    def __init__(self) -> None:
        self.done = 0
        self.failed_in_a_row = 0


kind = fleetgraph.define_kind(
    "{{kind}}", version="1.0.0", config={"greeting": "Hello", "maxLetters": 60}, capabilities=["greet"]
)


# Functions name what they need: `agent`, the parts below, and `args` or `context` of what they are about.
@kind.part
def tally() -> Tally:
    return Tally()


# What the platform has for it may be older or newer than this code: it does not start on what it cannot read.
@kind.hook("beforeStart")
def check_config(agent: fleetgraph.Agent) -> None:
    Config.read(agent.config)


@kind.hook("afterStart")
def tell_ready(agent: fleetgraph.Agent) -> None:
    agent.log.info("ready", extra={"greeting": Config.read(agent.config).greeting})


@kind.hook("beforeConfig")
def refuse_config(context: fleetgraph.HookContext) -> None:
    Config.read(context.config or {})


@kind.hook("afterConfig")
def tell_configured(agent: fleetgraph.Agent, context: fleetgraph.HookContext) -> None:
    agent.log.info("configured", extra=dict(context.config or {}))


@kind.hook("beforeStop")
def tell_stopping(agent: fleetgraph.Agent, tally: Tally) -> None:
    agent.log.info("stopping", extra={"done": tally.done})


# Told with every beat; a message is what is wrong, and speaks against the agent's health.
@kind.check
def tasks(tally: Tally) -> Any:
    return True if tally.failed_in_a_row < 3 else f"{tally.failed_in_a_row} tasks failed in a row"


@kind.command("greet")
def greet(args: Dict[str, Any], agent: fleetgraph.Agent, tally: Tally) -> Dict[str, str]:
    """A task: a span, statistics and log lines of one trace come with it."""
    name = args.get("name")
    if not isinstance(name, str) or not name:
        raise fleetgraph.CommandRefused("name is a text")
    config = Config.read(agent.config)
    with agent.task("greet"):
        if len(name) > config.max_letters:
            tally.failed_in_a_row += 1
            raise ValueError(f"a name has at most {config.max_letters} letters")
        tally.failed_in_a_row = 0
        tally.done += 1
        agent.log.info("greeted", extra={"letters": len(name)})
        agent.counter("greetings_total")
        return {"text": f"{config.greeting}, {name}!"}
