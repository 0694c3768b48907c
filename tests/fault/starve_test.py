#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients that take and never give, and processes that may open no more files: others are served, and it passes."""
import os
import pathlib
import socket
import time
import unittest

from harness import ServiceTest, make_csr, of_another, set_limit, wait_until

SLOW_END_S = 30  # the header deadline is 10 s; the rest is for a busy machine


class Starve(ServiceTest):
    def connect(self):
        client = socket.create_connection(("127.0.0.1", self.service.http_port), timeout=SLOW_END_S)
        self.addCleanup(client.close)
        return client

    def test_a_header_that_never_ends_is_cut_off_however_steady_it_comes(self):
        client = self.connect()
        client.settimeout(0.5)
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: ")
        end, is_cut = time.monotonic() + SLOW_END_S, False
        while time.monotonic() < end and not is_cut:
            try:
                client.sendall(b"y")
                is_cut = client.recv(4096) == b"" or is_cut
            except TimeoutError:
                pass
            except OSError:
                is_cut = True
        self.assertTrue(is_cut)

    def test_clients_that_send_nothing_do_not_keep_others_out(self):
        idle = [self.connect() for _ in range(200)]
        self.assert_status(self.service.plain("/"), 200)
        self.service.issued(make_csr(), "ucm/tomcat")
        self.assertEqual(len(idle), 200)

    def test_a_client_that_asks_and_never_reads_does_not_keep_others_out(self):
        client = self.connect()
        client.settimeout(1)
        try:
            for _ in range(10000):
                client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
        except OSError:
            pass  # nothing more is taken from it: as it should be
        self.assert_status(self.service.plain("/"), 200)

    def test_no_descriptor_left_passes_when_clients_leave(self):
        [pid] = self.service.roles()["ocsp"]
        limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
        before = next(line.split()[3] for line in limits.splitlines() if line.startswith("Max open files"))
        wait_until(lambda: not self.is_connected(), "the clients of the tests before are gone")
        used = len(of_another(os.listdir, f"/proc/{pid}/fd"))
        set_limit(pid, "nofile", used + 4)
        clients = [self.connect() for _ in range(50)]
        wait_until(lambda: not self.answers(), "no descriptor is left")
        for each in clients:
            each.close()
        wait_until(self.answers, "it answers again")
        set_limit(pid, "nofile", before)

    def is_connected(self):
        """Has the service a connection at its port, also one that the client has closed and itself not yet? proc_net(5)."""
        rows = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return any(int(local.split(":")[1], 16) == self.service.http_port and state in ("01", "08")
                   for _, local, _, state, *_ in rows)

    def answers(self):
        try:
            return self.service.plain("/").status == 200
        except OSError:
            return False  # closed at once, while there is no descriptor to spare


if __name__ == "__main__":
    unittest.main()
