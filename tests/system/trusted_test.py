#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trusted responders: does a fixed OCSP signer's certificate, exported once, make clients take its answers, and no other's?"""
import unittest

from harness import CHANCERY, Service, ServiceTest, make_csr, new_file, pem_to_der, replace_file, run


def text_of(pem):
    return run("openssl", "x509", "-noout", "-text", stdin=pem.encode()).text


def blocks(pem):
    end = "-----END CERTIFICATE-----\n"
    return [each + end for each in pem.split(end)[:-1]]


class Trusted(ServiceTest):
    @classmethod
    def setUpClass(cls):
        cls.service = Service("--rsa-ocsp-key", "ec-256", start=False)
        settings = cls.service.home / "chancery.xml"
        replace_file(settings, settings.read_text().replace(' parent="rsa-root-g1"', ' ocsp-model="trusted" parent="rsa-root-g1"'))
        own = '<issuer id="rsa-g1"'  # and a host that answers for this issuer beside the service
        head, tail = settings.read_text().split(own, 1)
        replace_file(settings, head + own + tail.replace("/>\n  </issuer>", '/>\n    <responder host="dmz1"/>\n  </issuer>', 1))
        run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", cls.service.directory / "dmz1.key")
        run("openssl", "pkey", "-in", cls.service.directory / "dmz1.key", "-pubout", "-out", cls.service.home / "issuers/rsa-g1-dmz1-ocsp.pub")
        cls.service.start()
        cls.leaves = [cls.service.issued(make_csr(), "ucm/tomcat") for _ in range(2)]
        for each in cls.leaves:
            each.file = new_file(each.chain_pem, ".pem")
        cls.service.revoke(cls.leaves[1].serial_hex, "superseded")

    def ask(self, leaf, *trust):
        url = f"http://127.0.0.1:{self.service.http_port}/ocsp"
        return run("openssl", "ocsp", "-issuer", self.service.ca_file("rsa-g1"), "-cert", leaf.file, *trust, "-url", url, check=False).said

    def exported(self):
        return self.service.chancery("ca", "chain", "ocsp").text

    def test_the_export_is_the_signer_of_the_answers(self):
        pem = self.exported()
        own, other = blocks(pem)  # of the one issuer that has trusted responders
        self.assertIn("Subject: O = Test, CN = OCSP rsa-g1 dmz1", text_of(other))
        text = text_of(own)
        self.assertIn("OCSP Signing", text)
        self.assertIn("OCSP No Check", text)
        self.assertRegex(text, r"(?m)Subject: O = Test, CN = OCSP rsa-g1$")
        self.assertIn("NIST CURVE: P-256", text)
        trusted = new_file(own, ".pem")
        for leaf, want in zip(self.leaves, ("good", "revoked")):
            said = self.ask(leaf, "-VAfile", trusted)  # this certificate alone is trusted
            self.assertIn("Response verify OK", said)
            self.assertIn(f"{leaf.file}: {want}", said)

    def test_another_certificate_is_not_trusted(self):
        _, of_host = blocks(self.exported())
        for other in (self.service.ca_file("ec-root-g1"), new_file(of_host, ".pem")):
            self.assertIn("Response Verify Failure", self.ask(self.leaves[0], "-VAfile", other))

    def test_it_is_there_over_plain_http_too(self):
        answer = self.assert_status(self.service.plain("/ca/ocsp.pem"), 200)
        self.assertEqual(answer.type, "application/x-pem-file")
        self.assertEqual(pem_to_der(answer.body), pem_to_der(self.exported()))
        items = self.assert_status(self.service.api("/issuers/ocsp"), 200).json()["signers"]
        self.assertEqual([(each["issuer"], each["host"]) for each in items], [("rsa-g1", None), ("rsa-g1", "dmz1")])
        self.assertEqual(self.service.api("/issuers/rsa-g1").json()["ocsp"]["model"], "trusted")
        self.assertEqual(self.service.api("/issuers/ec-g1").json()["ocsp"]["model"], "delegated")

    def test_it_stays_over_a_restart_and_lives_for_years(self):
        before = self.exported()
        self.service.restart()
        self.assertEqual(self.exported(), before)
        run("openssl", "x509", "-noout", "-checkend", 4 * 365 * 86400, stdin=blocks(before)[0].encode())
        run("openssl", "x509", "-noout", "-checkend", 4 * 365 * 86400, stdin=blocks(before)[1].encode())
        served = run("openssl", "ocsp", "-issuer", self.service.ca_file("ec-g1"), "-serial", "1", "-url",
                     f"http://127.0.0.1:{self.service.http_port}/ocsp", "-resp_text", "-noverify").text
        delegated = "-----BEGIN" + served.split("-----BEGIN", 1)[1]
        self.assertNotEqual(run("openssl", "x509", "-noout", "-checkend", 15 * 86400, stdin=delegated.encode(), check=False).returncode, 0)


class Delegated(ServiceTest):
    def test_there_is_nothing_to_export(self):
        done = self.service.chancery("ca", "chain", "ocsp", check=False)
        self.assertEqual(done.returncode, 5, done.said)
        self.assert_problem(self.service.plain("/ca/ocsp.pem"), 404)

    def test_keys_are_of_the_hierarchys_kind(self):
        for each, want in (("rsa-g1", "RSA Public-Key: (2048 bit)"), ("rsa-root-g1", "(2048 bit)"), ("ec-g1", "P-256"), ("ec-root-g1", "P-256")):
            text = run("openssl", "pkey", "-pubin", "-in", self.service.home / f"issuers/{each}-ocsp.pub", "-noout", "-text").text
            self.assertIn(want.replace("RSA Public-Key: ", ""), text)

    def test_init_makes_no_other_kind_of_key(self):
        done = run(CHANCERY, "init", "--home", self.service.directory / "other", "--rsa-ocsp-key", "rsa-1024", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("rsa-2048 or ec-256", done.said)
        self.assertFalse((self.service.directory / "other").exists())


if __name__ == "__main__":
    unittest.main()
