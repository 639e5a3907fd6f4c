"""The behaviour of kind {{kind}}: no platform is needed."""

from __future__ import annotations

import unittest
from unittest.mock import MagicMock

import fleetgraph
from {{package}}.{{module}} import depth, refuse_config, take


class KindTest(unittest.TestCase):
    def test_it_does_a_task_as_it_is_configured(self) -> None:
        agent = MagicMock(config={"depth": 2})
        self.assertEqual(take({"words": ["a", "b", "c"]}, agent), {"taken": ["a", "b"]})
        agent.task.assert_called_once_with("take")
        self.assertIs(depth(agent), True)

    def test_it_refuses_what_it_cannot_do(self) -> None:
        with self.assertRaises(fleetgraph.CommandRefused):
            take({}, MagicMock(config={}))
        with self.assertRaises(ValueError):
            refuse_config(fleetgraph.HookContext("beforeConfig", config={"depth": 10}))


if __name__ == "__main__":
    unittest.main()
