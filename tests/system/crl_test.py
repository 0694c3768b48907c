#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The CRL that clients download: numbers that rise, contents that openssl and gnutls accept, octets that do not change for nothing."""
import unittest

import der
from harness import ServiceTest, make_csr, new_file, pem_to_der, run

ISSUERS = ("rsa-root-g1", "rsa-g1", "ec-root-g1", "ec-g1")


class Crl(ServiceTest):
    def issued(self, key="shared"):
        return self.service.issued(make_csr(name=key), "ucm/tomcat").serial_hex

    def test_every_issuer_publishes_one_that_verifies(self):
        for each in ISSUERS:
            with self.subTest(issuer=each):
                crl = new_file(self.service.plain(f"/crl/{each}.crl").body)
                said = run("openssl", "crl", "-inform", "DER", "-in", crl, "-noout", "-CAfile", self.service.ca_file(each)).said
                self.assertIn("verify OK", said)
                pem = self.service.crl_file(each)
                said = run("certtool", "--verify-crl", "--load-ca-certificate", self.service.ca_file(each), "--infile", pem).said
                self.assertIn("Verified", said)

    def test_it_is_a_v2_list_with_number_and_authority_key(self):
        for each in ISSUERS:
            with self.subTest(issuer=each):
                crl, issuer = self.service.crl(each), der.Certificate(self.service.plain(f"/ca/{each}.cer").body)
                self.assertEqual(crl.version, b"\1")
                self.assertEqual(crl.issuer, issuer.subject)
                self.assertGreater(crl.number, 0)
                key_id = der.Element(issuer.value(der.SUBJECT_KEY_ID)).body
                self.assertEqual(crl.extensions[der.AUTHORITY_KEY_ID], (False, der.sequence(der.tlv(0x80, key_id))))
                self.assertEqual(set(crl.extensions), {der.AUTHORITY_KEY_ID, der.CRL_NUMBER})
                self.assertLess(crl.this_update, crl.next_update)

    def test_the_number_rises_with_each_publication(self):
        numbers = [self.service.crl("ec-g1").number]
        for _ in range(3):
            self.service.publish("ec-g1")
            numbers.append(self.service.crl("ec-g1").number)
        self.assertEqual(numbers, sorted(set(numbers)))

    def test_an_entry_has_reason_and_invalidity_date(self):
        with_both, with_none = self.issued("a key of its own, compromised"), self.issued()
        self.assert_status(self.service.revoke(with_both, "keyCompromise", "2024-01-02T03:04:05Z"), 200)
        self.assert_status(self.service.revoke(with_none, "unspecified"), 200)
        self.service.publish("rsa-g1")
        entries = self.service.crl("rsa-g1").entries
        self.assertEqual(entries[with_both], {
            der.REASON: der.tlv(0x0A, b"\1"),
            der.INVALIDITY_DATE: der.tlv(0x18, b"20240102030405Z"),
        })
        self.assertEqual(entries[with_none], {}, "unspecified is left out, RFC 5280 5.3.1")

    def test_entries_are_in_order_and_only_of_their_issuer(self):
        serials = [self.issued() for _ in range(5)]
        for each in serials:
            self.assert_status(self.service.revoke(each, "superseded"), 200)
        self.service.publish("rsa-g1")
        self.service.publish("ec-g1")
        listed = list(self.service.crl("rsa-g1").entries)
        self.assertEqual(listed, sorted(listed))
        self.assertEqual(set(serials) - set(listed), set())
        self.assertEqual(set(serials) & set(self.service.crl("ec-g1").entries), set())

    def test_der_and_pem_are_the_same_list(self):
        answer, pem = self.service.plain("/crl/rsa-g1.crl"), self.service.plain("/crl/rsa-g1.pem")
        self.assertEqual(answer.type, "application/pkix-crl")
        self.assertEqual(pem_to_der(pem.text), [answer.body])
        self.assertTrue(pem.text.startswith("-----BEGIN X509 CRL-----\n"))

    def test_a_client_that_has_it_is_told_so(self):
        for form in ("crl", "pem"):
            path = f"/crl/rsa-root-g1.{form}"
            answer = self.assert_status(self.service.plain(path), 200)
            for field in ("ETag", "Last-Modified", "Cache-Control"):
                self.assertTrue(answer.headers[field], field)
            again = self.service.plain(path, headers={"If-None-Match": answer.headers["ETag"]})
            self.assertEqual((again.status, again.body), (304, b""))
            self.assert_status(self.service.plain(path, headers={"If-None-Match": '"another"'}), 200)
            head = self.service.plain(path, "HEAD")
            self.assertEqual((head.status, head.headers["Content-Length"], head.body), (200, str(len(answer.body)), b""))

    def test_a_new_list_has_a_new_tag(self):
        before = self.service.plain("/crl/ec-g1.crl").headers["ETag"]
        self.service.publish("ec-g1")
        self.assert_status(self.service.plain("/crl/ec-g1.crl", headers={"If-None-Match": before}), 200)

    def test_a_restart_changes_not_one_octet(self):
        before = {each: self.service.plain(f"/crl/{each}.crl").body for each in ISSUERS}
        self.service.restart()
        self.assertEqual({each: self.service.plain(f"/crl/{each}.crl").body for each in ISSUERS}, before)

    def test_the_number_rises_over_a_restart(self):
        self.service.publish("rsa-g1")
        before = self.service.crl("rsa-g1").number
        self.service.restart()
        self.service.publish("rsa-g1")
        self.assertGreater(self.service.crl("rsa-g1").number, before)

    def test_the_page_has_each_fingerprint_as_openssl_prints_it(self):
        page = self.service.plain("/").text
        for each in ISSUERS:
            for digest in ("sha256", "sha1"):
                said = run("openssl", "x509", "-in", self.service.ca_file(each), "-noout", "-fingerprint", f"-{digest}").text
                self.assertIn(said.split("=")[1].strip(), page)
        self.assertNotIn("<wbr>", page)
        other = run("openssl", "x509", "-in", self.service.home / "admin/admin.pem", "-noout", "-fingerprint", "-sha256").text
        self.assertNotIn(other.split("=")[1].strip(), page)

    def test_unknown_issuers_have_none(self):
        self.assert_status(self.service.plain("/crl/nonsense.crl"), 404)
        self.assert_problem(self.service.api("/issuers/nonsense/crl", "POST"), 404)


if __name__ == "__main__":
    unittest.main()
