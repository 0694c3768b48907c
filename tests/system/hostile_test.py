#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What strangers and broken tools send: refused by the rule's name, nothing stored, the service still good."""
import socket
import unittest

import der
from harness import WAIT_S, ServiceTest, key, make_csr, new_file, public_key, run, self_signed, signed_request

SUBJECT = der.common_name("cucm1.example.com")


class Hostile(ServiceTest):
    def setUp(self):
        self.before = self.service.serials()

    def tearDown(self):
        """After every attack: nothing was stored and honest work goes on."""
        self.assertEqual(self.service.serials(), self.before)
        self.assert_status(self.service.api("/preflight?profile=ucm/tomcat", "POST", make_csr().der), 200)

    def refused(self, body, status, rule=None, profile="ucm/tomcat"):
        return self.assert_problem(self.service.issue(body, profile), status, rule)

    def request(self, *extensions, kind="rsa-2048", subject=SUBJECT, **options):
        return signed_request(der.request_info(subject, public_key(key(kind)), extensions), kind, **options)

    # ---- octets that are no CSR ----

    def test_the_requests_made_here_are_good_but_for_their_fault(self):
        # Without a fault: otherwise the refusals below could come from anywhere.
        request = self.request(der.extension(der.SUBJECT_ALT_NAME, der.alt_names("cucm1.example.com")))
        verdict = self.service.api("/preflight?profile=ucm/tomcat", "POST", request).json()
        self.assertTrue(verdict["accepted"], verdict)

    def test_truncated(self):
        csr = make_csr().der
        for length in (1, 2, 10, len(csr) // 2, len(csr) - 1):
            with self.subTest(length=length):
                self.refused(csr[:length], 400)

    def test_octets_after_the_csr(self):
        self.refused(make_csr().der + b"\0", 400)

    def test_garbage_and_nothing(self):
        no_base64 = b"-----BEGIN CERTIFICATE REQUEST-----\n!!!\n-----END CERTIFICATE REQUEST-----\n"
        for body in (b"", b"\0" * 100, b"hello", b"\xff" * 1000, b"<xml/>", b"{}", no_base64):
            with self.subTest(body=body[:20]):
                self.refused(body, 400)

    def test_a_certificate_or_a_key_is_no_csr(self):
        with open(self.service.home / "admin/admin.pem", "rb") as file:
            self.refused(file.read(), 400)
        self.refused(public_key(key("rsa-2048")), 400)

    def test_a_body_beyond_64_kib(self):
        self.assert_status(self.service.issue(b"0" * (64 * 1024 + 1), "ucm/tomcat"), 413)

    def test_a_body_of_exactly_64_kib_is_read(self):
        self.refused(b"\0" * (64 * 1024), 400)

    # ---- well formed and wrong ----

    def test_a_signature_that_does_not_verify(self):
        self.refused(self.request(tamper=True), 422, "csr.signature")

    def test_a_signature_by_another_key(self):
        info = der.request_info(SUBJECT, public_key(key("rsa-2048", "victim")), ())
        self.refused(signed_request(info, "rsa-2048"), 422, "csr.signature")

    def test_weak_and_foreign_keys(self):
        ec = "/CN=node1-EC.example.com"
        for kind, profile, subject in (
            ("rsa-1024", "ucm/tomcat", "/CN=cucm1.example.com"),
            ("rsa-5120", "ucm/tomcat", "/CN=cucm1.example.com"),
            ("rsa-2560", "ucm/tomcat", "/CN=cucm1.example.com"),
            ("ec-P-224", "ucm/tomcat-ECDSA", ec),
            ("ec-secp256k1", "ucm/tomcat-ECDSA", ec),
            ("explicit-P-256", "ucm/tomcat-ECDSA", ec),
            ("ed25519", "ucm/tomcat", "/CN=cucm1.example.com"),
            ("ed25519", "ucm/tomcat-ECDSA", ec),
        ):
            with self.subTest(kind=kind, profile=profile):
                answer = self.service.issue(make_csr(kind, subject), profile)
                self.assertIn(answer.status, (400, 422), answer)
                problem = self.assert_problem(answer, answer.status)
                if answer.status == 422:
                    self.assertTrue(any("key" in each["rule"] for each in problem["findings"] if each["severity"] == "refuse"), problem)

    def test_too_large_a_key_is_named(self):
        self.refused(make_csr("rsa-5120").der, 422, "key.too-large")

    def test_an_extension_twice(self):
        san = der.extension(der.SUBJECT_ALT_NAME, der.alt_names("cucm1.example.com"))
        self.refused(self.request(san, san), 422, "csr.extension.duplicate")

    def test_a_nul_in_a_name(self):
        evil = b"cucm1.example.com\0.evil.example"
        self.refused(self.request(subject=der.common_name(evil)), 422, "name.nul")
        self.refused(self.request(der.extension(der.SUBJECT_ALT_NAME, der.alt_names(evil))), 422, "name.nul")

    def request_line(self, line):
        """A request whose first line no library would send; its answer's status."""
        with socket.create_connection(("127.0.0.1", self.service.https_port), timeout=WAIT_S) as plain:
            with self.service.tls().wrap_socket(plain, server_hostname="localhost") as connection:
                connection.sendall(line + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                return int(connection.makefile("rb").readline().split()[1])

    def test_terminal_escapes_do_not_reach_the_log(self):
        """In a name of a request that waits for a person, which the ca logs, in a path, and in a parameter that a refusal repeats."""
        begun = self.service.log.stat().st_size
        evil = der.name(("2.5.4.10", der.UTF8, b"\x1b[2JEvil"), ("2.5.4.3", der.UTF8, b"CAPF-0e5c0e5c"))
        self.assert_status(self.service.issue(self.request(subject=evil), "ucm/CAPF"), 202)
        self.assert_status(self.service.api("/preflight?profile=ucm/tomcat", "POST", self.request(subject=evil)), 200)
        self.assertEqual(self.request_line(b"GET /api/v1/%1b[2J HTTP/1.1"), 404)
        self.assertEqual(self.request_line(b"GET /api/v1/\x1b[2J HTTP/1.1"), 400)
        self.assertEqual(self.request_line(b"GET /api/v1/\x9b2J HTTP/1.1"), 400)  # the same in one octet
        self.assert_problem(self.service.api("/preflight?profile=%1b%5b2J%0aforged", "POST", self.request()), 404)
        log = self.service.log.read_bytes()[begun:]
        for line in (b"[2JEvil", b"path=/api/v1/%1b[2J status=404", b"Invalid char in url path", rb'There is no profile \"\x1b[2J\x0aforged\".'):
            self.assertIn(line, log)
        self.assertEqual([each for each in log if each != 0x0a and not 0x20 <= each < 0x7f], [])

    def test_ca_rights(self):
        yes = der.sequence(der.tlv(der.BOOLEAN, b"\xff"))
        self.refused(self.request(der.extension(der.BASIC_CONSTRAINTS, yes, critical=True)), 422, "ca.requested")

    def test_rights_to_sign_certificates_and_lists(self):
        for bit in ("keyCertSign", "cRLSign"):
            with self.subTest(bit=bit):
                usage = der.key_usage(["digitalSignature", "dataEncipherment", bit])
                self.refused(self.request(der.extension(der.KEY_USAGE, usage, critical=True)), 422)

    def test_rights_to_sign_ocsp_or_anything(self):
        for purpose in ("OCSPSigning", "codeSigning", "2.5.29.37.0", "1.3.6.1.4.1.99999.1"):
            with self.subTest(purpose=purpose):
                usage = der.extended_key_usage(["serverAuth", "clientAuth", purpose])
                self.refused(self.request(der.extension(der.EXTENDED_KEY_USAGE, usage)), 422)

    def test_names_that_are_no_names(self):
        for name in ("", " ", "a b.example.com", "a..example.com", "-.example.com", "x" * 64 + ".example.com", "a/b.example.com",
                     "é.example.com".encode()):
            with self.subTest(name=name):
                self.refused(self.request(der.extension(der.SUBJECT_ALT_NAME, der.alt_names(name))), 422)

    def test_an_ip_address_of_the_wrong_length(self):
        answer = self.service.issue(self.request(der.extension(der.SUBJECT_ALT_NAME, der.alt_names((0x87, b"\1\2\3")))), "ucm/tomcat")
        self.assertIn(answer.status, (400, 422), answer)

    def test_too_many_names(self):
        many = der.alt_names(*(f"n{i}.example.com" for i in range(1500)))
        answer = self.service.issue(self.request(der.extension(der.SUBJECT_ALT_NAME, many)), "ucm/tomcat")
        self.assertIn(answer.status, (400, 422), answer)

    # ---- who asks ----

    def test_no_client_certificate(self):
        for path, method in (("/certificates", "GET"), ("/certificates?profile=ucm/tomcat", "POST"), ("/issuers", "GET"), ("/nonsense", "GET")):
            with self.subTest(path=path, method=method):
                body = make_csr().der if method == "POST" else None
                self.assert_problem(self.service.api(path, method, body, tls=self.service.tls(None)), 401)

    def test_a_self_signed_client_certificate(self):
        answer = self.service.api("/certificates", tls=self.service.tls(*self_signed("/CN=Administrator")))
        self.assert_problem(answer, 401)

    def test_a_client_certificate_with_our_administrators_names(self):
        subject = run("openssl", "x509", "-in", self.service.home / "admin/admin.pem", "-noout", "-subject", "-nameopt", "compat").text
        answer = self.service.api("/certificates", tls=self.service.tls(*self_signed(subject.partition("=")[2].strip())))
        self.assert_problem(answer, 401)

    # ---- HTTP ----

    def raw(self, text, port=None):
        """Sends octets to the plain port and gives the status line of the answer."""
        with socket.create_connection(("127.0.0.1", port or self.service.http_port), timeout=30) as client:
            client.sendall(text)
            return client.makefile("rb").readline().decode()

    def test_a_header_block_beyond_16_kib(self):
        self.assertIn(" 431 ", self.raw(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * (17 * 1024) + b"\r\n\r\n"))
        self.assertIn(" 200 ", self.raw(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * (12 * 1024) + b"\r\n\r\n"))

    def test_the_https_port_bounds_headers_too(self):
        answer = self.service.api("/issuers", headers={"X": "y" * (17 * 1024)})
        self.assert_problem(answer, 431)

    def test_lengths_that_disagree(self):
        for lines in (b"Content-Length: 3\r\nContent-Length: 4", b"Content-Length: 3\r\nTransfer-Encoding: chunked", b"Content-Length: -1"):
            with self.subTest(lines=lines):
                self.assertIn(" 400 ", self.raw(b"POST /ocsp HTTP/1.1\r\nHost: x\r\n" + lines + b"\r\n\r\nabc"))

    def test_no_host_and_bad_request_lines(self):
        for line in (b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\r\n\r\n"):
            with self.subTest(line=line):
                self.assertIn(" 400 ", self.raw(line))

    def test_paths_out_of_the_public_directory(self):
        for path in ("/crl/../store/data.mdb", "/crl/%2e%2e/%2e%2e/keys/rsa-g1.key", "/ca/../keys/rsa-g1.key", "/crl/rsa-g1.crl/", "//etc/passwd",
                     "/crl/rsa-g1%00.crl"):
            with self.subTest(path=path):
                self.assertIn(self.service.plain(path).status, (400, 404))

    def test_old_tls_is_refused(self):
        url, trust = f"https://127.0.0.1:{self.service.https_port}/livez", self.service.home / "admin/server-ca.pem"
        curl = ["curl", "--silent", "--show-error", "--noproxy", "*", "--cacert", trust, url, "--ciphers", "DEFAULT:@SECLEVEL=0"]
        self.assertIn("protocol version", run(*curl, "--tls-max", "1.1", check=False).said)
        run(*curl, "--tls-max", "1.2")


class Leaf(ServiceTest):
    """A certificate of ours, but not an administrator's."""

    def test_a_ucm_leaf_as_client_is_forbidden(self):
        csr = make_csr()
        leaf = self.service.issued(csr, "ucm/tomcat")
        context = self.service.tls(new_file(leaf.chain_pem, ".pem"), csr.key)
        self.assert_problem(self.service.api("/certificates", tls=context), 403)
        self.assert_problem(self.service.api("/certificates?profile=ucm/tomcat", "POST", csr.der, tls=context), 403)
        self.assertEqual(len([each for each in self.service.serials() if each == leaf.serial_hex]), 1)

    def test_a_revoked_administrator_is_nobody(self):
        csr = make_csr("ec-P-256", "/CN=second administrator", name="second")
        leaf = self.service.issued(csr, "chancery/administrator")
        context = self.service.tls(new_file(leaf.chain_pem, ".pem"), csr.key)
        self.assert_status(self.service.api("/certificates", tls=context), 200)
        self.assert_status(self.service.revoke(leaf.serial_hex, "keyCompromise"), 200)
        self.assert_problem(self.service.api("/certificates", tls=context), 401)


if __name__ == "__main__":
    unittest.main()
