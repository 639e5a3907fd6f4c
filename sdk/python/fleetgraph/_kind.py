"""Agent kinds: defined once by decorators, built as often as there are agents, with their parts made by name."""

from __future__ import annotations

import inspect
from typing import Any, Callable, Dict, List, Optional, Tuple

from ._agent import Agent
from ._client import Json
from ._connect import connect

Maker = Callable[..., Any]


class PartError(Exception):
    """A part that cannot be made: a cycle, or something that is missing, with the path that leads there."""


class _Parts:
    """Made when they are first needed, ended in the reverse order."""

    def __init__(self, makers: Dict[str, Maker], values: Dict[str, Any]) -> None:
        self._makers = makers
        self._made = dict(values)
        self._ends: List[Any] = []

    def part(self, name: str, path: Tuple[str, ...] = ()) -> Any:
        if name in self._made:
            return self._made[name]
        way = (*path, name)
        if name in path:
            raise PartError(f"these need each other: {' → '.join(way[way.index(name):])}")
        if name not in self._makers:
            raise PartError(f"nothing provides {name}: {' → '.join(way)}")
        made = self._makers[name](**self.needs(self._makers[name], way))
        if inspect.isgenerator(made):
            self._ends.append(made)
            made = next(made)
        self._made[name] = made
        return made

    def needs(self, run: Maker, path: Tuple[str, ...] = (), given: Tuple[str, ...] = ()) -> Dict[str, Any]:
        """What a function's parameters name, but what it is given anyway."""
        return {name: self.part(name, path) for name in inspect.signature(run).parameters if name not in given}

    def end(self) -> None:
        for made in reversed(self._ends):
            next(made, None)
        self._ends.clear()


class Kind:
    """What its agents are and do. Functions name what they need: `agent`, `config`, parts."""

    def __init__(self, kind: str, version: str, config: Optional[Json], capabilities: Optional[List[str]]) -> None:
        self.kind = kind
        self.version = version
        self._config = config or {}
        self._capabilities = capabilities or []
        self._parts: Dict[str, Maker] = {}
        self._wiring: List[Callable[[Agent, _Parts], None]] = []

    def part(self, run: Maker) -> Maker:
        """Decorator: makes the part of the function's name, one for each agent; what stands behind a `yield` ends it."""
        self._parts[run.__name__] = run
        return run

    def hook(self, name: str, **options: Any) -> Callable[[Maker], Maker]:
        """Decorator: runs at a point of an agent's life; `context` is what it is about."""
        return self._add(lambda agent, parts, run: agent.hook(name, **options)(
            lambda context: run(**_given(run, context=context), **parts.needs(run, given=("context",)))))

    def command(self, name: str) -> Callable[[Maker], Maker]:
        """Decorator: does what a command of this name asks with `args`."""
        return self._add(lambda agent, parts, run: agent.command(name)(
            lambda args: run(**_given(run, args=args), **parts.needs(run, given=("args",)))))

    def check(self, run: Maker) -> Maker:
        """Decorator: the check of the function's name."""
        return self._add(lambda agent, parts, run: agent.check(run.__name__, lambda: run(**parts.needs(run))))(run)

    def create(self, name: str, *, url: str, token: str, config: Optional[Json] = None,
               labels: Optional[Dict[str, str]] = None, overrides: Optional[Dict[str, Any]] = None) -> Agent:
        """Registers an agent of this kind and builds it; `start()` it. `overrides` take the place of parts, for tests."""
        agent = connect(url, token, name=name, kind=self.kind, version=self.version, labels=labels,
                        capabilities=self._capabilities, config={**self._config, **(config or {})})
        return self.build(agent, overrides)

    def build(self, agent: Agent, overrides: Optional[Dict[str, Any]] = None) -> Agent:
        """Gives an agent its parts and behaviour. Raises PartError for an override of nothing."""
        for name in overrides or {}:
            if name not in self._parts:
                raise PartError(f"nothing provides {name}, so it cannot be overridden")
        parts = _Parts(self._parts, {"agent": agent, "config": _LiveConfig(agent), **(overrides or {})})
        for wire in self._wiring:
            wire(agent, parts)
        agent.at_end(parts.end)
        return agent

    def _add(self, wire: Callable[[Agent, _Parts, Maker], Any]) -> Callable[[Maker], Maker]:
        def add(run: Maker) -> Maker:
            self._wiring.append(lambda agent, parts: wire(agent, parts, run))
            return run

        return add


class _LiveConfig:
    """The configuration as it is now, by name."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def __getitem__(self, name: str) -> Any:
        return self._agent.config[name]


def _given(run: Maker, **values: Any) -> Dict[str, Any]:
    names = inspect.signature(run).parameters
    return {name: value for name, value in values.items() if name in names}


def define_kind(kind: str, *, version: str, config: Optional[Json] = None,
                capabilities: Optional[List[str]] = None) -> Kind:
    """Defines an agent kind; `config` is what its agents start with where the platform has no other."""
    return Kind(kind, version, config, capabilities)
