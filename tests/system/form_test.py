#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The forms of --output: is what comes out the thing itself, in the eyes of openssl, and is a form that a command does not have
refused instead of ignored?"""
import json
import shutil
import unittest

from harness import CHANCERY, WORK, ServiceTest, new_file, pem_to_der, run

DONE, WRONG_USE, NOT_FOUND = 0, 1, 5
ISSUERS = {"rsa-root-g1", "rsa-g1", "ec-root-g1", "ec-g1"}


class Form(ServiceTest):
    def chancery(self, *arguments, code=DONE):
        done = self.service.chancery(*arguments, check=False)
        self.assertEqual(done.returncode, code, f"{arguments}: {done.said}")
        return done

    def refused(self, *arguments, names):
        """With a line that says what there is, and nothing on standard output."""
        done = self.chancery(*arguments, code=WRONG_USE)
        self.assertEqual(done.stdout, b"")
        for name in names:
            self.assertIn(name, done.said)

    # ---- ca show, ca chain ----

    def test_the_certificate_of_an_issuer(self):
        for issuer in ISSUERS:
            there = run("openssl", "x509", "-in", self.service.ca_file(issuer), "-outform", "der").stdout
            der = self.chancery("ca", "show", issuer, "--output", "der").stdout
            self.assertEqual(der, there)
            run("openssl", "x509", "-inform", "der", "-noout", stdin=der)
            self.assertEqual(pem_to_der(self.chancery("ca", "show", issuer, "--output", "pem").text), [there])
        self.chancery("ca", "show", "nobody", "--output", "der", code=NOT_FOUND)
        self.chancery("ca", "show", "../rsa-g1", "--output", "der", code=NOT_FOUND)
        self.refused("ca", "show", "rsa-g1", "--output", "p7b", names=["pem", "der"])
        self.refused("ca", "show", "ocsp", "--output", "der", names=["ca chain ocsp"])
        self.refused("ca", "show", "ocsp", "--output", "pem", names=["ca chain ocsp"])
        self.refused("ca", "show", "ocsp", "--output", "csv", names=["--output json"])

    def test_the_chain_of_an_issuer(self):
        for issuer, count in (("ec-g1", 2), ("ec-root-g1", 1)):
            bundle = self.chancery("ca", "chain", issuer, "--output", "p7b").stdout
            listed = run("openssl", "pkcs7", "-print_certs", stdin=bundle).text
            chain = self.chancery("ca", "chain", issuer).text
            self.assertEqual(sorted(pem_to_der(listed)), sorted(pem_to_der(chain)))
            self.assertEqual(len(pem_to_der(chain)), count)
        out = new_file(b"")
        self.assertEqual(self.chancery("ca", "chain", "rsa-g1", "--output", "p7b", "--out", out).stdout, b"")
        run("openssl", "pkcs7", "-in", out, "-noout")
        self.refused("ca", "chain", "rsa-g1", "--output", "der", names=["pem", "p7b"])
        self.refused("ca", "chain", "ocsp", "--output", "p7b", names=["PEM"])

    # ---- crl show ----

    def test_the_crl_in_force(self):
        for issuer in ("rsa-g1", "ec-g1"):
            der = self.chancery("crl", "show", "--issuer", issuer, "--output", "der").stdout
            self.assertEqual(der, self.service.plain(f"/crl/{issuer}.crl").body)
            said = run("openssl", "crl", "-inform", "der", "-noout", "-text", "-CAfile", self.service.ca_file(issuer), stdin=der)
            self.assertIn("verify OK", said.said)
            self.assertEqual(pem_to_der(self.chancery("crl", "show", "--issuer", issuer, "--output", "pem").text), [der])
        self.chancery("crl", "show", "--issuer", "nobody", "--output", "der", code=NOT_FOUND)
        self.refused("crl", "show", "--output", "p7b", names=["pem", "der"])

    def test_it_is_the_one_published_last(self):
        number = json.loads(self.chancery("crl", "publish", "--issuer", "rsa-g1", "--output", "json").text)["items"][0]["number"]
        der = self.chancery("crl", "show", "--issuer", "rsa-g1", "--output", "der").stdout
        said = run("openssl", "crl", "-inform", "der", "-noout", "-crlnumber", stdin=der).text
        self.assertEqual(int(said.split("0x")[1], 16), number)

    def test_all_crls_are_one_file_of_pem_and_none_of_der(self):
        blocks = pem_to_der(self.chancery("crl", "show", "--output", "pem").text)
        said = {run("openssl", "crl", "-inform", "der", "-noout", "-issuer", stdin=each).text for each in blocks}
        self.assertEqual(len(said), len(ISSUERS))
        self.refused("crl", "show", "--output", "der", names=ISSUERS)

    def test_another_machine_gets_the_same(self):
        admin = self.service.home / "admin"
        for words in (["ca", "show", "ec-g1", "--output", "der"], ["ca", "chain", "rsa-g1", "--output", "p7b"],
                      ["crl", "show", "--issuer", "ec-g1", "--output", "der"], ["crl", "show", "--output", "pem"]):
            done = run(CHANCERY, *words, "--server", f"https://127.0.0.1:{self.service.https_port}", "--cacert", admin / "server-ca.pem",
                       "--cert", admin / "admin.pem", "--key", admin / "admin.key")
            self.assertEqual(done.stdout, self.chancery(*words).stdout)

    # ---- what has no result ----

    def test_commands_without_a_result_take_the_forms_of_one_and_write_nothing(self):
        """So that a script may give one form to every command."""
        home, backup, snapshot = WORK / "of-form-home", WORK / "of-form-backup", WORK / "of-form-snapshot"
        for form in ("table", "json", "jsonl", "csv"):
            for made, words in ((home, ["init", "--home", home]), (backup, ["store", "backup", backup, "--home", home])):
                self.assertEqual(run(CHANCERY, *words, "--output", form).stdout, b"", words)
                self.assertTrue(made.is_dir())
            shutil.rmtree(home)
            self.assertEqual(run(CHANCERY, "store", "restore", backup, "--home", home, "--output", form).stdout, b"")
            self.assertTrue((home / "chancery.xml").is_file())
            snapshot.mkdir(exist_ok=True)
            self.assertEqual(self.chancery("store", "snapshot", snapshot, "--output", form).stdout, b"")
            (snapshot / "data.mdb").unlink()
            shutil.rmtree(home)
            shutil.rmtree(backup)

    def test_they_take_no_other_form(self):
        place = WORK / "of-form"
        for words in (["init", "--home", place], ["serve"], ["store", "backup", place], ["store", "snapshot", place],
                      ["store", "restore", self.service.home, "--home", place]):
            for form in ("pem", "der", "p7b", "xml"):
                done = run(CHANCERY, *words, "--output", form, check=False)
                self.assertEqual((done.returncode, done.stdout), (WRONG_USE, b""), words)
                self.assertIn("table, json, jsonl", done.said)
        self.assertFalse(place.exists())

    def test_a_service_started_with_a_form_serves(self):
        self.service.stop()
        self.service.start("--output", "json")
        self.assertEqual(self.service.plain("/crl/rsa-g1.crl").status, 200)

    def test_commands_about_this_machine_take_no_server(self):
        admin = self.service.home / "admin"
        for words in (["config", "show"], ["config", "check"], ["store", "check"], ["store", "backup", WORK / "remote"], ["init"], ["serve"]):
            done = run(CHANCERY, *words, "--server", f"https://127.0.0.1:{self.service.https_port}", "--cacert", admin / "server-ca.pem",
                       "--cert", admin / "admin.pem", "--key", admin / "admin.key", check=False)
            with self.subTest(words=words):
                self.assertEqual((done.returncode, done.stdout), (WRONG_USE, b""))
                self.assertIn("about a home on this machine", done.said)
        done = run(CHANCERY, "--server", f"https://127.0.0.1:{self.service.https_port}", "--cacert", admin / "server-ca.pem",
                   "--cert", admin / "admin.pem", "--key", admin / "admin.key", "ca", "list")
        self.assertIn("rsa-g1", done.text)


if __name__ == "__main__":
    unittest.main()
