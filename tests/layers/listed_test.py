#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Is every test that is written also run? Each file of claims is in a command of ctest, or in the sources of a unit program."""
import json
import os
import pathlib
import subprocess
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(os.environ.get("CHANCERY", TESTS.parent / "build/chancery")).resolve().parent


def commands():
    """The words of the command of every test, those of a long run too."""
    shown = subprocess.run(["ctest", "--test-dir", BUILD, "-C", "Long", "--show-only=json-v1"], check=True, capture_output=True, timeout=60)
    return {word for test in json.loads(shown.stdout)["tests"] for word in test.get("command", ())}


def not_run(paths, words):
    return sorted(str(path) for path in paths if str(path) not in words)


class Listed(unittest.TestCase):
    def test_every_python_test_is_in_a_command_of_ctest(self):
        paths = list(TESTS.glob("*/*_test.py"))
        self.assertIn(pathlib.Path(__file__).resolve(), paths)
        self.assertEqual(not_run(paths, commands()), [])

    def test_every_test_in_c_is_a_source_of_its_program(self):
        paths = [*TESTS.glob("unit/*/*_test.c"), *TESTS.glob("contract/*_test.c")]
        self.assertGreater(len(paths), 100)
        words = {str(list_.parent / word) for list_ in {path.parent / "CMakeLists.txt" for path in paths}
                 for word in list_.read_text().replace("(", " ").replace(")", " ").split()}
        self.assertEqual(not_run(paths, words), [])

    def test_one_that_is_in_none_is_named(self):
        self.assertEqual(not_run([TESTS / "system/absent_test.py"], commands()), [str(TESTS / "system/absent_test.py")])


if __name__ == "__main__":
    unittest.main()
