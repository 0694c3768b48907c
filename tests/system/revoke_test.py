#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""From good to revoked: OCSP by POST and GET, by openssl and gnutls, and the CRL; every answer from one state."""
import base64
import time
import unittest
import urllib.parse

from harness import ServiceTest, make_csr, new_file, run, self_signed


class Revoke(ServiceTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bundle = {each: cls.service.ca_file(f"{each}-g1", f"{each}-root-g1") for each in ("rsa", "ec")}
        cls.issuer = {each: cls.service.ca_file(f"{each}-g1") for each in ("rsa", "ec")}

    def issued(self, hierarchy="rsa", key="shared"):
        """`key`: the name of one that is used for nothing else, where it will be revoked as compromised."""
        csr = make_csr(name=key) if hierarchy == "rsa" else make_csr("ec-P-384", "/CN=node1-EC.example.com", name=key)
        leaf = self.service.issued(csr, "ucm/tomcat" if hierarchy == "rsa" else "ucm/tomcat-ECDSA")
        leaf.file, leaf.hierarchy = new_file(leaf.chain_pem, ".pem"), hierarchy
        return leaf

    def ask(self, leaf, *options):
        """openssl's verdict on one certificate: what it says, with the answer verified."""
        said = run("openssl", "ocsp", "-issuer", self.issuer[leaf.hierarchy], *options, "-cert", leaf.file,
                   "-CAfile", self.bundle[leaf.hierarchy], "-url", self.service.public_url.replace("localhost", "127.0.0.1") + "/ocsp").said
        self.assertIn("Response verify OK", said)
        return said

    def assert_ocsp(self, leaf, status, *more):
        said = self.ask(leaf)
        self.assertIn(f"{leaf.file}: {status}", said)
        for text in more:
            self.assertIn(text, said)

    def request(self, leaf, *options):
        """An OCSP request by openssl, as octets."""
        path = new_file(b"")
        run("openssl", "ocsp", "-issuer", self.issuer[leaf.hierarchy], *options, "-cert", leaf.file, "-reqout", path)
        with open(path, "rb") as file:
            return file.read()

    def post(self, request):
        return self.service.plain("/ocsp", "POST", request, {"Content-Type": "application/ocsp-request"})

    def answer(self, leaf):
        """openssl's text of the answer to a plain request."""
        return self.read(self.post(self.request(leaf, "-no_nonce")).body)

    def read(self, response):
        """openssl's text of an OCSP response."""
        return run("openssl", "ocsp", "-respin", new_file(response), "-text", "-noverify").text

    def revoked(self, leaf, reason, invalidity=None):
        return self.assert_status(self.service.revoke(leaf.serial_hex, reason, invalidity), 200)

    # ---- the main line ----

    def test_the_very_next_answer_says_revoked_with_reason_and_time(self):
        for hierarchy in ("rsa", "ec"):
            with self.subTest(hierarchy=hierarchy):
                leaf = self.issued(hierarchy, "next answer")
                self.assert_ocsp(leaf, "good")
                self.revoked(leaf, "keyCompromise")
                self.assert_ocsp(leaf, "revoked", "Reason: keyCompromise", "Revocation Time: ")

    def test_the_next_crl_holds_it_and_openssl_refuses_the_chain(self):
        leaf, other = self.issued(), self.issued()
        self.revoked(leaf, "superseded")
        self.service.publish("rsa-g1")
        entries = self.service.crl("rsa-g1").entries
        self.assertIn(leaf.serial_hex, entries)
        self.assertNotIn(other.serial_hex, entries)
        crls, root = self.service.crl_file("rsa-g1", "rsa-root-g1"), self.service.ca_file("rsa-root-g1")
        verify = ["openssl", "verify", "-purpose", "any", "-CAfile", root, "-crl_check_all", "-CRLfile", crls, "-untrusted"]
        refused = run(*verify, leaf.file, leaf.file, check=False)
        self.assertIn("certificate revoked", refused.said)
        run(*verify, other.file, other.file)

    def test_every_reason_is_answered_by_its_number(self):
        # RFC 5280 5.3.1
        for reason, number in (("keyCompromise", 1), ("cACompromise", 2), ("affiliationChanged", 3), ("superseded", 4), ("cessationOfOperation", 5),
                               ("privilegeWithdrawn", 9), ("aACompromise", 10)):
            with self.subTest(reason=reason):
                leaf = self.issued(key=reason)
                self.assertEqual(self.revoked(leaf, reason).json()["revocation"]["reason"], reason)
                self.assertRegex(self.answer(leaf), rf"Revocation Reason: .* \({number:#x}\)")

    def test_an_unspecified_reason_is_left_out(self):
        leaf = self.issued()
        self.revoked(leaf, "unspecified")
        self.assertIn("Cert Status: revoked", self.answer(leaf))
        self.assertNotIn("Revocation Reason", self.answer(leaf))

    # ---- states ----

    def test_hold_and_unhold(self):
        leaf = self.issued()
        self.revoked(leaf, "certificateHold")
        self.assert_ocsp(leaf, "revoked", "Reason: certificateHold")
        self.assertEqual(self.service.api(f"/certificates/{leaf.serial_hex}").json()["status"], "held")
        self.assert_status(self.service.unhold(leaf.serial_hex), 200)
        self.assert_ocsp(leaf, "good")
        self.service.publish("rsa-g1")
        self.assertNotIn(leaf.serial_hex, self.service.crl("rsa-g1").entries)

    def test_hold_can_become_a_revocation_for_good(self):
        leaf = self.issued(key="for good")
        self.revoked(leaf, "certificateHold")
        self.revoked(leaf, "keyCompromise")
        self.assert_ocsp(leaf, "revoked", "Reason: keyCompromise")
        self.assert_problem(self.service.unhold(leaf.serial_hex), 409)

    def test_revoking_twice_with_the_same_reason_changes_nothing(self):
        leaf = self.issued()
        first = self.revoked(leaf, "superseded").json()
        time.sleep(1.1)  # a second revocation would show in the time, whose unit is the second
        again = self.revoked(leaf, "superseded").json()
        self.assertEqual(again, first)

    def test_another_reason_afterwards_is_a_conflict(self):
        leaf = self.issued()
        self.revoked(leaf, "superseded")
        self.assert_problem(self.service.revoke(leaf.serial_hex, "keyCompromise"), 409)
        self.assert_problem(self.service.revoke(leaf.serial_hex, "certificateHold"), 409)
        self.assert_problem(self.service.unhold(leaf.serial_hex), 409)
        self.assert_ocsp(leaf, "revoked", "Reason: superseded")

    def test_an_invalidity_date_that_stands_is_not_changed(self):
        leaf = self.issued()
        self.revoked(leaf, "superseded", "2024-01-02T03:04:05Z")
        self.revoked(leaf, "superseded")
        for date in ("2024-01-02T03:04:05Z", "2024-01-03T03:04:05Z", "9999-12-31T23:59:59Z"):
            self.revoked(leaf, "superseded", date)
        stands = self.service.api(f"/certificates/{leaf.serial_hex}").json()["revocation"]
        self.assertEqual(stands["invalidity_date"], "2024-01-02T03:04:05Z")

    def test_unhold_takes_no_offence_at_a_body(self):
        leaf = self.issued()
        self.assert_status(self.service.revoke(leaf.serial_hex, "certificateHold"), 200)
        path = f"/certificates/{leaf.serial_hex}/revocation"
        self.assert_problem(self.service.api(path, "DELETE", "x" * 5000), 413)
        answer = self.assert_status(self.service.api(path, "DELETE", "{}", {"Content-Type": "application/json"}), 200)
        self.assertEqual(answer.json()["status"], "valid")

    def test_unhold_of_a_valid_certificate_is_a_conflict(self):
        self.assert_problem(self.service.unhold(self.issued().serial_hex), 409)

    def test_what_is_unknown_or_malformed_is_refused(self):
        leaf = self.issued()
        self.assert_problem(self.service.revoke("01" * 19, "superseded"), 404)
        for reason in ("nonsense", "removeFromCRL", ""):
            self.assertIn(self.service.revoke(leaf.serial_hex, reason).status, (400, 422))
        path = f"/certificates/{leaf.serial_hex}/revocation"
        for body in ("{", "[]", "{}", '{"reason": 1}', '{"reason": "superseded", "reason": "superseded"}',
                     '{"reason": "superseded", "invalidity_date": "yesterday"}',
                     '{"reason": "superseded", "invalidity_date": "9999-12-31T23:59:59Z"}'):
            with self.subTest(body=body):
                self.assert_problem(self.service.api(path, "PUT", body, {"Content-Type": "application/json"}), 400)
        self.assert_ocsp(leaf, "good")

    def test_the_list_knows_the_state(self):
        leaf, other = self.issued(), self.issued()
        self.revoked(leaf, "superseded")
        serials = {each["serial"] for each in self.service.api("/certificates?status=revoked&limit=1000").json()["items"]}
        self.assertIn(leaf.serial_hex, serials)
        self.assertNotIn(other.serial_hex, serials)

    # ---- OCSP as clients use it ----

    def test_certids_of_sha1_and_sha256_are_answered(self):
        leaf = self.issued()
        for digest in ("-sha1", "-sha256", "-sha384", "-sha512"):
            self.assertIn(": good", self.ask(leaf, digest))

    def test_get_gives_the_same_status_as_post(self):
        leaf = self.issued()
        request = self.request(leaf, "-no_nonce")
        path = "/ocsp/" + urllib.parse.quote(base64.b64encode(request).decode(), safe="")
        posted = self.post(request)
        got = self.service.plain(path)
        for answer in (posted, got):
            self.assert_status(answer, 200)
            self.assertEqual(answer.type, "application/ocsp-response")
            self.assertIn("Cert Status: good", self.read(answer.body))
        self.assertIn("max-age", got.headers["Cache-Control"])
        self.revoked(leaf, "superseded")
        self.assertIn("Cert Status: revoked", self.read(self.service.plain(path).body))

    def test_get_takes_base64_that_is_not_escaped(self):
        # base64 may hold / and +, and clients differ in what they escape
        for _ in range(6):
            request = base64.b64encode(self.request(self.issued(), "-no_nonce")).decode()
            self.assertIn("Cert Status: good", self.read(self.service.plain("/ocsp/" + request).body))

    def test_a_nonce_is_echoed(self):
        leaf = self.issued()
        request = self.request(leaf, "-nonce")
        answer = self.post(request)
        nonce = request[-16:]
        self.assertIn(nonce, answer.body)
        self.assertIn("OCSP Nonce", self.read(answer.body))
        self.assertNotIn("OCSP Nonce", self.answer(leaf))

    def test_gnutls_agrees(self):
        leaf = self.issued(key="gnutls")
        request = self.request(leaf, "-no_nonce")

        def verdict():
            response = new_file(self.post(request).body)
            verified = run("ocsptool", "--verify-response", "--load-trust", self.bundle["rsa"], "--load-response", response).said
            self.assertIn("Success", verified)
            return run("ocsptool", "--response-info", "--load-response", response).said

        self.assertIn("Certificate Status: good", verdict())
        self.revoked(leaf, "keyCompromise")
        self.assertIn("Certificate Status: revoked", verdict())

    def test_a_serial_never_issued_is_unknown(self):
        said = run("openssl", "ocsp", "-issuer", self.issuer["rsa"], "-serial", "0x01" + "42" * 18, "-CAfile", self.bundle["rsa"],
                   "-url", f"http://127.0.0.1:{self.service.http_port}/ocsp").said
        self.assertIn("Response verify OK", said)
        self.assertIn(": unknown", said)

    def test_another_ca_is_unauthorized(self):
        stranger, _ = self_signed("/CN=Stranger")
        said = run("openssl", "ocsp", "-issuer", stranger, "-serial", "1", "-noverify",
                   "-url", f"http://127.0.0.1:{self.service.http_port}/ocsp", check=False).said
        self.assertIn("unauthorized", said)

    def test_hostile_ocsp_requests_are_answered_and_survived(self):
        request = self.request(self.issued(), "-no_nonce")
        for body in (b"", b"\x30", b"garbage", request[:-1], request + b"\0"):
            with self.subTest(body=body):
                answer = self.post(body)
                # RFC 6960 4.2.1: malformedRequest, unsigned
                self.assertEqual(answer.body, bytes.fromhex("30030a0101"), answer)
        self.assert_status(self.post(b"\0" * 5000), 413)
        self.assert_status(self.service.plain("/ocsp", "POST", request, {"Content-Type": "text/plain"}), 415)
        self.assertIn("Cert Status: good", self.read(self.post(request).body))

    def test_the_signer_is_delegated_and_never_checked_itself(self):
        text = self.answer(self.issued())
        self.assertIn("OCSP Signing", text)
        self.assertIn("OCSP No Check", text)


class Withdrawn(ServiceTest):
    """An issuer whose own certificate is revoked or on hold."""

    def sign(self, hierarchy):
        csr = make_csr() if hierarchy == "rsa" else make_csr("ec-P-384", "/CN=node1-EC.example.com")
        return self.service.issue(csr, "ucm/tomcat" if hierarchy == "rsa" else "ucm/tomcat-ECDSA")

    def test_it_issues_nothing_until_it_is_good_again(self):
        ca = run("openssl", "x509", "-in", self.service.ca_file("ec-g1"), "-noout", "-serial").text.split("=")[1].strip().lower()
        self.assert_status(self.service.revoke(ca, "certificateHold"), 200)
        self.assert_problem(self.sign("ec"), 409)
        self.assert_status(self.sign("rsa"), 201)
        said = self.service.chancery("health", check=False)
        self.assertEqual(said.returncode, 2, said.said)
        self.assertRegex(said.text, "issuer:ec-g1 +warning +its certificate is revoked or on hold")
        self.assert_status(self.service.unhold(ca), 200)
        self.assert_status(self.sign("ec"), 201)
        self.assertEqual(self.service.chancery("health", check=False).returncode, 0)


if __name__ == "__main__":
    unittest.main()
