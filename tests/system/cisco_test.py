#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real CSR of a real product, signed: CUCM 8.6.1, purpose ipsec."""
import unittest

import der
from harness import DATA, ServiceTest, der_to_pem, new_file, pem_to_der, run

FILE = DATA / "cisco/cucm-8.6.1-ipsec.csr.pem"


class Cisco(ServiceTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.request = der.Request(pem_to_der(FILE.read_text())[0])
        cls.answer = cls.service.issue(FILE.read_bytes(), "ucm/ipsec", "application/json")
        if cls.answer.status != 201:
            raise AssertionError(f"{cls.answer}\n{cls.service.tail()}")
        cls.document = cls.answer.json()
        cls.leaf = der.Certificate(pem_to_der(cls.document["pem"])[0])

    def test_subject_is_kept_octet_for_octet(self):
        self.assertEqual(self.leaf.subject, self.request.subject)
        self.assertIn(b"56669f92835ffed5084b2915867000f0b669bb7dafa43f3d39aa4d1335e9e253", self.leaf.subject)

    def test_key_is_the_requests(self):
        self.assertEqual(self.leaf.spki, self.request.spki)

    def test_usages_are_those_asked_for_octet_for_octet(self):
        for extension in (der.KEY_USAGE, der.EXTENDED_KEY_USAGE):
            self.assertEqual(self.leaf.value(extension), self.request.extensions[extension][1])
        self.assertEqual(self.leaf.value(der.KEY_USAGE), bytes.fromhex("030203b8"))

    def test_openssl_verifies_it_against_the_issuers_of_the_home(self):
        issuers = self.service.home / "issuers"
        leaf = new_file(der_to_pem(self.leaf.der, "CERTIFICATE"), ".pem")
        run("openssl", "verify", "-purpose", "any", "-CAfile", issuers / "rsa-root-g1.pem", "-untrusted", issuers / "rsa-g1.pem", leaf)
        refused = run("openssl", "verify", "-purpose", "any", "-CAfile", issuers / "ec-root-g1.pem",
                      "-untrusted", issuers / "ec-g1.pem", leaf, check=False)
        self.assertNotEqual(refused.returncode, 0, "not under the other hierarchy")

    def test_gnutls_verifies_it(self):
        self.leaf.chain_pem = self.document["pem"] + "".join(self.document["chain"])
        self.assert_chain(self.leaf)

    def test_a_note_names_sha1(self):
        notes = [each for each in self.document["findings"] if "SHA-1" in str(each).upper().replace("SHA1", "SHA-1")]
        self.assertTrue(notes, self.document["findings"])
        self.assertNotIn("refuse", [each["severity"] for each in notes])

    def test_another_purpose_refuses_it_and_says_why(self):
        # expressway/server has no place for ipsecEndSystem, which this CSR asks for.
        problem = self.assert_problem(self.service.issue(FILE.read_bytes(), "expressway/server"), 422)
        self.assertIn("ipsec", str(problem["findings"]).lower())


if __name__ == "__main__":
    unittest.main()
