"""How an agent moves between its states: the same table as the TypeScript SDK's sdk/lifecycle.ts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Optional


@dataclass(frozen=True)
class Move:
    """A way from one state to another: the code's part of it, and the state it is seen in."""

    to: str
    step: Optional[str] = None
    through: Optional[str] = None


START = Move("RUNNING", "start", "STARTING")
_RESUME = Move("RUNNING", "resume")
_PAUSE = Move("PAUSED", "pause")
_STOP = Move("STOPPED", "stop", "STOPPING")
_FENCE = Move("QUARANTINED", "pause")
_RETIRE = Move("RETIRED", "stop")
_FENCED = Move("QUARANTINED")

# Commands by which the platform hastens what the next beat's answer would ask for.
ASKED_BY: Dict[str, str] = {"start": "RUNNING", "resume": "RUNNING", "pause": "PAUSED", "stop": "STOPPED"}

_MOVES: Dict[str, Dict[str, Move]] = {
    "RUNNING": {"REGISTERED": START, "STOPPED": START, "FAILED": START, "PAUSED": _RESUME, "QUARANTINED": _RESUME},
    "PAUSED": {"RUNNING": _PAUSE},
    "STOPPED": {state: _STOP for state in ("REGISTERED", "RUNNING", "PAUSED", "FAILED", "QUARANTINED")},
    "QUARANTINED": {"RUNNING": _FENCE, "PAUSED": _FENCED, "STOPPED": _FENCED, "FAILED": _FENCED, "REGISTERED": _FENCED},
    "RETIRED": {
        **{state: _RETIRE for state in ("REGISTERED", "RUNNING", "PAUSED", "FAILED", "QUARANTINED")},
        "STOPPED": Move("RETIRED"),
    },
}


def move_towards(observed: str, desired: str) -> Optional[Move]:
    """What leads from what is to what is asked; None when nothing does, or nothing is needed."""
    return _MOVES.get(desired, {}).get(observed)
