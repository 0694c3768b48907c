#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A dump of requests signed by one command: every archive, every bad entry, a killed run taken up again.

OFFLINE_COUNT=10000 makes the large run as large as a cluster (the test `long.offline`); else it is 300."""
import fcntl
import io
import json
import os
import pathlib
import pty
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
import unittest
import zipfile

import der
from harness import CHANCERY, WAIT_S, WORK, ServiceTest, make_csr, new_file, run, wait_until

DONE, WRONG_USE, NO_SERVICE, REFUSED, PENDING, NOT_FOUND = 0, 1, 2, 3, 4, 5
MAKE_DUMP = os.environ.get("MAKE_DUMP", str(pathlib.Path(CHANCERY).parent / "make_dump"))
COUNT = int(os.environ.get("OFFLINE_COUNT", "300"))
RUN_S = 60 + COUNT // 20  # a sanitizer build on a busy machine signs twenty a second
PEAK_KIB = 128 * 1024 if "sanitize" in CHANCERY or "san" in CHANCERY else 48 * 1024
PROFILE = "phone/LSC-EC"


def new_directory():
    return pathlib.Path(tempfile.mkdtemp(dir=WORK))


def make_dump(count):
    """A directory of that many requests of phones."""
    directory = new_directory()
    subprocess.run([MAKE_DUMP, str(directory), str(count)], check=True, timeout=RUN_S)
    return directory


def tgz(members):
    """A .tgz of (name, content) pairs, or of tarfile.TarInfo."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return new_file(out.getvalue(), ".tgz")


def special(name, kind, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def files_of(directory):
    return [(each.name, each.read_bytes()) for each in sorted(directory.iterdir())]


class Answers:
    """What the command wrote: {name: octets} of the certificates, and the report."""

    def __init__(self, path):
        with tarfile.open(path, "r:gz") as tar:
            self.members = tar.getmembers()
            self.files = {each.name: tar.extractfile(each).read() for each in self.members}
        self.report = json.loads(self.files.pop("report.json"))
        self.text = self.files.pop("report.txt").decode()
        self.items = {each["name"]: each for each in self.report["items"]}

    def rules(self):
        return {name: each["rules"] for name, each in self.items.items() if each["result"] == "refused"}


class Offline(ServiceTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dump = make_dump(12)
        cls.one = (cls.dump / "SEP001100000001.csr").read_bytes()

    def sign(self, source, *options, out=None, code=DONE, profile=PROFILE):
        out = out or new_directory() / "answers.tgz"
        done = run(CHANCERY, "csr", "sign", source, "--profile", profile, "--out", out, "--home", self.service.home, *options, check=False)
        self.assertEqual(done.returncode, code, done.said)
        self.assertEqual(done.stdout, b"", "the result is a file")
        self.assertFalse(pathlib.Path(f"{out}.run").exists() and code in (DONE, REFUSED), "a finished run leaves no journal")
        return Answers(out) if code in (DONE, REFUSED) else done

    def assert_answers(self, answers, directory):
        """A certificate for each request, on its key, that openssl verifies."""
        requests = {each.stem + ".der": der_of(each.read_bytes()) for each in directory.iterdir()}
        self.assertEqual(set(answers.files), set(requests))
        for name, octets in answers.files.items():
            self.assertEqual(der.Certificate(octets).spki, der.Request(requests[name]).spki, name)
        self.verify(answers)

    def verify(self, answers, most=20):
        trust = self.service.ca_file("ec-root-g1", "ec-g1")
        some = dict(list(answers.files.items())[:most])
        paths = [new_file(run("openssl", "x509", "-inform", "DER", stdin=each).stdout, ".pem") for each in some.values()]
        run("openssl", "verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", trust, *paths)

    def certified(self):
        """{key: count} of every certificate of a phone, whoever signed it."""
        counts, after = {}, ""
        while after is not None:
            page = self.service.api(f"/certificates?profile={PROFILE}&limit=1000" + (f"&after={after}" if after else "")).json()
            for each in page["items"]:
                counts[each["cn"]] = counts.get(each["cn"], 0) + 1
            after = page["next"]
        return counts

    # ---- every kind of source gives the same ----

    def test_a_tgz_is_answered_by_a_flat_tgz(self):
        answers = self.sign(tgz([("dump/" + name, content) for name, content in files_of(self.dump)]))
        self.assert_answers(answers, self.dump)
        for member in answers.members:
            self.assertTrue(member.isreg() and member.mode == 0o644 and member.uid == 0 and "/" not in member.name, member)
        self.assertEqual([answers.report[each] for each in ("entries", "signed", "refused", "pending")], [12, 12, 0, 0])
        self.assertEqual(answers.report["profile"], PROFILE)
        row = answers.items["dump/SEP001100000001.csr"]
        leaf = der.Certificate(answers.files["SEP001100000001.der"])
        self.assertEqual((row["result"], row["file"], row["serial"]), ("signed", "SEP001100000001.der", leaf.serial_hex))
        self.assertIn("SEP001100000001.der", answers.text)

    def test_a_zip_and_a_tar_and_a_directory(self):
        archive = new_directory() / "dump.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
            for name, content in files_of(self.dump):
                out.writestr(name, content)
        plain = new_directory() / "dump.tar"
        with tarfile.open(plain, "w") as out:
            out.add(self.dump, arcname="some/where")
        for source in (archive, plain, self.dump):
            with self.subTest(source=source):
                self.assert_answers(self.sign(source), self.dump)

    def test_days_are_as_asked(self):
        answers = self.sign(tgz([("a.csr", self.one)]), "--days", "30")
        text = run("openssl", "x509", "-inform", "DER", "-noout", "-checkend", str(31 * 86400), stdin=answers.files["a.der"], check=False)
        self.assertEqual(text.returncode, 1, "it ends within 31 days")
        run("openssl", "x509", "-inform", "DER", "-noout", "-checkend", str(29 * 86400), stdin=answers.files["a.der"])

    def test_over_https_it_is_the_same(self):
        admin, out = self.service.home / "admin", new_directory() / "answers.tgz"
        run(CHANCERY, "csr", "sign", self.dump, "--profile", PROFILE, "--out", out, "--server", f"https://localhost:{self.service.https_port}",
            "--cacert", admin / "server-ca.pem", "--cert", admin / "admin.pem", "--key", admin / "admin.key")
        self.assert_answers(Answers(out), self.dump)

    # ---- bad entries: named, harmless ----

    def test_bad_entries_are_refused_by_name_and_stop_nothing(self):
        other = (self.dump / "SEP001100000002.csr").read_bytes()
        rsa = make_csr().der
        source = tgz([
            ("/etc/absolute.csr", self.one), ("../up.csr", self.one), ("a/../../up2.csr", self.one), ("back\\slash.csr", self.one),
            (special("link.csr", tarfile.SYMTYPE, "/etc/passwd"), b""), (special("device.csr", tarfile.CHRTYPE), b""),
            ("huge.csr", b"0" * (65 * 1024)), ("empty.csr", b""), ("garbage.csr", b"\x30\x82hello"), ("text.csr", b"not a request\n"),
            ("a/twice.csr", self.one), ("b/twice.pem", other), ("rsa.csr", rsa), ("\x1b[2Jname.csr", self.one),
            ("good.csr", self.one), ("tampered.csr", self.one[:-1] + bytes([self.one[-1] ^ 1])),
            ("end.csr", other),
        ])
        answers = self.sign(source, code=REFUSED)
        self.assertEqual(set(answers.files), {"good.der", "end.der"})
        self.verify(answers)
        rules = answers.rules()
        self.assertTrue({"csr.signature", "csr.malformed"} & set(rules.pop("tampered.csr")))
        self.assertIn("purpose.key-type", rules.pop("rsa.csr"))
        self.assertEqual(rules, {
            "/etc/absolute.csr": ["entry.path"], "../up.csr": ["entry.path"], "a/../../up2.csr": ["entry.path"],
            "back\\slash.csr": ["entry.path"], "link.csr": ["entry.kind"], "device.csr": ["entry.kind"], "huge.csr": ["entry.size"],
            "empty.csr": ["entry.empty"], "garbage.csr": ["csr.malformed"], "text.csr": ["csr.malformed"],
            "a/twice.csr": ["entry.duplicate"], "b/twice.pem": ["entry.duplicate"], "?[2Jname.csr": ["entry.name"],
        })
        self.assertEqual(answers.report["refused"], 15)
        for name in answers.items:
            self.assertIn(name, answers.text)

    def test_a_directory_follows_no_link_and_names_what_it_leaves_out(self):
        directory = new_directory()
        (directory / "good.csr").write_bytes(self.one)
        (directory / "link.csr").symlink_to("good.csr")
        (directory / "inner").mkdir()
        os.mkfifo(directory / "fifo.csr")
        answers = self.sign(directory, code=REFUSED)
        self.assertEqual(set(answers.files), {"good.der"})
        self.assertEqual(answers.rules(), {"link.csr": ["entry.kind"], "inner": ["entry.kind"], "fifo.csr": ["entry.kind"]})

    def test_a_private_key_beside_a_request_is_not_sent(self):
        csr = make_csr("ec-P-256", subject="/O=Example/CN=CAPF-00112233aabb", name="keyed")
        pem = pathlib.Path(csr.key).read_bytes()
        der = run("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", csr.key, "-outform", "DER").stdout
        directory = new_directory()
        for name, content in (("a.csr", csr.der), ("a.key", pem), ("b.der", der), ("c.csr", csr.pem.encode() + pem)):
            (directory / name).write_bytes(content)
        for source in (directory, tgz([(file.name, file.read_bytes()) for file in sorted(directory.iterdir())])):
            with self.subTest(source=source):
                before = self.service.log.read_text().count("path=/api/v1/certificates ")
                answers = self.sign(source, code=REFUSED, out=new_directory() / "answers.tgz")
                self.assertEqual(set(answers.files), {"a.der"})
                self.assertEqual(answers.rules(), {"a.key": ["entry.key"], "b.der": ["entry.key"], "c.csr": ["entry.key"]})
                self.assertEqual(self.service.log.read_text().count("path=/api/v1/certificates "), before + 1)

    def test_what_is_no_archive_or_a_torn_one_signs_nothing(self):
        before = self.certified()
        whole = pathlib.Path(tgz(files_of(self.dump))).read_bytes()
        bomb = tgz([("zeros.csr", bytes(64 << 20))])
        for source in (new_file(b"hello", ".tgz"), new_file(b"", ".zip"), new_file(whole[: len(whole) // 2], ".tgz"), bomb, new_directory()):
            with self.subTest(source=source):
                out = new_directory() / "answers.tgz"
                self.sign(source, out=out, code=WRONG_USE)
                self.assertFalse(out.exists())
        self.assertEqual(self.certified(), before)

    def test_wrong_use_is_told(self):
        source = tgz([("a.csr", self.one)])
        for words in (["--days", "many"], ["--run", "a/b"], ["--output", "der"]):
            with self.subTest(words=words):
                self.sign(source, *words, code=WRONG_USE)
        self.sign(source, out=new_directory(), code=WRONG_USE)
        home = ["--home", self.service.home]
        self.assertEqual(run(CHANCERY, "csr", "sign", source, "--profile", PROFILE, *home, check=False).returncode, WRONG_USE)
        single = new_file(self.one)
        self.assertEqual(run(CHANCERY, "csr", "sign", single, "--profile", PROFILE, "--run", "x", *home, check=False).returncode, WRONG_USE)

    def test_what_concerns_every_request_ends_the_run(self):
        self.sign(self.dump, profile="phone/none", code=NOT_FOUND)
        done = run(CHANCERY, "csr", "sign", self.dump, "--profile", PROFILE, "--out", new_directory() / "a.tgz", "--home", "/nonexistent", check=False)
        self.assertEqual(done.returncode, NO_SERVICE, done.said)

    def test_dry_run_signs_and_writes_nothing(self):
        before, out = self.certified(), new_directory() / "answers.tgz"
        source = tgz([*files_of(self.dump), ("rsa.csr", make_csr().der)])
        done = run(CHANCERY, "csr", "sign", source, "--profile", PROFILE, "--out", out, "--dry-run", "--home", self.service.home, check=False)
        self.assertEqual(done.returncode, REFUSED, done.said)
        self.assertIn("12 would be signed, 1 refused", done.said)
        self.assertIn("purpose.key-type", done.said)
        self.assertEqual(self.certified(), before)
        self.assertEqual(list(out.parent.iterdir()), [])

    # ---- a run: once, and on from where it was ----

    def test_the_same_request_under_two_names_is_signed_once(self):
        dump = make_dump(1)
        content = next(dump.iterdir()).read_bytes()
        before = self.certified()
        answers = self.sign(tgz([("a.csr", content), ("b.csr", content)]))
        self.assertEqual(answers.files["a.der"], answers.files["b.der"])
        self.assertEqual(sum(self.certified().values()), sum(before.values()) + 1)

    def test_the_reports_come_first(self):
        answers = self.sign(self.dump, "--run", "reports-first")
        self.assertEqual([each.name for each in answers.members[:2]], ["report.json", "report.txt"])
        self.assertEqual(len(answers.members), 2 + len(answers.files))

    def test_a_finished_run_is_not_done_again(self):
        dump, out = make_dump(3), new_directory() / "answers.tgz"
        self.sign(tgz(files_of(dump)), out=out)
        octets, before = out.read_bytes(), self.certified()
        self.sign(tgz(reversed(files_of(dump))), out=out)
        self.assertEqual(out.read_bytes(), octets, "the same dump, packed in another order, is the same run")
        self.assertEqual(self.certified(), before)
        self.sign(tgz(files_of(dump)), "--run", "second", out=out)
        self.assertEqual(sum(self.certified().values()), sum(before.values()) + 3, "another run signs again")

    def test_a_journal_of_another_run_is_left_alone(self):
        out = new_directory() / "answers.tgz"
        journal = pathlib.Path(f"{out}.run")
        for content in ('{"run":"other"}\n', '{"run":"other"}\nx\n', "x\n"):
            journal.write_text(content)
            self.sign(self.dump, out=out, code=WRONG_USE)
            self.assertEqual(journal.read_text(), content)

    def test_a_killed_run_goes_on_and_signs_nothing_twice(self):
        dump = make_dump(200)
        source, out = tgz(files_of(dump)), new_directory() / "answers.tgz"
        journal = pathlib.Path(f"{out}.run")
        command = [CHANCERY, "csr", "sign", source, "--profile", PROFILE, "--out", str(out), "--home", str(self.service.home)]
        before = self.certified()
        signed = 0
        for _ in range(3):
            process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
            target = signed + 30
            wait_until(lambda: process.poll() is not None or journal.exists() and journal.read_bytes().count(b"\n") > target, "some are signed")
            process.send_signal(signal.SIGKILL)
            process.wait(timeout=WAIT_S)
            if not journal.exists():
                break  # it was faster than the signal
            signed = journal.read_bytes().count(b"\n") - 1
            self.assertFalse(out.exists(), "no half of an answer")
        with open(journal, "ab") as file:
            file.write(b'{"serial":"torn')  # as a power cut leaves it
        answers = self.sign(source, out=out)
        self.assert_answers(answers, dump)
        added = {cn: count - before.get(cn, 0) for cn, count in self.certified().items() if count != before.get(cn, 0)}
        self.assertEqual(len(added), 200)
        self.assertEqual(set(added.values()), {1}, "each request is signed once")

    def test_two_processes_cannot_be_at_one_run(self):
        out = new_directory() / "answers.tgz"
        with open(f"{out}.run", "wb") as journal:
            fcntl.flock(journal, fcntl.LOCK_EX)
            self.sign(self.dump, out=out, code=WRONG_USE)

    def test_what_waits_for_an_approval_is_fetched_by_the_same_command(self):
        out, admin = new_directory() / "answers.tgz", self.service.home / "admin"
        dump = [(f"{each}.csr", make_csr(subject=f"/O=Example/CN=CAPF-0011223{each}", name=f"capf{each}").der) for each in (1, 2)]
        command = [CHANCERY, "csr", "sign", tgz(dump), "--profile", "ucm/CAPF", "--out", out,
                   "--server", f"https://localhost:{self.service.https_port}", "--cacert", admin / "server-ca.pem",
                   "--cert", admin / "admin.pem", "--key", admin / "admin.key"]
        for approved in range(3):
            done = run(*command, check=False)
            self.assertEqual(done.returncode, DONE if approved == 2 else PENDING, done.said)
            answers = Answers(out)
            self.assertEqual([answers.report["signed"], answers.report["pending"]], [approved, 2 - approved], done.said)
            self.assertEqual(pathlib.Path(f"{out}.run").exists(), approved < 2)
            waiting = self.service.api("/requests?status=pending").json()["items"]
            self.assertEqual(len(waiting), 2 - approved, "asking again asks for nothing new")
            if waiting:
                self.service.chancery("request", "approve", waiting[0]["request"], "--yes")
        self.assertEqual(set(answers.files), {"1.der", "2.der"})

    # ---- on a terminal, and at size ----

    def test_progress_is_for_a_terminal_alone(self):
        command = [CHANCERY, "csr", "sign", str(make_dump(150)), "--profile", PROFILE, "--home", str(self.service.home), "--out"]
        piped = run(*command, new_directory() / "answers.tgz")
        self.assertNotIn("\r", piped.said)
        self.assertEqual(piped.said.count("\n"), 1, piped.said)
        leader, follower = pty.openpty()
        process = subprocess.Popen([*command, str(new_directory() / "answers.tgz"), "--run", "terminal"], stderr=follower, stdout=follower)
        os.close(follower)
        seen = b""
        while True:
            try:
                piece = os.read(leader, 4096)
            except OSError:
                break  # the other end is closed
            if not piece:
                break
            seen += piece
        os.close(leader)
        self.assertEqual(process.wait(timeout=WAIT_S), DONE)
        self.assertRegex(seen.decode(), r"\r\d+ of 150 done, 0 refused, \d+/s")

    def test_a_large_run_is_one_command_in_little_memory(self):
        dump = make_dump(COUNT)
        out = new_directory() / "answers.tgz"
        source = out.parent / "dump.tgz"
        with tarfile.open(source, "w:gz") as tar:
            tar.add(dump, arcname=".")
        start = time.monotonic()
        # AddressSanitizer would keep up to 256 MiB of freed memory back: what is measured here is the command's own.
        options = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=8"
        process = subprocess.Popen([CHANCERY, "csr", "sign", str(source), "--profile", PROFILE, "--out", str(out),
                                    "--home", str(self.service.home)], stderr=subprocess.PIPE,
                                   env={**os.environ, "ASAN_OPTIONS": options.lstrip(":")})
        said = process.stderr.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        process.stderr.close()
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, DONE, said)
        spent = time.monotonic() - start
        print(f"{COUNT} signed in {spent:.1f} s, {COUNT / spent:.0f}/s, peak {usage.ru_maxrss} KiB")
        self.assertLess(usage.ru_maxrss, PEAK_KIB)
        answers = Answers(out)
        self.assertEqual(answers.report["signed"], COUNT)
        self.assert_answers(answers, dump)
        shutil.rmtree(dump)


def der_of(content):
    return content if content[:1] == b"\x30" else run("openssl", "req", "-outform", "DER", stdin=content).stdout


if __name__ == "__main__":
    unittest.main()
