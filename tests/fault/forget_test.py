#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A clock a year ahead, while the service runs and at its start, when the upkeep comes that forgets what is over: nothing is gone
when the clock is right again. Minutes: the upkeep comes once in each."""
import unittest

import der
from faketime import FakedService
from harness import ServiceTest, make_csr, pem_to_der, replace_file, wait_until


class Forget(ServiceTest):
    @classmethod
    def setUpClass(cls):
        cls.service = FakedService()
        path = cls.service.home / "chancery.xml"
        replace_file(path, path.read_text().replace("<store ", '<store prune-after="7d" ', 1))
        cls.service.start()
        cls.csr = make_csr("ec-P-256", "/CN=node1-EC.example.com")
        cls.decided = make_csr("rsa-2048", "/O=Example/CN=CAPF-1a1b2c3d")
        cls.waiting = make_csr("rsa-2048", "/O=Example/CN=CAPF-0a1b2c3d")

    def issue(self):
        answer = self.service.api("/certificates?profile=ucm/tomcat-ECDSA&days=1", "POST", self.csr.der,
                                  {"Content-Type": "application/pkcs10", "Idempotency-Key": "once"})
        return der.Certificate(pem_to_der(answer.text)[0]).serial_hex

    def keyed(self):
        """The state and the serial of what was asked for under a key and is decided."""
        answer = self.service.api("/certificates?profile=ucm/CAPF", "POST", self.decided.der,
                                  {"Content-Type": "application/pkcs10", "Idempotency-Key": "decided", "Accept": "application/json"})
        return answer.status, answer.json()

    def decide(self):
        status, waiting = self.keyed()
        self.assertEqual(status, 202)
        self.service.chancery("request", "approve", waiting["request"], "--yes")
        status, issued = self.keyed()
        self.assertEqual(status, 201)
        return issued["serial"]

    def asked(self):
        """The id of what waits for an approval, asked for again each time."""
        done = self.service.chancery("csr", "sign", "-", "--profile", "ucm/CAPF", stdin=self.waiting.der, check=False)
        self.assertEqual(done.returncode, 4, done.said)
        return done.text.strip()

    def assert_waits(self, request):
        """The list and the one who answers agree."""
        self.assertEqual(self.asked(), request)
        self.assertIn(request, self.service.chancery("request", "list", "--status", "pending", "--output", "jsonl").text)
        self.assertIn('"pending"', self.service.chancery("request", "show", request, "--output", "jsonl").text)

    def lines(self, text):
        return self.service.log.read_text(errors="replace").count(text)

    def assert_kept(self, serial):
        self.assertIn('"valid"' if self.is_right else '"expired"', self.service.chancery("cert", "show", serial, "--output", "json").text)
        self.assertEqual(self.service.chancery("audit", "list", "--kind", "prune", "--output", "jsonl").text, "")

    def is_served(self):
        try:
            return self.service.https("/livez").status == 200
        except OSError:  # a listener's certificate that begins next year
            return False

    def test_nothing_is_forgotten_by_a_clock_a_year_ahead(self):
        self.is_right, serial, request = False, self.issue(), self.asked()
        decided = self.decide()
        self.service.jump("+365d")
        self.assertEqual(self.keyed()[1].get("serial"), decided, "asked anew under its key before the upkeep came")
        wait_until(lambda: self.lines("alarm detail=\"clock.ahead"), "the upkeep sees it")
        self.assert_kept(serial)
        self.assert_waits(request)
        self.service.restart()
        wait_until(lambda: self.lines("alarm detail=\"clock.ahead") == 2, "the upkeep sees it after a start as well")
        self.assert_kept(serial)
        self.assert_waits(request)
        self.is_right = True
        self.service.jump("+0")
        wait_until(lambda: self.lines("alarm-over detail=\"clock.ahead"), "the upkeep sees that it is right")
        self.assert_kept(serial)
        wait_until(self.is_served, "the listener has a certificate of today")
        self.assertEqual(self.issue(), serial, "an Idempotency-Key of a minute ago was forgotten")
        self.assertEqual(self.keyed()[1].get("serial"), decided, "a decided request was forgotten")
        self.service.chancery("request", "approve", request, "--yes")


if __name__ == "__main__":
    unittest.main()
