#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Somebody edits the store's file while the service runs: what was edited is refused and told once, nobody hears anything
false of it, and all the rest goes on."""
import os
import pathlib
import re
import unittest

from harness import WORK, ServiceTest, make_csr, new_file, pem_to_der, replace_file, run

CATALOGUE = pathlib.Path(__file__).resolve().parents[2] / "ca/profiles.xml"


class Edited(ServiceTest):
    def edit(self, pattern, at, octet):
        """Every place of these octets in the file: older pages keep older copies."""
        path = self.service.home / "store/data.mdb"
        data = path.read_bytes()
        places = [match.start() for match in re.finditer(re.escape(pattern), data)]
        self.assertTrue(places)
        with open(path, "r+b", buffering=0) as file:
            for each in places:
                os.pwrite(file.fileno(), bytes([octet]), each + at)

    def ocsp(self, leaf):
        issuer = self.issuer_of(leaf)
        return run("openssl", "ocsp", "-issuer", self.service.ca_file(issuer), "-cert", new_file(leaf.chain_pem, ".pem"),
                   "-CAfile", self.service.ca_file(f"{issuer.split('-')[0]}-root-g1", issuer),
                   "-url", f"http://127.0.0.1:{self.service.http_port}/ocsp", check=False).said

    def replay(self, profile, query=""):
        shorter = CATALOGUE.read_text().replace('default="825"', 'default="90"')
        return self.service.api(f"/replay?profile={profile}{query}", "POST", shorter, {"Content-Type": "application/xml"})

    def assert_the_rest_goes_on(self, other):
        self.assertEqual(self.service.api(f"/certificates/{other.serial_hex}.der").body, other.der)
        self.assertIn(": good", self.ocsp(other))
        fresh = self.service.issued(make_csr(subject="/CN=after.example.com", name="after"), "ucm/tomcat")
        self.assertIn(": good", self.ocsp(fresh))

    def told(self, serial):
        return [line for line in self.service.log.read_text().splitlines() if "store-row-damaged" in line and serial in line]

    def test_an_edited_certificate_is_not_given_out(self):
        leaf, other = (self.service.issued(make_csr(subject=f"/CN={name}.example.com", name=name), "ucm/tomcat") for name in ("edited", "other"))
        self.edit(leaf.der, len(leaf.der) - 1, leaf.der[-1] ^ 1)
        for _ in range(5):
            self.assert_problem(self.service.api(f"/certificates/{leaf.serial_hex}"), 503)
            self.assertEqual(self.service.api(f"/certificates/{leaf.serial_hex}.der").status, 503)
        self.assertEqual(len(self.told(leaf.serial_hex)), 1, "once")
        self.assert_the_rest_goes_on(other)

    def test_a_state_that_cannot_be_read_is_never_good(self):
        leaf, other = (self.service.issued(make_csr(subject=f"/CN={name}.example.com", name=name), "ucm/tomcat") for name in ("state", "beside"))
        self.assertIn(": good", self.ocsp(leaf))
        serial = bytes.fromhex(leaf.serial_hex)
        self.edit(serial + b"\x01", len(serial), 0xEE)  # the version of the row behind its key
        self.service.revoke(other.serial_hex, "superseded")  # a commit: kept answers are looked at again
        said = self.ocsp(leaf)
        self.assertNotIn(": good", said)
        self.assertRegex(said, "internalerror|trylater|tryLater|internalError")
        for answer in (self.service.api(f"/certificates/{leaf.serial_hex}"), self.service.revoke(leaf.serial_hex, "superseded")):
            self.assertIn(answer.status, (500, 503), answer)
        self.assertEqual(self.service.issue(make_csr(subject="/CN=state.example.com", name="state"), "ucm/tomcat").status, 201,
                         "whether a key was compromised is another row")
        after = self.service.issued(make_csr(subject="/CN=later.example.com", name="later"), "ucm/tomcat")
        self.assert_the_rest_goes_on(after)

    def test_what_a_revocation_cannot_read_is_a_refusal(self):
        leaf, other = (self.service.issued(make_csr("ec-P-256", f"/CN={name}.example.com", name=name), "ucm/tomcat-ECDSA")
                       for name in ("row", "whole"))
        serial = bytes.fromhex(leaf.serial_hex)
        self.edit(b"\x01" + serial + bytes(6), 0, 0xEE)  # the version of the certificate's row; its number is below 65536
        for _ in range(2):
            self.assert_problem(self.service.revoke(leaf.serial_hex, "keyCompromise"), 500)
        self.assertIn(": good", self.ocsp(leaf))
        self.assert_status(self.service.revoke(other.serial_hex, "keyCompromise"), 200)
        self.service.revoke(leaf.serial_hex, "superseded")  # goes by the state alone; that it cannot be shown is the answer
        self.assertIn(": revoked", self.ocsp(leaf))
        self.assert_the_rest_goes_on(self.service.issued(make_csr(subject="/CN=next.example.com", name="next"), "ucm/tomcat"))

    def test_an_edited_ocsp_signer_is_not_given_to_who_would_trust_it(self):
        settings = self.service.home / "chancery.xml"
        replace_file(settings, settings.read_text().replace(' parent="rsa-root-g1"', ' ocsp-model="trusted" parent="rsa-root-g1"'))
        self.service.restart()
        signer, = pem_to_der(self.assert_status(self.service.api("/issuers/ocsp"), 200).json()["chain"])
        self.edit(signer, len(signer) - 1, signer[-1] ^ 1)
        self.assert_problem(self.service.api("/issuers/ocsp"), 503)
        self.assertIn(self.service.plain("/ca/ocsp.pem").status, (500, 503))

    def test_a_request_that_a_certificate_answers_is_not_replayed_when_it_was_edited(self):
        csr = make_csr("ec-P-256", "/CN=asked.example.com", name="asked")
        leaf = self.service.issued(csr, "ucm/tomcat-ECDSA")
        other = self.service.issued(make_csr("ec-P-256", "/CN=behind.example.com", name="behind"), "ucm/tomcat-ECDSA")
        self.edit(csr.der, len(csr.der) - 1, csr.der[-1] ^ 1)  # of its signature: as well formed as before
        said = self.service.chancery("store", "check", check=False)
        self.assertEqual(said.returncode, 1, said.said)
        self.assertIn(f"certificate {leaf.serial_hex}: is not what its checksum says", said.said)
        self.assertEqual(self.service.chancery("store", "backup", WORK / "of-edited", check=False).returncode, 1)
        self.assertFalse((WORK / "of-edited").exists())
        page = self.assert_status(self.replay("ucm/tomcat-ECDSA"), 200).json()
        self.assertEqual([each["serial"] for each in page["items"]], [other.serial_hex], "the page ends before it")
        self.assert_problem(self.replay("ucm/tomcat-ECDSA", f"&after={page['next']}"), 500)
        self.assert_problem(self.service.api(f"/certificates/{leaf.serial_hex}"), 503)
        self.assert_the_rest_goes_on(other)

    def test_an_issuer_that_cannot_be_read_is_not_said_to_be_none(self):
        row = b"".join(len(name).to_bytes(4, "big") + name for name in (b"ec-g1", b"ec-root-g1"))
        self.edit(row, 0, 0xEE)  # of the length of its id: the row is bent
        for path in ("/issuers/ec-g1", "/issuers/ec-g1.pem"):
            self.assert_problem(self.service.api(path), 503)
        self.assert_status(self.service.api("/issuers/rsa-g1"), 200)  # stands before it


if __name__ == "__main__":
    unittest.main()
