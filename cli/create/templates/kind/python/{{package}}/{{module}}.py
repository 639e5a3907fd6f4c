"""Agents of kind {{kind}}. One is built by `kind.create("its-name", url=…, token=…).start()`."""

from __future__ import annotations

from typing import Any, Dict, List

import fleetgraph

kind = fleetgraph.define_kind("{{kind}}", version="1.0.0", config={"depth": 1})


def depth_of(config: Dict[str, Any]) -> int:
    """How many words it takes. Raises ValueError for a configuration that does not fit."""
    depth = config.get("depth", 1)
    if type(depth) is not int or not 1 <= depth <= 9:
        raise ValueError("/depth must be a whole number, 1 to 9")
    return depth


@kind.hook("beforeConfig")
def refuse_config(context: fleetgraph.HookContext) -> None:
    depth_of(context.config or {})


@kind.hook("afterStart")
def tell_ready(agent: fleetgraph.Agent) -> None:
    agent.log.info("ready", extra={"depth": depth_of(agent.config)})


@kind.check
def depth(agent: fleetgraph.Agent) -> Any:
    return depth_of(agent.config) < 9


@kind.command("take")
def take(args: Dict[str, Any], agent: fleetgraph.Agent) -> Dict[str, List[str]]:
    words = args.get("words")
    if not isinstance(words, list):
        raise fleetgraph.CommandRefused("words is a list")
    with agent.task("take"):
        taken = words[: depth_of(agent.config)]
        agent.log.info("done", extra={"taken": len(taken)})
        return {"taken": taken}
