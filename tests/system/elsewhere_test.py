#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a service tells this machine without a login, and no other. The other machine is an address of this one that is not loopback: a
client that connects to it comes from it."""
import http.client
import shutil
import socket
import ssl
import unittest

from harness import WAIT_S, exchange, replace_file
from ocsp_host import pair

WATCHED = ("/livez", "/readyz", "/metrics")


def own_address():
    """This machine's address on some network, None: it has none. Nothing is sent: a datagram socket only chooses its way."""
    for family, somewhere in ((socket.AF_INET, "198.51.100.1"), (socket.AF_INET6, "2001:db8::1")):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as way:
                way.connect((somewhere, 9))
                address = way.getsockname()[0]
        except OSError:
            continue  # no way there, or no such family in this kernel
        if not address.startswith("127.") and address != "::1":
            return address
    return None


ADDRESS = own_address()


def listen_everywhere(service, port):
    path = service.home / "chancery.xml"
    everywhere = "[::]" if ":" in ADDRESS else "0.0.0.0"
    text = path.read_text()
    assert f'listen="127.0.0.1:{port}"' in text
    replace_file(path, text.replace(f'listen="127.0.0.1:{port}"', f'listen="{everywhere}:{port}"'))


@unittest.skipIf(ADDRESS is None, "this machine has no address but loopback")
class Elsewhere(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ca, cls.host = pair()
        for service, port in ((cls.ca, cls.ca.https_port), (cls.host, cls.host.http_port)):
            listen_everywhere(service, port)
        cls.ca.restart()
        snapshot = cls.host.directory / "snapshot"
        snapshot.mkdir()
        cls.ca.chancery("store", "snapshot", snapshot, "--host", "dmz1")
        shutil.copy2(snapshot / "data.mdb", cls.host.home / "store/data.mdb")
        cls.host.start()
        cls.token = cls.ca.chancery("token", "create", "--role", "viewer").text.strip()

    @classmethod
    def tearDownClass(cls):
        for each in (cls.ca, cls.host):
            code = each.stop()
            assert code == 0, each.tail()

    def https(self, address, path, token=None):
        """Without a client certificate; the listener's own is for other names than this address."""
        context = ssl.create_default_context(cafile=str(self.ca.home / "admin/server-ca.pem"))
        context.check_hostname = False
        headers = {"Authorization": "Bearer " + token} if token else {}
        return exchange(http.client.HTTPSConnection(address, self.ca.https_port, timeout=WAIT_S, context=context), "GET", path, None, headers)

    def plain(self, address, path):
        return exchange(http.client.HTTPConnection(address, self.host.http_port, timeout=WAIT_S), "GET", path, None, None)

    def test_from_this_machine_no_login_is_needed(self):
        for path in WATCHED:
            self.assertEqual(self.https("127.0.0.1", path).status, 200, path)
        self.assertEqual(self.https("127.0.0.1", "/nothing").status, 404)
        self.assertEqual(self.https("127.0.0.1", "/api/v1/issuers").status, 401, "these alone")

    def test_from_elsewhere_a_login_is_needed(self):
        for path in (*WATCHED, "/nothing"):
            answer = self.https(ADDRESS, path)
            self.assertEqual((answer.status, answer.type), (401, "application/problem+json"), path)
            self.assertTrue(answer.headers["WWW-Authenticate"])
        self.assertEqual(self.https(ADDRESS, "/metrics", "no token of ours").status, 401)
        for path in WATCHED:
            self.assertEqual(self.https(ADDRESS, path, self.token).status, 200, path)
        self.assertEqual(self.https(ADDRESS, "/nothing", self.token).status, 404)

    def test_an_ocsp_host_tells_this_machine_alone(self):
        for path in WATCHED:
            self.assertEqual(self.plain("127.0.0.1", path).status, 200, path)
            self.assertEqual(self.plain(ADDRESS, path).status, 404, path)
        self.assertEqual(self.plain(ADDRESS, "/").status, 200)


if __name__ == "__main__":
    unittest.main()
