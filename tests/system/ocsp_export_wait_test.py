#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does an export wait for a responder that signs a little at a time for as long as it takes, and give up with a reason on one that signs nothing?
Minutes, for the long run."""
import http.server
import json
import pathlib
import tempfile
import threading
import unittest

from harness import WORK, Service, ServiceTest, make_csr, replace_file

CERTIFICATES = 80  # at one a second more than a minute
NO_SERVICE = 2
TRY_LATER = bytes([0x30, 3, 0x0A, 1, 3])


class Later(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/ocsp-response")
        self.send_header("Content-Length", str(len(TRY_LATER)))
        self.end_headers()
        self.wfile.write(TRY_LATER)

    def log_message(self, *_):
        pass


class Wait(ServiceTest):
    @classmethod
    def setUpClass(cls):
        cls.service = Service(start=False)
        settings = cls.service.home / "chancery.xml"
        replace_file(settings, settings.read_text().replace("<ocsp ", '<ocsp live-rate="1/s" '))
        cls.service.start()
        for i in range(CERTIFICATES - len(cls.service.serials())):
            cls.service.issued(make_csr("ec-P-256", f"/CN=wait{i}.example.com", name="wait"), "general/client")

    def export(self, *words, **options):
        return self.service.chancery("ocsp", "export", pathlib.Path(tempfile.mkdtemp(dir=WORK)) / "set", "--output", "json", *words, **options)

    def test_one_a_second_is_waited_for(self):
        done = json.loads(self.export().text)
        self.assertEqual((done["certificates"], done["written"], done["failed"]), (CERTIFICATES, CERTIFICATES, 0))

    def test_none_in_a_minute_is_given_up_with_a_reason(self):
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Later) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                done = self.export("--url", f"http://127.0.0.1:{server.server_port}/ocsp", check=False)
            finally:
                server.shutdown()
                thread.join()
        self.assertEqual(done.returncode, NO_SERVICE, done.said)
        self.assertIn("try later", done.stderr.decode())
        self.assertEqual(json.loads(done.text)["failed"], CERTIFICATES)


if __name__ == "__main__":
    unittest.main()
