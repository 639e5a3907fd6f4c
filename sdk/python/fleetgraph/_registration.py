"""How an agent becomes known, and gets its own token."""

from __future__ import annotations

import secrets
import threading

from . import _client as said
from ._client import Client, Json, refusal


def register(client: Client, definition: Json, stopped: threading.Event) -> Json:
    """A token is shown once: when it was, a new one is asked for."""
    given = {**definition, "clientMutationId": secrets.token_hex(16)}
    payload = client.patiently(lambda: client.query(said.REGISTER, {"input": given}), stopped)
    refused = refusal(payload)
    if refused and refused.code != "SECRET_ALREADY_SHOWN":
        raise refused
    if not (payload.get("agent") and payload.get("token")):
        known = payload.get("agent") or client.patiently(
            lambda: client.query(said.FIND, {"name": definition["name"]}), stopped)
        ask = {"id": known["id"], "reason": "registered again"}
        payload = client.patiently(lambda: client.query(said.ROTATE, {"input": ask}), stopped)
        kept = refusal(payload)
        if kept:
            raise kept
    agent = payload["agent"]
    return {"id": agent["id"], "token": payload["token"], "config": agent["config"] or {},
            "configVersion": agent["configVersion"]}
