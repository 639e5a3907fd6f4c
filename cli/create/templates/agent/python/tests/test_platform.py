"""Where the agent looks for its platform."""

from __future__ import annotations

import pathlib
import tempfile
import unittest

from {{package}}.platform import Platform, find_platform, read_env_file


class PlatformTest(unittest.TestCase):
    def test_it_is_where_the_environment_says_else_on_this_machine(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "admin-token").write_text("kept\n", encoding="utf-8")
            given = {"FLEET_URL": "http://fleet:4000", "FLEET_TOKEN": "given", "FLEET_DATA": folder}
            self.assertEqual(find_platform(given), Platform("http://fleet:4000", "given"))
            self.assertEqual(find_platform({"FLEET_DATA": folder}), Platform("http://127.0.0.1:4000", "kept"))
            with self.assertRaisesRegex(LookupError, "no token"):
                find_platform({"FLEET_DATA": f"{folder}/none"})

    def test_a_file_of_settings_is_read(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, ".env")
            file.write_text("# a word\nFLEET_DATA='/a folder'\nFLEET_URL = http://x\n", encoding="utf-8")
            self.assertEqual(read_env_file(str(file)), {"FLEET_DATA": "/a folder", "FLEET_URL": "http://x"})
            self.assertEqual(read_env_file(f"{folder}/none"), {})


if __name__ == "__main__":
    unittest.main()
