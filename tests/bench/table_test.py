#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does deploy/bench come to its end, with a figure and a ratio in each row? How large they are is nobody's to judge here."""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest
import unittest.mock

import table as bench

TABLE = pathlib.Path(__file__).resolve().with_name("table.py")
ROWS = ("CRL of 10,000 revoked", "one revocation among 10,000 revoked", "list page: first page, 100", "list page: cn, node1*",
        "list page: status revoked, 20", "start among 10,000", "  its first answer", "  memory of all roles", "backup of 1,000", "backup of 10,000")


def table(*argv):
    return subprocess.run([sys.executable, TABLE, *argv], capture_output=True, text=True, check=False, env=dict(os.environ))


class Table(unittest.TestCase):
    def test_each_row_has_its_figures(self):
        done = table("--json", "crl", "--certificates", "10000", "revoke", "--only", "list,start")
        self.assertEqual(done.returncode, 0, done.stderr)
        each_row = [each for each in map(json.loads, done.stdout.splitlines()) if each["bench"] == "table"]
        self.assertEqual([each["job"] for each in each_row if not each["ratio"]], [])
        rows = {each["job"]: each for each in each_row}
        for job in ROWS:
            self.assertRegex(rows[job]["ours"], r"\d")
            self.assertRegex(rows[job]["limit"], r"\d")
        self.assertFalse([job for job in rows if re.match("issue|OCSP", job)], "those were not asked for")

    def test_a_job_that_is_none_is_told(self):
        for words in (("--only", "list,none"), ("list", "none"), ("--only", "")):
            done = table(*words)
            self.assertEqual(done.returncode, 2)
            self.assertIn("the jobs are", done.stderr)


class Beside(unittest.TestCase):
    """Other programs' rows, with those programs played."""

    def rows(self, issued, **played):
        t = bench.Table(argparse.Namespace(long=False, json=False))
        t.issued = issued
        rates = {"cfssl_serve": 50.0, "openssl_ca": 200.0, "cfssl_ocspserve": 10.0, "openssl_ocsp": 20.0, "wrk": 40.0, "ab": 30.0, **played}
        with unittest.mock.patch.multiple(bench.peers, Ca=unittest.mock.DEFAULT, post=unittest.mock.DEFAULT,
                                          **{name: unittest.mock.Mock(return_value=rate) for name, rate in rates.items()}), \
                unittest.mock.patch.multiple(bench.start, make_home=unittest.mock.DEFAULT, Served=unittest.mock.DEFAULT, some_serial=unittest.mock.DEFAULT,
                                             ocsp_request=unittest.mock.DEFAULT), \
                unittest.mock.patch("shutil.which", return_value="there"):
            bench.others(t, "/nowhere")
        return {each["job"]: (each["ours"], each["limit"], each["ratio"]) for each in t.rows}

    def test_each_stands_beside_ours_of_the_same_run(self):
        rows = self.rows({kind: 100.0 for kind in bench.KINDS})
        self.assertEqual(len(rows), 2 * len(bench.KINDS) + 2)
        self.assertEqual(rows["issue P-256, ours to cfssl serve's (HTTP, no store)"], ("100/s", "50/s", 2.0))
        self.assertEqual(rows["issue RSA-3072, ours to openssl ca's (a batch)"], ("100/s", "200/s", 0.5))
        self.assertEqual(rows["OCSP, ours to cfssl ocspserve's (wrk, all cores)"], ("40/s", "10/s", 4.0))
        self.assertEqual(rows["OCSP, ours to openssl ocsp's (ab, a connection each)"], ("30/s", "20/s", 1.5))

    def test_what_was_not_measured_has_no_ratio(self):
        rows = self.rows({}, cfssl_serve=None, cfssl_ocspserve=None)
        self.assertEqual(len(rows), len(bench.KINDS) + 1)
        self.assertEqual(rows["issue P-256, ours to openssl ca's (a batch)"], ("", "200/s", None))


if __name__ == "__main__":
    unittest.main()
