# SPDX-License-Identifier: Apache-2.0
"""Killed at any point, does `ca renew` leave a home that serves as before or as after, and does the next run finish it?"""
import json
import shutil
import signal
import struct
import unittest

from failing import FailingService
from harness import CHANCERY, run, wait_until

CALL_KINDS = ("write", "sync", "rename")
NEW = "ec-g2"


class Renewal(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stock = FailingService(start=False)
        cls.places = {}  # what of it was there when it was killed: a home in which that is so

    @classmethod
    def tearDownClass(cls):
        cls.stock.forget()

    def killed_at(self, service, call, number):
        """Runs it, to be killed at that call. False: it made no such call, and came to its end."""
        stock = self.stock
        stock.arm("renew", call, after=number)
        stock.control[20:24] = struct.pack("=I", 0)
        done = run(CHANCERY, "ca", "renew", "ec-g1", "--home", service.home, "--quiet", env=stock.environment, check=False)
        hits = stock.disarm()
        self.assertEqual(done.returncode, -signal.SIGKILL if hits else 0, done.said)
        return bool(hits)

    def parts_of(self, home):
        """What is there of it: files, row, element."""
        files = sorted(str(each.relative_to(home)) for each in home.rglob(f"{NEW}*") if ".~" not in each.name)
        has_row = NEW in run(CHANCERY, "config", "check", "--home", home, check=False).said
        return (*files, "row" if has_row else "", "element" if NEW in (home / "chancery.xml").read_text() else "")

    def assert_serves(self, service):
        """The old one, or the new one: whichever chancery.xml names."""
        for option in ((), ("--output", "json")):
            self.assertNotIn("in chancery.xml but not in the store", run(CHANCERY, "config", "check", "--home", service.home, *option, check=False).said)
        self.assertIn(": 0 faults", run(CHANCERY, "store", "check", "--home", service.home).text)

    def certificates(self, home):
        return json.loads(run(CHANCERY, "store", "check", "--home", home, "--output", "json").text)["certificates"]

    def assert_finished(self, service, before=5):
        """With one certificate more than there were before it was killed."""
        home = service.home
        if NEW not in (home / "chancery.xml").read_text():
            run(CHANCERY, "ca", "renew", "ec-g1", "--home", home, "--quiet")
        self.assertIn("ok", run(CHANCERY, "config", "check", "--home", home).text)
        self.assertEqual(self.certificates(home), before + 1)
        run("openssl", "verify", "-x509_strict", "-CAfile", home / "issuers/ec-root-g1.pem", home / f"issuers/{NEW}.pem")
        public = run("openssl", "pkey", "-in", home / f"keys/{NEW}.key", "-pubout").text
        self.assertEqual(run("openssl", "x509", "-in", home / f"public/ca/{NEW}.pem", "-noout", "-pubkey").text, public)
        self.assertEqual(run("openssl", "pkey", "-in", home / f"keys/{NEW}-ocsp.key", "-pubout").text, (home / f"issuers/{NEW}-ocsp.pub").read_text())
        drafts = [each.name for each in home.rglob("*.~*")]
        self.assertEqual(drafts, [], "what a killed run left is gone")

    def test_at_every_call(self):
        for call in CALL_KINDS:
            number, goes_on = 1, True
            while goes_on:
                service = self.stock.copy()
                with self.subTest(call=call, number=number):
                    goes_on = self.killed_at(service, call, number)
                    parts = self.parts_of(service.home)
                    self.assert_serves(service)
                    if parts not in self.places:
                        kept = service.copy()
                        self.places[parts] = kept
                    self.assert_finished(service)
                shutil.rmtree(service.directory)
                number += 1
            self.assertGreater(number, 5, call)
        self.assertGreater(len(self.places), 10, "places in which it was killed")
        self.start_some()

    def start_some(self):
        """The service, with what was there when nothing, the keys, the row, and all but the element was."""
        rows = [each for each in self.places if "row" in each and "element" not in each]
        keys = [each for each in self.places if f"keys/{NEW}-ocsp.key" in each and "row" not in each and "element" not in each]
        for parts in (keys[0], min(rows, key=len), max(rows, key=len)):
            service = self.places[parts]
            begun = self.certificates(service.home)
            service.environment = {}
            service.start()
            try:
                self.assertEqual(service.plain(f"/ca/{NEW}.cer").status, 404)
                wait_until(lambda: service.chancery("health", check=False).returncode in (0, 2), "it is no worse than a warning")
            finally:
                self.assertEqual(service.stop(), 0)
            self.assert_finished(service, self.certificates(service.home) - (begun - 5))


if __name__ == "__main__":
    unittest.main()
