#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Is every test that is written also run? Each file of claims is in a command of ctest, or in the sources of a unit program."""
import ast
import os
import pathlib
import re
import subprocess
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(os.environ.get("CHANCERY", TESTS.parent / "build/chancery")).resolve().parent


def commands():
    """The words of the command of every test, those of a long run too: of what ctest reads, because asking ctest empties the log of the run
    that this test is in."""
    lines = (line for path in BUILD.rglob("CTestTestfile.cmake") for line in path.read_text().splitlines())
    return {word for line in lines if line.strip().startswith("add_test(") for word in re.findall('"([^"]*)"', line)}


def not_run(paths, words):
    return sorted(str(path) for path in paths if str(path) not in words)


def hidden(text):
    """The names that a class gives to two of its methods: the second takes the place of the first, which is never run."""
    found = []
    for each in ast.walk(ast.parse(text)):
        if isinstance(each, ast.ClassDef):
            names = [part.name for part in each.body if isinstance(part, ast.FunctionDef) and not part.decorator_list]
            found += sorted({f"{each.name}.{name}" for name in names if names.count(name) > 1})
    return found


class Listed(unittest.TestCase):
    def test_no_method_of_a_test_takes_the_place_of_another(self):
        for path in TESTS.rglob("*.py"):
            self.assertEqual(hidden(path.read_text()), [], path)
        self.assertEqual(hidden("class A:\n  def test_b(self): pass\n  def c(self): pass\n  def test_b(self): pass\n"), ["A.test_b"])

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


class Counted(unittest.TestCase):
    """What deploy/test says of a run: a claim that was skipped is none that was tested."""

    def count(self, log):
        script = TESTS.parent / "deploy/claims"
        return subprocess.run([script, "-v", "dir=build"], input=log, check=True, capture_output=True, text=True, timeout=60).stdout

    def test_what_is_skipped_is_not_tested(self):
        log = "Ran 14 tests in 48.397s\n\nOK (skipped=1)\nRan 1 test in 0.000s\n\nOK (skipped=1)\nRan 3 tests in 0.1s\n\nOK\n"
        self.assertEqual(self.count(log), "build: 16 claims tested, 0 failed, 2 skipped\n")

    def test_failures_and_errors_are_failed(self):
        self.assertEqual(self.count("Ran 9 tests in 1.0s\n\nFAILED (failures=2, errors=1, skipped=3)\n"), "build: 6 claims tested, 3 failed, 3 skipped\n")

    def test_programs_in_c_are_counted(self):
        log = ("[SKIP] confine::an_account_is_taken_for_good: this process may take no other account\n[SKIP] xml::escaped_text: Test is disabled\n"
               "[====] Synthesis: Tested: 279 | Passing: 276 | Failing: 2 | Crashing: 1 \n")
        self.assertEqual(self.count(log), "build: 279 claims tested, 3 failed, 1 skipped\n")


if __name__ == "__main__":
    unittest.main()
