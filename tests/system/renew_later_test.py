# SPDX-License-Identifier: Apache-2.0
"""Does a generation that has ended leave its successor and those who watch in peace?"""
import json
import unittest

from faketime import FakedService
from harness import ASAN_NOT_FIRST, CHANCERY, asan_options, make_csr, new_file, run, wait_until


class LongAfter(unittest.TestCase):
    """Ten years later: the first generation ends or has ended, the second was made in time."""

    def setUp(self):
        self.service = FakedService()
        self.service.start()
        self.leaf = self.service.issued(make_csr("ec-P-256", "/CN=cucm1-EC.example.com"), "ucm/tomcat-ECDSA")
        self.assertEqual(self.service.stop(), 0)
        for each in ("rsa-g1", "ec-g1"):
            run("faketime", "+3000 days", CHANCERY, "ca", "renew", each, "--home", self.service.home, "--quiet", env=asan_options(ASAN_NOT_FIRST))

    def start_at(self, offset):
        self.service.jump(offset)
        self.service.start()

    def tearDown(self):
        self.assertEqual(self.service.stop(), 0, self.service.tail())

    def test_the_last_day_of_the_old_ones_is_no_warning(self):
        self.start_at("+87660h")  # eleven hours before their end, with which that of their OCSP signers comes
        health = wait_until(self.ready, "nothing is critical")
        checks = {each["name"]: each for each in health["checks"]}
        self.assertEqual((checks["ocsp:ec-g1"]["status"], checks["ocsp:ec-g2"]["status"]), ("ok", "ok"), health)
        self.assertNotIn("certificate.ending ocsp ec-g1", self.service.log.read_text())

    def test_the_end_of_the_old_ones_stops_nothing_and_alarms_nobody(self):
        self.start_at("+4000d")
        health = wait_until(self.ready, "nothing is critical")
        texts = {each["name"]: each["detail"] for each in health["checks"]}
        self.assertIn("ended ", texts["issuer:ec-g1"])
        self.assertNotIn("ocsp:ec-g1", texts)
        self.assertTrue(texts["issuer:ec-g2"].startswith("until "))
        self.assertNotIn("certificate.ending issuer", self.service.log.read_text())
        issuer, leaf = (self.service.home / "issuers/ec-g1.pem", new_file(self.leaf.chain_pem, ".pem"))
        said = run("openssl", "ocsp", "-issuer", issuer, "-cert", leaf, "-url", f"{self.service.public_url}/ocsp", "-noverify", check=False).said
        self.assertIn("unauthorized", said)
        self.assertNotIn("ocsp-signer", self.service.log.read_text())
        self.assertEqual(self.service.plain("/crl/ec-g1.crl").status, 200)

    def ready(self):
        done = self.service.chancery("health", "--output", "json", check=False)
        return json.loads(done.text) if done.returncode in (0, 2) else None


if __name__ == "__main__":
    unittest.main()
