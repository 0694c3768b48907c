#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A responder on its own: deploy/ocsp-host.xml beside a CA, snapshots copied by hand. Does it say what the CA knew when the snapshot
was taken, and never what a later or half a copy says?"""
import json
import os
import pathlib
import shutil
import tempfile
import time
import unittest

import exposition
from harness import WORK, make_csr, new_file, run, utc_s, wait_until
from ocsp_host import ISSUERS, pair


class OcspHost(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ca, cls.host = pair('<ocsp validity="6h" signer-validity="12h"/>')
        cls.leaves = {"rsa": cls.leaf("rsa"), "ec": cls.leaf("ec")}
        cls.copy_snapshot()
        cls.host.start()

    @classmethod
    def tearDownClass(cls):
        for each in (cls.ca, cls.host):
            code = each.stop()
            assert code == 0, each.tail()

    @classmethod
    def leaf(cls, kind):
        csr = make_csr() if kind == "rsa" else make_csr("ec-P-384", "/CN=node1-EC.example.com")
        leaf = cls.ca.issued(csr, "ucm/tomcat" if kind == "rsa" else "ucm/tomcat-ECDSA")
        leaf.file, leaf.kind = new_file(leaf.chain_pem, ".pem"), kind
        return leaf

    @classmethod
    def snapshot(cls):
        """Taken on the CA host; a directory."""
        directory = pathlib.Path(tempfile.mkdtemp(dir=WORK))
        cls.ca.chancery("store", "snapshot", directory, "--host", "dmz1")
        return directory

    @classmethod
    def copy_snapshot(cls, directory=None):
        """As rsync does: under another name, then renamed."""
        directory = directory or cls.snapshot()
        shutil.copy2(directory / "data.mdb", cls.host.home / "store/.data.mdb.part")
        (cls.host.home / "store/.data.mdb.part").rename(cls.host.home / "store/data.mdb")

    def ask(self, leaf, service=None):
        service = service or self.host
        return run("openssl", "ocsp", "-issuer", self.ca.ca_file(f"{leaf.kind}-g1"), "-cert", leaf.file, "-CAfile",
                   self.ca.ca_file(f"{leaf.kind}-g1", f"{leaf.kind}-root-g1"), "-url", f"http://127.0.0.1:{service.http_port}/ocsp",
                   check=False).said

    def assert_status(self, leaf, status):
        said = self.ask(leaf)
        self.assertIn("Response verify OK", said)
        self.assertIn(f"{leaf.file}: {status}", said)
        return said

    def figure(self, name, service=None):
        metrics = service.https("/metrics") if service else self.host.plain("/metrics")
        for line in metrics.text.splitlines():
            if line.startswith(f"chancery_{name} "):
                return int(line.split()[1])
        self.fail(f"no figure {name}")

    def wait_for_snapshot(self, count):
        wait_until(lambda: self.figure("ocsp_snapshots_total") >= count, "the snapshot is in use")

    # ---- the main line ----

    def test_it_runs_the_two_roles_and_holds_no_ca_key(self):
        self.assertEqual(set(self.host.roles()), {"ocsp", "ocsp-signer"})
        self.assertEqual({each.name for each in (self.host.home / "keys").iterdir()}, {f"{each}-ocsp.key" for each in ISSUERS})
        self.assertEqual({each.name for each in (self.host.home / "store").iterdir()}, {"data.mdb"})  # nothing was written there

    @unittest.skipUnless(os.geteuid() == 0, "accounts of their own are given when started as root")
    def test_started_as_root_its_roles_are_not_root(self):
        for role, pids in self.host.roles().items():
            for pid in pids:
                status = dict(line.split(":\t", 1) for line in open(f"/proc/{pid}/status") if ":\t" in line)
                self.assertNotEqual(status["Uid"].split()[0], "0", role)
                self.assertEqual(int(status["CapEff"], 16), 2 if role == "ocsp" else 0, role)  # CAP_DAC_OVERRIDE: others' snapshots

    def test_a_revocation_is_known_from_the_next_snapshot_on(self):
        for kind in ("rsa", "ec"):
            leaf = self.leaf(kind)
            before = self.figure("ocsp_snapshots_total")
            self.assert_status(leaf, "unknown")  # issued since
            self.copy_snapshot()
            self.wait_for_snapshot(before + 1)
            self.assert_status(leaf, "good")
            self.assertEqual(self.ca.revoke(leaf.serial_hex, "superseded").status, 200)
            self.assertIn("revoked", self.ask(leaf, self.ca))
            self.assert_status(leaf, "good")  # as of the snapshot, and its thisUpdate says so
            self.copy_snapshot()
            self.wait_for_snapshot(before + 2)
            self.assertIn("Reason: superseded", self.assert_status(leaf, "revoked"))

    def test_this_update_is_the_time_of_the_snapshot(self):
        said = run("openssl", "ocsp", "-issuer", self.ca.ca_file("rsa-g1"), "-cert", self.leaves["rsa"].file, "-noverify", "-resp_text",
                   "-no_nonce", "-url", f"http://127.0.0.1:{self.host.http_port}/ocsp").text
        this_update = said.split("This Update: ")[1].splitlines()[0]
        self.assertEqual(utc_s(this_update, "%b %d %H:%M:%S %Y GMT"), self.figure("ocsp_data_time_seconds"))

    def test_an_older_snapshot_is_refused(self):
        old, leaf = self.snapshot(), self.leaf("rsa")
        wait_until(lambda: int(time.time()) > int((old / "data.mdb").stat().st_mtime) + 1, "the clock goes on")
        self.assertEqual(self.ca.revoke(leaf.serial_hex, "superseded").status, 200)
        before = self.figure("ocsp_snapshots_total")
        self.copy_snapshot()
        self.wait_for_snapshot(before + 1)
        self.assert_status(leaf, "revoked")
        self.copy_snapshot(old)
        wait_until(lambda: "older than the last in use" in self.host.tail(), "it has been looked at")
        self.assert_status(leaf, "revoked")
        self.copy_snapshot()
        self.wait_for_snapshot(before + 2)

    def test_half_a_snapshot_is_refused(self):
        whole = self.snapshot()
        data = (whole / "data.mdb").read_bytes()
        (whole / "data.mdb").write_bytes(data[: len(data) // 2 & ~4095])
        before = self.figure("ocsp_snapshots_total")
        self.copy_snapshot(whole)
        wait_until(lambda: "not whole" in self.host.tail(), "it has been looked at")
        self.assertIn('chancery_alarm{code="ocsp.snapshot-refused",subject=""} 1', self.host.plain("/metrics").text)
        self.assert_status(self.leaves["rsa"], "good")
        self.copy_snapshot()
        self.wait_for_snapshot(before + 1)

    # ---- what it says of itself ----

    def test_health_and_page_say_how_old_the_data_is(self):
        health = json.loads(self.host.chancery("health", "--output", "json").text)
        checks = {each["name"]: each for each in health["items"] if "name" in each} if "items" in health else {each["name"]: each for each in health["checks"]}
        self.assertIn("s old", checks["snapshot"]["detail"])
        self.assertEqual({each["status"] for each in checks.values()}, {"ok"}, "signers' certificates of half a day are as they should be")
        self.assertEqual({each for each in checks if each.startswith("ocsp:")}, {f"ocsp:{each}" for each in ISSUERS})
        self.assertIn("As of", self.host.plain("/").text)
        self.assertIn(f'"http 127.0.0.1:{self.host.http_port}, home ', self.host.log.read_text(), "there is no HTTPS to name")
        self.assertEqual(self.host.plain("/readyz").status, 200)
        self.assertEqual(self.host.plain("/livez").status, 200)
        self.assertGreaterEqual(self.figure("ocsp_data_age_seconds"), 0)
        self.assertEqual(self.figure("ocsp_data_age_seconds", self.ca), 0)
        metrics = self.host.plain("/metrics").text
        for each in ('ocsp_requests_total{method="POST"}', 'ocsp_certids_total{status="good"}', "ocsp_cache_hits_total",
                     'ocsp_signatures_total{cause="nonce"}'):
            self.assertIn("chancery_" + each, metrics)
        for service in (self.host.plain("/metrics"), self.ca.https("/metrics")):
            self.assertEqual(exposition.read(service.text)["chancery_ocsp_microseconds"].kind, "histogram")

    def test_the_ca_host_tells_strangers_none_of_it(self):
        for path in ("/metrics", "/readyz", "/livez"):
            self.assertEqual(self.ca.plain(path).status, 404)

    def test_configurations_that_cannot_be_kept_are_refused(self):
        good = (self.host.home / "chancery.xml").read_text()
        for old, new, says in (('max-age="4h"', 'max-age="13h"', "at most half of ocsp validity"), ('every="1s"', 'every="2h"', "at most 1h"),
                               ('<issuer id="ec-g1"', '<issuer id="rsa-g1"', "two issuers have this id"),
                               ("</ocsp-host>", '<https listen="127.0.0.1:1"/></ocsp-host>', "https")):
            done = self.host.chancery("config", "check", new_file(good.replace(old, new), ".xml"), check=False)
            self.assertEqual(done.returncode, 1, done.said)
            self.assertIn(says, done.said)


if __name__ == "__main__":
    unittest.main()
