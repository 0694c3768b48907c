#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The system tests with every process of the service under valgrind's memcheck: no value that was never set is used, no
memory beyond its end or after its end, and none is lost. VALGRIND_TESTS names the tests."""
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import time
import unittest

from harness import ROLES, ROOT, WORK

TESTS = os.environ.get("VALGRIND_TESTS", "issue revoke crl ocsp hostile preflight tls watch").split()
MODULE, FAULTY = os.environ["VALGRIND_MODULE"], os.environ["FAULTY"]
OPTIONS = ["--trace-children=yes", "--leak-check=full", "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite", "--num-callers=30",
           "--error-exitcode=99"]
TEST_S = 3600

LINE = re.compile(r"^==\d+== ?")
HEAD = re.compile(r"Memcheck, a memory|Copyright|Using Valgrind|Command: |Parent PID: |Warning: set address range perms: large range|$")
SUMMARY = re.compile(r"ERROR SUMMARY: (\d+) errors")


def read_log(text):
    """(command, what is wrong): a log without a summary is that of a process that was killed, whose leaks nobody counted."""
    lines = [LINE.sub("", line) for line in text.splitlines()]
    command = next((line.removeprefix("Command: ") for line in lines if line.startswith("Command: ")), "")
    wrong = [line for line in lines[: next((i for i, line in enumerate(lines) if line == "HEAP SUMMARY:"), None)] if not HEAD.match(line)]
    counts = [int(found[1]) for found in map(SUMMARY.match, lines) if found]
    if not counts:
        wrong.append("it did not end by itself")
    if any(counts):
        wrong = wrong or lines
    return command, wrong


def read_logs(directory):
    return [(path, *read_log(path.read_text(errors="replace"))) for path in sorted(pathlib.Path(directory).iterdir())]


def logs():
    directory = tempfile.mkdtemp(dir=WORK)
    os.chmod(directory, 0o777)
    return directory, ["valgrind", *OPTIONS, f"--log-file={directory}/%p.log"]


class Reading(unittest.TestCase):
    """A fault that is there is seen."""

    def wrong(self, what):
        directory, valgrind = logs()
        with subprocess.Popen([*valgrind, FAULTY, what], stdout=subprocess.PIPE) as process:
            if process.stdout.readline() == b"waiting\n":
                process.kill()
        ((_, command, wrong),) = read_logs(directory)
        self.assertEqual(command, f"{FAULTY} {what}")
        return "\n".join(wrong)

    def test_a_clean_run_is_clean(self):
        self.assertEqual(self.wrong("none"), "")

    def test_each_fault_is_seen(self):
        for what, said in {"undefined": "uninitialised", "beyond": "Invalid write", "leak": "definitely lost: 16",
                           "kill": "did not end by itself"}.items():
            with self.subTest(what=what):
                self.assertIn(said, self.wrong(what))


class Roles(unittest.TestCase):
    def run_under_valgrind(self, test):
        directory, valgrind = logs()
        environment = {**os.environ, "CONFINE": "off", "WAIT_S": "600", "SERVE_UNDER": shlex.join(valgrind), "SERVE_PRELOAD": MODULE}
        began = time.monotonic()
        done = subprocess.run([sys.executable, ROOT / f"tests/system/{test}_test.py"], env=environment, capture_output=True, timeout=TEST_S,
                              check=False)
        found = read_logs(directory)
        print(f"{test}: {len(found)} processes, {sum(bool(wrong) for *_, wrong in found)} with errors, {time.monotonic() - began:.0f} s",
              file=sys.stderr)
        return done, found

    def test_no_role_has_an_error_of_memory(self):
        for test in TESTS:
            with self.subTest(test=test):
                done, found = self.run_under_valgrind(test)
                shown = [f"{path.name}: {command}\n" + "\n".join(wrong[:80]) for path, command, wrong in found if wrong]
                self.assertEqual(shown, [], "\n\n".join(shown))
                self.assertEqual(done.returncode, 0, done.stderr.decode(errors="replace"))
                for role in ROLES:
                    self.assertTrue(any(f" role {role} " in command for _, command, _ in found), f"{role} did not run under valgrind")


if __name__ == "__main__":
    unittest.main()
