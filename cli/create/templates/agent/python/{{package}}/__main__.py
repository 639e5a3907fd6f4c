"""`python -m {{package}}` runs the agent until it is told to stop."""

from __future__ import annotations

import logging
import os
import sys

import fleetgraph
from fleetgraph_logging import LineFormatter

from .agent import kind
from .platform import find_platform, read_env_file


def main() -> None:
    env = {**read_env_file(), **os.environ}
    try:
        platform = find_platform(env)
        print(f"joining the platform at {platform.url}", file=sys.stderr)
        # Waits for a platform that is not up yet.
        agent = kind.create(env.get("AGENT_NAME") or "{{name}}", url=platform.url, token=platform.token)
    except (LookupError, fleetgraph.FleetFailure) as failure:
        sys.exit(str(failure))
    except KeyboardInterrupt:
        sys.exit(130)
    # Each log line goes to the platform, and here as JSON.
    here = logging.StreamHandler(sys.stdout)
    here.setFormatter(LineFormatter(agent.name, agent.id))
    agent.log.addHandler(here)
    agent.start()
    agent.wait()


if __name__ == "__main__":
    main()
