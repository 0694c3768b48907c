#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""From where: the permit list of both listeners and of roles, changed while the service runs. All of 127/8 is this machine, so that one
machine has many addresses."""
import http.client
import json
import ssl
import unittest

from harness import WAIT_S, Service, ServiceTest, exchange, wait_until


class Permit(ServiceTest):
    def tearDown(self):
        for each in json.loads(self.permit("list", "--output", "json").text)["items"]:
            role = ["--role", each["role"]] if each["role"] else []
            self.permit("remove", each["range"], "--listener", each["listener"], *role)
        wait_until(lambda: self.plain("127.0.0.1") == 200 and self.https("127.0.0.1") == 200, "everybody is let in again")

    def permit(self, *arguments, check=True):
        return self.service.chancery("permit", *arguments, check=check)

    def plain(self, source):
        """The status that a client of that address gets, None: it is turned away."""
        connection = http.client.HTTPConnection("127.0.0.1", self.service.http_port, timeout=WAIT_S, source_address=(source, 0))
        try:
            return exchange(connection, "GET", "/", None, None).status
        except (ConnectionError, http.client.HTTPException):
            return None

    def https(self, source, method="GET", path="/api/v1/issuers", body=None, headers=None, tls=None):
        connection = http.client.HTTPSConnection("127.0.0.1", self.service.https_port, timeout=WAIT_S, context=tls or self.service.tls(),
                                                 source_address=(source, 0))
        try:
            return exchange(connection, method, path, body, headers).status
        except (ConnectionError, http.client.HTTPException, ssl.SSLError):
            return None

    def test_the_plain_listener(self):
        before = len(self.service.log.read_text())
        self.permit("add", "127.0.0.8/30", "--listener", "http")
        wait_until(lambda: self.plain("127.0.0.1") is None, "the list is in force")
        self.assertEqual(self.plain("127.0.0.9"), 200)
        self.assertIsNone(self.plain("127.0.0.12"))
        self.assertEqual(self.https("127.0.0.1"), 200, "the other listener has no list")
        self.permit("remove", "127.0.0.8/30", "--listener", "http")
        wait_until(lambda: self.plain("127.0.0.1") == 200, "an empty list lets everybody in")
        lines = [each for each in self.service.log.read_text()[before:].splitlines() if "turned-away" in each]
        self.assertLessEqual(len(lines), 2, lines)

    def test_the_https_listener(self):
        self.permit("add", "::ffff:127.0.0.8")
        wait_until(lambda: self.https("127.0.0.1") is None, "the list is in force")
        self.assertEqual(self.https("127.0.0.8"), 200)
        self.assertEqual(self.plain("127.0.0.1"), 200)
        self.assertEqual(json.loads(self.permit("list", "--output", "json").text)["items"][0]["range"], "127.0.0.8")

    def test_a_restart_under_lists_that_do_not_name_this_machine(self):
        self.permit("add", "192.0.2.0/24", "--listener", "http")
        self.permit("add", "192.0.2.0/24")
        self.service.restart()
        self.assertIsNone(self.plain("127.0.0.1"), "the list is in force from the first connection")
        self.assertIsNone(self.https("127.0.0.1"))

    def damage(self, name):
        """The version of the row behind its key, while the service is stopped; `name`: what ends the key."""
        path = self.service.home / "store/data.mdb"
        octets = bytearray(path.read_bytes())
        at = octets.find(name)
        self.assertGreater(at, 0)
        while at >= 0:
            octets[at + len(name)] = 0xEE
            at = octets.find(name, at + 1)
        path.write_bytes(octets)

    def readiness_here(self):
        """(exit code, names of what is critical) as the control socket tells."""
        said = self.service.chancery("health", "--output", "json", check=False)
        return said.returncode, [each["name"] for each in json.loads(said.text)["checks"] if each["status"] == "critical"]

    def test_a_damaged_line_shuts_the_door_until_it_is_removed(self):
        self.permit("add", "127.0.0.0/8", "--listener", "http")
        self.permit("add", "127.0.0.0/9", "--listener", "http")
        self.service.stop()
        self.damage(bytes(10) + b"\xff\xff" + bytes([127, 0, 0, 0, 96 + 9]))
        self.service.start()
        self.assertIsNone(self.plain("127.0.0.1"))
        self.assertEqual(self.https("127.0.0.1"), None)
        code, critical = self.readiness_here()
        self.assertNotEqual(code, 0)
        self.assertEqual(sorted(critical), ["permits.unread:http", "permits.unread:https"])
        self.assertRegex(self.service.log.read_text(), "path=/readyz status=503", "that alone makes it so")
        self.assertIn("store-row-damaged", self.service.log.read_text())
        items = json.loads(self.permit("list", "--output", "json").text)["items"]
        self.assertEqual([(each["range"], each["created_by"] is None, each["created_at"] is None) for each in items],
                         [("127.0.0.0/8", False, False), ("127.0.0.0/9", True, True)])
        self.assertIn("127.0.0.0/9", self.permit("list").text)
        for words, code, text in ((["add", "10.0.0.0/8", "--listener", "http"], 2, "permit list cannot be read"), (["add", "127.0.0.0/9", "--listener", "http"], 2, "is there and damaged"),
                                  (["remove", "127.0.0.0/10", "--listener", "http"], 5, "no such line")):
            refused = self.permit(*words, check=False)
            self.assertEqual(refused.returncode, code, refused.said)
            self.assertIn(text, self.service.log.read_text() if code == 2 else refused.said)
        self.permit("remove", "127.0.0.0/9", "--listener", "http")
        wait_until(lambda: self.plain("127.0.0.1") == 200 and self.https("127.0.0.1") == 200, "the list is read")
        self.assertEqual(self.service.https("/readyz").status, 200)
        self.assertIn("removed, damaged as it was, 127.0.0.0/9", self.service.chancery("audit", "list").text)

    def test_a_dry_run_ends_as_the_real_one_and_changes_nothing(self):
        there = ["10.1.0.0/16", "--listener", "http"]
        self.permit("add", *there)
        for words, code in ((["add", "::ffff:10.2.0.1"], 0), (["add", "10.2.0.1"], 3), (["add", *there], 3), (["add", "10.1.0.0/16"], 0),
                            (["add", "10.2.0.1", "--role", "viewer"], 0), (["remove", "10.2.0.1", "--role", "operator"], 5),
                            (["remove", "10.2.0.1", "--role", "viewer"], 0), (["remove", "10.2.0.1"], 0), (["remove", "10.2.0.1"], 5),
                            (["remove", "10.1.0.0/16"], 0), (["add", "10.1.2.3/8"], 1), (["add", "example.com"], 1), (["add", "10.0.0.1", "--listener", "ftp"], 1),
                            (["add", "10.0.0.1", "--role", "king"], 1), (["add", "10.0.0.1", "--listener", "http", "--role", "viewer"], 1)):
            with self.subTest(words=words):
                before = self.permit("list", "--output", "json").text
                dry = self.permit(*words, "--dry-run", check=False)
                self.assertEqual(self.permit("list", "--output", "json").text, before)
                real = self.permit(*words, check=False)
                self.assertEqual((dry.returncode, real.returncode), (code, code), dry.said + real.said)
                if code in (3, 5):
                    self.assertEqual(dry.stderr, real.stderr)
                self.assertEqual(dry.text.startswith(f"would     {words[0]}\n"), code == 0, dry.said)

    def test_a_full_list_takes_no_more(self):
        twin = Service()
        self.addCleanup(twin.kill)
        connection = http.client.HTTPSConnection("127.0.0.1", twin.https_port, timeout=WAIT_S, context=twin.tls())
        self.addCleanup(connection.close)
        for n in range(1024):
            body = json.dumps({"range": f"10.{n // 256}.{n % 256}.0/24", "listener": "http"})
            connection.request("POST", "/api/v1/permits", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            self.assertEqual(answer.status, 201)
        for more in ([], ["--dry-run"]):
            full = twin.chancery("permit", "add", "192.0.2.1", *more, check=False)
            self.assertEqual(full.returncode, 3, full.said)
            self.assertIn("1024 lines", full.said)
        self.assertEqual(twin.chancery("permit", "remove", "10.0.0.0/24", "--listener", "http", "--dry-run").returncode, 0)

    def test_a_role(self):
        token = self.service.chancery("token", "create", "--role", "operator").text.strip()
        bearer = {"headers": {"Authorization": "Bearer " + token}, "tls": self.service.tls(None)}
        self.assertEqual(self.https("127.0.0.7", **bearer), 200)
        self.permit("add", "127.0.0.8", "--role", "operator")
        wait_until(lambda: self.https("127.0.0.7", **bearer) == 403, "the list is in force")
        self.assertEqual(self.https("127.0.0.8", **bearer), 200)
        self.assertEqual(self.https("127.0.0.7"), 200, "an administrator may come from there")

    def test_nobody_shuts_himself_out(self):
        body = {"method": "POST", "path": "/api/v1/permits", "headers": {"Content-Type": "application/json"}}
        self.assertEqual(self.https("127.0.0.1", body='{"range": "192.0.2.0/24"}', **body), 409)
        self.assertEqual(self.https("127.0.0.1", body='{"range": "192.0.2.0/24", "role": "administrator"}', **body), 409)
        self.assertEqual(self.https("127.0.0.1", body='{"range": "127.0.0.0/8"}', **body), 201)
        self.assertEqual(self.https("127.0.0.1", body='{"range": "192.0.2.0/24"}', **body), 201)
        self.assertEqual(self.https("127.0.0.1", "DELETE", "/api/v1/permits?range=127.0.0.0/8"), 409)
        self.assertEqual(self.https("127.0.0.1", "DELETE", "/api/v1/permits?range=192.0.2.0/24"), 200)

    def test_the_control_socket_is_always_open(self):
        self.permit("add", "192.0.2.1")
        self.permit("add", "192.0.2.1", "--role", "administrator")
        wait_until(lambda: self.https("127.0.0.1") is None, "the list is in force")
        self.assertIn("192.0.2.1", self.permit("list").text)
        self.assertEqual(self.service.chancery("ca", "list").returncode, 0)

    def test_what_is_no_line(self):
        for arguments, code in ((["10.0.0.1/8"], 1), (["10.0.0.0/33"], 1), (["ten"], 1), (["10.0.0.0/8", "--listener", "ftp"], 1),
                                (["10.0.0.0/8", "--role", "king"], 1), (["10.0.0.0/8", "--listener", "http", "--role", "viewer"], 1)):
            with self.subTest(arguments=arguments):
                self.assertEqual(self.permit("add", *arguments, check=False).returncode, code)
        self.assertEqual(self.permit("remove", "10.0.0.0/8", check=False).returncode, 5)
        self.permit("add", "127.0.0.0/8")
        self.assertEqual(self.permit("add", "127.0.0.0/8", check=False).returncode, 3)


if __name__ == "__main__":
    unittest.main()
