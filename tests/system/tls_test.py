#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The HTTPS listener's TLS in the eyes of sslscan and openssl."""
import http.client
import signal
import socket
import ssl
import subprocess
import unittest
import xml.etree.ElementTree as ET

from harness import WAIT_S, Service, ServiceTest, replace_file, run, wait_until

SUITES_12 = {f"ECDHE-{key}-{rest}" for key in ("ECDSA", "RSA") for rest in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")}


class Tls(ServiceTest):
    def s_client(self, *arguments, stdin=b""):
        return run("openssl", "s_client", "-connect", f"127.0.0.1:{self.service.https_port}", *arguments, stdin=stdin, check=False)

    def test_sslscan_finds_nothing_weak(self):
        said = run("sslscan", "--xml=-", f"127.0.0.1:{self.service.https_port}").stdout
        scan = ET.fromstring(said).find("ssltest")
        on = {f"{each.get('type')}{each.get('version')}" for each in scan.iter("protocol") if each.get("enabled") == "1"}
        self.assertEqual(on, {"tls1.2", "tls1.3"})
        ciphers = {(each.get("sslversion"), each.get("cipher")) for each in scan.iter("cipher")}
        self.assertEqual({name for version, name in ciphers if version == "TLSv1.2"}, SUITES_12)
        self.assertTrue(any(version == "TLSv1.3" for version, _ in ciphers))
        self.assertEqual({version for version, _ in ciphers}, {"TLSv1.2", "TLSv1.3"})
        self.assertTrue(all(each.get("supported") == "0" for each in scan.iter("compression")))
        self.assertTrue(all(each.get("vulnerable") == "0" for each in scan.iter("heartbleed")))

    def test_a_client_of_one_key_kind_connects(self):
        for suite, kind in (("ECDHE-RSA-AES128-GCM-SHA256", "RSA"), ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDSA")):
            said = self.s_client("-tls1_2", "-cipher", suite).said
            self.assertIn(f"Cipher is {suite}", said)
            self.assertIn(f"Peer signature type: {kind}", said)

    def test_old_versions_tickets_and_compression_are_refused(self):
        self.assertIn("Cipher is (NONE)", self.s_client("-tls1_1", "-cipher", "ALL:@SECLEVEL=0").said)
        said = self.s_client("-tls1_2").said
        self.assertIn("Compression: NONE", said)
        self.assertNotIn("TLS session ticket:", said)

    def test_no_ticket_is_issued_and_no_session_resumed(self):
        for version in ("-tls1_2", "-tls1_3"):
            with self.subTest(version):
                # An answer comes after any ticket would have.
                said = self.s_client(version, "-reconnect", "-ign_eof", stdin=b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").said
                self.assertIn("New, TLS", said)
                self.assertNotIn("Reused, TLS", said)
                self.assertNotIn("New Session Ticket arrived", said)

    def test_renegotiation_is_refused(self):
        client = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{self.service.https_port}", "-tls1_2"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(client.kill)
        said, _ = client.communicate(b"R\n", timeout=WAIT_S)  # s_client: a line of R asks for a new handshake
        self.assertIn(b"RENEGOTIATING", said)
        self.assertIn(b"no renegotiation", said)
        self.assertEqual(self.service.https("/api/v1/issuers").status, 200)

    def shown(self):
        """The certificate that a new connection sees."""
        context = ssl.create_default_context(cafile=str(self.service.home / "admin/server-ca.pem"))
        with socket.create_connection(("127.0.0.1", self.service.https_port), timeout=WAIT_S) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as tls:
                return tls.getpeercert()

    def test_a_new_certificate_drops_no_connection(self):
        before = self.shown()["serialNumber"]
        held = http.client.HTTPSConnection("127.0.0.1", self.service.https_port, timeout=WAIT_S, context=self.service.tls())
        self.addCleanup(held.close)
        held.request("GET", "/api/v1/issuers")
        self.assertEqual(held.getresponse().read() != b"", True)
        socket_held = held.sock
        path = self.service.home / "chancery.xml"
        text = path.read_text()
        self.assertIn('<name value="localhost"/>', text)
        replace_file(path, text.replace('<name value="localhost"/>', '<name value="localhost"/><name value="second.example.com"/>'))
        self.service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.shown()["serialNumber"] != before, "the listener has another certificate")
        held.request("GET", "/api/v1/issuers")
        answer = held.getresponse()
        self.assertEqual(answer.status, 200)
        answer.read()
        self.assertIs(held.sock, socket_held, "the same connection")

    def is_rsa_served(self):
        return "Cipher is (NONE)" not in self.s_client("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256").said

    def checks(self):
        return {each["name"]: each for each in self.service.https("/readyz").json()["checks"]}

    def look_again(self):
        self.service.process.send_signal(signal.SIGHUP)

    def test_one_of_two_certificates_that_is_lost_is_told_and_not_served(self):
        """Its issuer is on hold, so that no other can be had."""
        issuer = next(each["serial"] for each in self.service.api("/issuers").json()["items"] if each["id"] == "rsa-g1")
        listed = self.service.api("/certificates?profile=chancery/listener&status=valid&key_type=rsa").json()["items"]
        self.assertEqual(self.service.revoke(issuer, "certificateHold").status, 200)
        self.addCleanup(self.service.unhold, issuer)
        for each in listed:
            self.assertEqual(self.service.revoke(each["serial"], "superseded").status, 200)
        self.look_again()
        wait_until(lambda: not self.is_rsa_served(), "the revoked one is served no more")
        self.assertEqual(self.service.https("/readyz").status, 503)
        checks = self.checks()
        self.assertEqual((checks["listener:rsa"]["status"], checks["listener:rsa"]["detail"]), ("critical", "revoked or on hold"))
        self.assertEqual(checks["listener:ec"]["status"], "ok")
        self.assertEqual(checks["certificate.ending:listener rsa"]["status"], "critical")
        self.assertNotIn("certificate.ending:listener ec", checks)
        self.service.unhold(issuer)
        self.look_again()
        wait_until(self.is_rsa_served, "there is another one")
        checks = self.checks()
        self.assertEqual(checks["listener:rsa"]["status"], "ok")
        self.assertNotIn("certificate.ending:listener rsa", checks)

    def test_a_kind_that_no_issuer_signs_is_no_fault(self):
        service = Service(start=False)
        self.addCleanup(service.kill)
        path = service.home / "chancery.xml"
        replace_file(path, path.read_text().replace(' issues="ec"', ""))
        service.start()
        wait_until(lambda: service.https("/readyz").status == 200, "it is ready with the other")
        [ec] = [each for each in service.https("/readyz").json()["checks"] if each["name"] == "listener:ec"]
        self.assertEqual((ec["status"], ec["detail"]), ("ok", "no issuer signs this kind of key"))
        self.assertFalse((service.home / "listener" / "ec.pem").exists())
        self.assertEqual(service.stop(), 0, service.tail())


if __name__ == "__main__":
    unittest.main()
