# SPDX-License-Identifier: Apache-2.0
"""Is a backup made beside a running service whole, does a restored home go on without repeating a number, and is what
was cut short, changed or damaged refused?"""
import json
import os
import pathlib
import re
import shutil
import threading
import unittest

from harness import CHANCERY, WORK, ServiceTest, asan_options, make_csr, replace_file, run, wait_until


def crl_number(service, issuer):
    text = run("openssl", "crl", "-in", service.crl_file(issuer), "-noout", "-crlnumber").text
    return int(text.strip().split("=")[1], 16)


# The kernel's word for a file that was cut off is for the product; a command that heard it leaves what it held.
BUS = asan_options("handle_sigbus=0:detect_leaks=0")


class Backup(ServiceTest):
    def backup(self, name):
        place = WORK / name
        self.service.chancery("store", "backup", place)
        return place

    def test_under_load_it_is_consistent_and_holds_what_was_acknowledged_before(self):
        issued, stop = [], threading.Event()

        def load():
            while not stop.is_set():
                issued.append(self.service.issued(make_csr(), "ucm/tomcat").serial_hex)

        thread = threading.Thread(target=load)
        thread.start()
        wait_until(lambda: len(issued) >= 5, "some are issued")
        before = list(issued)
        place = self.backup("under-load")
        stop.set()
        thread.join()
        manifest = json.loads((place / "backup.json").read_text())
        self.assertGreaterEqual(manifest["certificates"], len(before))
        said = run(CHANCERY, "store", "check", place / "store").text
        self.assertIn(": 0 faults", said)

    def test_standard_output_is_no_directory(self):
        for words in (["store", "backup"], ["store", "restore"], ["store", "snapshot"], ["ocsp", "export"]):
            with self.subTest(words=words):
                done = run("env", "-C", self.service.directory, pathlib.Path(CHANCERY).resolve(), *words, "-", "--home", self.service.home, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertIn("-: a directory is wanted", done.said)
                self.assertFalse((self.service.directory / "-").exists())

    def test_a_restored_home_serves_and_repeats_no_crl_number(self):
        leaf = self.service.issued(make_csr(), "ucm/tomcat")
        self.service.revoke(leaf.serial_hex, "superseded")
        place = self.backup("whole")
        self.service.publish("rsa-g1")
        self.service.publish("rsa-g1")
        later = crl_number(self.service, "rsa-g1")
        self.assertEqual(self.service.stop(), 0)
        kept = WORK / "kept"
        self.service.home.rename(kept)
        try:
            self.service.chancery("store", "restore", place)
            self.service.start()
            self.assertEqual(self.service.api(f"/certificates/{leaf.serial_hex}").json()["status"], "revoked")
            wait_until(lambda: self.service.plain("/crl/rsa-g1.crl").status == 200, "a CRL is published")
            self.assertGreater(crl_number(self.service, "rsa-g1"), later)
            self.assert_chain(self.service.issued(make_csr(), "ucm/tomcat"))
            rows = self.service.chancery("audit", "list", "--kind", "restore", "--output", "json").text
            self.assertIn("CRL numbers raised", rows)
            self.assertEqual(self.service.chancery("audit", "verify").returncode, 0)
            self.assertIn(": 0 faults", self.service.chancery("store", "check").text)
        finally:
            self.service.stop()
            shutil.rmtree(self.service.home)
            kept.rename(self.service.home)
            self.service.start()

    def restored(self, place, name):
        """A backup of the home that was restored from this one, and the number that its CRLs go on from."""
        run(CHANCERY, "store", "restore", place, "--home", WORK / f"{name}-home", "--quiet")
        run(CHANCERY, "store", "backup", WORK / name, "--home", WORK / f"{name}-home", "--quiet")
        return WORK / name, json.loads((WORK / name / "backup.json").read_text())["crl_numbers"]["rsa-g1"]

    def test_a_backup_of_before_a_restore_takes_no_number_back(self):
        first = self.backup("first")
        second, once = self.restored(first, "second")
        _, twice = self.restored(second, "third")
        _, again = self.restored(first, "fourth")
        self.assertGreaterEqual(twice, once)
        self.assertGreaterEqual(again, twice, "what two restores gave out comes again")

    def test_nothing_that_exists_is_overwritten(self):
        place = self.backup("once")
        again = self.service.chancery("store", "backup", place, check=False)
        self.assertEqual(again.returncode, 1)
        self.assertIn("exists already", again.said)
        over = self.service.chancery("store", "restore", place, check=False)
        self.assertEqual(over.returncode, 1)
        self.assertIn("exists already", over.said)

    def test_a_dry_run_checks_and_leaves_nothing(self):
        place, home = WORK / "not-made", WORK / "not-made-home"
        done = self.service.chancery("store", "backup", place, "--dry-run")
        self.assertIn("would be the home", done.said)
        self.assertEqual([*WORK.glob("not-made*")], [])
        real = self.backup("dry-real")
        done = run(CHANCERY, "store", "restore", real, "--home", home, "--dry-run")
        self.assertIn("would be restored", done.said)
        self.assertEqual([*WORK.glob("not-made*")], [])
        over = self.service.chancery("store", "backup", real, "--dry-run", check=False)
        self.assertEqual((over.returncode, "exists already" in over.said), (1, True), over.said)
        (real / "chancery.xml").write_text("<changed/>")
        self.assert_not_restored(real, "not what was backed up", "--dry-run")
        directory = WORK / "snapshot-dry"
        directory.mkdir()
        done = self.service.chancery("store", "snapshot", directory, "--dry-run", check=False)
        self.assertEqual((done.returncode, [*directory.iterdir()]), (1, []), done.said)
        self.assertIn("has no --dry-run", done.said)

    def test_what_was_checked_comes_in_the_form_asked_for(self):
        found = json.loads(self.service.chancery("store", "check", "--output", "json").text)
        self.assertEqual(found["faults"], 0)
        self.assertGreater(found["certificates"], 0)
        self.assertIn('faults,"0"', self.service.chancery("store", "check", "--output", "csv").text)
        for output in ("xml", "pem"):
            done = self.service.chancery("store", "check", "--output", output, check=False)
            self.assertEqual((done.returncode, done.text), (1, ""), done.said)

    def test_what_a_role_has_not_finished_is_not_in_it(self):
        draft, copy = self.service.home / "watch/alarms.jsonl.~a1B2c3", self.service.home / "watch/alarms.jsonl.~mine"
        draft.parent.mkdir(exist_ok=True)
        for each in (draft, copy):
            each.write_text("{}\n")
            self.addCleanup(each.unlink)
        names = {each["name"] for each in json.loads((self.backup("unfinished") / "backup.json").read_text())["files"]}
        self.assertIn("watch/alarms.jsonl.~mine", names)
        self.assertNotIn("watch/alarms.jsonl.~a1B2c3", names)

    def test_only_the_owner_may_read_it(self):
        place = self.backup("private")
        self.assertEqual(place.stat().st_mode & 0o777, 0o700)
        for each in (place / "keys").iterdir():
            self.assertEqual(each.stat().st_mode & 0o077, 0, each)

    def assert_not_restored(self, place, why, *options):
        home = WORK / f"{place.name}-home"
        done = run(CHANCERY, "store", "restore", place, "--home", home, *options, check=False)
        self.assertEqual(done.returncode, 1, done.said)
        self.assertIn(why, done.said)
        self.assertFalse(home.exists())
        self.assertEqual(list(WORK.glob(f"{home.name}.new-*")), [])

    def test_a_changed_or_cut_backup_is_refused(self):
        changed = self.backup("changed")
        file = changed / "chancery.xml"
        file.write_text(file.read_text() + " ")
        self.assert_not_restored(changed, "not what was backed up")
        missing = self.backup("missing")
        (missing / "issuers/rsa-g1.pem").unlink()
        self.assert_not_restored(missing, "rsa-g1.pem")
        half = self.backup("half")
        (half / "backup.json").unlink()
        self.assert_not_restored(half, "backup.json")
        away = self.backup("away")
        manifest = json.loads((away / "backup.json").read_text())
        manifest["files"][0]["name"] = "../../etc/away"
        (away / "backup.json").write_text(json.dumps(manifest))
        self.assert_not_restored(away, "an entry that is none")

    def refused(self, place, why, home=None):
        done = run(CHANCERY, "store", "backup", place, "--home", home or self.service.home, check=False)
        self.assertEqual(done.returncode, 1, done.said)
        self.assertIn(why, done.said)

    def test_a_destination_may_end_in_a_slash_and_not_lie_in_the_home(self):
        empty = WORK / "empty"
        empty.mkdir()
        for place in (empty, WORK / "fresh"):
            self.service.chancery("store", "backup", f"{place}/")
            self.assertTrue((place / "backup.json").exists())
            self.assertEqual(list(WORK.glob(f"{place.name}.new-*")), [])
        before = sorted(self.service.home.iterdir())
        self.refused(self.service.home / "backup", "is inside")
        self.refused(f"{self.service.home}/keys/../backup/", "is inside")
        self.assertEqual(sorted(self.service.home.iterdir()), before)

    def test_a_key_that_would_be_missing_is_named(self):
        self.assertEqual(self.service.stop(), 0)
        twin = self.service.copy()
        self.service.start()
        key, away = twin.home / "keys/rsa-g1.key", twin.directory / "away.key"
        self.assertNotIn("Not in it", run(CHANCERY, "store", "backup", WORK / "all", "--home", twin.home).said)
        key.rename(away)
        key.symlink_to(away)
        self.refused(WORK / "linked", f"{key}: a symbolic link", twin.home)
        self.assertFalse((WORK / "linked").exists())
        key.unlink()
        settings = twin.home / "chancery.xml"
        replace_file(settings, settings.read_text().replace('"file:keys/rsa-g1.key"', f'"file:{away}"'))
        said = run(CHANCERY, "store", "backup", WORK / "named", "--home", twin.home).said
        self.assertEqual([line for line in said.splitlines() if "Not in it" in line],
                         [f"Not in it, because it is not in the home: key file:{away}"])

    def test_all_that_the_configuration_names_outside_is_named(self):
        self.assertEqual(self.service.stop(), 0)
        twin = self.service.copy()
        self.service.start()
        settings, text = twin.home / "chancery.xml", (twin.home / "chancery.xml").read_text()
        login = f"""<login>
    <certificate-authority id="far" file="/etc/far/ca.pem" crl="../far.crl"/>
    <certificate-authority id="near" file="near/ca.pem" crl="{twin.home}/near/ca.crl"/>
  </login>
  <store"""
        watch = f"""<watch>
    <target id="web" type="webdav" url="https://web.example.com" user="ca" secret="credential:web" ca="file:/etc/far/web.pem"
            public-ca="file:public.pem" certificate="file:/etc/far/own.pem" key="file:/etc/far/own.key"/>
    <target id="ftp" type="sftp" url="sftp://ftp.example.com/crl" user="ca" key="file:{twin.home}/keys/ftp" known-hosts="file:../hosts"/>
    <target id="s3" type="s3" url="https://s3.example.com/crl" user="ca" secret="file:/etc/far/s3"/>
  </watch>
</chancery>"""
        replace_file(settings, text.replace("<store", login).replace("</chancery>", watch))
        (twin.home / "near").mkdir()
        said = run(CHANCERY, "store", "backup", WORK / "far", "--home", twin.home).said
        self.assertEqual([line.split("home: ")[1] for line in said.splitlines() if "Not in it" in line],
                         ["secret credential:web", "key file:/etc/far/own.key", "certificate file:/etc/far/own.pem", "ca file:/etc/far/web.pem",
                          f"known-hosts file:{twin.home}/../hosts", "secret file:/etc/far/s3",
                          "certificate-authority file:/etc/far/ca.pem", f"crl file:{twin.home}/../far.crl"])

    def test_a_store_that_was_cut_off_is_said_to_be(self):
        for _ in range(8):
            self.service.issued(make_csr(), "ucm/tomcat")
        self.assertEqual(self.service.stop(), 0)
        self.addCleanup(self.service.start)
        twin = self.service.copy()
        file = twin.home / "store/data.mdb"
        os.truncate(file, file.stat().st_size // 3 // 4096 * 4096)
        done = run(CHANCERY, "serve", "--home", twin.home, check=False, env=BUS)
        self.assertEqual(done.returncode, 1, done.said)
        self.assertEqual(done.said.count(" error "), 1, done.said)
        self.assertIn("read beyond the end of the store's file", done.said)
        for command in (["check"], ["backup", WORK / "of-cut"], ["backup", WORK / "of-cut", "--dry-run"]):
            done = run(CHANCERY, "store", *command, "--home", twin.home, check=False, env=BUS)
            self.assertEqual(done.returncode, 1, done.said)
            self.assertIn("it was cut off", done.said)
        self.assertEqual(list(WORK.glob("of-cut*")), [], "nothing is left of it")

    def test_a_file_that_is_no_store_ends_the_start_with_one_line(self):
        self.assertEqual(self.service.stop(), 0)
        self.addCleanup(self.service.start)
        for length, what in ((100, "is not an LMDB file"), (4096, "is not an LMDB file"), (0, "not a store of this version")):
            twin = self.service.copy()
            os.truncate(twin.home / "store/data.mdb", length)
            done = run(CHANCERY, "serve", "--home", twin.home, check=False)
            self.assertEqual(done.returncode, 1, done.said)
            self.assertEqual(done.said.count(" error "), 1, done.said)
            self.assertIn(what, done.said)

    def test_a_damaged_store_is_found_and_is_no_backup(self):
        leaf = self.service.issued(make_csr(subject="/CN=planted.example.com"), "ucm/tomcat")
        self.assertEqual(self.service.stop(), 0)
        other = WORK / "damaged"
        shutil.copytree(self.service.home, other)
        self.service.start()
        file = other / "store/data.mdb"
        octets = bytearray(file.read_bytes())
        places = [match.end() - 1 for match in re.finditer(re.escape(leaf.der), octets)]
        self.assertTrue(places)
        for at in places:  # older pages keep older copies
            octets[at] ^= 1
        file.write_bytes(octets)
        done = run(CHANCERY, "store", "check", "--home", other, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"certificate {leaf.serial_hex}: is not what its fingerprint says", done.said)
        done = run(CHANCERY, "store", "backup", WORK / "of-damaged", "--home", other, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertFalse((WORK / "of-damaged").exists())


if __name__ == "__main__":
    unittest.main()
