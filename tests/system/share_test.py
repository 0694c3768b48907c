#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One address has its share, and another has its own beside it: of connections at once on each listener, and of requests."""
import http.client
import unittest

from harness import WAIT_S, Service, ServiceTest, exchange, make_csr, replace_file, wait_until

ONE, OTHER = ("127.0.0.8", 0), ("127.0.0.9", 0)  # this machine's, all of them
SHARE = 2


class Share(ServiceTest):
    @classmethod
    def setUpClass(cls):
        cls.service = Service(start=False)
        path = cls.service.home / "chancery.xml"
        text = path.read_text().replace("</https>", '</https><login><limits requests-per-address="5/h"/></login>')
        for name in ("http", "https"):
            text = text.replace(f"<{name} ", f'<{name} connections-per-address="{SHARE}" ')
        replace_file(path, text)
        cls.service.start()
        cls.csr = make_csr().der

    def connection(self, scheme, source):
        """One that is kept: it has been answered."""
        if scheme == "http":
            made = http.client.HTTPConnection("127.0.0.1", self.service.http_port, WAIT_S, source)
        else:
            made = http.client.HTTPSConnection("127.0.0.1", self.service.https_port, timeout=WAIT_S, source_address=source, context=self.service.tls())
        self.addCleanup(made.close)
        self.assertTrue(self.is_served(made, "/" if scheme == "http" else "/livez"))
        return made

    def is_served(self, connection, path):
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            return answer.status == 200
        except (OSError, http.client.HTTPException):
            connection.auto_open = 0  # it stays closed
            return False

    def test_connections(self):
        for scheme, path in (("http", "/"), ("https", "/livez")):
            with self.subTest(scheme):
                other = self.connection(scheme, OTHER)
                held = [self.connection(scheme, ONE) for _ in range(SHARE + 2)]
                served = [self.is_served(each, path) for each in held]
                self.assertEqual(served, [False] * 2 + [True] * SHARE, "a new one takes the place of the oldest")
                self.assertTrue(self.is_served(other, path))

    def ask(self, token, source):
        """The status of a preflight."""
        context = self.service.tls(None)
        connection = http.client.HTTPSConnection("localhost", self.service.https_port, timeout=WAIT_S, source_address=source, context=context)
        headers = {"Authorization": "Bearer " + token, "Content-Type": "application/pkcs10"}
        return exchange(connection, "POST", "/api/v1/preflight?profile=ucm/tomcat", self.csr, headers).status

    def test_requests_under_any_name(self):
        first, second = (self.service.chancery("token", "create", "--role", "requester").text.strip() for _ in range(2))
        wait_until(lambda: self.ask(first, ONE) == 429, "the share is used up")
        self.assertEqual(self.ask(second, ONE), 429)
        self.assertEqual(self.ask(second, OTHER), 200)


if __name__ == "__main__":
    unittest.main()
