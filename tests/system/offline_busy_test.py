#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A dump signed by a service that takes no more for a while: does the run wait as it is told, and end when nothing comes of it?"""
import base64
import http.server
import json
import os
import pathlib
import socketserver
import subprocess
import tempfile
import threading
import time
import unittest

from harness import CHANCERY, WAIT_S, WORK, Service, replace_file, run

DONE, NO_SERVICE = 0, 2
PAUSES = 5  # in a row that bring nothing: cli/dump_sign.c
MAKE_DUMP = os.environ.get("MAKE_DUMP", str(pathlib.Path(CHANCERY).parent / "make_dump"))
PEM = "-----BEGIN CERTIFICATE-----\n" + base64.b64encode(b"any octets").decode() + "\n-----END CERTIFICATE-----\n"


def new_directory():
    return pathlib.Path(tempfile.mkdtemp(dir=WORK))


def dump_of(count):
    directory = new_directory()
    for n in range(count):
        (directory / f"SEP{n:012}.csr").write_text(f"request {n}\n")
    return directory


class Desk(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """A control socket. `answer(n)` says what the n-th question, from 0, gets: a status, and Retry-After or None."""
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, answer):
        self.home, self.answer, self.lock, self.asked, self.statuses = new_directory(), answer, threading.Lock(), 0, []
        self.has_failed = threading.Event()  # a 500 has been sent
        super().__init__(str(self.home / "control.sock"), Handler)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, later, body):
        octets = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json" if status < 300 else "application/problem+json")
        self.send_header("Content-Length", str(len(octets)))
        if later is not None:
            self.send_header("Retry-After", later)
        self.end_headers()
        self.wfile.write(octets)

    def do_POST(self):
        desk = self.server
        self.rfile.read(int(self.headers["Content-Length"]))
        with desk.lock:
            n, desk.asked = desk.asked, desk.asked + 1
        status, later = desk.answer(n)
        with desk.lock:
            desk.statuses.append(status)
        if status == 201 and self.path.startswith("/api/v1/preflight"):
            self.reply(200, None, {"accepted": True, "findings": []})
        elif status == 201:
            self.reply(201, None, {"serial": f"{n:038x}", "pem": PEM, "findings": []})
        else:
            self.reply(status, later, {"type": "urn:chancery:problem:x", "status": status, "detail": f"Not now, {status}."})
        if status == 500:
            desk.has_failed.set()


class Busy(unittest.TestCase):
    def desk(self, answer):
        desk = Desk(answer)
        self.addCleanup(desk.close)
        return desk

    def sign(self, source, desk, *options, out=None, code=DONE):
        out = out or new_directory() / "answers.tgz"
        done = run(CHANCERY, "csr", "sign", source, "--profile", "phone/LSC", "--out", out, "--home", desk.home, *options, check=False)
        self.assertEqual(done.returncode, code, done.said)
        return done

    def test_a_limit_is_waited_for_as_long_as_it_says(self):
        left, full, lock = [3], [], threading.Lock()

        def answer(_):  # three at once, and three more a second after one was turned away
            with lock:
                if full and time.monotonic() - full[0] >= 1:
                    full.clear()
                    left[0] = 3
                if left[0] > 0:
                    left[0] -= 1
                    return 201, None
                full[:] = full or [time.monotonic()]
                return 429, "1"

        desk = self.desk(answer)
        done = self.sign(dump_of(8), desk)
        self.assertIn("8 signed, 0 refused", done.said)
        self.assertEqual(done.said.count("takes no more"), 1, done.said)
        self.assertNotIn("Not now", done.said)
        self.assertEqual(desk.statuses.count(201), 8)
        self.assertLessEqual(desk.statuses.count(429), 5 + 2, "what was under way when it was full, and nothing before it is time")

    def test_a_service_that_does_not_answer_in_time_is_asked_again(self):
        desk = self.desk(lambda n: (503, "1") if n < 2 else (201, None))
        self.assertIn("2 signed", self.sign(dump_of(2), desk).said)
        self.assertEqual(sorted(desk.statuses), [201, 201, 503, 503])

    def test_a_header_that_says_no_number_is_passed_over(self):
        for later in ("Wed, 21 Oct 2026 07:28:00 GMT", "-1", None):
            with self.subTest(later=later):
                desk = self.desk(lambda n: (429, later) if n == 0 else (201, None))
                self.sign(dump_of(1), desk)
                self.assertEqual(desk.statuses, [429, 201])

    def test_what_brings_nothing_ends_the_run_and_is_said_once(self):
        for status in (429, 503):
            with self.subTest(status=status):
                desk = self.desk(lambda _: (status, "1"))
                done = self.sign(dump_of(3), desk, code=NO_SERVICE)
                self.assertEqual(done.said.count("Not now"), 1, done.said)
                self.assertIn("0 are signed and remembered", done.said)
                self.assertTrue(PAUSES < desk.asked <= 3 * (PAUSES + 1), desk.asked)

    def test_a_dry_run_waits_too(self):
        desk = self.desk(lambda n: (429, "1") if n == 0 else (201, None))
        self.assertIn("1 would be signed, 0 refused", self.sign(dump_of(1), desk, "--dry-run").said)

    def test_a_failure_of_many_is_said_once(self):
        desk = self.desk(lambda _: (500, None))
        self.assertEqual(self.sign(dump_of(16), desk, code=NO_SERVICE).said.count("Not now"), 1)

    def test_what_is_signed_while_the_run_ends_is_counted(self):
        def answer(n):
            if n > 0:
                return 500, None
            desk.has_failed.wait(WAIT_S)
            return 201, None

        source, out = dump_of(2), new_directory() / "answers.tgz"
        desk = self.desk(answer)
        done = self.sign(source, desk, out=out, code=NO_SERVICE)
        self.assertIn("1 are signed and remembered", done.said)
        other = self.desk(lambda _: (201, None))
        self.assertIn("1 are signed already", self.sign(source, other, out=out).said)
        self.assertEqual(other.asked, 1)

    def test_a_requester_at_his_limit_has_every_request_signed(self):
        service, count, dump = Service(start=False), 24, new_directory()
        self.addCleanup(service.kill)
        path = service.home / "chancery.xml"
        replace_file(path, path.read_text().replace("</https>", '</https><login><limits requests="2/s"/></login>'))
        service.start()
        token = new_directory() / "token"
        token.write_text(service.chancery("token", "create", "--role", "requester").text)
        subprocess.run([MAKE_DUMP, str(dump), str(count)], check=True, timeout=WAIT_S)
        done = run(CHANCERY, "csr", "sign", dump, "--profile", "phone/LSC-EC", "--out", new_directory() / "answers.tgz", "--token", token,
                   "--server", f"https://localhost:{service.https_port}", "--cacert", service.home / "admin" / "server-ca.pem")
        self.assertIn(f"{count} signed, 0 refused", done.said)
        self.assertIn("status=429", service.log.read_text(), "there was a limit to wait for")
        self.assertEqual(len(service.api("/certificates?profile=phone/LSC-EC&limit=1000").json()["items"]), count)


if __name__ == "__main__":
    unittest.main()
