#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""deploy/run: a home made and served from anywhere, served again, and moved to other addresses whole or not at all. It runs in a checkout
that has nothing to install or to build: its helpers only say that they were called, its program is the one under test."""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import unittest
import urllib.request

from harness import CHANCERY, ROOT, WAIT_S, WORK, free_ports, wait_until


def has_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        return True
    except OSError:
        return False


class Checkout:
    """A tree with deploy/run in it and all that it calls."""

    def __init__(self):
        self.root = pathlib.Path(tempfile.mkdtemp(dir=WORK))
        self.path = self.root / "first"
        for directory in ("deploy", "build", "first"):
            (self.root / directory).mkdir()
        for each in ("run", "demo"):
            shutil.copy(ROOT / "deploy" / each, self.root / "deploy" / each)
        self.environment = {}
        self.program("deploy/install-packages", 'echo "install $*" >&2')
        self.program("deploy/build", 'echo "build $*" >&2')
        (self.root / "build/chancery").symlink_to(pathlib.Path(CHANCERY).resolve())

    def program(self, name, text):
        """A helper of the script's, or in `first` one that stands before that of the machine."""
        path = self.root / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def start(self, *options, cwd="/"):
        """The process and the log it writes."""
        log = tempfile.NamedTemporaryFile("w+", dir=WORK)
        environment = {**os.environ, "PATH": f"{self.path}:{os.environ['PATH']}", **self.environment}
        process = subprocess.Popen([self.root / "deploy/run", *map(str, options)], cwd=cwd, stdout=log, stderr=log, env=environment)
        return process, log

    def ended(self, *options):
        """Its exit code and what it said, when it ends by itself."""
        process, log = self.start(*options)
        code = process.wait(timeout=4 * WAIT_S)  # the demo is many steps
        log.seek(0)
        return code, log.read()

    def served(self, *options, cwd="/"):
        """Starts, waits until it answers, ends: the ready file's object and what was said."""
        ready = self.root / "ready"
        process, log = self.start(*options, "--ready-file", ready, cwd=cwd)
        try:
            wait_until(lambda: process.poll() is not None or ready.exists(), "the service is ready")
            said = pathlib.Path(log.name).read_text()
            if process.poll() is not None:
                raise AssertionError(f"deploy/run ended with {process.returncode}:\n{said}")
            told = json.loads(ready.read_text())
            if told["pid"] != process.pid:
                raise AssertionError("the service did not take the place of the script")
            direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with direct.open(f"http://{told['http']}/", timeout=WAIT_S) as page:
                told["page"] = page.read().decode()
        finally:
            process.terminate()
            code = process.wait(timeout=WAIT_S)
        if code != 0 or ready.exists():
            raise AssertionError(f"SIGTERM: deploy/run ended with {code}:\n{pathlib.Path(log.name).read_text()}")
        return told, said


class DeployRun(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.checkout = Checkout()
        cls.home = cls.checkout.root / "somewhere/home"
        cls.http, cls.https = (f"127.0.0.1:{each}" for each in free_ports(2))
        cls.first, cls.said = cls.checkout.served("--home", "somewhere/home", "--http", cls.http, "--https", cls.https, cwd=cls.checkout.root)

    def settings(self, home=None):
        said = subprocess.run([CHANCERY, "config", "show", "--home", home or self.home, "--output", "json"], check=True, capture_output=True, timeout=WAIT_S)
        return json.loads(said.stdout)

    def addresses(self):
        """Listeners and public URL."""
        shown = self.settings()
        return shown["http_listen"], shown["https_listen"], shown["public_url"]

    def lines(self):
        return (self.home / "chancery.xml").read_text().splitlines()

    def assert_refused(self, *options, says):
        """It ends with 1, says why, and has changed nothing in the home."""
        before = {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in self.home.iterdir()}
        code, said = self.checkout.ended("--home", self.home, *options)
        self.assertEqual(code, 1, said)
        self.assertIn(says, said)
        self.assertEqual({path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in self.home.iterdir()}, before, said)

    # ---- a new home ----

    def test_a_new_home_is_where_and_as_it_was_asked_for(self):
        self.assertEqual((self.first["home"], self.first["http"], self.first["https"]), (str(self.home), self.http, self.https))
        self.assertIn("install build", self.said)
        self.assertIn("build build chancery", self.said)
        self.assertIn("as localhost", self.said, "the name that was chosen")
        self.assertIn(f"http://localhost:{self.http.split(':')[1]}/ocsp", self.first["page"])

    def test_without_a_home_it_is_run_in_the_checkout_twice(self):
        ports = [f"127.0.0.1:{each}" for each in free_ports(2)]
        checkout = Checkout()
        first, said = checkout.served("--http", ports[0], "--https", ports[1])
        self.assertEqual(first["home"], str(checkout.root / "run"))
        self.assertIn("Created", said)
        again, said = checkout.served(cwd=checkout.root / "build")
        self.assertEqual((again["home"], again["http"], again["https"]), (first["home"], *ports))
        self.assertNotIn("Created", said)

    def test_a_value_may_be_joined_to_its_option(self):
        checkout = Checkout()
        told, _ = checkout.served(f"--home={checkout.root}/a=b", "--http=127.0.0.1:0", "--https=127.0.0.1:0", "--host=ca.example.com")
        self.assertEqual(told["home"], f"{checkout.root}/a=b")
        self.assertEqual(self.settings(told["home"])["host"], "ca.example.com")
        self.assertEqual(checkout.ended("--demo=yes")[0], 1)

    def test_another_name_for_a_home_that_has_one_is_refused(self):
        self.assert_refused("--host", "ca.example.com", says="refers to this CA as localhost")
        told, _ = self.checkout.served("--home", self.home, "--host", "localhost")
        self.assertEqual(told["home"], str(self.home))

    def test_a_name_that_does_not_resolve_is_taken_short(self):
        checkout = Checkout()
        port = free_ports(1)[0]
        options = ("--home", checkout.root / "home", "--http", f"0.0.0.0:{port}", "--https", "127.0.0.1:0")
        checkout.program("first/hostname", '[ $# -gt 0 ] && exit 1\necho shortname')
        _, said = checkout.served(*options)
        self.assertIn("as shortname", said)
        self.assertEqual(self.settings(checkout.root / "home")["host"], "shortname")
        checkout.program("first/hostname", "exit 1")
        _, said = checkout.served("--home", checkout.root / "home")  # which has a name
        self.assertNotIn("will refer", said)
        code, said = checkout.ended("--home", checkout.root / "second", *options[2:])
        self.assertEqual((code, "--host NAME" in said, (checkout.root / "second").exists()), (1, True, False), said)
        told, said = checkout.served("--home", checkout.root / "second", "--host", "given.example.com", *options[2:])
        self.assertIn(f"http://given.example.com:{port}/ocsp", told["page"])

    def test_a_full_name_is_taken_where_there_is_one(self):
        checkout = Checkout()
        checkout.program("first/hostname", '[ "$1" = -f ] && echo full.example.com || echo full')
        _, said = checkout.served("--home", checkout.root / "home", "--http", f"0.0.0.0:{free_ports(1)[0]}", "--https", "127.0.0.1:0")
        self.assertIn("as full.example.com", said)
        self.assertEqual(self.settings(checkout.root / "home")["host"], "full.example.com")

    def test_a_command_line_that_makes_no_sense_makes_nothing(self):
        for options in (("--home",), ("--port", "8080"), ("home",)):
            code, said = self.checkout.ended(*options)
            self.assertEqual(code, 1, said)
            self.assertNotIn("build build", said)
        self.assertFalse((self.checkout.root / "run").exists())

    # ---- the demo ----

    def demo(self, checkout):
        """Its exit code and what it said; whatever it made is gone, and nothing of it runs."""
        place = pathlib.Path(tempfile.mkdtemp(dir=WORK))
        checkout.environment = {"TMPDIR": str(place)}
        before = {path: path.stat().st_mtime_ns for path in checkout.root.iterdir()}
        code, said = checkout.ended("--demo")
        self.assertEqual([*place.iterdir()], [], said)
        self.assertEqual({path: path.stat().st_mtime_ns for path in checkout.root.iterdir()}, before, said)
        self.assertIn("install build demo", said)
        for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                self.assertNotIn(str(place).encode(), path.read_bytes(), "a process is left")
            except OSError:
                pass  # it ended meanwhile
        return code, said

    def test_the_demo_does_the_main_job_and_leaves_nothing(self):
        code, said = self.demo(Checkout())
        self.assertEqual(code, 0, said)
        for kind in ("rsa-2048", "rsa-3072", "rsa-4096", "ec-256", "ec-384", "ec-521"):
            self.assertRegex(said, f"(?m)^ok  {kind}: signed as .* verified by openssl$")
            self.assertIn(f"\nok  {kind}: OCSP says good\n", said)
        for line in ("the next OCSP answer says revoked", r"the new CRL of ec-g1 verifies and lists \w+", "stopped; the main job works"):
            self.assertRegex(said, f"(?m)^ok  .*{line}$")

    def test_a_demo_with_a_step_that_fails_names_it_and_leaves_nothing(self):
        checkout = Checkout()
        checkout.program("first/openssl", f'[ "$1" = ocsp ] && exit 1\nexec {shutil.which("openssl")} "$@"')
        code, said = self.demo(checkout)
        self.assertEqual(code, 1, said)
        self.assertIn("FAILED  OCSP of rsa-2048", said)
        self.assertIn("the service's log:", said)
        self.assertNotIn("the main job works", said)

    # ---- an existing home ----

    def test_it_is_served_again_as_it_is(self):
        before = self.addresses(), self.lines()
        told, _ = self.checkout.served("--home", self.home)
        self.assertEqual((told["http"], told["https"]), self.addresses()[:2])
        self.assertEqual((self.addresses(), self.lines()), before)

    def test_both_listeners_move_and_the_public_url_with_them(self):
        before = self.lines()
        http, https = free_ports(2)
        told, _ = self.checkout.served("--home", self.home, "--http", f"127.0.0.1:{http}", "--https", f"127.0.0.1:{https}")
        self.assertEqual((told["http"], told["https"]), (f"127.0.0.1:{http}", f"127.0.0.1:{https}"))
        self.assertEqual(self.addresses(), (told["http"], told["https"], f"http://localhost:{http}"))
        changed = [new for old, new in zip(before, self.lines(), strict=True) if old != new]
        self.assertEqual([each.split()[0] for each in changed], ["<http", "<https"], "and nothing else")
        self.assertEqual((self.home / "chancery.xml").stat().st_mode & 0o777, 0o644)
        self.assertEqual([*self.home.glob(".move*")], [])

    def test_port_0_is_the_port_that_the_home_has(self):
        before = self.addresses(), self.lines()
        any_port = [f"{each.rpartition(':')[0]}:0" for each in self.addresses()[:2]]
        for options in (("--http", any_port[0], "--https", any_port[1]), ("--https", any_port[1])):
            told, _ = self.checkout.served("--home", self.home, *options)
            self.assertEqual((told["http"], told["https"]), before[0][:2])
            self.assertEqual((self.addresses(), self.lines()), before)

    def test_port_0_at_another_address_is_a_free_one_for_good(self):
        options = ("--home", self.home, "--http", "127.0.0.2:0", "--https", "127.0.0.3:0")
        first, _ = self.checkout.served(*options)
        self.assertNotIn(0, [int(each.split(":")[1]) for each in self.addresses()[:2]])
        self.assertEqual(self.addresses(), (first["http"], first["https"], f"http://localhost:{first['http'].split(':')[1]}"))
        again, _ = self.checkout.served(*options)
        self.assertEqual((again["http"], again["https"]), (first["http"], first["https"]))
        told, _ = self.checkout.served("--home", self.home, "--http", first["https"], "--https", "127.0.0.3:0")  # which has left it
        self.assertEqual((told["http"], told["https"]), self.addresses()[:2])
        self.assertEqual((told["http"], told["https"] == told["http"]), (first["https"], False))

    def test_a_port_0_that_was_kept_is_settled_when_it_is_asked_for(self):
        path, http = self.home / "chancery.xml", f"127.0.0.1:{free_ports(1)[0]}"
        self.checkout.served("--home", self.home, "--http", http)
        before = path.read_text()
        self.addCleanup(path.write_text, before)
        path.write_text(before.replace(f'listen="{http}"', 'listen="127.0.0.1:0"').replace(self.addresses()[2], "http://ca.example.com"))
        told, _ = self.checkout.served("--home", self.home, "--http", "127.0.0.1:0")
        self.assertEqual(self.addresses()[::2], (told["http"], "http://ca.example.com"))

    def test_one_listener_moves_to_where_the_other_was(self):
        a, b, c = (f"127.0.0.1:{each}" for each in free_ports(3))
        self.checkout.served("--home", self.home, "--http", a, "--https", b)
        for http, https in ((b, a), (a, c), (b, a)):  # swapped; HTTP where HTTPS was; HTTPS where HTTP was
            with self.subTest(http=http, https=https):
                told, _ = self.checkout.served("--home", self.home, "--http", http, "--https", https)
                self.assertEqual((told["http"], told["https"]), (http, https))
                self.assertEqual(self.addresses(), (http, https, f"http://localhost:{http.split(':')[1]}"))
        self.assert_refused("--http", a, says="cannot make <http listen>")  # where the other still is
        self.assert_refused("--http", a, "--https", a, says="nothing was changed")
        self.assert_refused("--http", a, "--https", "nonsense", says="cannot make <https listen> nonsense")

    def test_a_last_line_without_an_end_is_kept(self):
        path = self.home / "chancery.xml"
        text = path.read_text()
        path.write_text(text.rstrip("\n"))
        https = f"127.0.0.1:{free_ports(1)[0]}"
        told, _ = self.checkout.served("--home", self.home, "--https", https)
        self.assertEqual(told["https"], https)
        self.assertEqual(self.lines()[-1], "</chancery>")

    def test_port_80_which_a_url_need_not_say_moves_like_another(self):
        http, https = (f"127.0.0.1:{each}" for each in free_ports(2))
        self.checkout.served("--home", self.home, "--http", http, "--https", https)
        with socket.create_server(("127.0.0.1", int(https.split(":")[1]))):  # so that no start takes port 80, which may be somebody's
            self.assertEqual(self.checkout.ended("--home", self.home, "--http", "127.0.0.1:80")[0], 1)
        self.assertEqual(self.addresses(), ("127.0.0.1:80", https, "http://localhost"))
        self.checkout.served("--home", self.home, "--http", http)
        self.assertEqual(self.addresses(), (http, https, f"http://localhost:{http.split(':')[1]}"))

    @unittest.skipUnless(has_ipv6(), "no IPv6 on this machine")
    def test_addresses_in_brackets_move_to_and_fro(self):
        http, https, other = free_ports(3)
        told, _ = self.checkout.served("--home", self.home, "--http", f"[::1]:{http}", "--https", f"[::1]:{https}")
        self.assertEqual((told["http"], self.addresses()[2]), (f"[::1]:{http}", f"http://localhost:{http}"))
        told, _ = self.checkout.served("--home", self.home, "--http", f"[::1]:{other}")
        self.assertEqual(self.addresses(), (f"[::1]:{other}", f"[::1]:{https}", f"http://localhost:{other}"))
        told, _ = self.checkout.served("--home", self.home, "--http", f"127.0.0.1:{http}", "--https", f"127.0.0.1:{https}")
        self.assertEqual(self.addresses(), (f"127.0.0.1:{http}", f"127.0.0.1:{https}", f"http://localhost:{http}"))

    def test_what_cannot_be_changes_nothing(self):
        port = free_ports(1)[0]
        for options in (("--http", "nonsense"), ("--http", "127.0.0.1"), ("--http", '127.0.0.1:1"/><x y="'), ("--http", "&[.*|\\1]:1"),
                        ("--http", f"127.0.0.1:{port}", "--https", "nonsense"), ("--https", "127.0.0.1:99999")):
            with self.subTest(options=options):
                self.assert_refused(*options, says="nothing was changed")

    def test_what_init_did_not_write_is_left_to_its_author(self):
        path, port = self.home / "chancery.xml", free_ports(1)[0]
        before = path.read_text()
        self.addCleanup(path.write_text, before)
        path.write_text(before.replace(f'listen="{self.addresses()[1]}"', f"listen='{self.addresses()[1]}'"))
        self.assert_refused("--http", f"127.0.0.1:{port}", "--https", f"127.0.0.1:{port + 1}", says="cannot make <https listen>")
        path.write_text(before.replace(f'public-url="{self.addresses()[2]}"', 'public-url="http://ca.example.com"'))
        self.checkout.served("--home", self.home, "--http", f"127.0.0.1:{port}")
        self.assertEqual(self.addresses()[::2], (f"127.0.0.1:{port}", "http://ca.example.com"))


if __name__ == "__main__":
    unittest.main()
