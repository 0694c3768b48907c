#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A responder on its own, over time: what does it say when its data is too old?"""
import unittest

from harness import CHANCERY, make_csr, new_file, run, wait_until
from ocsp_host import pair


class Old(unittest.TestCase):
    def test_data_that_is_too_old_answers_nothing(self):
        ca, host = pair(max_age="3s")
        leaf = ca.issued(make_csr(), "ucm/tomcat")
        leaf.file = new_file(leaf.chain_pem, ".pem")
        issuer = ca.ca_file("rsa-g1")

        def ask():
            return run("openssl", "ocsp", "-issuer", issuer, "-cert", leaf.file, "-noverify", "-url", f"http://127.0.0.1:{host.http_port}/ocsp",
                       check=False).said

        ca.chancery("store", "snapshot", host.home / "store", "--host", "dmz1")
        host.start()
        wait_until(lambda: "trylater" in ask(), "it is too old")
        wait_until(lambda: host.plain("/readyz").status == 503, "health says so")
        self.assertIn('chancery_alarm{code="ocsp.data-old",subject=""} 2', host.plain("/metrics").text)
        self.assertEqual(host.plain("/livez").status, 200)
        ca.chancery("store", "snapshot", host.home / "store", "--host", "dmz1")
        wait_until(lambda: f"{leaf.file}: good" in ask(), "fresh data")
        self.assertEqual(host.stop(), 0)
        # without a snapshot at all there is nothing to start with
        (host.home / "store/data.mdb").unlink()
        done = run(CHANCERY, "serve", "--home", host.home, check=False)
        self.assertEqual(done.returncode, 2, done.said)  # systemd tries again: one may come
        self.assertIn("no store there", done.said)
        self.assertEqual(ca.stop(), 0)


if __name__ == "__main__":
    unittest.main()
