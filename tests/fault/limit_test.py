#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Descriptors, memory, address space for the store, readers that died: whoever can be served is, the rest is refused or
waits, and when the cause is gone so is the trouble."""
import concurrent.futures
import http.client
import os
import pathlib
import ssl
import subprocess
import sys
import unittest

from harness import WAIT_S, Service, ServiceTest, make_csr, of_another, set_limit, wait_until

READER = os.environ.get("READER", "")
GONE = (OSError, http.client.HTTPException, ssl.SSLError)


class Limit(ServiceTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.csr = make_csr("ec-P-256", "/CN=node1-EC.example.com")

    def only(self, role):
        """The role's first process, which started before its workers."""
        return min(self.service.roles()[role])

    def limited(self, role, name, value):
        """The soft limit from now on; gives what sets it back, which happens at the end of the test at the latest."""
        pid = self.only(role)
        row = {"nofile": "Max open files", "as": "Max address space"}[name]
        limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
        before = next(line[len(row):].split()[0] for line in limits.splitlines() if line.startswith(row))
        set_limit(pid, name, value)
        return lambda: set_limit(pid, name, before)

    def succeeds(self, act):
        try:
            return act().status in (200, 201)
        except GONE:
            return False

    # ---- descriptors ----

    def assert_connection_serves(self, connection, path):
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        self.assertEqual(answer.status, 200)

    def assert_file_is_refused(self, role, connection):
        """What needs a descriptor for itself is for later."""
        if role == "ocsp":
            connection.request("GET", "/crl/ec-g1.crl")
            answer = connection.getresponse()
            answer.read()
            self.assertEqual(answer.status, 503)
            self.assertGreater(int(answer.headers["Retry-After"]), 0)

    def exhaust(self, role, connection, path, port, act):
        """No descriptor is left: who is there is served, others are closed at once, and served when there are some again."""
        self.assert_connection_serves(connection, path)
        restore = self.limited(role, "nofile", len(of_another(os.listdir, f"/proc/{self.only(role)}/fd")))
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            others = [pool.submit(self.succeeds, act) for _ in range(8)]
            for _ in range(5):
                self.assert_connection_serves(connection, path)
            self.assert_file_is_refused(role, connection)
            self.assertIn(False, [each.result(WAIT_S) for each in others], "the limit was never met")
        restore()
        wait_until(lambda: self.succeeds(act), "new connections are served again")
        self.assert_connection_serves(connection, path)
        connection.close()

    def test_without_descriptors_the_api_serves_who_is_there_and_recovers(self):
        connection = http.client.HTTPSConnection("127.0.0.1", self.service.https_port, timeout=WAIT_S, context=self.service.tls())
        self.exhaust("api", connection, "/livez", self.service.https_port, lambda: self.service.issue(self.csr, "ucm/tomcat-ECDSA"))

    def test_without_descriptors_ocsp_serves_who_is_there_and_recovers(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.service.http_port, timeout=WAIT_S)
        self.exhaust("ocsp", connection, "/", self.service.http_port, lambda: self.service.plain("/"))

    # ---- memory ----

    def issued_at_once(self, count):
        """What was acknowledged of so many certificates, 16 of them wanted at a time: {serial: octets}."""
        def one(_):
            try:
                answer = self.service.issue(self.csr, "ucm/tomcat-ECDSA", accept="application/pkix-cert")
            except GONE:
                return None
            if answer.status == 201:
                return answer.headers["Location"].rsplit("/", 1)[1], answer.body
            self.assertIn(answer.status, (500, 503), answer)
            return None

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            return dict(filter(None, pool.map(one, range(count))))

    def test_without_memory_nothing_is_acknowledged_that_is_lost(self):
        for role in ("api", "ca"):
            with self.subTest(role=role):
                self.limited(role, "as", 1 << 20)  # less than it has: no more pages
                acknowledged = self.issued_at_once(200)  # one after the other would find room in what is free in its heap
                self.assertLess(len(acknowledged), 200, "the limit was never met")
                if len(self.service.roles().get(role, [])) == 0 or self.service.process.poll() is not None:
                    self.assertEqual(self.service.process.wait(timeout=WAIT_S), 2, self.service.tail())
                    self.assertIn("memory", self.service.tail())
                else:
                    self.service.kill()
                wait_until(lambda: not self.service.roles(), "no process is left")
                self.service.start()
                for serial, octets in acknowledged.items():
                    self.assertEqual(self.service.api(f"/certificates/{serial}.der").body, octets)
                self.service.issued(self.csr, "ucm/tomcat-ECDSA")

    # ---- readers that died ----

    def kill_readers(self, count):
        """So many processes hold a view and are killed: their places in the reader table stay taken."""
        readers = [subprocess.Popen([READER, str(self.service.home / "store")], stdout=subprocess.PIPE) for _ in range(count)]
        try:
            for each in readers:
                self.assertEqual(each.stdout.readline(), b"reading\n")
        finally:
            for each in readers:
                each.kill()
                each.wait(WAIT_S)
                each.stdout.close()

    def forgotten(self):
        """How often a process has dropped views of the dead."""
        return self.service.log.read_text().count("store-readers-dead")

    def growth(self, count=150):
        """Octets that the store's file grows by while so many certificates are issued and revoked."""
        before = os.path.getsize(self.service.home / "store/data.mdb")
        for _ in range(count):
            leaf = self.service.issued(self.csr, "ucm/tomcat-ECDSA")
            self.assert_status(self.service.revoke(leaf.serial_hex, "superseded"), 200)
        return os.path.getsize(self.service.home / "store/data.mdb") - before

    def growth_held(self):
        """growth() without dead views and with 100. When a process looked at its minute and forgot them meanwhile, again and in a
        store of its own: what is free in this one would be used first."""
        for _ in range(3):
            usual, before = self.growth(), self.forgotten()
            self.kill_readers(100)
            held = self.growth()
            if self.forgotten() == before:
                return usual, held
            self.assertEqual(self.service.stop(), 0, self.service.tail())
            type(self).service = Service()
        self.fail("dead views are never held for as long as 300 requests take")

    def test_readers_that_died_hold_nothing_for_long(self):
        usual, held = self.growth_held()
        self.assertGreater(held, 2 * usual, "dead views hold old pages, else this shows nothing")
        self.kill_readers(100)  # the table has 126 places: the 27th finds it full, and the dead are forgotten
        self.kill_readers(1)
        after = self.growth()
        print(f"file growth: {usual >> 10} KiB, with 100 dead views {held >> 10} KiB, when forgotten {after >> 10} KiB", file=sys.stderr)
        self.assertLess(after, held / 2)


if __name__ == "__main__":
    unittest.main()
