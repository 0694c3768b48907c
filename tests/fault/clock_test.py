#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A clock that goes forward by a year and back by one: no number repeats, what was issued stays as it was, and with the right
time the service is as before, without a restart."""
import unittest

import der
from faketime import FakedService
from harness import ServiceTest, make_csr, new_file, pem_to_der, wait_until

ISSUER = "ec-g1"


class Clock(ServiceTest):
    @classmethod
    def setUpClass(cls):
        cls.service = FakedService()
        cls.service.start()

    def sign(self):
        csr = new_file(make_csr("ec-P-256", "/CN=node1-EC.example.com").pem, ".csr")
        said = self.service.chancery("csr", "sign", csr, "--profile", "ucm/tomcat-ECDSA").text
        return der.Certificate(pem_to_der(said)[0])

    def publish(self):
        self.service.chancery("crl", "publish", "--issuer", ISSUER)
        return self.service.crl(ISSUER).number

    def test_a_year_ahead_and_a_year_back(self):
        leaves, numbers = [self.sign()], [self.publish()]
        for offset in ("+365d", "+0", "-365d", "+0"):
            with self.subTest(offset=offset):
                self.service.jump(offset)
                if offset == "-365d":  # before its issuer begins nothing can be valid
                    done = self.service.chancery("csr", "sign", new_file(make_csr("ec-P-256", "/CN=node1-EC.example.com").pem),
                                                 "--profile", "ucm/tomcat-ECDSA", check=False)
                    self.assertEqual(done.returncode, 2, done.said)
                    self.assertIn("The issuer's certificate is not valid now.", done.said)
                else:
                    leaves.append(self.sign())
                numbers.append(self.publish())
        self.assertEqual(numbers, sorted(set(numbers)), "a CRL number comes twice or falls")
        serials = [each.serial_hex for each in leaves]
        self.assertEqual(len(serials), len(set(serials)))
        for each in serials:
            self.assertIn('"valid"', self.service.chancery("cert", "show", each, "--output", "json").text)
        self.assertEqual(self.service.api(f"/certificates/{serials[0]}.der").status, 200)
        wait_until(lambda: self.service.https("/readyz").status == 200, "all is well with the right time")
        self.assertIn(": 0 faults", self.service.chancery("store", "check").text)
        self.service.chancery("audit", "verify")


if __name__ == "__main__":
    unittest.main()
