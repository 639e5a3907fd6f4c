"""How a program becomes an agent."""

from __future__ import annotations

import threading
from typing import Dict, List, Optional

from ._agent import Agent
from ._client import Client, Json
from ._registration import register


def connect(url: str, token: str, *, name: str, kind: str, version: str, labels: Optional[Dict[str, str]] = None,
            capabilities: Optional[List[str]] = None, config: Optional[Json] = None, timeout: float = 10.0) -> Agent:
    """Registers an agent, waiting for a platform that is not up yet. Set its handlers, then `start()` it.

    Raises FleetFailure when the platform refuses the token or the name.
    """
    definition: Json = {"name": name, "kind": kind, "version": version, "labels": labels or {},
                        "capabilities": capabilities or [], "config": config or {}}
    client = Client(url, token, timeout)
    return Agent(client, definition, register(client, definition, threading.Event()))
