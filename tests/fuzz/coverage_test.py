#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does coverage.py count the code under test, of functions that were entered, and no other?"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def region(line, count, file=0, kind=0):
    return [line, 1, line, 9, count, file, 0, kind]


def function(name, file, count, regions):
    return {"name": name, "count": count, "filenames": [f"{ROOT}/build-x/../{file}"], "regions": regions}


FUNCTIONS = [
    function("seen", "base/buf.c", 7, [region(10, 7), region(12, 0), region(12, 0, kind=2), region(14, 1), region(90, 0, file=1)]),
    function("buf.c:unseen", "base/buf.c", 0, [region(30, 0)]),
    function("span_of", "base/buf.h", 7, [region(3, 7)]),
    function("LLVMFuzzerTestOneInput", "tests/fuzz/json_fuzz.c", 7, [region(9, 0)]),
    function("far", "store/row.c", 0, [region(5, 0)]),
]


class Coverage(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.build = pathlib.Path(directory.name)
        self.make("llvm-profdata", "import sys\nopen(sys.argv[-1], 'w').write(open(sys.argv[-3]).read())")
        self.make("llvm-cov", "import sys\nassert open(sys.argv[-1].split('=')[1]).read() == 'run'\n"
                              f"print({json.dumps({'data': [{'functions': FUNCTIONS}]})!r})")
        self.make("fuzz_json", "import os, sys\nassert sys.argv[1] == '-runs=0' and all(map(os.path.isdir, sys.argv[2:]))\n"
                               "open(os.environ['LLVM_PROFILE_FILE'], 'w').write('run')\n")

    def make(self, name, body):
        program = self.build / name
        program.write_text(f"#!{sys.executable}\n{body}")
        program.chmod(0o755)

    def cover(self, *options):
        return subprocess.run([sys.executable, ROOT / "tests/fuzz/coverage.py", *options, self.build, self.build, "json"],
                              capture_output=True, text=True, check=False, env={**os.environ, "PATH": f"{self.build}:{os.environ['PATH']}"})

    def test_a_row_counts_regions_of_what_was_entered(self):
        done = self.cover()
        self.assertEqual((done.returncode, done.stdout), (0, "| `json` | 2 | 3 | 67% |\n"), done.stderr)

    def test_lines_say_what_was_not_reached(self):
        self.assertEqual(self.cover("--lines").stdout.splitlines()[1:],
                         ["  base/buf.c 2 of 3", "    not reached: 12", "    not entered: unseen"])

    def test_a_fuzzer_that_fails_on_what_it_learnt_is_an_error(self):
        self.make("fuzz_json", "raise SystemExit('a fault')")
        done = self.cover()
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("json fails on what it has learnt:\na fault", done.stderr)

    def test_nothing_entered_is_a_row_too(self):
        self.make("llvm-cov", "print('{\"data\": [{\"functions\": []}]}')")
        self.assertEqual(self.cover().stdout, "| `json` | 0 | 0 | 0% |\n")


if __name__ == "__main__":
    unittest.main()
