#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command line: each command, each form of output, each exit code; the control socket and --server give the same."""
import csv
import io
import json
import pathlib
import unittest

import der
from harness import CHANCERY, Service, ServiceTest, make_csr, new_file, pem_to_der, run, self_signed

DONE, WRONG_USE, NO_SERVICE, REFUSED, NOT_FOUND, NOT_PERMITTED = 0, 1, 2, 3, 5, 6


class Cli(ServiceTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.csr = make_csr(sans=["cucm1.example.com"])
        cls.csr_file = new_file(cls.csr.pem, ".csr")

    def chancery(self, *arguments, code=DONE, stdin=None):
        done = self.service.chancery(*arguments, stdin=stdin, check=False)
        self.assertEqual(done.returncode, code, f"{arguments}: {done.said}")
        return done

    def json(self, *arguments, **options):
        return json.loads(self.chancery(*arguments, "--output", "json", **options).text)

    def remote(self, *arguments, client=True, code=DONE, stdin=None):
        """The same by HTTPS; no home is named."""
        admin = self.service.home / "admin"
        login = ["--cert", admin / "admin.pem", "--key", admin / "admin.key"] if client else []
        done = run(CHANCERY, *arguments, "--server", f"https://127.0.0.1:{self.service.https_port}", "--cacert", admin / "server-ca.pem",
                   *login, stdin=stdin, check=False)
        self.assertEqual(done.returncode, code, f"{arguments}: {done.said}")
        return done

    def signed(self, *options, key=None):
        """Signs by the command line; the leaf. `key`: the name of one of its own, where it will be revoked as compromised."""
        file = self.csr_file if key is None else new_file(make_csr(name=key).pem, ".csr")
        return der.Certificate(pem_to_der(self.chancery("csr", "sign", file, "--profile", "ucm/tomcat", *options).text)[0])

    # ---- csr ----

    def test_sign_gives_the_leaf_and_its_chain(self):
        done = self.chancery("csr", "sign", self.csr_file, "--profile", "ucm/tomcat")
        blocks = pem_to_der(done.text)
        leaf = der.Certificate(blocks[0])
        leaf.chain_pem = done.text
        self.assertEqual(leaf.spki, self.csr.fields.spki)
        self.assertEqual(len(blocks), 2)
        self.assert_chain(leaf)

    def test_sign_reads_standard_input_and_writes_a_file(self):
        out = new_file(b"")
        done = self.chancery("csr", "sign", "-", "--profile", "ucm/tomcat", "--out", out, stdin=self.csr.pem.encode())
        self.assertEqual(done.stdout, b"")
        with open(out, "rb") as file:
            self.assertEqual(der.Certificate(pem_to_der(file.read())[0]).spki, self.csr.fields.spki)

    def test_out_takes_json_as_well_and_no_table(self):
        out = new_file(b"")
        words = ["csr", "sign", self.csr_file, "--profile", "ucm/tomcat", "--out", out]
        self.chancery(*words, "--output", "json", "--dry-run")
        with open(out, "rb") as file:
            self.assertEqual(file.read(), b"")
        self.assertEqual(self.chancery(*words, "--output", "json").stdout, b"")
        with open(out, "rb") as file:
            self.assertIn("serial", json.load(file))
        before = self.service.serials()
        self.chancery(*words, "--output", "table", code=WRONG_USE)
        self.assertEqual(self.service.serials(), before)

    def test_sign_in_every_form(self):
        sign = ["csr", "sign", self.csr_file, "--profile", "ucm/tomcat", "--output"]
        self.assertEqual(der.Certificate(self.chancery(*sign, "der").stdout).spki, self.csr.fields.spki)
        self.assertEqual(len(pem_to_der(self.chancery(*sign, "pem").text)), 2)
        self.assertEqual(json.loads(self.chancery(*sign, "json").text)["profile"], "ucm/tomcat")
        bundle = self.chancery(*sign, "p7b").stdout
        run("openssl", "pkcs7", "-inform", "PEM" if bundle.startswith(b"-----") else "DER", "-noout", stdin=bundle)

    def test_a_refused_csr_is_exit_code_3_with_the_rule(self):
        wildcard = new_file(make_csr(sans=["*.example.com"]).pem)
        for verb in ("sign", "check"):
            done = self.chancery("csr", verb, wildcard, "--profile", "ucm/tomcat", code=REFUSED)
            self.assertIn("name.wildcard", done.said)

    def test_check_says_yes_and_stores_nothing(self):
        before = self.service.serials()
        self.chancery("csr", "check", self.csr_file, "--profile", "ucm/tomcat")
        self.assertTrue(self.json("csr", "check", self.csr_file, "--profile", "ucm/tomcat")["accepted"])
        self.assertEqual(self.service.serials(), before)

    def test_a_private_key_is_not_sent(self):
        pem = pathlib.Path(self.csr.key)
        pkcs8 = new_file(run("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", pem, "-outform", "DER").stdout, ".der")
        before = self.service.log.read_text().count(" path=/api/v1/")
        for words in (["csr", "sign", pem], ["csr", "sign", pkcs8], ["csr", "check", pem], ["csr", "check", self.csr_file, "--certificate", pem]):
            with self.subTest(words=words):
                self.assertIn("nothing was sent", self.chancery(*words, "--profile", "ucm/tomcat", code=WRONG_USE).said)
        self.assertEqual(self.service.log.read_text().count(" path=/api/v1/"), before)

    def test_a_token_in_the_place_of_its_file_is_not_repeated(self):
        secret = "chancery_" + 72 * "a"
        done = run(CHANCERY, "health", "--server", f"https://127.0.0.1:{self.service.https_port}", "--cacert",
                   self.service.home / "admin/server-ca.pem", "--token", secret, check=False)
        self.assertEqual(done.returncode, WRONG_USE)
        self.assertNotIn(secret, done.said)
        self.assertIn("make another", done.said)

    def test_dry_run_signs_nothing(self):
        before = self.service.serials()
        self.chancery("csr", "sign", self.csr_file, "--profile", "ucm/tomcat", "--dry-run")
        self.assertEqual(self.service.serials(), before)

    def test_wrong_use_is_exit_code_1(self):
        for words in (["csr", "sign", self.csr_file], ["csr", "sign", "/nonexistent", "--profile", "ucm/tomcat"],
                      ["csr", "sign", self.csr_file, "--profile", "ucm/tomcat", "--days", "many"],
                      ["cert", "show", "not-a-serial"], ["cert", "show"], ["cert", "list", "--output", "nonsense"],
                      ["cert", "revoke", "01" * 19], ["cert", "revoke", "01" * 19, "--reason", "nonsense"]):
            with self.subTest(words=words):
                done = self.chancery(*words, code=WRONG_USE)
                self.assertEqual(done.stdout, b"")
                self.assertTrue(done.stderr)

    def test_a_file_that_is_no_csr_is_exit_code_1(self):
        self.chancery("csr", "sign", new_file("hello"), "--profile", "ucm/tomcat", code=WRONG_USE)

    # ---- cert ----

    def test_list_in_every_form(self):
        serials = [self.signed().serial_hex for _ in range(3)]
        self.assertIn(serials[0], self.chancery("cert", "list").text)
        rows = self.json("cert", "list")
        items = rows if isinstance(rows, list) else rows["items"]
        self.assertEqual(set(serials) - {each["serial"] for each in items}, set())
        lines = [json.loads(line) for line in self.chancery("cert", "list", "--output", "jsonl").text.splitlines()]
        self.assertEqual(set(serials) - {each["serial"] for each in lines}, set())
        table = list(csv.DictReader(io.StringIO(self.chancery("cert", "list", "--output", "csv").text, newline="")))
        self.assertEqual(set(serials) - {each["serial"] for each in table}, set())

    def test_list_filters(self):
        serial = self.signed().serial_hex

        def listed(*options):
            return {json.loads(line)["serial"] for line in self.chancery("cert", "list", "--output", "jsonl", *options).text.splitlines()}

        for options in (["--cn", "cucm*"], ["--san", "cucm1.example.com"], ["--profile", "ucm/tomcat"], ["--issuer", "rsa-g1"],
                        ["--status", "valid"], ["--key-type", "rsa"], ["--expires-within", "9000d"]):
            with self.subTest(options=options):
                self.assertIn(serial, listed(*options))
        for options in (["--cn", "other*"], ["--san", "other.example.com"], ["--profile", "ucm/TVS"], ["--issuer", "ec-g1"],
                        ["--status", "revoked"], ["--key-type", "ec"], ["--expires-within", "1d"]):
            with self.subTest(options=options):
                self.assertNotIn(serial, listed(*options))
        self.assertEqual(len(listed("--limit", "1")), 1)

    def test_show_and_export(self):
        leaf = self.signed()
        self.assertIn("cucm1.example.com", self.chancery("cert", "show", leaf.serial_hex).text)
        self.assertEqual(self.json("cert", "show", leaf.serial_hex)["serial"], leaf.serial_hex)
        self.assertEqual(pem_to_der(self.chancery("cert", "export", leaf.serial_hex).text)[0], leaf.der)
        self.assertEqual(len(pem_to_der(self.chancery("cert", "export", leaf.serial_hex, "--output", "chain").text)), 2)
        bundle = self.chancery("cert", "export", leaf.serial_hex, "--output", "p7b").stdout
        run("openssl", "pkcs7", "-inform", "PEM" if bundle.startswith(b"-----") else "DER", "-noout", stdin=bundle)

    def test_one_thing_in_csv_is_its_row_in_the_list(self):
        serial = self.signed().serial_hex

        def rows(*words):
            return list(csv.DictReader(io.StringIO(self.chancery(*words, "--output", "csv").text, newline="")))

        for show, listing, name in ((["cert", "show", serial], ["cert", "list", "--limit", "0"], "serial"), (["ca", "show", "rsa-g1"], ["ca", "list"], "id"),
                                    (["profile", "show", "ucm/CAPF"], ["profile", "list"], "id")):
            with self.subTest(show=show):
                self.assertEqual(rows(*show), [each for each in rows(*listing) if each[name] == show[2]])
        wildcard = new_file(make_csr(sans=["*.example.com"]).pem)
        done = self.chancery("csr", "check", wildcard, "--profile", "ucm/tomcat", "--output", "csv", code=REFUSED)
        self.assertIn(("name.wildcard", "refuse"), [(each["rule"], each["severity"]) for each in csv.DictReader(io.StringIO(done.text, newline=""))])
        plan = rows("cert", "revoke", serial, "--reason", "superseded", "--dry-run")
        self.assertEqual([(each["serial"], each["status"]) for each in plan], [(serial, "valid")])
        self.chancery("audit", "verify", "--output", "csv", code=WRONG_USE)

    def test_show_gives_the_certificate_itself(self):
        leaf = self.signed()
        self.assertEqual(self.chancery("cert", "show", leaf.serial_hex, "--output", "der").stdout, leaf.der)
        listed = run("openssl", "pkcs7", "-print_certs", "-noout", stdin=self.chancery("cert", "show", leaf.serial_hex, "--output", "p7b").stdout)
        self.assertEqual(listed.text.count("subject="), 2)
        self.assertEqual(self.chancery("cert", "show", "01" * 19, "--output", "p7b", code=NOT_FOUND).stdout, b"")

    def test_a_token_that_is_not_made_is_shown(self):
        before = self.json("token", "list")
        plan = self.json("token", "create", "--role", "requester", "--profile", "ucm/*", "--name", "example.com", "--dry-run")
        self.assertEqual(plan, {"role": "requester", "profiles": ["ucm/*"], "names": ["example.com"]})
        self.assertEqual(self.json("token", "list"), before)

    def test_what_does_not_exist_is_exit_code_5(self):
        for words in (["cert", "show", "01" * 19], ["cert", "revoke", "01" * 19, "--reason", "superseded", "--yes"], ["ca", "show", "nonsense"],
                      ["profile", "show", "nonsense"], ["csr", "sign", self.csr_file, "--profile", "ucm/nonsense"]):
            with self.subTest(words=words):
                self.chancery(*words, code=NOT_FOUND)

    def test_a_dry_run_of_a_revocation_ends_as_the_real_one(self):
        serial = self.signed(key="dry hold").serial_hex
        for words in (["unhold", serial], ["revoke", serial, "--reason", "certificateHold"], ["revoke", serial, "--reason", "certificateHold"],
                      ["unhold", serial], ["revoke", serial, "--reason", "superseded"], ["revoke", serial, "--reason", "superseded"],
                      ["revoke", serial, "--reason", "superseded", "--invalidity-date", "2024-01-02"],
                      ["revoke", serial, "--reason", "superseded", "--invalidity-date", "9999-12-31"],
                      ["revoke", serial, "--reason", "keyCompromise"], ["unhold", serial], ["revoke", "01" * 19, "--reason", "superseded"]):
            with self.subTest(words=words):
                before = self.json("cert", "show", serial)
                dry = run(CHANCERY, "cert", *words, "--dry-run", "--home", self.service.home, check=False)
                self.assertEqual(self.json("cert", "show", serial), before)
                real = run(CHANCERY, "cert", *words, "--yes", "--home", self.service.home, check=False)
                self.assertEqual((dry.returncode, dry.stderr), (real.returncode, real.stderr))
                self.assertEqual("nothing" in dry.text, real.returncode == 0 and self.json("cert", "show", serial) == before, dry.said)

    def test_revoke_hold_and_unhold(self):
        serial = self.signed(key="hold").serial_hex
        self.chancery("cert", "revoke", serial, "--reason", "certificateHold", "--yes")
        self.assertEqual(self.json("cert", "show", serial)["status"], "held")
        self.chancery("cert", "unhold", serial)
        self.assertEqual(self.json("cert", "show", serial)["status"], "valid")
        self.chancery("cert", "revoke", serial, "--reason", "keyCompromise", "--invalidity-date", "2024-01-02T03:04:05Z", "--yes")
        self.assertEqual(self.json("cert", "show", serial)["status"], "revoked")
        self.chancery("cert", "revoke", serial, "--reason", "keyCompromise", "--yes")
        self.chancery("cert", "unhold", serial, code=REFUSED)

    # ---- the rest ----

    def test_crl_publish_and_show(self):
        before = self.service.crl("rsa-g1").number
        self.chancery("crl", "publish", "--issuer", "rsa-g1")
        self.assertGreater(self.service.crl("rsa-g1").number, before)
        self.chancery("crl", "publish")
        self.assertIn("rsa-g1", self.chancery("crl", "show", "--issuer", "rsa-g1").text)
        self.assertIn("ec-root-g1", self.chancery("crl", "show").text)

    def test_ocsp_query_prints_the_status(self):
        leaf, issuer = self.signed(key="query"), self.service.ca_file("rsa-g1")
        file = new_file(der_pem(self.service, leaf), ".pem")
        query = ["ocsp", "query", file, "--issuer-cert", issuer, "--url", f"http://127.0.0.1:{self.service.http_port}/ocsp"]
        self.assertIn("good", self.chancery(*query).text)
        self.assert_status(self.service.revoke(leaf.serial_hex, "keyCompromise"), 200)
        self.assertIn("revoked", self.chancery(*query).text)

    def test_ocsp_query_says_what_a_client_sees(self):
        file = new_file(der_pem(self.service, self.signed()), ".pem")
        query = ["ocsp", "query", file, "--output", "json"]
        posted = json.loads(self.chancery(*query).text)
        self.assertEqual((posted["method"], posted["nonce_echoed"], posted["http"]["cache_control"]), ("POST", True, "no-store"))
        got = json.loads(self.chancery(*query, "--get").text)
        self.assertEqual((got["method"], got["nonce_echoed"], got["status"]), ("GET", False, "good"))
        self.assertIn("max-age=", got["http"]["cache_control"])
        for each in ("etag", "last_modified", "expires"):
            self.assertTrue(got["http"][each], got)
        for each in (posted, got):
            self.assertIn("CN = OCSP rsa-g1", each["responder"])
            self.assertLess(0, each["time"]["connected_us"])
            self.assertLessEqual(each["time"]["connected_us"], each["time"]["first_octet_us"])
            self.assertLessEqual(each["time"]["first_octet_us"], each["time"]["total_us"])
            self.assertGreater(each["size"], 500)

    def test_ocsp_query_of_a_foreign_certificate_without_an_address_says_that(self):
        """Its issuer is with it, so the service is not asked: it need not be there."""
        key, ca, leaf = new_file(b"", ".key"), new_file(b"", ".pem"), new_file(b"", ".pem")
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        run("openssl", "req", "-x509", *curve, "-keyout", key, "-subj", "/CN=Foreign CA", "-out", ca)
        run("openssl", "req", "-x509", *curve, "-keyout", new_file(b""), "-subj", "/CN=foreign", "-CA", ca, "-CAkey", key, "-out", leaf)
        with_issuer = new_file(pathlib.Path(leaf).read_text() + pathlib.Path(ca).read_text(), ".pem")
        for home in (self.service.home, "/nowhere"):
            done = run(CHANCERY, "ocsp", "query", with_issuer, "--home", home, check=False)
            self.assertEqual((done.returncode, "names no OCSP address" in done.said), (1, True), done.said)
        alone = run(CHANCERY, "ocsp", "query", leaf, "--home", self.service.home, check=False)
        self.assertEqual((alone.returncode, "issued this certificate" in alone.said), (1, True), alone.said)

    def test_ocsp_query_finds_address_and_issuer_itself(self):
        file = new_file(der_pem(self.service, self.signed()), ".pem")
        self.assertIn("good", self.chancery("ocsp", "query", file).text)

    def test_ca_and_profile(self):
        for each in ("rsa-root-g1", "rsa-g1", "ec-root-g1", "ec-g1"):
            self.assertIn(each, self.chancery("ca", "list").text)
            self.assertIn(each, self.chancery("ca", "show", each).text)
            chain = pem_to_der(self.chancery("ca", "chain", each).text)
            self.assertEqual(chain[0], self.service.plain(f"/ca/{each}.cer").body)
            self.assertEqual(chain[-1], self.service.plain(f"/ca/{each.split('-')[0]}-root-g1.cer").body)
        self.assertIn("ucm/tomcat-ECDSA", self.chancery("profile", "list").text)
        self.assertIn("dataEncipherment", self.chancery("profile", "show", "ucm/tomcat").text)

    def test_health_is_fine(self):
        self.chancery("health")

    def test_config_check_and_show(self):
        self.chancery("config", "check")
        self.assertIn("rsa-g1", self.chancery("config", "show").text)
        self.chancery("config", "check", new_file("<nonsense/>"), code=WRONG_USE)
        self.chancery("config", "check", "-", stdin=(self.service.home / "chancery.xml").read_bytes())
        self.assertIn("standard input", self.chancery("config", "check", "-", stdin=b"<nonsense/>", code=WRONG_USE).said)

    def test_the_home_may_come_from_the_environment(self):
        done = run(CHANCERY, "ca", "list", env={"CHANCERY_HOME": str(self.service.home)})
        self.assertEqual(done.text, self.chancery("ca", "list").text)

    # ---- by HTTPS ----

    def test_the_server_gives_the_same_output(self):
        serial = self.signed().serial_hex
        for words in (["cert", "list"], ["cert", "list", "--output", "csv"], ["cert", "show", serial], ["cert", "export", serial], ["ca", "list"],
                      ["ca", "chain", "ec-g1"], ["profile", "list"], ["profile", "show", "ucm/tomcat"], ["crl", "show"],
                      ["csr", "check", self.csr_file, "--profile", "ucm/tomcat"]):
            with self.subTest(words=words):
                self.assertEqual(self.remote(*words).text, self.chancery(*words).text)

    def test_the_server_signs_and_revokes(self):
        leaf = der.Certificate(pem_to_der(self.remote("csr", "sign", "-", "--profile", "ucm/tomcat", stdin=self.csr.der).text)[0])
        self.remote("cert", "revoke", leaf.serial_hex, "--reason", "superseded", "--yes")
        self.assertEqual(self.json("cert", "show", leaf.serial_hex)["status"], "revoked")

    def test_no_login_is_exit_code_6(self):
        self.remote("cert", "list", client=False, code=NOT_PERMITTED)

    def test_a_server_that_is_not_trusted_is_exit_code_2(self):
        stranger = self_signed("/CN=Stranger")[0]
        done = run(CHANCERY, "ca", "list", "--server", f"https://127.0.0.1:{self.service.https_port}", "--cacert", stranger, check=False)
        self.assertEqual(done.returncode, NO_SERVICE, done.said)

    def test_no_service_is_exit_code_2(self):
        silent = Service(start=False)
        done = silent.chancery("cert", "list", check=False)
        self.assertEqual(done.returncode, NO_SERVICE, done.said)
        self.assertEqual(done.stdout, b"")

    def test_hostile_names_do_not_reach_the_terminal(self):
        csr = make_csr(subject="/O=\x1b[31mred/CN=cucm1.example.com")
        answer = self.service.issue(csr, "ucm/tomcat")
        if answer.status == 201:
            serial = der.Certificate(pem_to_der(answer.text)[0]).serial_hex
            for words in (["cert", "list"], ["cert", "show", serial]):
                self.assertNotIn(b"\x1b", self.chancery(*words).stdout)
        else:
            self.assert_problem(answer, 422)


def der_pem(service, leaf):
    return service.api(f"/certificates/{leaf.serial_hex}.pem").text


if __name__ == "__main__":
    unittest.main()
