#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A disk that is full: nothing is acknowledged that is not on it, the service says so and ends, and nothing is lost."""
import http.client
import os
import ssl
import sys
import time
import unittest

from harness import WAIT_S, Service, ServiceTest, make_csr, no_mount, run, set_limit, wait_until


class Fill(ServiceTest):
    @classmethod
    def setUpClass(cls):
        cls.service = Service(start=False)
        cls.service.restores_signals = False
        cls.service.start()

    def limit(self, role, octets):
        """From now on no file of the role can grow beyond this: what a full disk does, for one process."""
        for pid in self.service.roles()[role]:
            set_limit(pid, "fsize", octets, octets)

    def test_a_store_that_cannot_grow_acknowledges_nothing_more_and_loses_nothing(self):
        acknowledged, csr = {}, make_csr("ec-P-256", "/CN=node1-EC.example.com")
        size = os.path.getsize(self.service.home / "store/data.mdb")
        self.limit("ca", size + 64 * 1024)
        with self.assertRaises((AssertionError, OSError, http.client.HTTPException, ssl.SSLError)):
            for _ in range(2000):
                leaf = self.service.issued(csr, "ucm/tomcat-ECDSA")
                acknowledged[leaf.serial_hex] = leaf.der
        self.assertTrue(acknowledged)
        self.assertEqual(self.service.process.wait(timeout=WAIT_S), 2, self.service.tail())
        wait_until(lambda: not self.service.roles(), "no process is left")
        self.service.start()
        for serial, octets in acknowledged.items():
            self.assertEqual(self.service.api(f"/certificates/{serial}.der").body, octets)
        self.service.issued(csr, "ucm/tomcat-ECDSA")

    def test_a_crl_that_cannot_be_written_leaves_the_old_one(self):
        before = self.service.plain("/crl/rsa-g1.crl").body
        self.limit("crl", 100)
        answer = self.service.api("/issuers/rsa-g1/crl", "POST")
        self.assert_problem(answer, 503)
        self.assertIn("the one in force stays", answer.json()["detail"])
        self.assertGreater(int(answer.headers["Retry-After"]), 0)
        self.assertEqual(self.service.plain("/crl/rsa-g1.crl").body, before)
        self.service.restart()
        self.assertEqual(self.service.plain("/crl/rsa-g1.crl").body, before)
        self.service.publish("rsa-g1")


REFUSED = no_mount("-t", "tmpfs", "none")


@unittest.skipIf(REFUSED, REFUSED)
class FullDisk(unittest.TestCase):
    """A home on a file system of 80 MiB, filled by somebody else."""

    @classmethod
    def setUpClass(cls):
        cls.service = Service(start=False)
        cls.home = cls.service.home
        cls.kept = cls.home.with_name("kept")
        cls.home.rename(cls.kept)
        cls.home.mkdir()
        run("mount", "-t", "tmpfs", "-o", "size=80m,mode=755", "none", cls.home)
        run("cp", "-a", f"{cls.kept}/.", cls.home)
        cls.service.start()

    @classmethod
    def tearDownClass(cls):
        code = cls.service.stop()
        run("umount", cls.home)
        if code != 0:
            raise AssertionError(f"SIGTERM: serve ended with {code}:\n{cls.service.tail()}")

    def fill(self):
        """All but a few MiB."""
        room = os.statvfs(self.home)
        with open(self.home / "filler", "wb") as file:
            file.write(bytes(max(0, room.f_bavail * room.f_frsize - (4 << 20))))

    def test_writes_are_refused_while_it_is_full_and_resume_when_there_is_room(self):
        csr = make_csr("ec-P-256", "/CN=node1-EC.example.com")
        before = self.service.issued(csr, "ucm/tomcat-ECDSA")
        rows = len(self.service.serials())
        self.fill()
        for answer in (self.service.issue(csr, "ucm/tomcat-ECDSA"), self.service.revoke(before.serial_hex, "superseded"),
                       self.service.api("/issuers/ec-g1/crl", "POST")):
            self.assertEqual(answer.status, 503, answer)
            self.assertTrue(int(answer.headers["Retry-After"]) > 0)
            self.assertIn("disk", answer.json()["detail"])
        self.assertEqual(len(self.service.serials()), rows, "what was refused is not there")
        self.assertEqual(self.service.api(f"/certificates/{before.serial_hex}").json()["status"], "valid")
        ready = self.service.https("/readyz")
        self.assertEqual(ready.status, 503)
        self.assertIn("disk.full:store", [each["name"] for each in ready.json()["checks"]])
        self.assertEqual(self.service.plain("/ca/ec-g1.cer").status, 200, "relying parties are served")
        (self.home / "filler").unlink()
        began = time.monotonic()
        wait_until(lambda: self.service.issue(csr, "ucm/tomcat-ECDSA").status == 201, "writes resume")
        print(f"writes resumed {time.monotonic() - began:.2f} s after there was room", file=sys.stderr)
        self.assertEqual(self.service.revoke(before.serial_hex, "superseded").status, 200)
        self.assertEqual(self.service.https("/readyz").status, 200)
        self.assertEqual(self.service.chancery("store", "check").returncode, 0)
        self.assertIn("alarm-over", self.service.tail())


if __name__ == "__main__":
    unittest.main()
