#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A responder on its own, over time: what does it say when its data is too old, or of the future?"""
import time
import unittest

from harness import ASAN_NOT_FIRST, CHANCERY, asan_options, make_csr, new_file, run, wait_until
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

        def answers_of_fresh_data():
            """In 3 seconds a snapshot is too old again: where none was asked about in time, there is another."""
            ca.chancery("store", "snapshot", host.home / "store", "--host", "dmz1")
            end = time.monotonic() + 3
            while time.monotonic() < end:
                if f"{leaf.file}: good" in ask():
                    return True
            return False

        wait_until(answers_of_fresh_data, "fresh data")
        self.assertEqual(host.stop(), 0)
        # without a snapshot at all there is nothing to start with
        (host.home / "store/data.mdb").unlink()
        done = run(CHANCERY, "serve", "--home", host.home, check=False)
        self.assertEqual(done.returncode, 2, done.said)  # systemd tries again: one may come
        self.assertIn("no store there", done.said)
        self.assertEqual(ca.stop(), 0)


class Clocks(unittest.TestCase):
    def test_a_snapshot_that_is_of_the_future_yet_is_taken_when_it_is_not(self):
        ca, host = pair()
        leaf = ca.issued(make_csr(), "ucm/tomcat")
        leaf.file = new_file(leaf.chain_pem, ".pem")

        def ask():
            return run("openssl", "ocsp", "-issuer", ca.ca_file("rsa-g1"), "-cert", leaf.file, "-noverify", "-url",
                       f"http://127.0.0.1:{host.http_port}/ocsp", check=False).said

        ca.chancery("store", "snapshot", host.home / "store", "--host", "dmz1")
        host.start()
        self.assertIn(f"{leaf.file}: good", ask())
        self.assertEqual(ca.revoke(leaf.serial_hex, "superseded").status, 200)
        run("faketime", "-f", "+330s", CHANCERY, "store", "snapshot", host.home / "store", "--host", "dmz1", "--home", ca.home,
            env=asan_options(ASAN_NOT_FIRST))  # five minutes are let pass
        wait_until(lambda: "which is not yet" in host.tail(), "it is refused")
        self.assertIn(f"{leaf.file}: good", ask())
        wait_until(lambda: f"{leaf.file}: revoked" in ask(), "the same file is taken when its time has come")
        self.assertNotIn("ocsp.snapshot-refused", host.plain("/metrics").text)
        self.assertEqual(host.stop(), 0)
        self.assertEqual(ca.stop(), 0)


if __name__ == "__main__":
    unittest.main()
