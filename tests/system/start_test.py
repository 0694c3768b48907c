#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Starting and ending: what is wrong is one clear line and exit code 1; what was acknowledged is there after a restart."""
import contextlib
import datetime
import json
import os
import pathlib
import re
import signal
import socket
import stat
import subprocess
import time
import unittest

import der
from harness import CHANCERY, ROOT, WAIT_S, Service, ServiceTest, make_csr, new_file, replace_file, run, wait_until


def first_role(supervisor):
    """The process id of a role, as soon as there is one: nothing slower would see it before it has started."""
    for pid in map(int, pathlib.Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()):
        with contextlib.suppress(OSError):  # it ended meanwhile
            if b"\0role\0" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
    return None


def crossed(settings):
    """Each issuer is to issue for the other's kind of keys."""
    other = {"rsa": "ec", "ec": "rsa"}
    return re.sub(r' issues="(\w+)"', lambda found: f' issues="{other[found[1]]}"', settings)


class Init(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = Service(start=False)

    def test_the_home_holds_what_the_interface_names(self):
        for name in ("chancery.xml", "keys", "store", "public", "admin/admin.pem", "admin/admin.key", "admin/admin.p12",
                     "admin/server-ca.pem", "issuers/rsa-g1.pem", "issuers/rsa-g1-chain.pem", "issuers/ec-root-g1.pem"):
            self.assertTrue((self.service.home / name).exists(), name)

    def test_private_keys_are_for_their_owner_alone(self):
        keys = [*(self.service.home / "keys").iterdir(), self.service.home / "admin/admin.key", self.service.home / "admin/admin.p12"]
        self.assertGreater(len(keys), 5)
        for each in keys:
            self.assertEqual(stat.S_IMODE(each.stat().st_mode), 0o600, each)

    def test_a_home_that_exists_is_refused_and_left_alone(self):
        before = (self.service.home / "chancery.xml").read_bytes()
        done = self.service.chancery("init", check=False)
        self.assert_one_line(done, str(self.service.home))
        self.assertEqual((self.service.home / "chancery.xml").read_bytes(), before)

    def test_port_0_is_a_free_port_that_certificates_name(self):
        home = self.service.home.parent / "any-port"
        run(CHANCERY, "init", "--home", home, "--http", "127.0.0.1:0", "--https", "127.0.0.1:0")
        http, https = re.findall(r'listen="127.0.0.1:(\d+)"', (home / "chancery.xml").read_text())
        self.assertGreater(int(http), 0)
        self.assertNotIn(https, ("0", http))
        said = run("openssl", "x509", "-in", home / "issuers/ec-g1.pem", "-noout", "-text").text
        self.assertIn(f"URI:http://localhost:{http}/ocsp", said)

    def test_a_place_that_cannot_be_written_is_one_line(self):
        done = run(CHANCERY, "init", "--home", "/proc/nonsense/home", check=False)
        self.assert_one_line(done, "/proc/nonsense")

    def test_wrong_use_is_exit_code_1(self):
        for words in (["nonsense"], ["cert"], ["cert", "nonsense"], ["init", "--nonsense"], ["serve", "--home"], []):
            with self.subTest(words=words):
                done = run(CHANCERY, *words, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertTrue(done.stderr)
                self.assertFalse(done.stdout)

    def test_the_common_flags_stand_anywhere(self):
        home = self.service.home
        for words in (["--home", home, "config", "check"], ["config", "check", "--dry-run", "--home", home], ["serve", "--dry-run", "--home", home]):
            with self.subTest(words=words):
                self.assertIn(": ok", run(CHANCERY, *words).text)
        for words in (["init", "--help"], ["--help", "serve"]):
            with self.subTest(words=words):
                self.assertIn("usage: chancery", run(CHANCERY, *words).text)
        for words, wanted, other in ((["-h"], "usage: chancery NOUN", "usage: chancery init"), (["init", "-h"], "usage: chancery init", "serve"),
                                     (["--help", "serve"], "usage: chancery serve [--ready-file", "init"), (["csr", "--help"], "usage: chancery csr sign", "cert list"),
                                     (["store", "--help"], "chancery store backup DIR", "init"), (["store", "check", "-h"], "store check [DIR]", "backup")):
            with self.subTest(words=words):
                said = run(CHANCERY, *words).text
                self.assertIn(wanted, said)
                self.assertNotIn(other, said)
        self.assertEqual(run(CHANCERY, "serve", "--version").text, run(CHANCERY, "--version").text)

    def test_a_command_of_this_machine_that_is_mistyped_is_told_what_is_wrong_and_how_it_is_typed(self):
        for words, why, wanted, other in ((["store"], "no such command: store", "store backup DIR", "csr sign"),
                                          (["store", "fill"], "no such command: store fill", "store backup DIR", "csr sign"),
                                          (["store", "backup"], "an argument is missing", "store backup DIR", "store check"),
                                          (["config", "show", "a"], "too many arguments: a", "config show", "config check"),
                                          (["serve", "here"], "too many arguments: here", "chancery serve", "chancery init"),
                                          (["store", "backup", "/nonexistent/b", "--host", "h"], "--host is for another command", "store backup DIR", "snapshot"),
                                          (["init", "--ready-file", "f"], "--ready-file is for another command", "chancery init", "chancery serve")):
            with self.subTest(words=words):
                done = run(CHANCERY, *words, "--home", "/nonexistent/home", check=False)
                self.assertEqual((done.returncode, done.stdout), (1, b""), done.said)
                self.assertTrue(done.said.startswith(f"chancery: {why}\n"), done.said)
                self.assertIn(wanted, done.said)
                self.assertNotIn(other, done.said)

    def test_a_check_of_the_configuration_comes_in_the_form_asked_for(self):
        home = self.service.home
        found = json.loads(run(CHANCERY, "config", "check", "--home", home, "--output", "json").text)
        self.assertEqual(found, {"checked": str(home), "ok": True, "mistakes": []})
        wrong = new_file((home / "chancery.xml").read_text().replace("<service ", "<service colour='red' "), ".xml")
        done = run(CHANCERY, "config", "check", wrong, "--output", "jsonl", check=False)
        found = json.loads(done.text)
        self.assertEqual((done.returncode, found["ok"]), (1, False))
        self.assertIn("colour", found["mistakes"][0])
        for words in (["config", "check"], ["config", "show"], ["serve", "--dry-run"], ["init"]):
            with self.subTest(words=words):
                done = run(CHANCERY, *words, "--home", home, "--output", "xml", check=False)
                self.assertEqual((done.returncode, done.text), (1, ""), done.said)

    def test_a_dry_run_of_init_leaves_nothing(self):
        home = self.service.home.parent / "dry"
        run(CHANCERY, "--dry-run", "init", "--home", home)
        self.assertEqual([*home.parent.glob("dry*")], [])
        self.assert_one_line(run(CHANCERY, "init", "--dry-run", "--home", self.service.home, check=False), "exists already")

    def test_quiet_says_nothing(self):
        self.assertEqual(run(CHANCERY, "init", "--quiet", "--home", self.service.home.parent / "quiet").said, "")

    def test_an_address_that_serve_cannot_take_is_refused(self):
        self.assert_one_line(run(CHANCERY, "init", "--home", self.service.home.parent / "named", "--http", "localhost:80", check=False),
                             "--http localhost:80:", "127.0.0.1:8080")
        self.assert_one_line(run(CHANCERY, "init", "--home", self.service.home.parent / "named", "--https", ":8443", check=False),
                             "--https :8443:", "[::1]:8080")

    def test_two_listeners_on_one_address_are_refused(self):
        home = self.service.home.parent / "same"
        self.assert_one_line(run(CHANCERY, "init", "--home", home, "--http", "127.0.0.1:8443", check=False),
                             "--http and --https are both 127.0.0.1:8443")
        self.assertFalse(home.exists())
        run(CHANCERY, "init", "--home", home, "--http", "127.0.0.1:8443", "--https", "127.0.0.2:8443")
        path = home / "chancery.xml"
        path.write_text(path.read_text().replace("127.0.0.2:8443", "127.0.0.1:8443"))
        for words in (["config", "check"], ["serve"]):
            with self.subTest(words=words):
                done = run(CHANCERY, *words, "--home", home, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertIn('<https listen="127.0.0.1:8443"> is not permitted', done.said)
        path.write_text(path.read_text().replace("127.0.0.1:8443", "127.0.0.1:0"))
        run(CHANCERY, "config", "check", "--home", home)

    def test_output_that_cannot_be_written_is_exit_code_1(self):
        for verb in ("check", "show"):
            with self.subTest(verb=verb), open("/dev/full", "wb") as full:
                done = subprocess.run([CHANCERY, "config", verb, "--home", str(self.service.home)], stdout=full, stderr=subprocess.PIPE, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertIn(b"No space left", done.stderr)

    def test_the_client_certificate_opens_as_pkcs12(self):
        run("openssl", "pkcs12", "-in", self.service.home / "admin/admin.p12", "-passin", "pass:", "-noout")

    def assert_one_line(self, done, *texts):
        self.assertEqual(done.returncode, 1, done.said)
        lines = done.stderr.decode().strip().splitlines()
        self.assertEqual(len(lines), 1, lines)
        for text in texts:
            self.assertIn(text, lines[0])


class WrongStart(unittest.TestCase):
    """A home of its own for each mistake; none may be half started."""

    @classmethod
    def setUpClass(cls):
        cls.good = Service(start=False)

    def setUp(self):
        self.service = self.good.copy()

    def tearDown(self):
        self.assertEqual(self.service.roles(), {}, "no process is left")

    def assert_refused(self, *texts):
        """Exit code 1 and one line that holds all texts."""
        done = run(CHANCERY, "serve", "--home", self.service.home, check=False)
        self.assertEqual(done.returncode, 1, done.said)
        lines = done.stderr.decode().splitlines()
        self.assertEqual(len(lines), 1, lines)
        for text in texts:
            self.assertIn(text, lines[0])
        return done

    def test_no_home(self):
        done = run(CHANCERY, "serve", "--home", str(self.service.home) + "-nonsense", check=False)
        self.assertEqual(done.returncode, 1, done.said)
        self.assertIn("-nonsense", done.said)

    def test_a_port_that_is_taken(self):
        with socket.create_server(("127.0.0.1", self.service.http_port)):
            self.assert_refused(str(self.service.http_port), "in use")

    def test_a_broken_configuration_names_its_line(self):
        path = self.service.home / "chancery.xml"
        lines = path.read_text().splitlines()
        number = next(i for i, line in enumerate(lines) if "<ocsp" in line)
        lines[number] = '  <ocsp validity="a while"/>'
        path.write_text("\n".join(lines) + "\n")
        self.assert_refused(f"chancery.xml:{number + 1}:", "a while")

    def test_a_configuration_that_is_no_xml(self):
        (self.service.home / "chancery.xml").write_text("<chancery\n")
        self.assert_refused("chancery.xml:")

    def test_entities_and_doctypes_are_refused(self):
        path = self.service.home / "chancery.xml"
        text = path.read_text()
        start = text.index("<chancery")
        path.write_text('<!DOCTYPE chancery [<!ENTITY e SYSTEM "file:///etc/passwd">]>\n' + text[start:].replace('name="Test"', 'name="&e;"'))
        done = self.assert_refused("chancery.xml:")
        self.assertNotIn("root:", done.said)

    def test_a_missing_key(self):
        (self.service.home / "keys/rsa-g1.key").unlink()
        self.assert_refused("rsa-g1.key")

    def test_a_key_of_another_issuer(self):
        keys = self.service.home / "keys"
        (keys / "rsa-g1.key").write_bytes((keys / "rsa-root-g1.key").read_bytes())
        self.assert_refused("rsa-g1.key")

    def test_a_missing_issuer_certificate(self):
        (self.service.home / "issuers/ec-g1.pem").unlink()
        self.assert_refused("ec-g1.pem")

    def test_a_missing_store(self):
        for each in (self.service.home / "store").iterdir():
            each.unlink()
        self.assert_refused("store")

    def test_issuers_that_would_issue_for_each_others_keys(self):
        path = self.service.home / "chancery.xml"
        path.write_text(crossed(path.read_text()))
        done = run(CHANCERY, "serve", "--home", self.service.home, check=False)
        self.assertEqual(done.returncode, 1, done.said)
        self.assertIn('issuer rsa-g1 has an RSA key and issues="ec"', done.said.replace("\\", ""))
        done = self.service.chancery("config", "check", check=False)
        self.assertEqual(done.returncode, 1, done.said)
        for text in ('issuer rsa-g1 has an RSA key and issues="ec"', 'issuer ec-g1 has an EC key and issues="rsa"'):
            self.assertIn(f"chancery.xml: {text}\n", done.said)

    @unittest.skipIf(os.getuid() == 0, "root may write anywhere")
    def test_a_home_that_cannot_be_written(self):
        self.service.home.chmod(0o500)
        self.addCleanup(self.service.home.chmod, 0o700)
        self.assert_refused(str(self.service.home))

    def test_looks_at_a_store_that_no_service_of_this_version_has_opened(self):
        data = self.service.home / "store/data.mdb"
        (self.service.home / "store/lock.mdb").touch()
        data.write_bytes(data.read_bytes().replace(b"crl_change", b"crl_changf"))  # as if the table were not there
        done = self.service.chancery("store", "check", check=False)
        self.assertIn("of an earlier version", done.said)
        self.service.chancery("config", "check")
        self.assertIn("ec-g2", self.service.chancery("ca", "renew", "ec-g1", "--dry-run").said)
        path = self.service.home / "chancery.xml"
        path.write_text(crossed(path.read_text()))
        done = self.service.chancery("config", "check", check=False)
        self.assertEqual(done.returncode, 1, done.said)
        self.assertIn('issuer rsa-g1 has an RSA key and issues="ec"', done.said)

    def test_config_check_says_what_serve_would(self):
        self.service.chancery("config", "check")
        path = self.service.home / "chancery.xml"
        path.write_text(re.sub(r"<http ", "<htpp ", path.read_text()))
        done = self.service.chancery("config", "check", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("htpp", done.said)


class Run(ServiceTest):
    def test_a_second_service_on_the_home_is_told_so(self):
        done = self.service.chancery("serve", check=False)
        self.assertEqual(done.returncode, 1, done.said)
        self.assertIn("it is running already", done.said)
        self.assertIn("control.sock", done.said)
        self.assertEqual(self.service.chancery("health", check=False).returncode, 0)

    def test_the_ready_file_says_where(self):
        self.assertEqual(self.service.ready, {
            "pid": self.service.process.pid,
            "http": f"127.0.0.1:{self.service.http_port}",
            "https": f"127.0.0.1:{self.service.https_port}",
            "home": str(self.service.home),
        })

    def test_every_role_is_a_process(self):
        self.assertEqual(set(self.service.roles()), {"signer", "ocsp-signer", "ca", "crl", "ocsp", "api", "watch"})

    def test_it_can_be_the_first_process_of_a_container(self):
        # Process 1 has no parent to speak of, and its children have parent 1 from the start.
        unshare = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc"]
        if run(*unshare, "true", check=False).returncode != 0:
            self.skipTest("no new process namespace here")
        other = Service(start=False)
        ready = other.directory / "ready"
        with open(other.log, "ab") as log:
            first = subprocess.Popen([*unshare, CHANCERY, "serve", "--home", other.home, "--ready-file", ready], stdout=log, stderr=log)
        self.addCleanup(first.wait)
        self.addCleanup(first.kill)
        wait_until(lambda: first.poll() is not None or ready.exists(), "the service is ready")
        self.assertIsNone(first.poll(), other.tail())

    def test_a_host_longer_than_a_common_name_is_served_under_that_name(self):
        host = ".".join(("a" * 20, "b" * 20, "c" * 18, "example.com.test"))  # 77 characters; RFC 5280 permits 64 in a common name
        other = Service("--host", host)
        self.addCleanup(other.kill)
        ask = ["curl", "-sS", "--cacert", other.home / "admin/server-ca.pem"]
        where = f"{other.https_port}:127.0.0.1"
        for kind in ("RSA", "ECDSA"):
            suite = ["--tls-max", "1.2", "--ciphers", f"ECDHE-{kind}-AES128-GCM-SHA256"]
            self.assertIn("ok", run(*ask, *suite, "--resolve", f"{host}:{where}", f"https://{host}:{other.https_port}/livez").text)
            refused = run(*ask, *suite, "--resolve", f"chancery:{where}", f"https://chancery:{other.https_port}/livez", check=False)
            self.assertEqual(refused.returncode, 60, refused.said)  # the common name counts for nothing
        self.assertEqual(other.stop(), 0)

    def test_a_second_service_on_the_home_is_refused(self):
        done = run(CHANCERY, "serve", "--home", self.service.home, check=False)
        self.assertEqual(done.returncode, 1, done.said)
        self.assert_status(self.service.api("/issuers"), 200)

    def test_sigterm_ends_it_cleanly_and_everything_acknowledged_is_there_again(self):
        issued = [self.service.issued(make_csr(), "ucm/tomcat") for _ in range(5)]
        self.assert_status(self.service.revoke(issued[0].serial_hex, "keyCompromise"), 200)
        self.assertEqual(self.service.stop(), 0)
        wait_until(lambda: not self.service.roles(), "no process is left")
        self.assertFalse((self.service.home / "control.sock").exists())
        self.service.start()
        for each in issued:
            self.assertEqual(self.service.api(f"/certificates/{each.serial_hex}.der").body, each.der)
        self.assertEqual(self.service.api(f"/certificates/{issued[0].serial_hex}").json()["status"], "revoked")
        self.assertEqual(self.service.api(f"/certificates/{issued[1].serial_hex}").json()["status"], "valid")

    def test_sigterm_ends_it_cleanly_while_it_starts(self):
        other = Service(start=False)
        for delay_s in (0, 0.02, 0.05, 0.1, 0.2):
            with self.subTest(delay_s=delay_s):
                process = subprocess.Popen([CHANCERY, "serve", "--home", other.home], stderr=subprocess.DEVNULL)
                wait_until(lambda: process.poll() is not None or (other.home / "control.sock").exists(), "it has begun")
                time.sleep(delay_s)
                process.terminate()
                self.assertEqual(process.wait(WAIT_S), 0)
                self.assertFalse((other.home / "control.sock").exists())
                wait_until(lambda: not other.roles(), "no role is left")

    def test_sigterm_is_heard_while_a_role_hangs_at_its_start(self):
        other = Service(start=False)
        process = subprocess.Popen([CHANCERY, "serve", "--home", other.home], stderr=subprocess.DEVNULL)
        self.addCleanup(process.kill)
        while (role := first_role(process.pid)) is None:
            self.assertIsNone(process.poll())
        os.kill(role, signal.SIGSTOP)
        process.terminate()
        self.assertEqual(process.wait(WAIT_S), 2, "a role had to be killed")

    def test_sigint_ends_it_cleanly_too(self):
        self.assertEqual(self.service.stop(signal.SIGINT), 0)
        self.service.start()

    def test_sighup_with_a_wrong_file_keeps_the_old(self):
        path = self.service.home / "chancery.xml"
        good = path.read_text()
        mark = self.service.log.stat().st_size
        replace_file(path, good.replace("</chancery>", "<nonsense/></chancery>"))
        self.service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: b"nonsense" in self.service.log.read_bytes()[mark:], "the log names the mistake")
        self.service.issued(make_csr(), "ucm/tomcat")
        replace_file(path, good)
        self.service.process.send_signal(signal.SIGHUP)
        self.service.issued(make_csr(), "ucm/tomcat")

    def test_sighup_with_other_issuers_takes_the_profiles_alone(self):
        path, catalogue = self.service.home / "chancery.xml", self.service.home / "profiles.xml"
        good = path.read_text()
        other = good.replace(' issues="ec"', "").replace("</https>", '</https><login><limits requests="1/h"/></login>')
        self.assertNotEqual(good, other)
        other = other.replace('name="Test"', 'name="Changed"', 1).replace('<ocsp validity="24h"', '<ocsp validity="3h"')
        replace_file(catalogue, (ROOT / "ca/profiles.xml").read_text().replace('"general/server"', '"general/renamed"'))
        replace_file(path, other)
        self.service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.service.api("/profiles/general/renamed").status == 200, "the profiles are taken")
        self.assertEqual(self.service.api("/issuers/ec-g1").json()["issues"], "ec")
        verdict = self.service.api("/preflight?profile=ucm/tomcat-ECDSA", "POST", make_csr("ec-P-256", "/CN=cucm1-EC.example.com").der).json()
        self.assertEqual(verdict["would_issue"]["issuer"], "ec-g1")
        log = self.service.log.read_text()
        for role in ("api", "ca"):
            self.assertRegex(log, f"warn {role} reload .*the issuers differ")
        wait_until(lambda: re.search("warn ocsp reload .*the issuers differ", self.service.log.read_text()), "the third has looked, too")
        self.assertIn("<h1>Test", self.service.plain("/").text)
        catalogue.unlink()
        replace_file(path, good)
        self.service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.service.api("/profiles/general/renamed").status == 404, "the same issuers are taken")

    def test_sighup_with_issuers_that_a_start_refuses_says_so(self):
        path = self.service.home / "chancery.xml"
        good = path.read_text()
        replace_file(path, crossed(good))
        self.service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: re.search("error ca reload .*issuer rsa-g1 has an RSA key", self.service.log.read_text()), "the log says why")
        replace_file(path, good.replace("</chancery>", re.search(r'(?s)  <issuer id="rsa-g1".*?</issuer>\n', good)[0].replace(
            "rsa-g1", "rsa-g9").replace(' issues="rsa"', "") + "</chancery>"))
        self.service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: re.search("error ca reload .*issuer rsa-g9 is in chancery.xml but not in the store", self.service.log.read_text()),
                   "of a new one, too")
        self.assertEqual(self.service.api("/issuers/ec-g1").json()["issues"], "ec")
        self.assertEqual(self.service.issued(make_csr("ec-P-256", "/CN=cucm1-EC.example.com"), "ucm/tomcat-ECDSA").issuer,
                         der.Certificate(self.service.plain("/ca/ec-g1.cer").body).subject)
        replace_file(path, good)
        self.service.process.send_signal(signal.SIGHUP)

    def test_sighup_names_what_a_restart_alone_takes(self):
        path = self.service.home / "chancery.xml"
        good = path.read_text()
        other = good.replace('<crl on-revocation="false"/>', '<crl on-revocation="true"/>').replace('every="24h"', 'every="12h"').replace(
            'map-size-mib="1024"', 'map-size-mib="2048"')
        mark = self.service.log.stat().st_size

        def lines(words):
            return re.findall(words, self.service.log.read_bytes()[mark:].decode())

        replace_file(path, good.replace('name="Test"', 'name="Changed"', 1))
        self.service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "<h1>Changed" in self.service.plain("/").text, "what is taken at once is taken")
        self.assertEqual(lines("taken by a restart alone"), [])
        replace_file(path, other)
        self.service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: len(lines('info ocsp reload detail="done"')) == 2, "it is read")
        self.assertEqual(lines('warn serve reload detail="changed, and taken by a restart alone: (.*)"'),
                         ["store map-size-mib, crl on-revocation, rsa-g1 crl every, ec-g1 crl every"])
        replace_file(path, good)
        self.service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: len(lines('info ocsp reload detail="done"')) == 3, "it is read")
        self.assertEqual(len(lines("taken by a restart alone")), 1)

    def hurried(self, name, is_due=lambda service: "ca" in service.roles()):
        """A service whose configuration was changed, and which was told so, while it started; when that is due."""
        other = Service(start=False)
        path, ready = other.home / "chancery.xml", other.directory / "ready"
        with open(other.log, "ab") as log:
            other.process = subprocess.Popen([CHANCERY, "serve", "--home", other.home, "--ready-file", ready], stdout=log, stderr=log)
        while not is_due(other):  # which lasts no longer than a few milliseconds: no pause
            self.assertIsNone(other.process.poll())
        replace_file(path, path.read_text().replace('name="Test"', name, 1))
        other.process.send_signal(signal.SIGHUP)
        wait_until(lambda: ready.exists(), "it is ready")
        return other

    def test_sighup_while_it_starts_is_heard_when_it_is_ready(self):
        other = self.hurried('name="Changed"')
        wait_until(lambda: "<h1>Changed" in other.plain("/").text, "the change is in force")
        self.assertEqual(other.stop(), 0)

    def test_sighup_before_any_role_is_there_is_heard_when_it_is_ready(self):
        def prepares(service):
            """What roles get of the configuration has a place, which comes before anything is read."""
            links = []
            for each in pathlib.Path(f"/proc/{service.process.pid}/fd").iterdir():
                with contextlib.suppress(FileNotFoundError):
                    links.append(os.readlink(each))
            return any("chancery-configuration" in each for each in links)

        other = self.hurried('name="Changed"', prepares)
        wait_until(lambda: "<h1>Changed" in other.plain("/").text, "the change is in force")
        wait_until(lambda: re.search("info (api|ocsp) reload ", other.log.read_text()), "it was heard")
        self.assertEqual(other.stop(), 0)

    def test_sighup_while_it_starts_with_a_wrong_file_keeps_the_old(self):
        other = self.hurried('nonsense="Changed"')
        wait_until(lambda: "the configuration in force stays" in other.log.read_text(), "it says so")
        self.assertIn("<h1>Test", other.plain("/").text)
        self.assertEqual(other.stop(), 0)

    def test_sighup_reaches_what_relying_parties_use(self):
        leaf = new_file(self.service.issued(make_csr(), "ucm/tomcat").chain_pem, ".pem")
        path = self.service.home / "chancery.xml"
        good = path.read_text()

        def life():
            """Hours of an answer that is kept."""
            text = run("openssl", "ocsp", "-issuer", self.service.ca_file("rsa-g1"), "-cert", leaf, "-no_nonce", "-noverify", "-url",
                       f"http://127.0.0.1:{self.service.http_port}/ocsp").text
            first, last = (datetime.datetime.strptime(re.search(f"{name} Update: (.*) GMT", text)[1], "%b %d %H:%M:%S %Y") for name in ("This", "Next"))
            return (last - first).total_seconds() / 3600

        before, told = self.service.plain("/").text, life()
        changed = re.sub(r'public-url="[^"]*"', 'public-url="http://elsewhere.example.com"', good)
        self.assertNotIn("elsewhere.example.com", before)
        replace_file(path, changed.replace('<ocsp validity="24h"', '<ocsp validity="3h"'))
        self.addCleanup(self.service.process.send_signal, signal.SIGHUP)
        self.addCleanup(replace_file, path, good)
        self.service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "http://elsewhere.example.com/ocsp" in self.service.plain("/").text, "the page shows the new public URL")
        self.assertEqual(told, 24)
        self.assertEqual(life(), 3)
        replace_file(path, good.replace("</chancery>", "<nonsense/></chancery>"))
        self.service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.service.log.read_text().count("nonsense") > 0, "the log names the mistake")
        self.assertIn("http://elsewhere.example.com/ocsp", self.service.plain("/").text)
        self.assertEqual(life(), 3)

    def test_sighup_reads_a_changed_catalogue(self):
        path = self.service.home / "profiles.xml"
        self.assert_problem(self.service.issue(make_csr(), "site/new"), 404)
        installed = (path if path.exists() else ROOT / "ca/profiles.xml").read_text()
        replace_file(path, installed.replace('id="ucce/host"', 'id="site/new"'))
        self.addCleanup(self.service.process.send_signal, signal.SIGHUP)
        self.addCleanup(replace_file, path, installed)
        self.service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.service.issue(make_csr(), "site/new").status == 201, "the new profile is in force")

    def test_a_fresh_service_of_short_lives_is_healthy(self):
        other = Service(start=False)
        path = other.home / "chancery.xml"
        replace_file(path, path.read_text().replace('<ocsp validity="24h" signer-validity="14d"/>', '<ocsp validity="1h" signer-validity="12h"/>')
                     .replace(' validity="90d"', ' validity="2d"'))
        other.start()
        health = other.chancery("health", "--output", "json", check=False)
        self.assertEqual(health.returncode, 0, health.said)
        checks = {each["name"]: each for each in json.loads(health.stdout)["checks"]}
        for name in ("ocsp:rsa-g1", "listener:rsa", "listener:ec"):
            self.assertEqual(checks[name]["status"], "ok", checks[name])
        self.assertEqual(other.stop(), 0)

    def test_health_answers(self):
        tls = self.service.tls(None)
        for path in ("/livez", "/readyz", "/metrics"):
            self.assert_status(self.service.https(path, tls=tls), 200)


if __name__ == "__main__":
    unittest.main()
