"""Where the platform is, and the token that this agent registers with."""

from __future__ import annotations

import pathlib
from typing import Dict, Mapping, NamedTuple


class Platform(NamedTuple):
    url: str
    token: str


def find_platform(env: Mapping[str, str]) -> Platform:
    """FLEET_URL, else this machine's. FLEET_TOKEN, else what the platform on this machine wrote into FLEET_DATA.

    Raises LookupError when nothing says the token.
    """
    url = env.get("FLEET_URL") or "http://127.0.0.1:4000"
    if env.get("FLEET_TOKEN"):
        return Platform(url, env["FLEET_TOKEN"])
    file = pathlib.Path(env.get("FLEET_DATA") or ".data", "admin-token")
    if file.is_file():
        return Platform(url, file.read_text(encoding="utf-8").strip())
    raise LookupError(
        f"no token: set FLEET_TOKEN, or FLEET_DATA to the data folder of a platform on this machine ({file} is not there)"
    )


def read_env_file(file: str = ".env") -> Dict[str, str]:
    """What .env says, NAME=value a line; the environment's own word counts more."""
    place = pathlib.Path(file)
    rows = place.read_text(encoding="utf-8").splitlines() if place.is_file() else []
    pairs = (row.split("=", 1) for row in rows if "=" in row and not row.lstrip().startswith("#"))
    return {name.strip(): value.strip().strip("\"'") for name, value in pairs}
