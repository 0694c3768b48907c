#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The HTTPS listener's TLS in the eyes of sslscan and openssl."""
import unittest
import xml.etree.ElementTree as ET

from harness import ServiceTest, run

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


if __name__ == "__main__":
    unittest.main()
