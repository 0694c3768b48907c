#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A map that begins small grows while certificates are issued: nobody is refused, nothing is lost, nobody restarts."""
import http.client
import re
import threading
import unittest

from harness import CHANCERY, WAIT_S, Service, ServiceTest, make_csr, run, replace_file, wait_until

MIB = 1 << 20
CLIENTS = 8
MOST = 30000  # certificates: far beyond what 16 MiB hold


class Grow(ServiceTest):
    @classmethod
    def setUpClass(cls):
        cls.service = Service(start=False)
        path = cls.service.home / "chancery.xml"
        replace_file(path, re.sub(r'map-size-mib="\d+"', 'map-size-mib="16"', path.read_text()))
        cls.service.start()

    def size(self):
        return (self.service.home / "store/data.mdb").stat().st_size

    def grown(self):
        return self.service.log.read_text().count("store-map-grown")

    def issue_until(self, is_over, issued, refused):
        connection = self.connect()
        while not is_over() and len(issued) < MOST and not refused:
            connection.request("POST", "/api/v1/certificates?profile=ucm/tomcat-ECDSA", self.csr.der,
                               {"Content-Type": "application/pkcs10", "Accept": "application/pkix-cert"})
            answer = connection.getresponse()
            body = answer.read()
            if answer.status == 201:
                issued[answer.headers["Location"].rpartition("/")[2]] = body
            else:
                refused.append((answer.status, body))
        connection.close()

    def test_the_map_grows_under_load_and_nothing_is_refused_or_lost(self):
        self.csr = make_csr("ec-P-256", "/CN=node1-EC.example.com")
        issued, refused, pids = {}, [], self.service.roles()

        def is_over():
            return self.size() > 16 * MIB

        threads = [threading.Thread(target=self.issue_until, args=(is_over, issued, refused)) for _ in range(CLIENTS)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        self.assertEqual(refused, [])
        self.assertTrue(is_over(), f"{len(issued)} certificates, {self.size()} octets")
        self.assertGreaterEqual(self.grown(), 1)
        self.assertEqual(self.service.roles(), pids, "every process is the one that was started")
        self.readers_follow(issued)
        self.assertEqual(self.service.stop(), 0)
        said = run(CHANCERY, "store", "check", "--home", self.service.home).said
        self.assertIn(" 0 faults", said)
        self.service.start()
        connection = self.connect()
        for serial, octets in issued.items():
            connection.request("GET", f"/api/v1/certificates/{serial}.der")
            self.assertEqual(connection.getresponse().read(), octets, serial)
        connection.close()

    def connect(self):
        return http.client.HTTPSConnection("127.0.0.1", self.service.https_port, timeout=WAIT_S, context=self.service.tls())

    def readers_follow(self, issued):
        """The api, the ocsp and the crl read the larger map without a restart."""
        serial = list(issued)[-1]
        self.assertEqual(self.service.api(f"/certificates/{serial}.der").body, issued[serial])
        revoked = self.service.api(f"/certificates/{serial}/revocation", "PUT", b'{"reason": "superseded"}', {"Content-Type": "application/json"})
        self.assertEqual(revoked.status, 200, revoked.text)
        asked = run("openssl", "ocsp", "-issuer", self.service.ca_file("ec-g1"), "-serial", "0x" + serial, "-no_nonce", "-noverify",
                    "-url", f"http://127.0.0.1:{self.service.http_port}/ocsp").text
        self.assertIn(": revoked", asked)
        self.service.publish("ec-g1")
        wait_until(lambda: bytes.fromhex(serial) in self.service.plain("/crl/ec-g1.crl").body, "the list has it")


if __name__ == "__main__":
    unittest.main()
