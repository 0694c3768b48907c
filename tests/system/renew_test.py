# SPDX-License-Identifier: Apache-2.0
"""Does an issuer get a next generation that issues in its place, does the old one go on with its CRL and OCSP, and is a
home that cannot have one left as it was?"""
import json
import os
import re
import shutil
import unittest

import der
from harness import ASAN_NOT_FIRST, CHANCERY, WORK, Service, ServiceTest, asan_options, make_csr, new_file, pem_to_der, run, wait_until

FILES = ["issuers/{}.pem", "issuers/{}-chain.pem", "issuers/{}-ocsp.pub", "keys/{}.key", "keys/{}-ocsp.key", "public/ca/{}.cer",
         "public/ca/{}.pem", "public/ca/{}.p7c"]


def renew(service, *arguments, check=True):
    done = service.chancery("ca", "renew", *arguments, "--output", "json", check=check)
    return json.loads(done.stdout) if done.returncode == 0 else done


def tree(home):
    """Every file with its octets, owner and mode; but for the one in which LMDB's readers say that they read."""
    return {str(each.relative_to(home)): (each.read_bytes(), each.stat().st_mode, each.stat().st_uid)
            for each in sorted(home.rglob("*")) if each.is_file() and each.name != "lock.mdb"}


def text_of(path, form="PEM"):
    return run("openssl", "x509", "-in", path, "-inform", form, "-noout", "-text").text


def ocsp_says(service, leaf, issuer, root):
    """What openssl makes of the answer, which it verifies up to the root."""
    files = [new_file(leaf.chain_pem, ".pem"), service.ca_file(issuer), service.ca_file(root)]
    said = run("openssl", "ocsp", "-issuer", files[1], "-cert", files[0], "-url", f"{service.public_url}/ocsp", "-CAfile", files[2],
               "-no_nonce").said
    if "Response verify OK" not in said:
        raise AssertionError(said)
    return re.search(r"\.pem: (\w+)", said).group(1)


class AtRest(unittest.TestCase):
    """Homes that are not served."""

    @classmethod
    def setUpClass(cls):
        cls.fresh = Service(start=False)

    def setUp(self):
        self.service = self.fresh.copy()
        self.home = self.service.home

    def assert_refused(self, why, *arguments):
        before = tree(self.home)
        done = renew(self.service, *arguments, check=False)
        self.assertEqual(done.returncode, 1, done)
        self.assertIn(why, done.said)
        self.assertEqual(tree(self.home), before)

    def assert_whole(self):
        self.assertIn(": 0 faults", self.service.chancery("store", "check").text)
        self.assertIn("ok", self.service.chancery("config", "check").text)
        run(CHANCERY, "audit", "verify", "--store", self.home)

    def test_it_has_what_init_gives_an_issuer(self):
        made = renew(self.service, "rsa-g1")
        self.assertEqual((made["id"], made["parent"], made["issues"], made["made"]), ("rsa-g2", "rsa-root-g1", "rsa", True))
        for name in FILES:
            old, new = (self.home / name.format(each) for each in ("rsa-g1", "rsa-g2"))
            self.assertEqual((old.stat().st_mode, old.stat().st_uid), (new.stat().st_mode, new.stat().st_uid), name)
        old, new = (text_of(self.home / f"issuers/{each}.pem") for each in ("rsa-g1", "rsa-g2"))
        self.assertIn("CN = Test RSA Issuing CA G2", new)
        own = r"(Serial Number:\n.*|Not (Before|After ?): .*|RSA Issuing CA G\d|^ +[0-9a-f]{2}(:[0-9a-f]{2})*:?$|Subject Key Identifier: \n.*)"
        self.assertEqual(re.sub(own, "", old, flags=re.M), re.sub(own, "", new, flags=re.M), "all else is the same")
        run("openssl", "verify", "-x509_strict", "-CAfile", self.home / "issuers/rsa-root-g1.pem", self.home / "issuers/rsa-g2.pem")
        self.assertEqual(made["serial"], der.Certificate((self.home / "public/ca/rsa-g2.cer").read_bytes()).serial_hex)
        self.assert_whole()

    def test_what_people_wrote_into_the_file_stays(self):
        path = self.home / "chancery.xml"
        path.write_text(path.read_text().replace('<issuer id="ec-g1" ', "<!-- ours -->\n\t<issuer id='ec-g1'\n\t  "))
        path.chmod(0o640)
        before = path.read_text()
        renew(self.service, "ec-g1")
        after = path.read_text()
        self.assertEqual(path.stat().st_mode & 0o777, 0o640)
        added = re.search(r"\n\t<issuer id='ec-g2'\n\t  parent=\"ec-root-g1\" issues=\"ec\".*?</issuer>", after, re.S).group()
        self.assertEqual(after.replace(added, "").replace("parent=\"ec-root-g1\" key", "parent=\"ec-root-g1\" issues=\"ec\" key"), before)
        self.assert_whole()

    def test_what_cannot_be_is_refused_and_changes_nothing(self):
        self.assert_refused("no issuer rsa-g9 in chancery.xml", "rsa-g9")
        self.assert_refused("rsa-root-g1 is a root", "rsa-root-g1", "--parent", "ec-root-g1")
        self.assert_refused("another kind of key", "rsa-g1", "--parent", "ec-root-g1")
        self.assert_refused("no issuer rsa-root-g2 in chancery.xml", "rsa-g1", "--parent", "rsa-root-g2")
        self.assert_refused("above its own successor", "rsa-g1", "--parent", "rsa-g1")
        renew(self.service, "ec-g1")
        self.assert_refused("ec-g2 is there already", "ec-g1")
        renew(self.service, "ec-root-g1")
        self.assert_refused("ec-root-g2 is there already", "ec-root-g1")
        self.assert_refused("leaves no room for a CA", "ec-g2", "--parent", "ec-g1")

    def test_a_command_line_that_makes_no_sense_is_refused(self):
        self.assert_refused("an argument is missing")
        self.assert_refused("too many arguments", "rsa-g1", "ec-g1")
        self.assert_refused("--name is for another command", "rsa-g1", "--name", "x")
        done = self.service.chancery("ca", "renew", "rsa-g1", "--output", "pem", check=False)
        self.assertEqual((done.returncode, done.text), (1, ""))
        self.assertIn("ca renew ID", self.service.chancery("ca", "--help").text)
        self.assertIn("ca renew ID", self.service.chancery("ca", "renew", "--help").text)

    def test_a_key_in_a_token_is_refused(self):
        path = self.home / "chancery.xml"
        path.write_text(path.read_text().replace('key="file:keys/rsa-g1.key"', 'key="pkcs11:token=t;object=rsa-g1"'))
        self.assert_refused("is in a token", "rsa-g1")

    def test_a_parent_that_is_over_is_refused(self):
        run("faketime", "2060-01-01", CHANCERY, "ca", "renew", "ec-root-g1", "--home", self.home, env=asan_options(ASAN_NOT_FIRST))
        done = run("faketime", "2060-01-01", CHANCERY, "ca", "renew", "ec-g1", "--home", self.home, env=asan_options(ASAN_NOT_FIRST), check=False)
        self.assertIn("certificate of ec-root-g1 is not valid now", done.said)

    def test_a_dry_run_says_all_and_leaves_nothing(self):
        before = tree(self.home)
        planned = renew(self.service, "rsa-g1", "--dry-run")
        self.assertEqual(tree(self.home), before)
        made = renew(self.service, "rsa-g1")
        self.assertEqual((planned["made"], planned["serial"]), (False, None))
        self.assertEqual({each: planned[each] for each in ("id", "renews", "parent", "subject", "issues", "key", "ocsp_key")},
                         {each: made[each] for each in ("id", "renews", "parent", "subject", "issues", "key", "ocsp_key")})

    def test_a_life_is_cut_to_the_parents_with_a_word_about_it(self):
        done = run("faketime", "+4000 days", CHANCERY, "ca", "renew", "ec-g1", "--home", self.home, "--output", "json", env=asan_options(ASAN_NOT_FIRST))
        made = json.loads(done.stdout)
        root = run("openssl", "x509", "-in", self.home / "issuers/ec-root-g1.pem", "-noout", "-enddate", "-dateopt", "iso_8601").text
        self.assertEqual(made["not_after"], root.strip().split("=")[1].replace(" ", "T"))
        self.assertIn("It ends with ec-root-g1", made["notes"][0])

    def test_one_that_a_restored_backup_does_not_know_is_made_again_on_its_key(self):
        place, again = WORK / "before", WORK / "before-home"
        self.service.chancery("store", "backup", place)
        lost = renew(self.service, "ec-g1")
        number = self.first_crl_number(self.service)
        run(CHANCERY, "store", "restore", place, "--home", again)
        for key in ("ec-g2.key", "ec-g2-ocsp.key"):
            shutil.copy2(self.home / "keys" / key, again / "keys" / key)
        made = json.loads(run(CHANCERY, "ca", "renew", "ec-g1", "--home", again, "--output", "json").stdout)
        self.assertEqual((made["subject"], len(made["notes"])), (lost["subject"], 2))
        self.assertNotEqual(made["serial"], lost["serial"])
        keys = {run("openssl", "x509", "-in", home / "issuers/ec-g2.pem", "-noout", "-pubkey").text for home in (self.home, again)}
        self.assertEqual(len(keys), 1)
        self.assertIn("ok", run(CHANCERY, "config", "check", "--home", again).text)
        restored = self.service.copy()
        restored.home = again
        self.assertGreater(self.first_crl_number(restored), number, "the name and the key of the lost one, whose lists are out")
        self.assertIn(": 0 faults", restored.chancery("store", "check").text)

    def first_crl_number(self, service):
        """What ec-g2 publishes when the service starts."""
        service.start()
        try:
            wait_until(lambda: service.plain("/crl/ec-g2.crl").status == 200, "ec-g2 has a list")
            return service.crl("ec-g2").number
        finally:
            self.assertEqual(service.stop(), 0, service.tail())

    def test_a_new_root_and_an_issuing_ca_below_it(self):
        before = pem_to_der((self.home / "admin/server-ca.pem").read_text())
        made = renew(self.service, "ec-root-g1")
        self.assertEqual((made["parent"], made["issues"]), (None, None))
        root = (self.home / "public/ca/ec-root-g2.cer").read_bytes()
        self.assertEqual(pem_to_der((self.home / "admin/server-ca.pem").read_text()), [*before, root])
        made = renew(self.service, "ec-g1", "--parent", "ec-root-g2")
        self.assertEqual(made["parent"], "ec-root-g2")
        run("openssl", "verify", "-x509_strict", "-CAfile", self.home / "issuers/ec-root-g2.pem", self.home / "issuers/ec-g2.pem")
        self.assertEqual(pem_to_der((self.home / "issuers/ec-g2-chain.pem").read_text())[1], root)
        self.assertIn("/crl/ec-root-g2.crl", text_of(self.home / "issuers/ec-g2.pem"))
        self.assert_whole()

    def test_other_hosts_and_limited_logins_are_named(self):
        path = self.home / "chancery.xml"
        text = path.read_text().replace("</https>", """</https>
  <login>
    <principal name="jana" subject="CN=jana"><scope issuer="ec-g1"/></principal>
  </login>""")
        path.write_text(re.sub(r'(id="ec-g1".*?)(\n  </issuer>)', r'\1\n    <responder host="dmz1"/>\2', text, flags=re.S))
        notes = " ".join(renew(self.service, "ec-g1")["notes"])
        self.assertIn("limited to ec-g1 do not cover ec-g2: 1 in chancery.xml, 0 tokens", notes)
        self.assertIn("host dmz1 has no key for ec-g2", notes)
        self.assertEqual(path.read_text().count("dmz1"), 1)

    def test_a_trusted_responder_is_to_be_given_to_the_products(self):
        path = self.home / "chancery.xml"
        path.write_text(path.read_text().replace('<issuer id="ec-g1" ', '<issuer id="ec-g1" ocsp-model="trusted" '))
        self.assertIn("OCSP signer of ec-g2 will be a trusted responder too", " ".join(renew(self.service, "ec-g1")["notes"]))
        self.assertEqual(path.read_text().count('ocsp-model="trusted"'), 2)
        self.assertNotIn("trusted", " ".join(renew(self.service, "rsa-g1")["notes"]))

    def test_the_old_one_may_go_on_issuing_until_the_new_one_is_known(self):
        renew(self.service, "ec-g1")
        path = self.home / "chancery.xml"
        path.write_text(path.read_text().replace(' issues="ec"', "").replace('id="ec-g1"', 'id="ec-g1" issues="ec"'))
        self.assert_whole()
        self.assert_refused("ec-g2 is there already", "ec-g1")

    def test_the_tenth_generation_counts_on(self):
        for _ in range(9):
            last = renew(self.service, f"ec-g{_ + 1}")
        self.assertEqual((last["id"], last["subject"]), ("ec-g10", "CN=Test EC Issuing CA G10, O=Test"))
        for n in (10, 11, 12):
            renew(self.service, f"ec-g{n}")
        self.assert_refused("16 issuers already", "ec-g13")
        self.assert_whole()

    @unittest.skipIf(os.geteuid() != 0, "root alone makes files for others")
    def test_files_made_by_root_belong_to_whoever_has_the_home(self):
        policy = [self.home / "chancery.xml", self.home / "profiles.xml"]  # root's commands take them from root alone
        for each in [self.home, *self.home.rglob("*")]:
            os.chown(each, *((0, 0) if each in policy else (12345, 12346)))
        renew(self.service, "ec-root-g1")
        renew(self.service, "ec-g1")
        strangers = [each for each in self.home.rglob("*") if (each.stat().st_uid, each.stat().st_gid) != (12345, 12346)]
        self.assertEqual(sorted(strangers), sorted(policy))

    def test_a_file_that_names_other_issuers_than_the_store_is_a_mistake(self):
        path = self.home / "chancery.xml"
        good = path.read_text()
        path.write_text(good.replace('id="ec-g1"', 'id="ec-g7"'))
        done = self.service.chancery("config", "check", check=False)
        self.assertEqual((done.returncode, "issuer ec-g7 is in chancery.xml but not in the store" in done.said), (1, True), done.said)
        self.assertIn("issuer ec-g1 is in the store and not in chancery.xml", done.said)
        path.write_text(good)
        self.assertIn("ok", self.service.chancery("config", "check").text)
        shutil.rmtree(self.home / "store")
        self.assertIn("ok", self.service.chancery("config", "check").text)


class Renewed(ServiceTest):
    """A service that has issued, was stopped, had both issuing CAs renewed, and was started."""

    @classmethod
    def setUpClass(cls):
        cls.service = Service()
        cls.rsa, cls.ec = make_csr(), make_csr("ec-P-256", "/CN=cucm1-EC.example.com")
        cls.headers = {"Content-Type": "application/pkcs10", "Idempotency-Key": "once"}
        cls.path = "/certificates?profile=ucm/tomcat"
        cls.first = cls.service.api(cls.path, "POST", cls.rsa.der, cls.headers)
        cls.old = {"rsa-g1": cls.service.issued(cls.rsa, "ucm/tomcat"), "ec-g1": cls.service.issued(cls.ec, "ucm/tomcat-ECDSA")}
        cls.busy = renew(cls.service, "rsa-g1", check=False)
        cls.planned = renew(cls.service, "rsa-g1", "--dry-run")
        if cls.service.stop() != 0:
            raise AssertionError(cls.service.tail())
        renew(cls.service, "rsa-g1")
        renew(cls.service, "ec-g1")
        cls.service.start()
        cls.new = {"rsa-g2": cls.service.issued(cls.rsa, "ucm/tomcat"), "ec-g2": cls.service.issued(cls.ec, "ucm/tomcat-ECDSA")}

    def test_a_running_service_is_left_alone(self):
        self.assertEqual(self.busy.returncode, 1)
        self.assertIn("is the service stopped?", self.busy.said)
        self.assertEqual(self.planned["made"], False)

    def test_the_new_ones_issue_and_every_chain_holds(self):
        for issuer, leaf in {**self.old, **self.new}.items():
            root = re.sub(r"-g\d", "-root-g1", issuer)
            chain = new_file(leaf.chain_pem, ".pem")
            run("openssl", "verify", "-x509_strict", "-CAfile", self.service.ca_file(root), "-untrusted", chain, chain)
            self.assertEqual(pem_to_der(leaf.chain_pem)[1], self.service.plain(f"/ca/{issuer}.cer").body)
            self.assertIn(f"/crl/{issuer}.crl", text_of(chain))
        listed = {each["id"]: each["issues"] for each in self.service.api("/issuers").json()["items"]}
        self.assertEqual({each: issues for each, issues in listed.items() if issues}, {"rsa-g2": "rsa", "ec-g2": "ec"})

    def test_each_generation_answers_and_lists_for_its_own(self):
        for issuer, leaf in {**self.old, **self.new}.items():
            root = re.sub(r"-g\d", "-root-g1", issuer)
            self.assertEqual(ocsp_says(self.service, leaf, issuer, root), "good", issuer)
            wait_until(lambda: self.service.plain(f"/crl/{issuer}.crl").status == 200, f"{issuer} has a list")
            run("openssl", "verify", "-crl_check_all", "-CAfile", self.service.ca_file(root), "-untrusted", new_file(leaf.chain_pem, ".pem"),
                "-CRLfile", self.service.crl_file(issuer, root), new_file(leaf.chain_pem, ".pem"))

    def test_a_certificate_of_the_old_one_is_revoked_in_its_list(self):
        leaf = pem_to_der(self.first.text)[0]
        leaf = der.Certificate(leaf)
        leaf.chain_pem = self.first.text
        self.assert_status(self.service.revoke(leaf.serial_hex, "superseded"), 200)
        self.service.publish("rsa-g1")
        self.service.publish("rsa-g2")
        self.assertIn(leaf.serial_hex, self.service.crl("rsa-g1").entries)
        self.assertNotIn(leaf.serial_hex, self.service.crl("rsa-g2").entries)
        self.assertEqual(ocsp_says(self.service, leaf, "rsa-g1", "rsa-root-g1"), "revoked")

    def test_an_idempotency_key_still_gives_the_certificate_of_before(self):
        again = self.service.api(self.path, "POST", self.rsa.der, self.headers)
        self.assertEqual((again.status, again.body), (self.first.status, self.first.body))

    def test_health_and_the_store_are_well(self):
        health = json.loads(wait_until(self.healthy, "health is ok"))
        texts = {each["name"]: each["detail"] for each in health["checks"]}
        self.assertIn("nothing is issued under it", texts["issuer:rsa-g1"])
        self.assertNotIn("nothing is issued", texts["issuer:rsa-g2"] + texts["issuer:rsa-root-g1"])
        self.assertIn(": 0 faults", self.service.chancery("store", "check").text)
        self.assertEqual(self.service.chancery("audit", "verify").returncode, 0)
        rows = json.loads(self.service.chancery("audit", "list", "--kind", "issuer", "--output", "json").text)
        self.assertEqual(len(rows["items"] if isinstance(rows, dict) else rows), 2)
        self.assertIn("ok", self.service.chancery("config", "check").text)

    def healthy(self):
        done = self.service.chancery("health", "--output", "json", check=False)
        return done.text if done.returncode == 0 else None

    def test_the_administrator_still_logs_in_and_clients_trust_the_listener(self):
        self.assert_status(self.service.api("/profiles"), 200)

    def test_the_old_ones_certificate_can_be_taken_back_by_its_root(self):
        old = der.Certificate(self.service.plain("/ca/ec-g1.cer").body).serial_hex
        self.assert_status(self.service.revoke(old, "certificateHold"), 200)
        try:
            self.service.publish("ec-root-g1")
            self.assertIn(old, self.service.crl("ec-root-g1").entries)
            self.service.issued(self.ec, "ucm/tomcat-ECDSA")
            health = json.loads(wait_until(self.healthy, "no warning stands about what has a successor"))
            self.assertIn("revoked or on hold", next(each for each in health["checks"] if each["name"] == "issuer:ec-g1")["detail"])
        finally:
            self.assert_status(self.service.unhold(old), 200)
            self.service.publish("ec-root-g1")

    def test_a_backup_brings_back_both_generations(self):
        place = WORK / "renewed"
        home = WORK / "renewed-home"
        self.service.chancery("store", "backup", place)
        run(CHANCERY, "store", "restore", place, "--home", home)
        self.assertIn("ok", run(CHANCERY, "config", "check", "--home", home).text)
        for each in ("rsa-g1", "rsa-g2"):
            self.assertTrue((home / f"keys/{each}.key").is_file())
        made = json.loads(run(CHANCERY, "ca", "renew", "rsa-g2", "--home", home, "--output", "json").stdout)
        self.assertEqual(made["id"], "rsa-g3")
        self.assertIn(": 0 faults", run(CHANCERY, "store", "check", "--home", home).text)


if __name__ == "__main__":
    unittest.main()
