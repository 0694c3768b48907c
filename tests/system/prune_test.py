#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Certificates that ended long ago are forgotten as `prune-after` says: OCSP knows them until then, by the archive cutoff it
promises, and no longer; what a list or a decision still needs stays, and the audit keeps every row. openssl is the client."""
import os
import re
import unittest

import der
from faketime import FakedService
from harness import make_csr, new_file, pem_to_der, replace_file, run, wait_until

ISSUER, PROFILE = "ec-g1", "ucm/tomcat-ECDSA"
DAYS, CUTOFF, KEPT = 30, 20, 40  # what is issued lives 30 days, is answered for 20 more, and forgotten 40 after its end
DAY = 86400
ARCHIVE_CUTOFF = "OCSP Archive Cutoff"


class PruneCase(unittest.TestCase):
    """The upkeep, which prunes once a minute, goes by the monotonic clock: it jumps as well."""

    @classmethod
    def setUpClass(cls):
        cls.service = FakedService()
        del cls.service.environment["FAKETIME_DONT_FAKE_MONOTONIC"]
        path = cls.service.home / "chancery.xml"
        text = path.read_text().replace("<store ", f'<store prune-after="{KEPT}d" ', 1)
        replace_file(path, text.replace("<ocsp ", f'<ocsp archive-cutoff="{CUTOFF}d" ', 1))
        cls.service.start()
        cls.offset = 0

    @classmethod
    def tearDownClass(cls):
        if cls.service.stop() != 0:
            raise AssertionError(f"it did not end cleanly:\n{cls.service.tail()}")

    # ---- the clock ----

    def jump(self, days):
        """To so many days from now by the real clock, and a little later each time."""
        self.offset = max(self.offset + 1, round(days * DAY))
        self.service.jump(f"+{self.offset}")

    def upkeep(self, claim, what):
        """Lets minutes pass until the claim holds."""

        def later():
            self.offset += 61
            self.service.jump(f"+{self.offset}")
            self.service.chancery("health", check=False)  # whoever asks wakes the ca
            return claim()

        return wait_until(later, what)

    # ---- acts ----

    def sign(self, name, days=DAYS, kind="ec-P-256"):
        csr = make_csr(kind, f"/CN={name}-EC.example.com", name=name)
        said = self.service.chancery("csr", "sign", new_file(csr.pem, ".csr"), "--profile", PROFILE, "--days", days).text
        leaf = der.Certificate(pem_to_der(said)[0])
        leaf.csr, leaf.path = csr, new_file(said, ".pem")
        return leaf

    def revoke(self, leaf, reason):
        self.service.chancery("cert", "revoke", leaf.serial_hex, "--reason", reason)

    def publish(self):
        self.service.chancery("crl", "publish", "--issuer", ISSUER)
        return self.service.crl(ISSUER).entries

    def ocsp(self, leaf):
        """(status, text) by an openssl that lives at the service's time."""
        trust = self.service.ca_file("ec-root-g1", ISSUER)
        said = run("faketime", "-f", f"+{self.offset}", "openssl", "ocsp", "-issuer", self.service.ca_file(ISSUER), "-serial",
                   "0x" + leaf.serial_hex, "-CAfile", trust, "-resp_text", "-url", f"http://127.0.0.1:{self.service.http_port}/ocsp").said
        self.assertIn("Response verify OK", said)
        return re.search(r"^0x\w+: (\w+)", said, re.M)[1], said

    def statuses(self, **leaves):
        return {name: self.ocsp(leaf)[0] for name, leaf in leaves.items()}

    def is_there(self, leaf):
        return self.service.chancery("cert", "show", leaf.serial_hex, check=False).returncode == 0

    def audit(self, *options):
        return self.service.chancery("audit", "list", "--output", "jsonl", "--limit", "0", *options).text


class Prune(PruneCase):
    def test_what_ended_long_ago_is_forgotten_and_nothing_else(self):
        good, revoked, held, stolen = self.sign("good"), self.sign("revoked"), self.sign("held"), self.sign("stolen")
        lasting = self.sign("lasting", days=365)
        self.revoke(revoked, "superseded")
        self.revoke(held, "certificateHold")
        self.revoke(stolen, "keyCompromise")
        self.assertLessEqual({each.serial_hex for each in (revoked, held, stolen)}, set(self.publish()))

        self.jump(DAYS + CUTOFF / 2)  # ended, and within the cutoff
        wait_until(lambda: self.is_answered(good), "there is an OCSP signer for these days")
        everything = {"good": good, "revoked": revoked, "held": held, "stolen": stolen, "lasting": lasting}
        known = {"good": "good", "revoked": "revoked", "held": "revoked", "stolen": "revoked", "lasting": "good"}
        self.assertEqual(self.statuses(**everything), known)
        for leaf in (good, revoked):
            self.assertIn(ARCHIVE_CUTOFF, self.ocsp(leaf)[1])
        self.assertEqual(self.audit("--kind", "prune"), "")

        self.jump(DAYS + KEPT + 1)  # no list has been made since their end: only what is on none is forgotten
        self.upkeep(lambda: not self.is_there(good), "it is forgotten")
        self.assertEqual(self.statuses(**everything), {**known, "good": "unknown"})
        self.assertLessEqual({revoked.serial_hex, stolen.serial_hex}, set(self.service.crl(ISSUER).entries))
        self.assertIn("1 certificates", self.audit("--kind", "prune"))

        self.assertIn(revoked.serial_hex, self.publish(), "RFC 5280 3.3: once after its end")
        self.assertNotIn(revoked.serial_hex, self.publish())
        self.upkeep(lambda: not self.is_there(revoked) and not self.is_there(stolen), "they are forgotten")
        self.assertEqual(self.statuses(**everything), {**known, "good": "unknown", "revoked": "unknown", "stolen": "unknown"})
        self.assertTrue(self.is_there(held), "somebody has yet to decide it")
        self.assertNotIn(ARCHIVE_CUTOFF, self.ocsp(revoked)[1])
        self.assert_kept(good, revoked, stolen)

    def is_answered(self, leaf):
        self.upkeep(lambda: True, "")
        try:
            return self.ocsp(leaf)
        except AssertionError:
            return None

    def assert_kept(self, good, revoked, stolen):
        """The audit of what is forgotten, and the key that is never taken again."""
        for leaf in (good, revoked, stolen):
            self.assertIn(leaf.serial_hex, self.audit("--serial", leaf.serial_hex, "--kind", "issue"))
        self.assertIn(revoked.serial_hex, self.audit("--serial", revoked.serial_hex, "--kind", "revoke"))
        self.service.chancery("audit", "verify")
        self.assertIn(": 0 faults", self.service.chancery("store", "check").text)
        refused = self.service.chancery("csr", "sign", new_file(stolen.csr.pem, ".csr"), "--profile", PROFILE, check=False)
        self.assertEqual(refused.returncode, 3, refused.said)
        self.sign("revoked")  # a superseded key is not a stolen one


class Damaged(PruneCase):
    def edit(self, pattern, octet):
        path = self.service.home / "store/data.mdb"
        places = [match.start() for match in re.finditer(re.escape(pattern), path.read_bytes())]
        self.assertTrue(places)
        with open(path, "r+b", buffering=0) as file:
            for each in places:
                os.pwrite(file.fileno(), bytes([octet]), each)

    def test_a_row_that_cannot_be_read_is_passed_and_the_service_goes_on(self):
        bent, first, second = (self.sign(name, days) for name, days in (("bent", DAYS - 1), ("first", DAYS), ("second", DAYS + 1)))
        self.edit(b"\x01" + bytes.fromhex(bent.serial_hex) + bytes(6), 0xEE)  # the version of its row; its number is below 65536
        self.jump(DAYS + KEPT + 2)
        self.upkeep(lambda: not self.is_there(first) and not self.is_there(second), "those behind it are forgotten")
        before = self.service.roles()
        for _ in range(3):
            self.upkeep(lambda: True, "one more")
        self.assertEqual(self.service.roles(), before, "nothing was started anew")
        said = self.service.chancery("store", "check", check=False)
        self.assertEqual(said.returncode, 1, said.said)
        self.assertIn("the row cannot be read", said.said)
        self.sign("after")


if __name__ == "__main__":
    unittest.main()
