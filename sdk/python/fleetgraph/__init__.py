"""Makes a Python program an agent of a Fleetgraph fleet: registered, beating, obeying. Standard library only, Python 3.9 or newer.

    import fleetgraph

    agent = fleetgraph.connect("http://127.0.0.1:4000", token, name="translator-7", kind="translator", version="1.4.0")

    @agent.command("translate")
    def translate(args):
        with agent.task("translate") as span:
            return {"text": args["text"].upper()}

    agent.start()
    agent.wait()
"""

from ._agent import Agent
from ._client import SDK, Client, FleetFailure
from ._connect import connect
from ._hooks import HOOKS, HookContext, HookTimeout
from ._kind import Kind, PartError, define_kind
from ._mailbox import CommandRefused
from ._telemetry import Span

__all__ = [
    "HOOKS",
    "SDK",
    "Agent",
    "Client",
    "CommandRefused",
    "FleetFailure",
    "HookContext",
    "HookTimeout",
    "Kind",
    "PartError",
    "Span",
    "connect",
    "define_kind",
]
