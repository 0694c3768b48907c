#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A store whose map cannot grow, for want of address space: it says so, refuses what would have to be recorded once the
map is full, serves all else, loses nothing, and goes on as soon as it can."""
import http.client
import pathlib
import re
import sys
import threading
import time
import unittest

from harness import CHANCERY, WAIT_S, Service, ServiceTest, make_csr, replace_file, run, set_limit, wait_until

MIB = 1 << 20
MAP = 40 * MIB  # it should double when 20 are used, and is full when 16 are left
SPARE = 30 * MIB  # address space that the ca may take besides: less than the map wants
FILLED = 6500  # certificates that are there before, so that fewer have to be issued
MOST = 20000
CLIENTS = 4


class Map(ServiceTest):
    @classmethod
    def setUpClass(cls):
        cls.service = Service(start=False)
        path = cls.service.home / "chancery.xml"
        replace_file(path, re.sub(r'map-size-mib="\d+"', f'map-size-mib="{MAP // MIB}"', path.read_text()))
        run(pathlib.Path(CHANCERY).resolve().with_name("store_fill"), cls.service.home, FILLED)
        print(f"begins with {cls.size() / MIB:.1f} MiB", file=sys.stderr)
        if cls.size() > MAP // 2:
            raise AssertionError("that is too much to begin with")
        cls.service.start()
        cls.csr = make_csr("ec-P-256", "/CN=node1-EC.example.com")
        cls.issued, cls.lock = {}, threading.Lock()

    @classmethod
    def size(cls):
        return (cls.service.home / "store/data.mdb").stat().st_size

    def ca(self):
        return self.service.roles()["ca"][0]

    def confine_space(self):
        """The ca may take no more address space than that."""
        status = pathlib.Path(f"/proc/{self.ca()}/status").read_text()
        set_limit(self.ca(), "as", (int(re.search(r"VmSize:\s+(\d+)", status)[1]) << 10) + SPARE)

    def alarm(self):
        """(status of /readyz, how bad the alarm is or None)"""
        answer = self.service.https("/readyz")
        return answer.status, next((each["status"] for each in answer.json()["checks"] if each["name"] == "store.map:store"), None)

    def connect(self):
        return http.client.HTTPSConnection("127.0.0.1", self.service.https_port, timeout=WAIT_S, context=self.service.tls())

    def issue_until(self, is_over):
        """By a few clients; gives the answers that were not 201."""
        refused = []

        def client():
            connection = self.connect()
            while not refused and not is_over() and len(self.issued) < MOST:
                connection.request("POST", "/api/v1/certificates?profile=ucm/tomcat-ECDSA", self.csr.der,
                                   {"Content-Type": "application/pkcs10", "Accept": "application/pkix-cert"})
                answer = connection.getresponse()
                body = answer.read()
                with self.lock:
                    if answer.status == 201:
                        self.issued[answer.headers["Location"].rpartition("/")[2]] = body
                    else:
                        refused.append((answer.status, answer.headers["Retry-After"], body))
            connection.close()

        threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        return refused

    def assert_served(self):
        """What needs no room."""
        serial = next(iter(self.issued))
        self.assertEqual(self.service.api(f"/certificates/{serial}.der").body, self.issued[serial])
        said = run("openssl", "ocsp", "-issuer", self.service.ca_file("ec-g1"), "-serial", "0x" + serial, "-noverify",
                   "-url", f"http://127.0.0.1:{self.service.http_port}/ocsp").text
        self.assertIn(": good", said)
        run("openssl", "crl", "-in", self.service.crl_file("ec-g1"), "-noout")

    def assert_all_there(self):
        connection = self.connect()
        for serial, octets in self.issued.items():
            connection.request("GET", f"/api/v1/certificates/{serial}.der")
            self.assertEqual(connection.getresponse().read(), octets, serial)
        connection.close()

    def assert_refused(self):
        serial = next(iter(self.issued))
        for answer in (self.service.issue(self.csr, "ucm/tomcat-ECDSA"), self.service.revoke(serial, "superseded"),
                       self.service.api("/issuers/ec-g1/crl", "POST")):
            self.assert_problem(answer, 503)
            self.assertGreater(int(answer.headers["Retry-After"]), 0)
            self.assertIn("cannot grow", answer.json()["detail"])
        self.assertEqual(self.service.api(f"/certificates/{serial}").json()["status"], "valid")

    def test_a_map_that_cannot_grow_refuses_and_recovers_by_itself(self):
        pids = self.service.roles()
        self.assertEqual(self.alarm(), (200, None))
        self.confine_space()
        self.assertEqual(self.issue_until(lambda: self.size() > MAP // 2 + 2 * MIB), [])
        self.assertEqual(self.alarm(), (200, "warning"), "it goes on with what it has")
        refused = self.issue_until(lambda: False)
        self.assertTrue(refused, f"{len(self.issued)} certificates, {self.size()} octets")
        self.assertEqual({(status, int(after) > 0) for status, after, _ in refused}, {(503, True)}, refused)
        self.assertEqual(self.alarm(), (503, "critical"))
        self.assert_refused()
        self.assert_served()
        size = self.size()
        self.assertLess(size, MAP)
        print(f"refused at {size / MIB:.1f} of {MAP // MIB} MiB, {len(self.issued)} certificates later", file=sys.stderr)
        set_limit(self.ca(), "as", "unlimited")
        began = time.monotonic()
        wait_until(lambda: self.service.issue(self.csr, "ucm/tomcat-ECDSA").status == 201, "issuing resumes")
        print(f"issuing resumed {time.monotonic() - began:.2f} s after it could", file=sys.stderr)
        self.assertEqual(self.alarm(), (200, None))
        self.assertEqual(self.service.revoke(next(iter(self.issued)), "superseded").status, 200)
        self.assertEqual(self.service.roles(), pids, "nobody ended")
        self.assertEqual(len(self.service.log.read_text().split("store-map-grown")), 2)
        self.assert_all_there()
        self.assertIn(": 0 faults", self.service.chancery("store", "check").text)


if __name__ == "__main__":
    unittest.main()
