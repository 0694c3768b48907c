#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills: any role, at any moment. The service ends, says so by its exit code, leaves no process, and what it had
acknowledged is there when it starts again."""
import os
import signal
import threading
import unittest

from harness import WAIT_S, Service, ServiceTest, make_csr, replace_file, wait_until

ROLES = ("signer", "ocsp-signer", "ca", "crl", "ocsp", "api", "watch")


class Kill(ServiceTest):
    def assert_ended(self, code):
        self.assertEqual(self.service.process.wait(timeout=WAIT_S), code, self.service.tail())
        wait_until(lambda: not self.service.roles(), "no process is left")

    def kill_role(self, role):
        """Kills the first process of the role, which started before its workers."""
        os.kill(min(self.service.roles()[role]), signal.SIGKILL)

    def test_the_death_of_any_role_ends_the_service_with_2(self):
        for role in ROLES:
            with self.subTest(role=role):
                self.kill_role(role)
                self.assert_ended(2)
                self.assertIn(role, self.service.tail())
                self.service.start()

    def test_the_death_of_any_signer_worker_ends_the_service(self):
        for role in ("signer", "ocsp-signer"):
            workers = sorted(self.service.roles()[role])[1:]
            with self.subTest(role=role, workers=len(workers)):
                if workers:
                    os.kill(workers[-1], signal.SIGKILL)
                    self.assert_ended(2)
                    self.service.start()

    def test_the_death_of_the_supervisor_ends_every_role(self):
        self.service.process.kill()
        self.assert_ended(-signal.SIGKILL)
        self.service.start()

    def kill_while_issuing(self, kill):
        """Issues from several threads until the service dies; gives what was acknowledged, {serial: octets}."""
        acknowledged, enough, csr = {}, threading.Event(), make_csr("ec-P-256", "/CN=node1-EC.example.com")
        ending, faults = threading.Event(), []

        def client():
            try:
                while True:
                    leaf = self.service.issued(csr, "ucm/tomcat-ECDSA")
                    acknowledged[leaf.serial_hex] = leaf.der
                    if len(acknowledged) >= 20:
                        enough.set()
            except Exception as error:  # the service died, as it should, or something else happened before
                if not ending.is_set():
                    faults.append(repr(error))

        threads = [threading.Thread(target=client) for _ in range(4)]
        for each in threads:
            each.start()
        self.assertTrue(enough.wait(WAIT_S), "clients were served")
        ending.set()
        kill()
        for each in threads:
            each.join(WAIT_S)
            self.assertFalse(each.is_alive(), "every client has had its end")
        self.assertEqual(faults, [])
        return acknowledged

    def assert_all_there(self, acknowledged):
        for serial, octets in acknowledged.items():
            answer = self.service.api(f"/certificates/{serial}.der")
            self.assertEqual((answer.status, answer.body), (200, octets), serial)

    def test_what_was_acknowledged_survives_a_kill_of_any_role(self):
        for role in ("ca", "signer", "api"):
            with self.subTest(role=role):
                acknowledged = self.kill_while_issuing(lambda: self.kill_role(role))
                self.assert_ended(2)
                self.service.start()
                self.assert_all_there(acknowledged)

    def test_what_was_acknowledged_survives_a_kill_of_everything(self):
        acknowledged = self.kill_while_issuing(self.service.kill)
        wait_until(lambda: not self.service.roles(), "no process is left")
        self.service.start()
        self.assert_all_there(acknowledged)

    def test_a_revocation_survives_and_the_crl_number_does_not_fall(self):
        leaf = self.service.issued(make_csr(), "ucm/tomcat")
        self.assert_status(self.service.revoke(leaf.serial_hex, "keyCompromise"), 200)
        self.service.publish("rsa-g1")
        number = self.service.crl("rsa-g1").number
        self.service.kill()
        self.service.start()
        self.assertEqual(self.service.api(f"/certificates/{leaf.serial_hex}").json()["status"], "revoked")
        self.assertGreaterEqual(self.service.crl("rsa-g1").number, number)
        self.assertIn(leaf.serial_hex, self.service.crl("rsa-g1").entries)
        self.service.publish("rsa-g1")
        self.assertGreater(self.service.crl("rsa-g1").number, number)


class Owed(ServiceTest):
    """on-revocation, and a publication that failed."""

    @classmethod
    def setUpClass(cls):
        cls.service = Service(start=False)
        path = cls.service.home / "chancery.xml"
        text = path.read_text()
        assert 'on-revocation="false"' in text
        replace_file(path, text.replace('on-revocation="false"', 'on-revocation="true"'))
        cls.service.start()

    def test_a_revocation_that_no_list_shows_yet_is_published_by_the_next_life(self):
        public = self.service.home / "public"
        for end in (self.service.kill, self.service.stop):
            with self.subTest(end=end.__name__):
                leaf = self.service.issued(make_csr(), "ucm/tomcat")
                (public / "crl").rename(public / "away")
                (public / "crl").write_text("no directory")
                try:
                    self.assert_status(self.service.revoke(leaf.serial_hex, "superseded"), 200)
                    wait_until(lambda: "crl.failed" in self.service.chancery("health", check=False).text, "a publication that fails")
                    end()
                    wait_until(lambda: not self.service.roles(), "no process is left")
                finally:
                    (public / "crl").unlink()
                    (public / "away").rename(public / "crl")
                self.service.start()
                wait_until(lambda: leaf.serial_hex in self.service.crl("rsa-g1").entries, "the list shows it")


if __name__ == "__main__":
    unittest.main()
