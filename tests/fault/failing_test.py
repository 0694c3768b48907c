#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each write, sync, open, rename and allocation of issue, revoke and publish fails in turn, in each role that takes
part. Whatever fails: what was acknowledged is there, what was refused was refused as it should be, and the service goes
on, or ends by itself with 2 and starts again. FAILING_POINTS says how many calls of each kind are tried (50: all of the
first 50; 8: eight of them)."""
import errno
import hashlib
import http.client
import itertools
import os
import re
import signal
import ssl
import sys
import unittest

import crash
from failing import FailingService
from harness import ROOT, Service, ServiceTest, make_csr, wait_until

POINTS = int(os.environ.get("FAILING_POINTS", "8"))
MOST = 50
GONE = (OSError, http.client.HTTPException, ssl.SSLError)
ISSUER = "ec-g1"
ROLES = {"issue": ("api", "ca", "signer"), "revoke": ("api", "ca"), "publish": ("api", "ca", "crl", "signer")}
# Where each act has calls of a kind, so that some of them have to fail: docs/reliability.md has the numbers of a long run.
WRITING = {"issue": {"ca"}, "revoke": {"ca"}, "publish": {"ca", "crl"}}
REACHED = {"write": WRITING, "sync": WRITING, "open": {"publish": {"crl"}}, "rename": {"publish": {"crl"}},
           "allocate": {name: set(roles) for name, roles in ROLES.items()}}


def points():
    """Which of the first 50 calls: all, or some with the earliest among them."""
    if POINTS >= MOST:
        return range(1, MOST + 1)
    return sorted({1, 2, 3, *(round(4 + (MOST - 4) * i / (POINTS - 4)) for i in range(POINTS - 3))})


class Failing(ServiceTest):
    @classmethod
    def setUpClass(cls):
        cls.service = FailingService()
        cls.addClassCleanup(cls.service.forget)
        cls.service.role_count = len(cls.service.roles())
        cls.csr = make_csr("ec-P-256", "/CN=node1-EC.example.com")
        cls.issued, cls.revoked, cls.number, cls.asked = {}, set(), 0, itertools.count()

    # ---- acts: the answer, or None when there was none; what is acknowledged is kept ----

    def issue(self):
        answer = self.service.issue(self.csr, "ucm/tomcat-ECDSA", accept="application/pkix-cert")
        if answer.status == 201:
            self.issued[answer.headers["Location"].rsplit("/", 1)[1]] = answer.body
        return answer

    def revoke(self):
        serial = next(each for each in self.issued if each not in self.revoked)
        answer = self.service.revoke(serial, "superseded")
        if answer.status == 200:
            self.revoked.add(serial)
        return answer

    def publish(self):
        answer = self.service.api(f"/issuers/{ISSUER}/crl", "POST")
        if answer.status == 200:
            number = self.service.crl(ISSUER).number
            self.assertGreater(number, self.number, "a CRL number comes twice")
            self.number = number
        return answer

    def ask(self):
        """A certificate that a second person decides on: what the ca says of it is a line in the log."""
        return self.service.issue(make_csr("rsa-2048", f"/O=Example/CN=CAPF-{next(self.asked):08x}"), "ucm/CAPF")

    def act(self, name):
        try:
            return getattr(self, name)()
        except GONE:
            return None

    def assert_refused(self, answer, role):
        """No answer at all, or one that says so; what the crl could not write, it can write later."""
        if answer is not None:
            self.assertIn(answer.status, (503,) if role == "crl" else (500, 503), answer)
            if answer.status == 503:
                self.assertGreater(int(answer.headers["Retry-After"]), 0)

    def back(self):
        """The service as it is after a fault: alive and well, or ended with 2 and started again. True: it had ended."""
        code = self.service.has_ended()
        if code is None:
            return False
        self.assertEqual(code, 2, self.service.tail())
        self.service.start()
        return True

    def fail_one(self, name, role, call, after):
        """False: the act has no such call any more."""
        with self.service.armed(role, call, after):
            answer = self.act(name)
        hits = self.service.disarm()
        if hits == 0:
            self.assertIn(answer.status if answer else None, (200, 201), answer)
            return False
        self.reached.add(role)
        if answer is None or answer.status not in (200, 201):
            self.assert_refused(answer, role)
        ended = self.back()
        self.seen["ended" if ended else "went on"] += 1
        if role == "ca" and call in ("write", "sync"):
            self.assertTrue(ended, "a writer that could not write went on")
            self.assertIsNone(answer, "acknowledged without being durable")
        again = self.act(name)
        self.assertIn(again.status if again else None, (200, 201), again)
        return True

    def fail_each(self, name, call):
        self.seen, self.reached = {"ended": 0, "went on": 0}, set()
        for role in ROLES[name]:
            for after in points():
                with self.subTest(act=name, role=role, call=call, after=after):
                    self.issue()  # something to revoke
                    if not self.fail_one(name, role, call, after):
                        break
        print(f"{name}, {call}: {sum(self.seen.values())} failed, the service went on after {self.seen['went on']} "
              f"and ended after {self.seen['ended']}", file=sys.stderr)
        self.assertLessEqual(REACHED[call].get(name, set()), self.reached, "a role in which nothing failed")

    def assert_nothing_lost(self):
        self.service.kill()
        wait_until(lambda: not self.service.roles(), "no process is left")
        self.service.start()
        crash.check(self, self.service, (self.issued, self.revoked, self.number), set(self.issued))

    def fail_all(self, call):
        for name in ROLES:
            self.fail_each(name, call)
        self.assert_nothing_lost()

    def test_each_write(self):
        self.fail_all("write")

    def test_each_sync(self):
        self.fail_all("sync")

    def test_each_open_and_rename(self):
        self.fail_all("open")
        self.fail_all("rename")

    def test_each_allocation(self):
        self.fail_all("allocate")

    def test_the_document_names_what_has_failed(self):
        text = (ROOT / "docs/reliability.md").read_text()
        rows = [[each.strip() for each in line.strip("| ").split("|")] for line in text.splitlines() if line.startswith("| ")]
        head = next(each for each in rows if each[:1] == ["write"])
        self.assertEqual(head, ["write", "sync", "open", "rename", "allocation"])
        named = {row[0]: row[1:] for row in rows if row[0] in ROLES and len(row) == 1 + len(head)}
        self.assertEqual(set(named), set(ROLES))
        for name, cells in named.items():
            for call, cell in zip(REACHED, cells):
                with self.subTest(act=name, call=call):
                    self.assertEqual(cell != "none", name in REACHED[call], cell)

    # ---- a disk that has failed ----

    def test_after_a_failed_sync_nothing_is_acknowledged_until_a_restart(self):
        before = len(self.issued)
        with self.service.armed("ca", "sync", is_lasting=True):
            for name in ("issue", "issue", "publish"):
                self.assertIsNone(self.act(name))
            self.assertEqual(self.service.has_ended(), 2)
            self.assertIn("store-failed", self.service.tail())
            self.assertEqual(len(self.issued), before)
            with self.assertRaises(AssertionError):
                self.service.start()  # the disk has not come back
        self.service.start()
        self.assertEqual(self.issue().status, 201)

    def test_a_log_that_cannot_be_written_stops_nobody(self):
        for role in ("api", "ca", "crl"):
            with self.service.armed(role, "log", is_lasting=True, error=errno.ENOSPC):
                self.assertEqual(self.issue().status, 201)
                self.assertEqual(self.revoke().status, 200)
                self.assertEqual(self.publish().status, 200)
                self.assertEqual(self.ask().status, 202)
                self.assertGreater(self.service.disarm(), 0, f"the {role} had nothing to say")

    def test_a_log_that_nobody_reads_any_more_stops_nobody(self):
        """`deploy/run 2>&1 | tee log` whose tee has ended: each line is a write into a pipe without a reader, in every process."""
        service = Service(start=False)
        path = service.home / "chancery.xml"
        service.log = service.directory / "pipe"
        service.tail = lambda: "nobody reads it\n"  # to open it would wait for a writer
        os.mkfifo(service.log)
        reader = os.open(service.log, os.O_RDONLY | os.O_NONBLOCK)
        service.start()
        self.addCleanup(service.kill)
        os.close(reader)
        with self.assertRaises(OSError) as caught:
            os.open(service.log, os.O_WRONLY | os.O_NONBLOCK)
        self.assertEqual(caught.exception.errno, errno.ENXIO, "it has no reader")
        self.assertEqual(service.issue(self.csr, "ucm/tomcat-ECDSA").status, 201)
        self.assertEqual(service.api(f"/issuers/{ISSUER}/crl", "POST").status, 200)
        path.write_text(re.sub(r'<confine level="\w+"', '<confine level="basic"', path.read_text()) + "<!-- changed -->\n")  # for a restart: `serve` says so
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: service.chancery("audit", "list", "--kind", "config").text.count(digest) == 2, "ca and api have taken it")
        self.assertEqual(service.https("/readyz").status, 200)
        self.assertEqual(service.api(f"/issuers/{ISSUER}/crl", "POST").status, 200)
        self.assertEqual(service.stop(), 0)

    def test_a_published_file_that_cannot_be_written_leaves_the_old_one_and_heals(self):
        self.publish()
        before = self.service.plain(f"/crl/{ISSUER}.crl").body
        for call in ("write", "sync", "open", "rename"):
            with self.subTest(call=call), self.service.armed("crl", call, is_lasting=True):
                answer = self.publish()
                self.assert_refused(answer, "crl")
                self.assertIsNotNone(answer, "the crl lives on")
                if call == "open":  # of the directory, to sync it, when the new file has its name already
                    self.assertGreaterEqual(self.service.crl(ISSUER).number, self.number)
                else:
                    self.assertEqual(self.service.plain(f"/crl/{ISSUER}.crl").body, before)
                alarms = [each["name"] for each in self.service.https("/readyz").json()["checks"]]
                self.assertTrue([each for each in alarms if each.startswith("crl.")], alarms)
            self.assertIsNone(self.service.has_ended())
            wait_until(lambda: self.publish().status == 200, "publishing resumes")
            before = self.service.plain(f"/crl/{ISSUER}.crl").body


if __name__ == "__main__":
    unittest.main()
