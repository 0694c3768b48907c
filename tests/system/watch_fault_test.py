#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Is every fault of a target, of what clients see, and of our own disk and clock one clear alarm, with no harm to what
is published, and over when the fault is?"""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import unittest

from harness import Service, new_file, replace_file, run, wait_until
from places import Origin, new_directory, private_file
from watched import QUICK, PeersTest, WatchTest, figure, published, set_watch


def traditional_head(path):
    """The header lines of a PEM block that says it is encrypted (RFC 1421)."""
    return "".join(re.findall(r"^(?:Proc-Type|DEK-Info): .*\n", pathlib.Path(path).read_text(), re.M)) + "\n"


class Targets(WatchTest):
    """A target that misbehaves in every way, and what stands there meanwhile."""

    @classmethod
    def setUpClass(cls):
        cls.service = Service()
        cls.origin = Origin()
        cls.addClassCleanup(cls.origin.stop)

    def setUp(self):
        self.origin.mode, self.origin.shown = "well", {}
        set_watch(self.service, self.far(f"{self.origin.url}/crl"), **QUICK)
        self.await_delivery()

    def far(self, url):
        return f'<target id="far" type="webdav" url="{url}" timeout="1s" public-url="{self.origin.url}/crl"/>'

    def stands(self):
        return {path.split("/")[-1]: data for path, data in dict(self.origin.files).items()}

    def await_delivery(self):
        def is_done():
            wanted = published(self.service)
            return len(wanted) >= 8 and self.stands() == wanted
        wait_until(is_done, "the target holds what is published")
        self.no_alarm()

    def fails_and_recovers(self, mode, *words, afflicted=("GET", "PUT", "MOVE")):
        before = self.stands()
        self.origin.afflicted, self.origin.mode = afflicted, mode
        self.publish_anew()
        status, _ = self.alarm("target.failing", "far", *words)
        self.assertEqual(status, "warning")
        after = self.stands()
        self.assertEqual({name: after.get(name) for name in before}, before, "nothing under its name was touched")
        self.assertEqual(self.service.https("/readyz").status, 200)
        self.origin.mode = "well"
        self.await_delivery()
        log = self.service.log.read_text()
        self.assertRegex(log, 'warn watch alarm detail="target.failing far: ')
        self.assertRegex(log, 'info watch alarm-over detail="target.failing far, ')

    def test_a_target_that_answers_500(self):
        self.fails_and_recovers("500", "it answers 500")

    def test_a_target_that_hangs(self):
        self.fails_and_recovers("hang")

    def test_a_target_that_closes_at_once(self):
        self.fails_and_recovers("close")

    def test_a_target_that_redirects(self):
        self.fails_and_recovers("redirect", "it answers 302")

    def test_a_target_that_fails_between_upload_and_rename(self):
        self.fails_and_recovers("500", "it answers 500", "Destination", afflicted=("MOVE",))

    def test_a_target_that_takes_half(self):
        self.fails_and_recovers("close", afflicted=("PUT",))

    def test_a_target_that_refuses_connections(self):
        with socket.create_server(("127.0.0.1", 0)) as held:
            port = held.getsockname()[1]
        set_watch(self.service, self.far(f"http://127.0.0.1:{port}/crl"), **QUICK)
        self.alarm("target.failing", "far", f"127.0.0.1:{port}")
        self.no_alarm("readback.")

    def test_a_reload_ends_the_pause_and_no_alarm_before_its_time(self):
        patient = {**QUICK, "retry": "1h", "retry-max": "1h"}
        far = self.far(f"{self.origin.url}/crl")
        set_watch(self.service, far, **patient)
        self.origin.afflicted, self.origin.mode = ("GET", "PUT", "MOVE"), "500"
        self.publish_anew()
        self.alarm("target.failing", "far", "it answers 500")
        over = self.service.log.read_text().count("alarm-over detail=\"target.failing far")
        set_watch(self.service, far, **patient)
        self.alarm("target.failing", "far", "(try 2)")
        self.assertEqual(self.service.log.read_text().count("alarm-over detail=\"target.failing far"), over)
        self.origin.mode = "well"
        set_watch(self.service, far, **patient)
        self.await_delivery()

    def test_one_target_that_hangs_delays_no_other(self):
        directory = new_directory()
        stuck = Origin()
        stuck.mode = "hang"
        self.addCleanup(stuck.stop)
        set_watch(self.service, f"""
            <target id="stuck" type="http" url="{stuck.url}/crl" timeout="1h" public-url="{self.origin.url}/crl"/>
            <target id="near" type="directory" url="file:{directory}" public-url="{self.origin.url}/crl"/>""")
        wait_until(lambda: stuck.log, "the first is asked")
        anew = self.publish_anew()
        wait_until(lambda: (directory / "rsa-g1.crl").exists() and (directory / "rsa-g1.crl").read_bytes() == anew, "the second has it")
        self.assertEqual(figure(self.service, "watch_uploads_total", "stuck"), 0)

    def test_an_older_list_never_follows_a_newer_one(self):
        """As after a restore of public/ from a backup."""
        path = self.service.home / "public/crl/rsa-g1.crl"
        older, newer = path.read_bytes(), self.publish_anew()
        self.await_delivery()
        self.put_in_place(path, older)
        try:
            status, _ = self.alarm("target.failing", "far", "rsa-g1.crl", "older than")
            self.assertEqual(status, "critical")
            self.assertEqual(self.stands()["rsa-g1.crl"], newer)
        finally:
            self.put_in_place(path, newer)
        self.await_delivery()

    def test_a_newer_list_at_the_target_is_left_there(self):
        """As when another service on a copy of our home publishes there: what we remember does not help."""
        path = self.service.home / "public/crl/rsa-g1.crl"
        older, newer = path.read_bytes(), self.publish_anew()
        self.await_delivery()
        set_watch(self.service, "")
        (self.service.home / "watch/far.json").unlink()
        self.put_in_place(path, older)
        try:
            set_watch(self.service, f'<target id="far" type="webdav" url="{self.origin.url}/crl" public-url="{self.origin.url}/crl"/>', **QUICK)
            self.alarm("target.failing", "far", "rsa-g1.crl", "newer than our")
            self.alarm("readback.foreign", "far", "rsa-g1.crl", "beyond what is published")
            self.assertEqual(self.stands()["rsa-g1.crl"], newer)
        finally:
            self.put_in_place(path, newer)
        self.await_delivery()

    @staticmethod
    def put_in_place(path, octets):
        fresh = path.with_name(".fresh")
        fresh.write_bytes(octets)
        fresh.replace(path)


class Peers(PeersTest):
    """Who the other end must be."""

    def refused(self, target, place, files, *words):
        self.forget()
        set_watch(self.service, target, **QUICK)
        self.alarm("target.failing", place, *words)
        self.assertEqual(list(files.iterdir()), [])

    def forget(self):
        """As if nothing had ever been delivered."""
        set_watch(self.service, "")
        shutil.rmtree(self.service.home / "watch", ignore_errors=True)

    def accepted(self, target, files):
        set_watch(self.service, target, **QUICK)
        wait_until(lambda: len(list(files.iterdir())) == len(published(self.service)), "it is delivered")
        self.no_alarm("target.")
        for each in files.iterdir():
            each.unlink()

    def test_a_host_with_another_key(self):
        other = new_directory() / "other"
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other)
        self.refused(self.sftp(known_hosts=self.sshd.known(other)), "sftp", self.sshd.files, "host key")
        self.refused(self.sftp(known_hosts=new_file("")), "sftp", self.sshd.files, "host key")
        self.accepted(self.sftp(), self.sshd.files)

    def test_a_key_that_the_host_does_not_know(self):
        other = new_directory() / "other"
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other)
        self.refused(self.sftp(key=other), "sftp", self.sshd.files)

    def test_a_server_with_another_certificate(self):
        self.refused(self.dav(ca=self.nginx.client_certificate), "dav", self.nginx.files / "basic", "certificate")
        self.accepted(self.dav(), self.nginx.files / "basic")

    def test_a_wrong_password(self):
        self.refused(self.dav(secret=private_file("guess")), "dav", self.nginx.files / "basic", "it answers 401")

    def test_a_secret_that_others_can_read_is_not_used(self):
        open_to_all = private_file(self.nginx.password)
        os.chmod(open_to_all, 0o644)
        asked = len(self.nginx.requests())
        self.refused(self.dav(secret=open_to_all), "dav", self.nginx.files / "basic", open_to_all, "nobody else can read")
        self.assertEqual(len(self.nginx.requests()), asked)
        os.chmod(open_to_all, 0o600)
        wait_until(lambda: list((self.nginx.files / "basic").iterdir()), "it is used once it is private")
        self.no_alarm("target.")
        for each in (self.nginx.files / "basic").iterdir():
            each.unlink()

    def test_a_private_key_that_others_can_read_is_not_used(self):
        copy = new_file(self.sshd.key.read_text())
        os.chmod(copy, 0o644)
        self.refused(self.sftp(key=copy), "sftp", self.sshd.files, "nobody else can read")

    def mutual(self, certificate=None, key=None):
        n = self.nginx
        return (f'<target id="mutual" type="webdav" url="https://localhost:{n.mutual}/mutual" ca="file:{n.certificate}" '
                f'certificate="file:{certificate or n.client_certificate}" key="file:{key or n.client_key}"/>')

    def test_a_key_or_certificate_with_a_passphrase_is_an_alarm_and_no_question(self):
        """Nobody is there to type it, and the terminal is nothing that the process may use: a question would end the service."""
        n = self.nginx
        place = n.files / "mutual"
        pkcs8, traditional, sealed = private_file(""), private_file(""), new_file("")
        run("openssl", "pkcs8", "-topk8", "-in", n.client_key, "-out", pkcs8, "-passout", "pass:secret")
        run("openssl", "ec", "-aes128", "-in", n.client_key, "-out", traditional, "-passout", "pass:secret")
        head = traditional_head(traditional)
        pathlib.Path(sealed).write_text(pathlib.Path(n.client_certificate).read_text().replace("-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\n" + head))
        for key in (pkcs8, traditional):
            self.refused(self.mutual(key=key), "mutual", place, "private key", key)
        self.refused(self.mutual(certificate=sealed), "mutual", place, "certificate", sealed)
        for form in ("PEM", "PKCS8", "RFC4716"):
            key = new_directory() / "key"
            kind = ["-t", "ecdsa"] if form != "RFC4716" else ["-t", "ed25519"]
            run("ssh-keygen", "-q", *kind, "-m", form, "-N", "secret", "-f", key)
            self.refused(self.sftp(key=key), "sftp", self.sshd.files)
        self.accepted(self.mutual(), place)

    def test_an_issuers_certificate_with_a_passphrase_changes_nothing(self):
        place = self.nginx.files / "mutual"
        path = self.service.home / "issuers/rsa-g1.pem"
        whole = path.read_text()
        head = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
        replace_file(path, whole.replace("-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\n" + head))
        try:
            self.service.process.send_signal(signal.SIGHUP)
            wait_until(lambda: re.search("error watch reload .*in force stays.*rsa-g1.pem", self.service.log.read_text()), "it is refused")
        finally:
            replace_file(path, whole)
        self.forget()
        self.accepted(self.mutual(), place)


class Disk(WatchTest):
    """Our own disk."""

    @classmethod
    def setUpClass(cls):
        cls.service = Service()
        cls.directory = new_directory()

    def test_1_state_that_cannot_be_written(self):
        shutil.rmtree(self.service.home / "watch")
        (self.service.home / "watch").write_text("in the way")
        set_watch(self.service, f'<target id="near" type="directory" url="file:{self.directory}"/>', **QUICK)
        self.alarm("watch.state", "near")
        wait_until(lambda: len(list(self.directory.iterdir())) == len(published(self.service)), "it is delivered all the same")
        (self.service.home / "watch").unlink()
        (self.service.home / "watch").mkdir(mode=0o700)
        self.publish_anew()
        self.no_alarm("watch.")
        self.assertTrue((self.service.home / "watch/near.json").exists())

    def test_2_a_full_target(self):
        """A directory on a device that has no room."""
        small = new_directory()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", small], check=False, capture_output=True)
        if mounted.returncode:
            self.skipTest("no small file system can be mounted here: " + mounted.stderr.decode())
        self.addCleanup(run, "umount", "-l", small)
        (small / "filler").write_bytes(b"x" * 60 * 1024)
        set_watch(self.service, f'<target id="small" type="directory" url="file:{small}"/>', **QUICK)
        self.alarm("target.failing", "small", "No space left")
        self.assertFalse([each for each in small.iterdir() if each.name.startswith(("rsa", "ec")) and each.read_bytes() not in published(self.service).values()])
        (small / "filler").unlink()
        wait_until(lambda: all((small / name).exists() and (small / name).read_bytes() == data for name, data in published(self.service).items()), "all is there")
        self.no_alarm("target.")

    def test_3_a_foreign_file_under_public_is_carried_nowhere(self):
        alien = self.service.home / "public/crl/alien.crl"
        alien.write_bytes(b"\x30\x03\x02\x01\x01")
        set_watch(self.service, f'<target id="near" type="directory" url="file:{self.directory}"/>', **QUICK)
        self.alarm("crl.foreign", "public/crl", "alien.crl")
        self.publish_anew()
        wait_until(lambda: (self.directory / "rsa-g1.crl").read_bytes() == published(self.service)["rsa-g1.crl"], "the others go on")
        self.assertFalse((self.directory / "alien.crl").exists())
        alien.unlink()
        self.no_alarm("crl.foreign")

    def test_4_alarms_are_written_down_beyond_a_restart(self):
        alien = self.service.home / "public/crl/alien.crl"
        alien.write_bytes(b"x")
        status, _ = self.alarm("crl.foreign", "public/crl", "alien.crl")
        self.assertEqual(status, "critical")
        ready = self.service.https("/readyz")
        self.assertEqual((ready.status, ready.json()["status"]), (200, "critical"), "an alarm keeps no service from answering")
        self.assertEqual(self.service.chancery("health", check=False).returncode, 4)
        history = self.service.home / "watch/alarms.jsonl"

        def events():
            found = [json.loads(line) for line in history.read_text().splitlines()] if history.exists() else []
            return [each["event"] for each in found if each["event"] == "start" or (each["code"], each["subject"]) == ("crl.foreign", "public/crl")]
        wait_until(lambda: events()[-1:] == ["raised"], "it is written down")
        self.service.restart()
        wait_until(lambda: events()[-3:] == ["raised", "start", "raised"], "it is raised anew")
        alien.unlink()
        wait_until(lambda: events()[-1:] == ["over"], "its end is written down")


if __name__ == "__main__":
    unittest.main()
