#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The static set over a list of many pages: does each page get the rounds that its changes need, and does a responder that is behind
cost one page its rounds and not every page? The service gives pages of two here, as it may."""
import http.client
import http.server
import json
import pathlib
import socket
import socketserver
import tempfile
import threading
import unittest
import urllib.parse

from harness import CHANCERY, WORK, ServiceTest, make_csr, run

LEAVES = 6  # three pages: one more than the rounds that may pass in vain
PAGE = 2


class Quiet(http.server.BaseHTTPRequestHandler):
    def give(self, status, content_type, body):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server:
    """Runs what `self.server` is, until the end of the block."""

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Control(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class ShortPages(Server):
    """A home whose control socket leads to the service, with no more than PAGE rows on a page of certificates."""

    def __init__(self, service):
        class Handler(Quiet):
            def do_GET(self):
                path, _, query = self.path.partition("?")
                if path == "/api/v1/certificates":
                    asked = dict(urllib.parse.parse_qsl(query))
                    pages.append(asked.get("after"))
                    query = urllib.parse.urlencode({**asked, "limit": PAGE})
                connection = Control(service.home / "control.sock")
                connection.request("GET", path + ("?" + query if query else ""))
                answer = connection.getresponse()
                self.give(answer.status, answer.getheader("Content-Type"), answer.read())
                connection.close()

        class Local(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True

        pages = self.pages = []
        self.home = pathlib.Path(tempfile.mkdtemp(dir=WORK))
        self.server = Local(str(self.home / "control.sock"), Handler)


class Responder(Server):
    """A way to the responder: `before(path)` is called first, `kept` are answers that it gives instead. Counts what is asked."""

    def __init__(self, service, before=lambda path: None, kept=()):
        class Handler(Quiet):
            def do_GET(self):
                with lock:
                    asked.append(self.path)
                    before(self.path)
                if self.path in kept:
                    return self.give(200, "application/ocsp-response", kept[self.path])
                answer = service.plain(self.path)
                return self.give(answer.status, answer.type, answer.body)

        asked, lock = [], threading.Lock()
        self.asked = asked
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/ocsp"


class Pages(ServiceTest):
    def setUp(self):
        self.leaves = [self.service.issued(make_csr(name=f"pages-{n}"), "ucm/tomcat") for n in range(LEAVES)]
        self.directory = pathlib.Path(tempfile.mkdtemp(dir=WORK)) / "set"

    def export(self, pages, responder):
        done = run(CHANCERY, "ocsp", "export", self.directory, "--output", "json", "--home", pages.home, "--url", responder.url, check=False)
        return done.returncode, json.loads(done.text)

    def manifest(self):
        """{serial: entry}"""
        return {entry["serial"]: entry for entry in map(json.loads, (self.directory / "manifest.jsonl").read_text().splitlines())}

    def paths(self):
        """{the GET path of a leaf: its serial number}, in the order of the list: the newest first. Makes a set."""
        with ShortPages(self.service) as pages, Responder(self.service) as responder:
            code, said = self.export(pages, responder)
        self.assertEqual((code, said["failed"]), (0, 0))
        self.assertEqual(len(pages.pages), -(-said["certificates"] // PAGE))
        self.assertGreater(len(pages.pages), LEAVES // PAGE)
        entries = self.manifest()
        self.assertEqual(len(entries), said["certificates"])
        return {entries[leaf.serial_hex]["path"]: leaf.serial_hex for leaf in reversed(self.leaves)}

    def hold(self, serial):
        self.service.chancery("cert", "revoke", serial, "--reason", "certificateHold", "--yes")

    def test_every_page_gets_the_round_that_a_change_needs(self):
        """One of each page changes between the list and its answer. The set of before is away, so that all are asked for."""
        paths = self.paths()
        changing = dict(list(paths.items())[::PAGE])
        self.assertEqual(len(changing), 3)
        self.directory = self.directory.with_name("again")

        def happens(path):
            if path in changing and asked_once(path):
                self.hold(changing[path])

        def asked_once(path):
            return responder.asked.count(path) == 1

        with ShortPages(self.service) as pages, Responder(self.service, happens) as responder:
            code, said = self.export(pages, responder)
        self.assertEqual((code, said["failed"]), (0, 0))
        entries = self.manifest()
        for path, serial in paths.items():
            self.assertEqual(entries[serial]["status"], "revoked" if path in changing else "good")
            self.assertEqual(responder.asked.count(path), 2 if path in changing else 1)

    def test_a_responder_that_is_behind_is_waited_for_on_one_page(self):
        """Its answers say good of what is on hold, on every page, however often they are asked for."""
        paths = self.paths()
        kept = {path: self.service.plain(path).body for path in paths}
        for serial in paths.values():
            self.hold(serial)
        with ShortPages(self.service) as pages, Responder(self.service, kept=kept) as responder:
            code, said = self.export(pages, responder)
        self.assertEqual((code, said["failed"]), (2, LEAVES))
        counts = [responder.asked.count(path) for path in paths]
        self.assertEqual(counts[:PAGE], [4] * PAGE, "the first time, two rounds in vain and the last")
        self.assertEqual(counts[PAGE:], [1] * (LEAVES - PAGE))
        entries = self.manifest()
        self.assertEqual([serial for serial in paths.values() if serial in entries], [], "what is out of date is in no set")


if __name__ == "__main__":
    unittest.main()
