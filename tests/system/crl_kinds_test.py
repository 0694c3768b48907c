#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Full, delta and sharded CRLs in the eyes of openssl, gnutls, Java and strongSwan: who is refused, who is accepted, and what a change of
the configuration leaves as it was."""
import re
import signal
import time
import unittest

import der
from harness import ROOT, Service, ServiceTest, make_csr, new_file, pem_to_der, replace_file, run, wait_until

DELTA, POINT, FRESHEST, POINTS = "2.5.29.27", "2.5.29.28", "2.5.29.46", "2.5.29.31"
VERIFY = ("openssl", "verify", "-purpose", "any", "-crl_check_all", "-extended_crl")


def configure(service, issuer, **attributes):
    """Sets attributes of one issuer's <crl>; None takes one away."""
    path = service.home / "chancery.xml"
    text = path.read_text()
    found = re.search(rf'(<issuer id="{issuer}"[^>]*>\s*)<crl ([^>]*)/>', text)
    values = dict(re.findall(r'([\w-]+)="([^"]*)"', found[2]))
    for name, value in attributes.items():
        values[name.replace("_", "-")] = value
    crl = " ".join(f'{name}="{value}"' for name, value in values.items() if value is not None)
    replace_file(path, text[:found.start()] + found[1] + f"<crl {crl}/>" + text[found.end():])


def shard_of(serial, count):
    """The number in the name of its list: docs/configuration.md, Shards."""
    bits = count.bit_length() - 1
    return count + (int(serial[6:8], 16) >> (8 - bits))


class Kinds(ServiceTest):
    """ec-g1 has deltas, rsa-g1 has four shards and deltas. Deltas come every two seconds, so that nothing here waits long."""

    @classmethod
    def setUpClass(cls):
        cls.service = Service(start=False)
        configure(cls.service, "ec-g1", delta_every="2s", every="1h", overlap="1h")
        configure(cls.service, "rsa-g1", delta_every="2s", every="1h", overlap="1h", shards="4")
        cls.service.start()
        cls.roots = {kind: cls.service.ca_file(f"{kind}-root-g1") for kind in ("rsa", "ec")}

    def leaf(self, kind="ec"):
        csr = make_csr() if kind == "rsa" else make_csr("ec-P-384", "/CN=node1-EC.example.com")
        leaf = self.service.issued(csr, "ucm/tomcat" if kind == "rsa" else "ucm/tomcat-ECDSA")
        leaf.file, leaf.kind = new_file(leaf.chain_pem, ".pem"), kind
        leaf.lists = (f"{kind}-root-g1", f"{kind}-g1" if kind == "ec" else f"rsa-g1-{shard_of(leaf.serial_hex, 4)}")
        return leaf

    def verdict(self, leaf, *lists):
        """openssl's, with these lists and no others."""
        crls = self.service.crl_file(*lists)
        return run(*VERIFY, "-use_deltas", "-CAfile", self.roots[leaf.kind], "-CRLfile", crls, "-untrusted", leaf.file, leaf.file,
                   check=False)

    def java(self, leaf, *lists, fetches=False):
        """Java's; it may also fetch what the certificates name."""
        return run("java", "-Xshare:auto", f"-Dcom.sun.security.enableCRLDP={str(fetches).lower()}", ROOT / "tests/system/CrlCheck.java", self.roots[leaf.kind], leaf.file,
                   self.service.crl_file(*lists), check=False)

    def assert_good(self, done):
        self.assertEqual(done.returncode, 0, done.said)

    def assert_refused(self, done, why="certificate revoked"):
        self.assertNotEqual(done.returncode, 0, done.said)
        self.assertIn(why.lower(), done.said.lower())

    def revoked(self, leaf, reason="superseded"):
        self.assert_status(self.service.revoke(leaf.serial_hex, reason), 200)

    def delta_says(self, name, leaf, reason):
        """Waits until the delta has this reason for it (its octet)."""
        def claim():
            entry = self.service.crl(f"{name}-delta").entries.get(leaf.serial_hex)
            return entry is not None and entry.get(der.REASON) == der.tlv(0x0A, bytes([reason]))
        wait_until(claim, f"the delta of {name} says {reason}")

    def base_of(self, crl):
        critical, value = crl.extensions[DELTA]
        self.assertTrue(critical)
        return int.from_bytes(der.Element(value).body, "big")

    # ---- deltas ----

    def test_a_delta_has_a_base_and_the_complete_list_names_it(self):
        self.service.publish("ec-g1")
        whole, delta = self.service.crl("ec-g1"), self.service.crl("ec-g1-delta")
        self.assertLess(self.base_of(delta), delta.number)
        self.assertNotIn(FRESHEST, delta.extensions)
        critical, value = whole.extensions[FRESHEST]
        self.assertFalse(critical)
        self.assertIn(b"/crl/ec-g1-delta.crl", value)
        leaf = der.Certificate(pem_to_der(self.leaf().chain_pem)[0])
        self.assertIn(b"/crl/ec-g1-delta.crl", leaf.value(FRESHEST))

    def test_numbers_rise_over_both_kinds(self):
        seen = []
        for _ in range(3):
            self.service.publish("ec-g1")
            seen.append(self.service.crl("ec-g1").number)
            wait_until(lambda: self.service.crl("ec-g1-delta").number > seen[-1], "the next delta")
            seen.append(self.service.crl("ec-g1-delta").number)
        self.assertEqual(seen, sorted(set(seen)))

    def test_one_that_was_revoked_since_is_refused_by_the_delta_alone(self):
        leaf, other = self.leaf(), self.leaf()
        self.service.publish("ec-g1")
        self.revoked(leaf)
        self.delta_says("ec-g1", leaf, 4)
        self.assertNotIn(leaf.serial_hex, self.service.crl("ec-g1").entries)
        self.assert_good(self.verdict(leaf, "ec-root-g1", "ec-g1"))
        self.assert_refused(self.verdict(leaf, "ec-root-g1", "ec-g1", "ec-g1-delta"))
        self.assert_good(self.verdict(other, "ec-root-g1", "ec-g1", "ec-g1-delta"))
        self.service.publish("ec-g1")
        self.assert_refused(self.verdict(leaf, "ec-root-g1", "ec-g1"))
        self.assert_good(self.verdict(other, "ec-root-g1", "ec-g1"))

    def test_one_that_was_released_since_is_accepted_with_the_delta(self):
        leaf = self.leaf()
        self.revoked(leaf, "certificateHold")
        self.service.publish("ec-g1")
        self.assert_refused(self.verdict(leaf, "ec-root-g1", "ec-g1"))
        self.assert_status(self.service.unhold(leaf.serial_hex), 200)
        self.delta_says("ec-g1", leaf, 8)  # removeFromCRL
        self.assert_refused(self.verdict(leaf, "ec-root-g1", "ec-g1"))
        self.assert_good(self.verdict(leaf, "ec-root-g1", "ec-g1", "ec-g1-delta"))
        self.service.publish("ec-g1")
        whole, delta = self.service.crl("ec-g1"), self.service.crl("ec-g1-delta")
        self.assertNotIn(leaf.serial_hex, whole.entries)
        if delta.number == whole.number:  # no later one has come yet: it goes with the base before
            self.assertEqual(delta.entries[leaf.serial_hex][der.REASON], der.tlv(0x0A, b"\x08"))
        wait_until(lambda: self.base_of(self.service.crl("ec-g1-delta")) == whole.number, "a delta to the new base")
        self.assertNotIn(leaf.serial_hex, self.service.crl("ec-g1-delta").entries, "the base shows it")

    # ---- shards ----

    def test_a_certificate_names_its_shard_and_is_on_no_other(self):
        leaves = [self.leaf("rsa") for _ in range(6)]
        for leaf in leaves:
            shard = shard_of(leaf.serial_hex, 4)
            certificate = der.Certificate(pem_to_der(leaf.chain_pem)[0])
            self.assertIn(f"/crl/rsa-g1-{shard}.crl".encode(), certificate.value(POINTS))
            self.assertIn(f"/crl/rsa-g1-{shard}-delta.crl".encode(), certificate.value(FRESHEST))
            self.revoked(leaf)
        self.service.publish("rsa-g1")
        lists = {shard: self.service.crl(f"rsa-g1-{shard}") for shard in range(4, 8)}
        for leaf in leaves:
            on = [shard for shard, crl in lists.items() if leaf.serial_hex in crl.entries]
            self.assertEqual(on, [shard_of(leaf.serial_hex, 4)])
            self.assertIn(leaf.serial_hex, self.service.crl("rsa-g1").entries, "the complete list has all")
        for shard, crl in lists.items():
            critical, value = crl.extensions[POINT]
            self.assertTrue(critical)
            self.assertIn(f"/crl/rsa-g1-{shard}.crl".encode(), value)
        self.assertNotIn(POINT, self.service.crl("rsa-g1").extensions)
        self.assertEqual(len({crl.number for crl in lists.values()} | {self.service.crl("rsa-g1").number}), 1, "one run, one number")

    def test_openssl_takes_the_right_shard_and_no_other(self):
        good, bad = self.leaf("rsa"), self.leaf("rsa")
        self.revoked(bad)
        self.service.publish("rsa-g1")
        root, shard = good.lists
        other = f"rsa-g1-{4 + (int(shard[-1]) - 4 + 1) % 4}"
        self.assert_good(self.verdict(good, root, shard))
        self.assert_good(self.verdict(good, root, shard, shard + "-delta"))
        self.assert_good(self.verdict(good, root, "rsa-g1"))
        self.assert_refused(self.verdict(good, root, other), "different CRL scope")
        self.assert_refused(self.verdict(bad, *bad.lists))
        self.assert_refused(self.verdict(bad, root, "rsa-g1"))

    def test_a_shard_has_its_delta(self):
        leaf = self.leaf("rsa")
        root, shard = leaf.lists
        self.service.publish("rsa-g1")
        self.revoked(leaf)
        self.delta_says(shard, leaf, 4)
        self.assert_good(self.verdict(leaf, root, shard))
        self.assert_refused(self.verdict(leaf, root, shard, shard + "-delta"))
        self.assert_good(self.verdict(leaf, root, shard, "rsa-g1-delta"))  # of another scope: no part of it

    # ---- other programs ----

    def test_java(self):
        for kind in ("ec", "rsa"):
            with self.subTest(kind=kind):
                good, bad = self.leaf(kind), self.leaf(kind)
                self.revoked(bad)
                self.service.publish(f"{kind}-g1")
                said = self.java(good, *good.lists)
                self.assertEqual((said.returncode, said.text), (0, "good\n"), said.said)
                self.assert_refused(self.java(bad, *bad.lists), "REVOKED")
                self.assert_refused(self.java(bad, bad.lists[0], fetches=True), "REVOKED")
        other = f"rsa-g1-{4 + (int(good.lists[1][-1]) - 4 + 1) % 4}"
        self.assert_refused(self.java(good, good.lists[0], other), "UNDETERMINED_REVOCATION_STATUS")

    def test_java_reads_a_delta(self):
        leaf = self.leaf()
        self.service.publish("ec-g1")
        self.revoked(leaf, "privilegeWithdrawn")
        self.delta_says("ec-g1", leaf, 9)
        said = run("java", "-Xshare:auto", ROOT / "tests/system/CrlCheck.java", self.roots["ec"], leaf.file,
                   self.service.crl_file("ec-g1-delta"), "print", check=False).said
        self.assertIn(f"{leaf.serial_hex.lstrip('0')} PRIVILEGE_WITHDRAWN", said)

    def test_openssl_gnutls_and_strongswan_print_every_kind(self):
        leaf = self.leaf("rsa")
        shard = leaf.lists[1]
        self.service.publish("rsa-g1")
        self.revoked(leaf)
        self.delta_says("rsa-g1", leaf, 4)  # the last of a run
        issuer = self.service.ca_file("rsa-g1")
        for name in ("rsa-g1", "rsa-g1-delta", shard, shard + "-delta"):
            with self.subTest(list=name):
                file = new_file(self.service.plain(f"/crl/{name}.crl").body)
                pem = self.service.crl_file(name)
                self.assertIn("verify OK", run("openssl", "crl", "-inform", "DER", "-in", file, "-noout", "-CAfile", issuer).said)
                text = run("openssl", "crl", "-inform", "DER", "-in", file, "-noout", "-text").text
                self.assertEqual("Delta CRL Indicator: critical" in text, name.endswith("-delta"))
                self.assertEqual("Issuing Distribution Point: critical" in text, shard in name)
                self.assertEqual(leaf.serial_hex.upper() in text, name.endswith("-delta"))
                self.assertIn("Verified", run("certtool", "--verify-crl", "--load-ca-certificate", issuer, "--infile", pem).said)
                self.assertIn("CRL Number", run("certtool", "--crl-info", "--infile", pem).said)
                printed = run("pki", "--print", "--type", "crl", "--in", file).said
                self.assertIn("RSA Issuing CA G1", printed)
                self.assertEqual(leaf.serial_hex in printed.replace(":", ""), name.endswith("-delta"))
                self.assertEqual("delta CRL:" in printed, name.endswith("-delta"), printed)

    def test_the_interface_tells_of_them(self):
        self.service.publish("rsa-g1")
        crl = self.service.api("/issuers/rsa-g1/crl").json()
        self.assertEqual([each["shard"] for each in crl["shards"]], [4, 5, 6, 7])
        self.assertTrue(crl["shards"][0]["url"].endswith("/crl/rsa-g1-4.crl"))
        self.assertTrue(crl["delta"]["url"].endswith("/crl/rsa-g1-delta.crl"))
        self.assertIn("/crl/rsa-g1-delta.crl", self.service.plain("/").text)
        self.assertIn("rsa-g1", self.service.chancery("crl", "show").text)
        for path in ("/crl/rsa-g1-3.crl", "/crl/rsa-g1-8.crl", "/crl/rsa-g1-04.crl", "/crl/rsa-g1-4-.crl", "/crl/rsa-root-g1-delta.crl"):
            self.assert_status(self.service.plain(path), 404)


class Change(ServiceTest):
    """What a restart, another count of shards and another address leave as they were."""

    @classmethod
    def setUpClass(cls):
        cls.service = Service(start=False)
        hours_away = time.strftime("%H:%M", time.gmtime(time.time() + 6 * 3600))  # from each run, before and after
        configure(cls.service, "rsa-g1", shards="4", delta_every="12h", at=hours_away, jitter="5m")
        cls.service.start()

    def files(self):
        return {path.name: path.read_bytes() for path in (self.service.home / "public/crl").iterdir() if ".previous." not in path.name}

    def points(self, name):
        return self.service.crl(name).extensions[POINT][1]

    def test_in_order(self):
        root = self.service.ca_file("rsa-root-g1")
        wait_until(lambda: self.service.plain("/crl/rsa-g1-7-delta.crl").status == 200, "the first deltas")
        leaf = self.service.issued(make_csr(), "ucm/tomcat")
        leaf.file, shard = new_file(leaf.chain_pem, ".pem"), f"rsa-g1-{shard_of(leaf.serial_hex, 4)}"

        def verdict(old_shard):
            return run(*VERIFY, "-CAfile", root, "-CRLfile", self.service.crl_file("rsa-root-g1", old_shard), "-untrusted", leaf.file,
                       leaf.file, check=False)

        with self.subTest("a restart changes not one octet"):
            before = self.files()
            self.assertEqual(len(before), 2 * (4 + 5 + 4))  # DER and PEM of four issuers, four shards and five deltas but one
            self.service.restart()
            self.assertEqual(self.files(), before)
        with self.subTest("earlier shards stay when there are more"):
            self.service.stop()
            configure(self.service, "rsa-g1", shards="16")
            self.service.start()
            wait_until(lambda: self.service.plain("/crl/rsa-g1-31.crl").status == 200, "the new shards")
            number = self.service.crl(shard).number
            self.assert_status(self.service.revoke(leaf.serial_hex, "superseded"), 200)
            self.service.publish("rsa-g1")
            self.assertGreater(self.service.crl(shard).number, number)
            self.assertIn("certificate revoked", verdict(shard).said)
            fresh = self.service.issued(make_csr(), "ucm/tomcat")
            named = f"rsa-g1-{shard_of(fresh.serial_hex, 16)}"
            self.assertIn(f"/crl/{named}.crl".encode(), pem_to_der(fresh.chain_pem)[0])
        with self.subTest("an earlier address stays"):
            leaf = self.service.issued(make_csr(), "ucm/tomcat")
            leaf.file, shard = new_file(leaf.chain_pem, ".pem"), f"rsa-g1-{shard_of(leaf.serial_hex, 16)}"
            self.service.stop()
            path = self.service.home / "chancery.xml"
            replace_file(path, path.read_text().replace(f'public-url="{self.service.public_url}"', 'public-url="http://other.example.com"'))
            self.service.start()
            wait_until(lambda: b"http://other.example.com/crl/" in self.points(shard), "lists with the new address")
            self.assertIn(f"{self.service.public_url}/crl/{shard}.crl".encode(), self.points(shard))
            wait_until(lambda: b"http://other.example.com/crl/" in self.service.crl("rsa-g1").extensions[FRESHEST][1], "the last of that run")
            self.assertEqual(verdict(shard).returncode, 0, verdict(shard).said)
        with self.subTest("a new address is in every list after SIGHUP"):
            path.write_text(path.read_text().replace('public-url="http://other.example.com"', 'public-url="http://third.example.com"'))
            self.service.process.send_signal(signal.SIGHUP)
            wait_until(lambda: b"http://third.example.com/crl/" in self.service.crl("rsa-g1").extensions[FRESHEST][1], "the new address of the delta")
            wait_until(lambda: b"http://third.example.com/crl/" in self.points(shard), "and of the shard")
        with self.subTest("and one that was had before"):
            path.write_text(path.read_text().replace('public-url="http://third.example.com"', 'public-url="http://other.example.com"'))
            self.service.process.send_signal(signal.SIGHUP)
            wait_until(lambda: b"http://other.example.com/crl/" in self.service.crl("rsa-g1").extensions[FRESHEST][1], "the address before it")
        with self.subTest("and after a restart nothing changes again"):
            before = self.files()
            self.service.restart()
            self.assertEqual(self.files(), before)
        with self.subTest("deltas that certificates name stay, as good as complete lists"):
            names = {name.removesuffix(".crl") for name in before if name.endswith("-delta.crl")}
            self.assertGreater(len(names), 4 + 16)
            self.service.stop()
            configure(self.service, "rsa-g1", delta_every=None)
            self.service.start()
            wait_until(lambda: FRESHEST not in self.service.crl("rsa-g1").extensions, "a complete list that names no delta")
            whole = self.service.crl("rsa-g1")
            for name in sorted(names):
                delta = self.service.crl(name)
                self.assertEqual((delta.number, delta.next_update), (whole.number, whole.next_update), name)
                self.assertIn(DELTA, delta.extensions)
            leaf = der.Certificate(pem_to_der(self.service.issued(make_csr(), "ucm/tomcat").chain_pem)[0])
            self.assertNotIn(FRESHEST, leaf.extensions)
            before = self.files()
            self.service.restart()
            self.assertEqual(self.files(), before)
            self.assertIn(": 0 faults\n", self.service.chancery("store", "check").text, "and no warnings")


class Moving(ServiceTest):
    """A public URL that no shard has room for is refused by the ca; logins are taken with it, as in the api."""

    @classmethod
    def setUpClass(cls):
        cls.service = Service(start=False)
        configure(cls.service, "rsa-g1", shards="4")
        path = cls.service.home / "chancery.xml"
        cls.scope = '<login><principal name="admin" subject="CN=Administrator, O=Test"><scope issuer="ec-g1"/></principal></login>'
        replace_file(path, path.read_text().replace("</https>", "</https>" + cls.scope))
        cls.service.start()

    def move(self, n, scoped=True):
        path = self.service.home / "chancery.xml"
        text = re.sub(r'public-url="[^"]*"', f'public-url="http://n{n}.example.com"', path.read_text())
        replace_file(path, text if scoped else text.replace(self.scope, ""))
        self.service.process.send_signal(signal.SIGHUP)

    def test_the_ninth_address_is_not_named_and_the_rest_is_taken(self):
        for n in range(2, 9):
            self.move(n)
            wait_until(lambda: self.service.log.read_text().count(" ca reloaded ") == n - 1, "it is taken")
        self.assertNotIn("addresses in its life", self.service.log.read_text())
        csr = make_csr()
        self.assert_problem(self.service.issue(csr, "ucm/tomcat"), 403)
        self.move(9, scoped=False)
        wait_until(lambda: self.service.log.read_text().count(" ca reloaded ") == 8, "it is looked at")
        self.assertIn("certificates go on naming http://n8.example.com", self.service.log.read_text())
        wait_until(lambda: self.service.issue(csr, "ucm/tomcat").status == 201, "the api has looked, too")
        leaf = self.service.issued(make_csr(subject="/CN=later.example.com", name="later"), "ucm/tomcat")
        self.assertIn(b"http://n8.example.com/crl/rsa-g1-", pem_to_der(leaf.chain_pem)[0])
        self.assertNotIn(b"http://n9.example.com", pem_to_der(leaf.chain_pem)[0])
        self.assertEqual(self.service.stop(), 0)
        with self.assertRaises(Exception):
            self.service.start()
        self.assertRegex(self.service.log.read_text(), "error ca ca-start .*http://n9.example.com: at most 8 addresses in its life")
        path = self.service.home / "chancery.xml"
        replace_file(path, path.read_text().replace("http://n9.", "http://n8."))
        self.service.start()
        self.assertEqual(self.service.stop(), 0)
        configure(self.service, "rsa-g1", shards="1")
        replace_file(path, path.read_text().replace("http://n8.", "http://n9."))
        self.service.start()
        self.service.publish("rsa-g1")  # no certificate names a shard there, and none has room for it
        shard = self.service.plain("/crl/rsa-g1-4.crl").body
        self.assertIn(b"http://n8.example.com/crl/rsa-g1-4.crl", shard)
        self.assertNotIn(b"http://n9.example.com", shard)
        leaf = self.service.issued(make_csr(subject="/CN=whole.example.com", name="whole"), "ucm/tomcat")
        self.assertIn(b"http://n9.example.com/crl/rsa-g1.crl", pem_to_der(leaf.chain_pem)[0])


class Failing(ServiceTest):
    def test_an_alarm_stands_until_the_next_publication(self):
        home = self.service.home
        before = self.service.plain("/crl/rsa-g1.crl").body
        self.assertNotIn("crl.failed", self.service.chancery("health", check=False).text)
        (home / "public/crl").rename(home / "public/away")
        (home / "public/crl").write_text("no directory")
        try:
            self.assert_problem(self.service.api("/issuers/rsa-g1/crl", "POST"), 503)
            self.assertRegex(self.service.chancery("health", check=False).text, r"crl\.failed:rsa-g1|crl\.failed.*rsa-g1")
        finally:
            (home / "public/crl").unlink()
            (home / "public/away").rename(home / "public/crl")
        self.assertEqual(self.service.plain("/crl/rsa-g1.crl").body, before, "what was in force stays")
        self.service.publish("rsa-g1")
        self.assertNotIn("crl.failed", self.service.chancery("health", check=False).text)
        self.assertRegex(self.service.https("/metrics").text, r'chancery_crl_published_total\{issuer="rsa-g1",kind="complete"\} [1-9]')


if __name__ == "__main__":
    unittest.main()
