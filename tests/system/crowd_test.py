#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Crowds: idle connections by the thousand and slowhttptest in its three modes, while OCSP is asked. Every answer must come; its pace beside
the usual one is printed and not judged. CROWD: idle connections (1200; the long run has 10,000)."""
import http.client
import os
import re
import resource
import select
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from harness import WAIT_S, ServiceTest, exchange, make_csr, new_file, run, wait_until

CROWD = int(os.environ.get("CROWD", "1200"))
SLOW_S = 5 if CROWD < 5000 else 30
ASKED = 200  # OCSP requests in a measurement
CONNECTIONS, PER_ADDRESS = 1024, 256  # of a listener: docs/access.md


class Crowd(ServiceTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        cls.most = min(CROWD, hard - 200)
        if cls.most < CROWD:
            print(f"a crowd of {cls.most} instead of {CROWD}: no more descriptors here than {hard}", file=sys.stderr)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, CROWD + 200), hard))
        leaf = cls.service.issued(make_csr(), "ucm/tomcat")
        request = new_file(b"", ".ocsp")
        run("openssl", "ocsp", "-issuer", cls.service.ca_file("rsa-g1"), "-cert", new_file(leaf.chain_pem, ".pem"), "-no_nonce", "-reqout", request)
        with open(request, "rb") as file:
            cls.request = file.read()

    def ask(self):
        """Microseconds of one OCSP answer on a connection of its own."""
        start = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self.service.http_port, timeout=WAIT_S)
        answer = exchange(connection, "POST", "/ocsp", self.request, {"Content-Type": "application/ocsp-request"})
        self.assertEqual((answer.status, answer.type), (200, "application/ocsp-response"), answer)
        self.assertGreater(len(answer.body), 100)
        return (time.perf_counter() - start) * 1e6

    def pace(self, until=None):
        times = []
        while len(times) < ASKED or (until and until()):
            times.append(self.ask())
        return statistics.median(times), max(times), len(times)

    def tell(self, what, usual, under):
        print(f"{what}: OCSP median {under[0]:.0f} us, worst {under[1]:.0f} us of {under[2]}; before: median {usual[0]:.0f} us, worst {usual[1]:.0f} us",
              file=sys.stderr)

    def crowd(self, port, addresses):
        """Idle connections, from so many addresses of this machine."""
        held = []
        for i in range(self.most):
            held.append(socket.create_connection(("127.0.0.1", port), timeout=WAIT_S, source_address=(f"127.0.1.{i % addresses + 1}", 0)))
        return held

    def assert_held(self, held, addresses, is_https):
        """So many as one listener takes, or one address may have, are there: the oldest have made way. By its own figure, and of the other
        listener, which has none, by what clients see."""
        wanted = min(self.most, CONNECTIONS, PER_ADDRESS * addresses)
        ends = select.poll()
        for each in held:
            ends.register(each, select.POLLIN)

        def count():
            if is_https:
                return int(re.search(r"^chancery_http_connections (\d+)$", self.service.https("/metrics").text, re.M)[1])
            return len(held) - len(ends.poll(0))

        there = wait_until(lambda: (now := count()) <= wanted + 1 and now, "the server has taken all of them")  # and the one that asks
        self.assertGreaterEqual(there, 0.9 * wanted)

    def test_idle_connections(self):
        for what, port, addresses in (("plain listener, one address", self.service.http_port, 1),
                                      ("plain listener, 100 addresses", self.service.http_port, 100),
                                      ("HTTPS listener, 100 addresses", self.service.https_port, 100)):
            with self.subTest(what=what):
                usual = self.pace()
                held = self.crowd(port, addresses)
                try:
                    self.assert_held(held, addresses, port == self.service.https_port)
                    self.tell(f"{len(held)} idle connections to the {what}", usual, self.pace())
                    self.assert_status(self.service.api("/issuers"), 200)
                finally:
                    for each in held:
                        each.close()

    def under_attack(self, url, *options):
        """The pace while slowhttptest holds connections: all that one address may have, or nearly."""
        wanted = ["-c", str(min(1000, self.most)), "-r", "500", "-l", str(SLOW_S)]
        with tempfile.TemporaryFile(mode="w+") as output:
            attack = subprocess.Popen(["slowhttptest", *options, *wanted, "-u", url], stdout=output, stderr=output)
            try:
                under = self.pace(lambda: attack.poll() is None)
            finally:
                attack.terminate()
                attack.wait(timeout=WAIT_S)
            output.seek(0)
            said = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", output.read())
        self.assertEqual(attack.returncode, 0, said)
        self.assertRegex(said, "Hit test time limit|No open connections left")  # the service ends slow headers after 10 s
        held = max(int(each) for each in re.findall(r"connected: +(\d+)", said))
        self.assertGreaterEqual(held, min(200, self.most // 2), said)
        return under

    def test_slowhttptest(self):
        slow_read = ["-X", "-w", "1", "-y", "8", "-n", "5", "-z", "1", "-k", "10"]  # ten requests at once, an octet read in five seconds
        for mode, options, path in (("slow headers", ["-H"], "/"), ("slow body", ["-B", "-t", "POST"], "/"),
                                    ("slow read of the page", slow_read, "/"), ("slow read of a file", slow_read, "/ca/rsa-g1.pem")):
            with self.subTest(mode=mode):
                usual = self.pace()
                under = self.under_attack(f"http://127.0.0.1:{self.service.http_port}{path}", *options, "-i", "2", "-p", "3")
                self.tell(f"slowhttptest, {mode}", usual, under)

    def test_one_noisy_client_leaves_ocsp_alone(self):
        """One connection that asks for the page in rows of 500 and takes every answer, beside OCSP."""
        usual = self.pace()
        row = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 500
        noisy = socket.create_connection(("127.0.0.1", self.service.http_port), timeout=WAIT_S)
        stop, taken = threading.Event(), []
        senders = [threading.Thread(target=self.send_rows, args=(noisy, row, stop)), threading.Thread(target=self.take_rows, args=(noisy, taken))]
        for each in senders:
            each.start()
        try:
            under = self.pace()
        finally:
            stop.set()
            for each in senders:
                each.join(WAIT_S)
            noisy.close()
        self.assertGreater(sum(taken), 0, "nobody was noisy")
        self.tell(f"{sum(taken) >> 20} MiB of pages to one client", usual, under)

    @staticmethod
    def send_rows(connection, row, stop):
        while not stop.is_set():
            connection.sendall(row)
        connection.shutdown(socket.SHUT_WR)

    @staticmethod
    def take_rows(connection, taken):
        while got := len(connection.recv(1 << 20)):
            taken.append(got)

    def test_slow_headers_over_https_leave_ocsp_alone(self):
        usual = self.pace()
        self.tell("slow headers over HTTPS", usual, self.under_attack(f"https://127.0.0.1:{self.service.https_port}/", "-H"))


if __name__ == "__main__":
    unittest.main()
