#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A compromised OCSP key: is it out of use at once and for good, and does a new one take its place?"""
import unittest

from harness import ServiceTest, make_csr, new_file, run, wait_until


class Compromised(ServiceTest):
    """An OCSP key that somebody else has."""

    def ask(self, leaf):
        url = f"http://127.0.0.1:{self.service.http_port}/ocsp"
        return run("openssl", "ocsp", "-issuer", self.service.ca_file("ec-g1"), "-cert", leaf.file, "-VAfile", self.service.ca_file("ec-g1"),
                   "-CAfile", self.service.ca_file("ec-g1", "ec-root-g1"), "-url", url, check=False).said

    def signers(self):
        page = self.service.api("/certificates?profile=chancery/ocsp&status=valid").json()
        return {each["serial"] for each in page["items"] if each["cn"] == "OCSP ec-g1"}

    def test_it_answers_no_more_and_is_never_certified_again(self):
        leaf = self.service.issued(make_csr("ec-P-256"), "ucm/tomcat-ECDSA")
        leaf.file = new_file(leaf.chain_pem, ".pem")
        self.assertIn(": good", self.ask(leaf))
        (other,) = self.signers()
        self.assert_status(self.service.revoke(other, "superseded"), 200)  # the same key again, at once
        (signer,) = wait_until(self.signers, "a new signer's certificate")
        self.assertNotEqual(signer, other)
        wait_until(lambda: ": good" in self.ask(leaf), "answers of the new one")
        self.assert_status(self.service.revoke(signer, "keyCompromise"), 200)
        wait_until(lambda: "trylater" in self.ask(leaf), "tryLater")
        self.service.restart()
        self.assertIn("trylater", self.ask(leaf))
        self.assertFalse(self.signers())
        self.assertIn("responder.key", self.service.chancery("health", check=False).said)
        home = self.service.home
        private, public = home / "keys/ec-g1-ocsp.key", home / "issuers/ec-g1-ocsp.pub"
        run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", private)
        run("openssl", "pkey", "-in", private, "-pubout", "-out", public)
        self.service.restart()
        wait_until(lambda: ": good" in self.ask(leaf), "answers again")
        self.assertEqual(len(self.signers()), 1)
        self.assertNotIn("responder.key", self.service.chancery("health", check=False).said)


if __name__ == "__main__":
    unittest.main()
