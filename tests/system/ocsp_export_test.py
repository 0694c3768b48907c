#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The static set: `ocsp export DIR` served by nginx. Do clients that ask by GET take it, does a run change what has to change alone, and is
an answer that is not of now refused, wherever it comes from?"""
import atexit
import base64
import fcntl
import hashlib
import http.server
import json
import pathlib
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse

from harness import (ASAN_NOT_FIRST, CHANCERY, ROOT, WORK, Service, ServiceTest, asan_options, free_ports, make_csr, new_file, replace_file, run,
                     wait_until)


class Between:
    """A way to the responder on which something happens once, before the first request for one path goes on."""

    def __init__(self, service, path, happens):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path == path and not between.has_happened:
                    between.has_happened = True
                    happens()
                answer = service.plain(self.path)
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.type)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_):
                pass

        between, self.has_happened = self, False
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/ocsp"

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Export(ServiceTest):
    @classmethod
    def setUpClass(cls):
        cls.service = Service(start=False)
        settings = cls.service.home / "chancery.xml"
        before = settings.read_text()
        assert '<ocsp validity="24h"' in before
        replace_file(settings, before.replace('<ocsp validity="24h"', '<ocsp validity="72h"'))  # a leaf can end before its answers do
        cls.service.start()
        cls.bundle = {each: cls.service.ca_file(f"{each}-g1", f"{each}-root-g1") for each in ("rsa", "ec")}
        cls.directory = pathlib.Path(tempfile.mkdtemp(dir=WORK)) / "set"
        cls.port = free_ports(1)[0]
        cls.leaf = {"rsa": cls.issue("rsa"), "ec": cls.issue("ec")}
        cls.first = cls.export()
        cls.nginx = cls.start_nginx()

    @classmethod
    def tearDownClass(cls):
        cls.nginx.terminate()
        cls.nginx.wait(timeout=60)
        super().tearDownClass()

    @classmethod
    def start_nginx(cls):
        """The server block of docs/operations.md, 13."""
        directory = pathlib.Path(tempfile.mkdtemp(dir=WORK))
        text = (ROOT / "docs/operations.md").read_text()
        start = text.index("    server {\n", text.index("## 13."))
        block = text[start : text.index("\n    }\n", start)] + "\n}\n"
        block = block.replace("listen 80;", f"listen 127.0.0.1:{cls.port};").replace("/srv/ocsp", str(cls.directory))
        block = block.replace("127.0.0.1:8080", f"127.0.0.1:{cls.service.http_port}")
        temporary = "\n".join(f"{each}_temp_path {directory}/{each};" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        config = directory / "nginx.conf"
        config.write_text(f"daemon off; master_process off; pid {directory}/pid; error_log {directory}/log;\nevents {{}}\n"
                          f"http {{\naccess_log {directory}/access;\n{temporary}\n{block}}}\n")
        cls.nginx_log, cls.access = directory / "log", directory / "access"
        process = subprocess.Popen(["nginx", "-e", directory / "log", "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        atexit.register(process.terminate)
        wait_until(lambda: run("curl", "-s", "--noproxy", "*", f"http://127.0.0.1:{cls.port}/", check=False).returncode == 0, "nginx listens")
        return process

    @classmethod
    def issue(cls, kind, name="shared", **query):
        csr = make_csr(name=name) if kind == "rsa" else make_csr("ec-P-384", "/CN=node1-EC.example.com", name=name)
        leaf = cls.service.issued(csr, "ucm/tomcat" if kind == "rsa" else "ucm/tomcat-ECDSA", **query)
        leaf.file, leaf.kind = new_file(leaf.chain_pem, ".pem"), kind
        return leaf

    @classmethod
    def export(cls, *options, check=True):
        done = cls.service.chancery("ocsp", "export", cls.directory, "--output", "json", *options, check=check)
        return json.loads(done.text) if check else done

    def manifest(self):
        """{serial: entry}"""
        lines = (self.directory / "manifest.jsonl").read_text().splitlines()
        return {entry["serial"]: entry for entry in map(json.loads, lines)}

    @staticmethod
    def place(entry):
        """Where an entry of the manifest lies: "//" is one step."""
        return str(pathlib.PurePath(entry["file"]))

    def files(self):
        return {str(each.relative_to(self.directory)): each for each in (self.directory / "ocsp").rglob("*") if each.is_file()}

    def request_path(self, leaf):
        """The GET path that openssl's request leads to."""
        path = new_file(b"")
        run("openssl", "ocsp", "-no_nonce", "-issuer", self.service.ca_file(f"{leaf.kind}-g1"), "-cert", leaf.file, "-reqout", path)
        return "/ocsp/" + urllib.parse.quote(base64.b64encode(pathlib.Path(path).read_bytes()).decode(), safe="")

    def fetch(self, leaf, path=None):
        """curl's answer of nginx, verified by openssl; its text."""
        answer = new_file(b"")
        run("curl", "-sS", "-f", "--noproxy", "*", "--path-as-is", "-o", answer, f"http://127.0.0.1:{self.port}{path or self.request_path(leaf)}")
        return run("openssl", "ocsp", "-respin", answer, "-issuer", self.service.ca_file(f"{leaf.kind}-g1"), "-cert", leaf.file, "-CAfile",
                   self.bundle[leaf.kind]).said

    def assert_static(self, leaf, status):
        said = self.fetch(leaf)
        self.assertIn("Response verify OK", said)
        self.assertIn(f"{leaf.file}: {status}", said)
        self.assertTrue((self.directory / self.manifest()[leaf.serial_hex]["file"]).exists())

    # ---- the set ----

    def test_every_certificate_has_its_answer_under_the_path_that_clients_ask_for(self):
        self.assertEqual(self.first["failed"], 0)
        self.assertEqual(self.first["written"], self.first["certificates"])
        for leaf in self.leaf.values():
            self.assertEqual(self.manifest()[leaf.serial_hex]["path"], self.request_path(leaf))
            self.assert_static(leaf, "good")
        self.export()
        self.assertEqual(set(self.manifest()), set(self.service.serials()))
        self.assertEqual(set(map(self.place, self.manifest().values())), set(self.files()))

    def test_a_client_that_escapes_nothing_finds_it_too(self):
        leaf = self.leaf["rsa"]
        self.assertIn("Response verify OK", self.fetch(leaf, urllib.parse.unquote(self.request_path(leaf))))

    def test_java_asks_nginx_by_get(self):
        # the whole path is of issuers whose signers certify one each, so each hierarchy is asked below its issuing CA
        leaf = self.leaf["rsa"]
        java = ("java", ROOT / "tests/system/OcspCheck.java", self.service.ca_file("rsa-g1"))
        chain = new_file(leaf.chain_pem.split("-----END CERTIFICATE-----\n")[0] + "-----END CERTIFICATE-----\n", ".pem")
        self.assertEqual(run(*java, chain, f"http://127.0.0.1:{self.port}/ocsp").text, "good\n")
        self.assertIn("GET /ocsp/", self.access.read_text())

    def test_the_manifest_says_what_is_in_the_files(self):
        self.export()
        for entry in self.manifest().values():
            octets = (self.directory / entry["file"]).read_bytes()
            self.assertEqual(hashlib.sha256(octets).hexdigest(), entry["sha256"])
            self.assertEqual(len(octets), entry["size"])
            self.assertEqual(entry["headers"]["ETag"], f'"{entry["sha256"]}"')
            self.assertEqual(entry["headers"]["Content-Type"], "application/ocsp-response")
            for each in ("Last-Modified", "Expires", "Cache-Control"):
                self.assertTrue(entry["headers"][each])

    def test_headers_of_nginx(self):
        said = run("curl", "-sS", "-i", "--noproxy", "*", f"http://127.0.0.1:{self.port}{self.request_path(self.leaf['rsa'])}", "-o", "-").said
        for each in ("application/ocsp-response", "Cache-Control: max-age=60", "ETag:", "Last-Modified:"):
            self.assertIn(each, said)

    def test_what_is_no_file_goes_to_the_responder(self):
        fresh = self.issue("ec", "not exported")
        self.assertIn("Response verify OK", self.fetch(fresh))  # by GET
        said = run("openssl", "ocsp", "-issuer", self.service.ca_file("ec-g1"), "-cert", fresh.file, "-CAfile", self.bundle["ec"], "-url",
                   f"http://127.0.0.1:{self.port}/ocsp").said
        self.assertIn("Response verify OK", said)  # by POST, with a nonce
        self.assertNotIn("WARNING", said)

    # ---- again ----

    def test_a_second_run_writes_what_changed_alone(self):
        revoked = self.issue("ec", "to be revoked")
        self.export()
        before = {name: (each.stat().st_ino, each.stat().st_mtime) for name, each in self.files().items()}
        done = self.export()
        self.assertEqual((done["written"], done["removed"]), (0, 0))
        leaf = self.issue("rsa", "second run")
        self.assertEqual(self.service.revoke(revoked.serial_hex, "superseded").status, 200)
        done = self.export()
        self.assertEqual((done["written"], done["removed"], done["failed"]), (2, 0, 0))
        self.assert_static(leaf, "good")
        self.assert_static(revoked, "revoked")
        self.assertEqual(self.manifest()[revoked.serial_hex]["status"], "revoked")
        changed = {name for name, each in self.files().items() if before.get(name) != (each.stat().st_ino, each.stat().st_mtime)}
        self.assertEqual(changed, {self.place(self.manifest()[each.serial_hex]) for each in (leaf, revoked)})

    def test_a_hold_that_is_taken_back_is_good_again(self):
        leaf = self.issue("rsa", "hold")
        self.assertEqual(self.service.revoke(leaf.serial_hex, "certificateHold").status, 200)
        self.export()
        self.assert_static(leaf, "revoked")
        self.assertEqual(self.service.unhold(leaf.serial_hex).status, 200)
        self.export()
        self.assert_static(leaf, "good")

    def test_what_is_not_of_the_set_or_spoilt_is_put_right(self):
        self.export()
        strange, spoilt = self.directory / "ocsp/ab/cd/strange", self.directory / self.manifest()[self.leaf["rsa"].serial_hex]["file"]
        strange.parent.mkdir(parents=True)
        strange.write_bytes(b"of a certificate that has ended")
        spoilt.write_bytes(spoilt.read_bytes()[:-200])
        left, copy = self.directory / "manifest.jsonl.~abc123", self.directory / "manifest.jsonl.backup"  # by a run that was killed; by a person
        left.write_bytes(b"{")
        copy.write_bytes(b"{}")
        done = self.export()
        self.assertEqual((done["written"], done["removed"]), (1, 1))
        self.assertFalse(left.exists())
        self.assertTrue(copy.exists())
        self.assertFalse((self.directory / "ocsp/ab").exists())
        self.assertIn("Response verify OK", self.fetch(self.leaf["rsa"]))

    # ---- a dry run ----

    def tree(self):
        """All that is in the directory, with what would tell that it was touched."""
        return {str(each): (each.stat().st_ino, each.stat().st_mtime_ns, each.is_file() and each.read_bytes())
                for each in (self.directory, *self.directory.rglob("*"))}

    def test_a_dry_run_counts_and_leaves_the_tree_as_it_is(self):
        self.export()
        fresh, spoilt = self.issue("ec", "dry run"), self.directory / self.manifest()[self.leaf["ec"].serial_hex]["file"]
        strange = self.directory / "ocsp/ab/dry"
        strange.parent.mkdir(parents=True)
        strange.write_bytes(b"of a certificate that has ended")
        spoilt.write_bytes(b"0")
        before = self.tree()
        told = self.export("--dry-run")
        self.assertEqual(self.tree(), before)
        self.assertEqual((told["written"], told["removed"], told["failed"]), (2, 1, 0))
        self.assertNotIn(fresh.serial_hex, self.manifest())
        done = self.export("--dry-run", "--url", f"http://127.0.0.1:{free_ports(1)[0]}/ocsp", check=False)
        self.assertEqual((done.returncode, json.loads(done.text)["failed"], json.loads(done.text)["written"]), (2, 2, 0), done.said)
        self.assertEqual(self.tree(), before)
        self.assertEqual(self.export(), told, "what was told is what is done")
        self.assertNotEqual(self.tree(), before)

    def test_a_dry_run_makes_no_directory(self):
        place = pathlib.Path(tempfile.mkdtemp(dir=WORK))
        told = json.loads(self.service.chancery("ocsp", "export", place / "set", "--dry-run", "--output", "json").text)
        self.assertEqual((told["written"], told["kept"], told["failed"]), (told["certificates"], 0, 0))
        self.assertEqual([*place.iterdir()], [])
        (place / "file").write_text("x")
        done = self.service.chancery("ocsp", "export", place / "file", "--dry-run", check=False)
        self.assertEqual((done.returncode, done.stdout), (1, b""), done.said)

    def test_a_dry_run_says_that_a_run_is_under_way(self):
        with open(self.directory / ".lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for options in (("--dry-run",), ()):
                done = self.export(*options, check=False)
                self.assertEqual(done.returncode, 1, done.said)
                self.assertIn("another export is under way", done.said)
        self.assertEqual(self.export("--dry-run")["failed"], 0)

    def at(self, offset, code=0):
        """A run by a clock that is ahead by that."""
        done = run("faketime", "-f", offset, CHANCERY, "ocsp", "export", self.directory, "--home", self.service.home, "--output", "json",
                   env=asan_options(ASAN_NOT_FIRST), check=False)
        self.assertEqual(done.returncode, code, done.said)
        return json.loads(done.text)

    def test_half_of_a_life_later_every_answer_is_asked_for_again(self):
        self.export()
        done = self.at("+35h")
        self.assertEqual((done["written"], done["kept"]), (0, done["certificates"]))
        done = self.at("+37h")
        self.assertEqual((done["written"], done["kept"]), (done["certificates"], 0))

    def test_what_has_ended_leaves_the_set(self):
        leaf = self.issue("rsa", "one day", days=1)
        there = self.export()["certificates"]
        self.assert_static(leaf, "good")
        done = self.at("+25h")
        self.assertEqual((done["certificates"], done["removed"], done["failed"]), (there - 1, 1, 0))
        self.assertNotIn(leaf.serial_hex, self.manifest())
        self.assertFalse((self.directory / urllib.parse.unquote(self.request_path(leaf))[1:]).exists())
        self.assertEqual(set(map(self.place, self.manifest().values())), set(self.files()))
        self.export()
        self.assert_static(leaf, "good")

    def test_no_responder_leaves_the_set_as_it_is(self):
        self.export()
        before = {name: each.stat().st_ino for name, each in self.files().items()}
        leaf = self.issue("rsa", "no responder")
        done = self.export("--url", f"http://127.0.0.1:{free_ports(1)[0]}/ocsp", check=False)
        self.assertEqual(done.returncode, 2, done.said)
        self.assertEqual({name: each.stat().st_ino for name, each in self.files().items()}, before)
        self.assertNotIn(leaf.serial_hex, self.manifest())

    # ---- answers that are not of now ----

    def of_itself(self):
        """A run that asks nginx, which has the set that the run is to renew."""
        done = self.export("--url", f"http://127.0.0.1:{self.port}/ocsp", check=False)
        return done, json.loads(done.text)

    def test_no_address_leads_out_of_the_set(self):
        """What a run did not put below the path of the address is removed, so the path must be below DIR."""
        above = pathlib.Path(tempfile.mkdtemp(dir=WORK))
        (above / "precious").write_text("x")
        host = f"http://127.0.0.1:{self.service.http_port}"
        for url in (f"{host}/..", f"{host}/../", f"{host}/ocsp/../..", f"{host}/.", f"{host}//", f"{host}/ocsp//x", host, f"{host}/"):
            with self.subTest(url=url):
                done = self.service.chancery("ocsp", "export", above / "set", "--url", url, check=False)
                self.assertEqual((done.returncode, done.stdout), (1, b""), done.said)
                self.assertEqual([each.name for each in above.iterdir()], ["precious"])

    def test_good_of_before_a_revocation_is_not_taken(self):
        leaf = self.issue("rsa", "revoked since")
        self.export()
        self.assert_static(leaf, "good")
        self.assertEqual(self.service.revoke(leaf.serial_hex, "keyCompromise").status, 200)
        done, counts = self.of_itself()
        self.assertEqual((done.returncode, counts["written"], counts["failed"]), (2, 0, 1), done.said)
        self.assertIn(f"serial {leaf.serial_hex}: the answer is out of date", done.said)
        self.assertNotIn(leaf.serial_hex, self.manifest())
        self.assertIn(f"{leaf.file}: revoked", self.fetch(leaf))  # no file any more: of the responder
        self.assertEqual(self.export()["written"], 1)
        self.assert_static(leaf, "revoked")

    def test_revoked_of_before_a_hold_was_taken_back_is_not_taken(self):
        leaf = self.issue("rsa", "held once")
        self.assertEqual(self.service.revoke(leaf.serial_hex, "certificateHold").status, 200)
        self.export()
        self.assertEqual(self.service.unhold(leaf.serial_hex).status, 200)
        done, counts = self.of_itself()
        self.assertEqual((done.returncode, counts["written"], counts["failed"]), (2, 0, 1), done.said)
        self.assertNotIn(leaf.serial_hex, self.manifest())
        self.export()
        self.assert_static(leaf, "good")

    def test_revoked_of_another_time_is_not_taken(self):
        leaf = self.issue("ec", "held twice")
        self.assertEqual(self.service.revoke(leaf.serial_hex, "certificateHold").status, 200)
        self.export()
        self.assertEqual(self.service.unhold(leaf.serial_hex).status, 200)
        held = time.time()
        wait_until(lambda: time.time() >= held + 1, "the clock goes on")
        self.assertEqual(self.service.revoke(leaf.serial_hex, "keyCompromise").status, 200)
        done, counts = self.of_itself()
        self.assertEqual((done.returncode, counts["written"], counts["failed"]), (2, 0, 1), done.said)
        self.assertEqual(self.manifest()[leaf.serial_hex]["status"], "revoked")  # what is there stays: nothing is known against it
        self.export()
        self.assertIn("Reason: keyCompromise", self.fetch(leaf))

    def test_what_changes_between_list_and_answer_is_exported_as_it_is_then(self):
        leaf = self.issue("ec", "changes")
        for happens, status in ((lambda: self.service.revoke(leaf.serial_hex, "certificateHold"), "revoked"),
                                (lambda: self.service.unhold(leaf.serial_hex), "good")):
            (self.directory / urllib.parse.unquote(self.request_path(leaf))[1:]).unlink(missing_ok=True)
            with Between(self.service, self.request_path(leaf), happens) as between:
                done = self.export("--url", between.url)
            self.assertTrue(between.has_happened)
            self.assertEqual((done["written"], done["failed"]), (1, 0))
            self.assertEqual(self.manifest()[leaf.serial_hex]["status"], status)
            self.assert_static(leaf, status)

    def test_an_answer_at_its_end_is_not_taken(self):
        there = self.export()["certificates"]
        done = self.at("+71h", code=2)  # an hour left of 72: no responder that runs gives that
        self.assertEqual((done["written"], done["kept"], done["failed"], done["removed"]), (0, 0, there, 0))
        self.assertEqual(len(self.manifest()), there)  # what is there is good for that hour
        done = self.at("+73h", code=2)
        self.assertEqual((done["written"], done["failed"], done["removed"]), (0, there, there))
        self.assertEqual((self.manifest(), self.files()), ({}, {}))
        self.assertEqual(self.export()["written"], there)

    def test_one_export_at_a_time(self):
        with open(self.directory / ".lock", "rb+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            done = self.export(check=False)
        self.assertEqual(done.returncode, 1, done.said)
        self.assertIn("another export is under way", done.said)


class Limited(ServiceTest):
    """A responder that signs four answers a second for one address."""

    @classmethod
    def setUpClass(cls):
        cls.service = Service(start=False)
        settings = cls.service.home / "chancery.xml"
        replace_file(settings, settings.read_text().replace("<ocsp ", '<ocsp live-rate="4/s" '))
        cls.service.start()

    def test_the_export_waits_and_asks_again(self):
        directory = pathlib.Path(tempfile.mkdtemp(dir=WORK)) / "set"
        done = json.loads(self.service.chancery("ocsp", "export", directory, "--output", "json").text)
        self.assertEqual((done["failed"], done["written"]), (0, done["certificates"]))
        self.assertEqual(done["certificates"], len(self.service.serials()))
        limited = [line for line in self.service.https("/metrics").text.splitlines() if 'ocsp_limited_total{limit="live-rate"}' in line]
        self.assertGreater(int(limited[0].split()[1]), 0)  # so it was told to


if __name__ == "__main__":
    unittest.main()
