#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does deploy/bench come to its end, with a figure in each row? How large the figures are is nobody's to judge here."""
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

TABLE = pathlib.Path(__file__).resolve().with_name("table.py")
ROWS = ("CRL of 10,000 revoked", "one revocation among 10,000 revoked", "list page: first page, 100", "list page: cn, node1*",
        "list page: status revoked, 20", "start among 1,000", "start among 10,000", "backup of 10,000")


def table(*argv):
    return subprocess.run([sys.executable, TABLE, *argv], capture_output=True, text=True, check=False, env=dict(os.environ))


class Table(unittest.TestCase):
    def test_each_row_has_its_figures(self):
        done = table("--json", "--certificates", "10000", "--only", "crl,revoke,list,start")
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = {each["job"]: each for each in map(json.loads, done.stdout.splitlines()) if each["bench"] == "table"}
        for job in ROWS:
            self.assertRegex(rows[job]["ours"], r"\d")
            self.assertRegex(rows[job]["limit"], r"\d")
        for each in rows.values():
            if each["aim"]:
                self.assertGreater(each["ratio"], 0, each["job"])
        self.assertFalse([job for job in rows if re.match("issue|OCSP", job)], "those were not asked for")

    def test_a_job_that_is_none_is_told(self):
        done = table("--only", "list,none")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--only takes", done.stderr)


if __name__ == "__main__":
    unittest.main()
