#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A role that is there and does nothing (SIGSTOP): whoever depends on it is told so in time, nobody else notices, and when
it goes on so does the service. Each stopped role has a service of its own, all at once: each answer may take half a
minute."""
import concurrent.futures
import contextlib
import http.client
import os
import signal
import socket
import threading
import time
import unittest

from harness import WAIT_S, Service, make_csr, new_file, der_to_pem, run, wait_until

ANSWER_S = 50  # the api waits 30 s for the ca; the rest is for a busy machine
ISSUER = "ec-g1"


class Stop(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.csr = make_csr("ec-P-256", "/CN=node1-EC.example.com")
        cls.rsa_csr = make_csr("rsa-2048", "/CN=node1.example.com")
        cls.services = {role: Service() for role in ("ca", "signer", "crl", "ocsp-signer", "ocsp", "api")}
        cls.leaves = {role: [each.issued(cls.csr, "ucm/tomcat-ECDSA") for _ in range(2)] for role, each in cls.services.items()}
        cls.pool = concurrent.futures.ThreadPoolExecutor(len(cls.services) * 8)
        cls.addClassCleanup(cls.pool.shutdown)

    @classmethod
    def tearDownClass(cls):
        for each in cls.services.values():
            if each.stop() != 0:
                raise AssertionError(f"SIGTERM: serve did not end with 0:\n{each.tail()}")

    def signal(self, role, signo):
        for pid in self.services[role].roles()[role]:
            os.kill(pid, signo)

    def acts(self, role):
        """Each act by name: gives its status."""
        service, (first, second) = self.services[role], self.leaves[role]
        return {
            "issue": lambda: service.issue(self.csr, "ucm/tomcat-ECDSA"),
            "revoke": lambda: service.revoke(first.serial_hex, "superseded"),
            "publish": lambda: service.api(f"/issuers/{ISSUER}/crl", "POST"),
            "show": lambda: service.api(f"/certificates/{second.serial_hex}"),
            "page": lambda: service.plain("/"),
            "crl": lambda: service.plain(f"/crl/{ISSUER}.crl"),
            "ready": lambda: self.ready(service),
        }

    def ready(self, service):
        """What /readyz says by a signature that was asked for from now on: one that was good is kept for a second."""
        past = time.monotonic() + 1
        while True:
            began = time.monotonic()
            answer = service.https("/readyz")
            if answer.status != 200 or began > past:
                return answer

    def timed(self, act):
        began = time.monotonic()
        answer = act()
        self.assertLess(time.monotonic() - began, ANSWER_S)
        return answer

    def start_acts(self, role):
        self.signal(role, signal.SIGSTOP)
        return {name: self.pool.submit(self.timed, act) for name, act in self.acts(role).items()}

    def assert_acts(self, role, started, refused):
        """Those are answered with 503, everything else is done; and all of it when the role goes on."""
        for name, future in started.items():
            with self.subTest(stopped=role, act=name):
                answer = future.result()
                if name not in refused:
                    self.assertIn(answer.status, (200, 201), (name, answer))
                    continue
                self.assert_refused(answer, name)
        self.go_on(role)

    def assert_refused(self, answer, name):
        self.assertEqual(answer.status, 503, (name, answer))
        if name != "ready":
            self.assertGreater(int(answer.headers["Retry-After"]), 0, name)

    def go_on(self, role):
        self.signal(role, signal.SIGCONT)
        for name, act in self.acts(role).items():
            with self.subTest(continued=role, act=name):
                wait_until(lambda: act().status in (200, 201), f"{name} after {role} went on")
        serials = self.services[role].serials()
        self.assertEqual(len(serials), len(set(serials)))

    def ask(self, role, serial, timeout=ANSWER_S):
        """By openssl, with a nonce."""
        service = self.services[role]
        issuer, trust = service.ca_file(ISSUER), service.ca_file("ec-root-g1", ISSUER)
        leaf = new_file(der_to_pem(serial.der, "CERTIFICATE"), ".pem")
        return run("openssl", "ocsp", "-issuer", issuer, "-cert", leaf, "-CAfile", trust, "-timeout", timeout,
                   "-url", f"http://127.0.0.1:{service.http_port}/ocsp", check=False).said

    def test_a_stopped_ca_signer_or_publisher(self):
        started = {role: self.start_acts(role) for role in ("ca", "signer", "crl")}
        self.assert_acts("ca", started["ca"], ("issue", "revoke", "publish", "ready"))
        self.assert_acts("signer", started["signer"], ("issue", "publish", "ready"))
        self.assertIn("alarm detail=\"crl.failed", self.services["signer"].log.read_text())
        self.assert_acts("crl", started["crl"], ("publish",))

    def test_an_end_while_the_signer_is_stopped(self):
        """Whoever is stopped is killed; the others end in order, and the audit says so."""
        service = Service()
        for pid in service.roles()["signer"]:
            os.kill(pid, signal.SIGSTOP)
        asked = self.pool.submit(service.issue, self.csr, "ucm/tomcat-ECDSA")
        wait_until(lambda: "chancery_ca_questions_waiting 1" in service.https("/metrics").text, "the question is at the ca")
        self.assertEqual(service.stop(), 2)
        with self.assertRaises((OSError, http.client.HTTPException)):
            asked.result(ANSWER_S)
        service.start()
        self.assertIn('"stop"', service.chancery("audit", "list", "--output", "jsonl").said)
        self.assertEqual(service.stop(), 0)

    def held_question(self, service, pid):
        """Stops a signing process while it signs: the one answer that is not to be had; None: it held nothing as it stopped."""
        is_over = threading.Event()

        def load():
            while not is_over.is_set():
                answer = service.issue(self.rsa_csr, "ucm/tomcat")
            return answer

        loads = [self.pool.submit(load) for _ in range(12)]
        time.sleep(0.2)
        os.kill(pid, signal.SIGSTOP)
        is_over.set()
        done, waiting = concurrent.futures.wait(loads, 5)
        for each in done:
            self.assertEqual(each.result().status, 201)
        self.assertLess(len(waiting), 2, "it signs one at a time")
        if waiting:
            return waiting.pop()
        os.kill(pid, signal.SIGCONT)
        return None

    def within_a_look(self, claim, what):
        """What is looked for once a minute."""
        end = time.monotonic() + 60 + WAIT_S
        while not claim():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.1)

    def count(self, service, what):
        return service.log.read_text().count(f"{what} detail=\"signer.silent")

    def test_a_stopped_process_of_a_signer_that_has_several(self):
        service, tries = self.services["signer"], 100  # a signature with RSA takes a fourth of its time, and less
        pids = service.roles()["signer"]
        if len(pids) < 2:
            self.skipTest("one processor has one signing process")
        before = self.count(service, "alarm")
        while (held := self.held_question(service, max(pids))) is None:
            tries -= 1
            self.assertGreater(tries, 0, "it never signed as it was stopped")
        self.within_a_look(lambda: self.count(service, "alarm") > before, "the alarm")
        for name, act in self.acts("signer").items():
            with self.subTest(act=name):
                self.assertIn(self.timed(act).status, (200, 201))
        self.assert_refused(held.result(ANSWER_S), "issue")
        self.go_on("signer")
        self.within_a_look(lambda: self.count(service, "alarm-over") > before, "its end")

    def test_a_stopped_ocsp_signer(self):
        leaf = self.leaves["ocsp-signer"][1]
        self.signal("ocsp-signer", signal.SIGSTOP)
        self.assertIn("trylater", self.ask("ocsp-signer", leaf))
        self.assertIn("alarm detail=\"ocsp.signer", self.services["ocsp-signer"].tail())
        for name, act in self.acts("ocsp-signer").items():
            with self.subTest(act=name):
                self.assertIn(act().status, (200, 201))
        self.signal("ocsp-signer", signal.SIGCONT)
        wait_until(lambda: ": good" in self.ask("ocsp-signer", leaf), "OCSP answers again")
        wait_until(lambda: "alarm-over detail=\"ocsp.signer" in self.services["ocsp-signer"].tail(), "the alarm is over")

    def ask_unheard(self, service, source, count, waiting):
        """Asks for so many lists from that address, which may have 256 connections, and reads no answer."""
        head = f"POST /api/v1/issuers/{ISSUER}/crl HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n".encode()
        context = service.tls()
        for _ in range(count):
            plain = socket.create_connection(("127.0.0.1", service.https_port), ANSWER_S, (source, 0))
            waiting.enter_context(context.wrap_socket(plain, server_hostname="localhost")).sendall(head)

    def test_more_who_ask_for_a_list_than_a_stopped_publisher_s_wire_holds(self):
        service, before = self.services["crl"], self.services["crl"].crl(ISSUER).number
        self.signal("crl", signal.SIGSTOP)
        for host in range(2, 7):
            with contextlib.ExitStack() as waiting:
                self.ask_unheard(service, f"127.0.0.{host}", 190, waiting)
                self.assertEqual(self.timed(self.acts("crl")["issue"]).status, 201)
        refused = self.timed(self.acts("crl")["publish"])
        self.assert_refused(refused, "publish")
        self.assertIn("Too many wait", refused.text)
        self.go_on("crl")
        self.assertLess(service.crl(ISSUER).number - before, 20, "a list for each who asked")

    def test_a_stopped_front_serves_those_who_waited(self):
        for role, front in (("api", lambda: self.acts("api")["issue"]()), ("ocsp", lambda: self.acts("ocsp")["page"]())):
            with self.subTest(role=role):
                self.signal(role, signal.SIGSTOP)
                waiting = [self.pool.submit(front) for _ in range(3)]
                other = "page" if role == "api" else "issue"
                self.assertIn(self.acts(role)[other]().status, (200, 201), "the other front is not concerned")
                self.signal(role, signal.SIGCONT)
                for each in waiting:
                    self.assertIn(each.result(ANSWER_S).status, (200, 201))


if __name__ == "__main__":
    unittest.main()
