#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does run.py give each fuzzer its time, count it, and end with 1 when one found something or was not run?"""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

RUN = pathlib.Path(__file__).with_name("run.py")
# What libFuzzer says, and a slice's processor time.
WELL = """import time
while time.process_time() < 0.3: pass
print("INFO: Loaded 1 modules   (700 inline 8-bit counters): 700 [0x1, 0x2)")
print("#8 DONE cov: 70 ft: 90 corp: 1/1b")
print("stat::number_of_executed_units: 8")
"""


class Run(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.build = pathlib.Path(directory.name)
        self.make("one", WELL)

    def make(self, name, body):
        program = self.build / f"fuzz_{name}"
        program.write_text(f"#!{sys.executable}\n{body}")
        program.chmod(0o755)

    def run_all(self, *argv):
        return subprocess.run([sys.executable, RUN, *argv[:-1], self.build, *argv[-1]], capture_output=True, text=True, check=False)

    def spent(self, name):
        return json.loads((self.build / f"fuzz_{name}.spent").read_text())

    def test_each_has_its_time_in_slices(self):
        self.make("two", WELL)
        done = self.run_all("--seconds", "1", ("one", "two"))
        self.assertEqual((done.returncode, done.stdout.count("70 of 700 edges, no fault")), (0, 2), done.stderr)
        for name in ("one", "two"):
            self.assertGreaterEqual(self.spent(name)["seconds"], 0.99)
            self.assertGreaterEqual(self.spent(name)["inputs"], 2 * 8)

    def test_what_earlier_runs_did_counts_when_it_is_asked_for(self):
        self.assertEqual(self.run_all("--seconds", "1", ("one",)).returncode, 0)
        before = self.spent("one")
        self.assertEqual(self.run_all("--seconds", "1", "--resume", ("one",)).returncode, 0)
        self.assertEqual(self.spent("one"), before, "it has had its time")
        self.assertEqual(self.run_all("--seconds", "1", ("one",)).returncode, 0)
        self.assertGreaterEqual(self.spent("one")["seconds"], before["seconds"] + 0.99, "another second, added up")

    def test_the_words_of_the_configuration_are_given_to_its_fuzzer_alone(self):
        self.make("config", "import sys\nprint(sys.argv, file=sys.stderr)\n" + WELL)
        self.assertEqual(self.run_all("--seconds", "1", ("one", "config")).returncode, 0)
        words = (self.build / "fuzz_config.dict").read_text().split()
        for word in ('"issuer"', '"signer-validity"', '"trusted"', '"ec"', '"keyCertSign"'):
            self.assertIn(word, words)
        self.assertIn("-dict=", (self.build / "fuzz_config.log").read_text())
        self.assertFalse((self.build / "fuzz_one.dict").exists())

    def test_what_is_found_ends_it_with_1_and_the_others_go_on(self):
        self.make("two", "print('SUMMARY: a fault')\nraise SystemExit(77)\n")
        done = self.run_all("--seconds", "1", ("two", "one"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("two: FAILED", done.stdout)
        self.assertIn("SUMMARY: a fault", done.stdout)
        self.assertGreaterEqual(self.spent("one")["seconds"], 0.99)

    def test_what_was_found_is_not_over_with_its_time(self):
        self.make("two", "import time\nwhile time.process_time() < 1.2: pass\nraise SystemExit(77)\n")
        self.assertEqual(self.run_all("--seconds", "1", ("two",)).returncode, 1)
        self.assertEqual(self.run_all("--seconds", "1", "--resume", ("two",)).returncode, 1)

    def test_one_that_cannot_be_run_is_no_success(self):
        done = self.run_all("--seconds", "1", ("one", "none"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("fuzz_none", done.stderr)


if __name__ == "__main__":
    unittest.main()
