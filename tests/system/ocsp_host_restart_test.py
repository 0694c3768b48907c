#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A responder on its own, started again: does an older snapshot take it back in time?"""
import pathlib
import shutil
import signal
import tempfile
import time
import unittest

from harness import WORK, make_csr, new_file, run, wait_until
from ocsp_host import pair


class Restart(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """A snapshot in which the leaf is good, then one in which it is revoked."""
        cls.ca, cls.host = pair()
        cls.leaf = cls.ca.issued(make_csr(), "ucm/tomcat")
        cls.leaf.file = new_file(cls.leaf.chain_pem, ".pem")
        cls.good = cls.snapshot()
        taken = time.time()
        wait_until(lambda: time.time() >= taken + 1, "the clock goes on")
        assert cls.ca.revoke(cls.leaf.serial_hex, "superseded").status == 200
        cls.revoked = cls.snapshot()

    @classmethod
    def tearDownClass(cls):
        assert cls.ca.stop() == 0, cls.ca.tail()

    def setUp(self):
        (self.host.home / "ocsp-as-of").unlink(missing_ok=True)
        self.put(self.revoked)
        self.host.start()
        self.assertIn("revoked", self.ask())

    def tearDown(self):
        self.host.kill()

    @classmethod
    def snapshot(cls):
        directory = pathlib.Path(tempfile.mkdtemp(dir=WORK))
        cls.ca.chancery("store", "snapshot", directory, "--host", "dmz1")
        return directory / "data.mdb"

    def put(self, snapshot):
        part = self.host.home / "store/.data.mdb.part"
        shutil.copy2(snapshot, part)
        part.rename(self.host.home / "store/data.mdb")

    def restart_with(self, snapshot):
        self.host.kill()  # at once: what was written is what had to be
        self.put(snapshot)
        self.host.start()

    def ask(self):
        return run("openssl", "ocsp", "-issuer", self.ca.ca_file("rsa-g1"), "-cert", self.leaf.file, "-noverify", "-url",
                   f"http://127.0.0.1:{self.host.http_port}/ocsp", check=False).said

    def test_an_older_snapshot_says_nothing_after_a_restart(self):
        self.restart_with(self.good)
        self.assertIn("trylater", self.ask())
        self.assertIn('chancery_alarm{code="ocsp.snapshot-behind",subject=""} 2', self.host.plain("/metrics").text)
        self.assertEqual(self.host.plain("/readyz").status, 503)
        self.assertEqual(self.host.plain("/livez").status, 200)
        self.host.process.send_signal(signal.SIGHUP)
        wait_until(lambda: 'reload detail="done"' in self.host.tail(), "the configuration is read again")
        self.assertIn("trylater", self.ask())
        self.put(self.good)  # another file of the same time
        wait_until(lambda: "ocsp.snapshot-refused" in self.host.plain("/metrics").text, "it is refused as well")
        self.assertIn("trylater", self.ask())
        self.put(self.revoked)
        wait_until(lambda: f"{self.leaf.file}: revoked" in self.ask(), "one that is not older is taken")
        self.assertNotIn("ocsp.snapshot-", self.host.plain("/metrics").text)
        self.assertEqual(self.host.plain("/readyz").status, 200)
        self.assertEqual(self.host.stop(), 0)

    def test_the_snapshot_that_was_in_use_is_taken_again(self):
        self.restart_with(self.revoked)
        self.assertIn(f"{self.leaf.file}: revoked", self.ask())
        self.assertNotIn("ocsp.snapshot-", self.host.plain("/metrics").text)

    def test_a_file_that_is_damaged_is_as_none(self):
        path = self.host.home / "ocsp-as-of"
        whole = path.read_bytes()
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        for content in (whole[:-1], b"junk" * 1000, bytes([whole[0] ^ 1]) + whole[1:], whole[:-33] + bytes([whole[-33] ^ 1]) + whole[-32:]):
            self.host.kill()
            path.write_bytes(content)
            self.put(self.good)
            self.host.log.write_bytes(b"")
            self.host.start()
            self.assertIn(f"{self.leaf.file}: good", self.ask())
            self.assertIn("it is damaged; the snapshot that is there is taken", self.host.tail())
            self.restart_with(self.revoked)  # what is written over it is whole
            self.assertIn(f"{self.leaf.file}: revoked", self.ask())
            self.restart_with(self.good)
            self.assertIn("trylater", self.ask())


if __name__ == "__main__":
    unittest.main()
