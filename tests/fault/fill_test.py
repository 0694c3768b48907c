#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A disk that is full: nothing is acknowledged that is not on it, the service says so and ends, and nothing is lost."""
import http.client
import os
import resource
import ssl
import unittest

from harness import WAIT_S, Service, ServiceTest, make_csr, wait_until


class Fill(ServiceTest):
    @classmethod
    def setUpClass(cls):
        cls.service = Service(start=False)
        cls.service.restores_signals = False
        cls.service.start()

    def limit(self, role, octets):
        """From now on no file of the role can grow beyond this: what a full disk does, for one process."""
        for pid in self.service.roles()[role]:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (octets, octets))

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
        self.assertGreaterEqual(answer.status, 500, answer)
        self.assertEqual(self.service.plain("/crl/rsa-g1.crl").body, before)
        self.service.restart()
        self.assertEqual(self.service.plain("/crl/rsa-g1.crl").body, before)
        self.service.publish("rsa-g1")


if __name__ == "__main__":
    unittest.main()
