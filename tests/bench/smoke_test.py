#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does each bench that deploy/bench does not run, or only at length, come to its end with the figures that it promises? A few rounds of each.
How large they are is nobody's to judge here; what needs a program that is not installed is skipped and says so. where.py is left out: perf
needs half a minute of a machine that does nothing else."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import peers

HERE = pathlib.Path(__file__).resolve().parent
CHANCERY = pathlib.Path(os.environ.get("CHANCERY", HERE.parents[1] / "build/chancery")).resolve()
WAIT_S = 300


def needs(*programs):
    """A decorator: these are not part of what the tests install."""
    missing = [each for each in programs if not shutil.which(each)]
    return unittest.skipIf(missing, f"not installed: {', '.join(missing)}")


def said(*argv):
    done = subprocess.run([str(each) for each in argv], capture_output=True, text=True, timeout=WAIT_S, check=False, env={**os.environ, "CHANCERY": str(CHANCERY)})
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, argv))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def bench(name, *argv):
    return said(CHANCERY.with_name(name), *argv)


def script(name, *argv):
    return said(sys.executable, HERE / name, *argv)


class Smoke(unittest.TestCase):
    def assert_positive(self, figures, *names):
        for name in names:
            self.assertGreater(figures[name], 0, name)

    def test_issue(self):
        figures = json.loads(bench("bench_issue", CHANCERY, "--json", "--seconds", "0.3", "--rounds", "1", "--clients", "2", "--kinds", "ec-256"))
        self.assertEqual((figures["kind"], figures["clients"]), ("ec-256", 2))
        self.assert_positive(figures, "per_second", "limit", "cpu_us", "limit_cpu_us", "p50_ms", "p99_ms")
        self.assertLessEqual({"ratio", "cpu_ratio"}, set(figures))  # of a slow moment, rounded, it may be 0

    def test_preflight(self):
        lines = [each for each in bench("bench_preflight", "3").splitlines() if each]
        self.assertEqual([each.split()[0] for each in lines], ["rsa-2048", "rsa-4096", "ec-p256", "ec-p384"])
        for each in lines:
            self.assertRegex(each, r"openssl +[\d.]+ us +signature +[\d.]+ us +preflight +[\d.]+ us")

    def test_audit(self):
        text = bench("bench_audit", "3000")
        for name in ("nothing", "kind", "actor", "serial", "time"):
            self.assertRegex(text, rf"(?m)^{name} +[\d.]+ +[\d.]+ +[\d.]+$")
        self.assertRegex(text, r"verify 3023 rows: [\d.]+ s")

    def test_a_start_with_many_and_its_first_answer(self):
        figures = json.loads(script("ocsp.py", "--certificates", "1000", "--json"))
        self.assertEqual(figures["certificates"], 1000)
        self.assert_positive(figures, "ready_s", "first_answer_s", "memory_kib")

    @needs("nginx", "wrk", "cfssl", "taskset")
    def test_ocsp(self):
        result = json.loads(script("ocsp.py", "--json", "--rounds", "1", "--seconds", "1", "--connections", "4"))
        self.assertIn("POST, nonce", [row["job"] for row in result["rows"]])
        for row in result["rows"]:
            self.assert_positive(row, "requests_per_s", "cpu_us")

    def test_peers_that_issue(self):
        with tempfile.TemporaryDirectory() as directory:
            ca = peers.Ca(directory, "ec-256")
            self.assertGreater(peers.openssl_ca(ca, 3), 0)
            rate = peers.cfssl_serve(ca, 1, 2)
            self.assertEqual(rate is None, not shutil.which("cfssl") or not shutil.which("wrk"))
            self.assertTrue(rate is None or rate > 0, rate)


if __name__ == "__main__":
    unittest.main()
