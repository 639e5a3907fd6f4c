"""GraphQL and OTLP to the platform by urllib, and what an agent says: the same operations as the TypeScript SDK, word for word."""

from __future__ import annotations

import json
import random
import threading
import urllib.error
import urllib.request
from typing import Any, Callable, Dict, List, Optional, TypeVar

SDK = "python/1.1.0"
"""What every request says in its header `fleetgraph-sdk`."""

_COMMAND = "id cursor agentId name arguments fence issuedAt"
_BEAT = (
    "agentId beatEveryMs leaseMs desiredState configVersion "
    f"commands {{ {_COMMAND} }} userErrors {{ code message field }}"
)
_IDENTITY = "agent { id name state desiredState config configVersion } token userErrors { code message field }"
REGISTER = f"mutation RegisterAgent($input: RegisterAgentInput!) {{ registerAgent(input: $input) {{ {_IDENTITY} }} }}"
ROTATE = f"mutation RotateAgentToken($input: AgentActionInput!) {{ rotateAgentToken(input: $input) {{ {_IDENTITY} }} }}"
FIND = "query FindAgent($name: String!) { agent(name: $name) { id } }"
CONFIG = "query AgentConfig($id: ID!) { agent(id: $id) { config configVersion } }"
BEAT = f"mutation AgentBeat($input: AgentBeatInput!) {{ agentBeat(input: $input) {{ {_BEAT} }} }}"
COMPLETE = (
    "mutation CompleteCommand($input: CompleteCommandInput!) "
    "{ completeCommand(input: $input) { userErrors { code message field } } }"
)

Json = Dict[str, Any]
Result = TypeVar("Result")


class FleetFailure(Exception):
    """A call that did not do what was asked. `code` is the platform's, or UNREACHABLE when nobody answered."""

    def __init__(self, code: str, message: str, retryable: bool = False, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.code = code
        self.retryable = retryable
        self.retry_after = retry_after


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """The token goes to the address that was given, and nowhere else."""
        return None


class Client:
    """One attempt a call, unless the method says otherwise."""

    def __init__(self, url: str, token: str, timeout: float = 10.0) -> None:
        self.url = url.rstrip("/")
        self.token = token
        self._timeout = timeout
        self._opener = urllib.request.build_opener(_NoRedirect)

    def query(self, query: str, variables: Json, token: Optional[str] = None) -> Any:
        """What stands under the one root field of an operation. Raises FleetFailure, also when only a part failed."""
        answer = json.loads(self.post("/graphql", {"query": query, "variables": variables}, token))
        if answer.get("errors") or not answer.get("data"):
            raise _failure(answer.get("errors") or [], 200)
        return next(iter(answer["data"].values()))

    def post(self, path: str, body: Any, token: Optional[str] = None, packing: Optional[str] = None) -> bytes:
        """Posts JSON, packed as `packing` says. Raises FleetFailure for every status but 200."""
        headers = {
            "content-type": "application/json",
            "accept": "application/graphql-response+json, application/json",
            "authorization": f"Bearer {token or self.token}",
            "fleetgraph-sdk": SDK,
            **({"content-encoding": packing} if packing else {}),
        }
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method="POST")
        try:
            with self._opener.open(request, timeout=self._timeout) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            text = error.read()
            after = error.headers.get("retry-after") or "0"
            error.close()
            raise _failure(_errors_of(text), error.code, float(after) if after.isdigit() else 0.0) from None
        except (OSError, ValueError) as error:
            raise FleetFailure("UNREACHABLE", f"{self.url} does not answer ({error})", retryable=True) from None

    def patiently(self, attempt: Callable[[], Result], stopped: threading.Event) -> Result:
        """Tries until it succeeds, fails for good, or is stopped. Waits grow with full jitter up to 10 s."""
        attempts = 0
        while True:
            try:
                return attempt()
            except FleetFailure as failure:
                if not failure.retryable or stopped.is_set():
                    raise
                most = min(10.0, 0.1 * 2 ** min(attempts, 16))
                if stopped.wait(max(failure.retry_after, random.random() * most)):
                    raise
                attempts += 1


def refusal(payload: Json) -> Optional[FleetFailure]:
    """The failure that a payload's first user error states."""
    errors = payload.get("userErrors") or []
    return FleetFailure(errors[0]["code"], errors[0]["message"]) if errors else None


def _errors_of(text: bytes) -> List[Json]:
    try:
        errors = json.loads(text).get("errors")
        return errors if isinstance(errors, list) else []
    except (ValueError, AttributeError):
        return []


def _failure(errors: List[Json], status: int, retry_after: float = 0.0) -> FleetFailure:
    first = errors[0] if errors else {}
    told = first.get("extensions") or {}
    known = {401: "UNAUTHENTICATED", 403: "FORBIDDEN", 404: "NOT_FOUND", 429: "RATE_LIMITED"}
    code = told.get("code") or known.get(status) or ("UNAVAILABLE" if status >= 500 else "BAD_INPUT")
    retryable = told.get("retryable", status in (408, 429) or status >= 500)
    after = told["retryAfterMs"] / 1000 if told.get("retryAfterMs") else retry_after
    return FleetFailure(code, first.get("message") or f"the platform answered {status}", retryable, after)
