#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The audit: every act is a row, whoever asks finds it, and whatever is changed afterwards is found: by the command, and by
this file's own SHA-256 and openssl's own check of the seals."""
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import tempfile
import unittest

from harness import CHANCERY, WAIT_S, WORK, ServiceTest, make_csr, new_file, run, wait_until

DONE, WRONG_USE, REFUSED = 0, 1, 3
PREFIX = b"\0chancery seal\0"


class Audit(ServiceTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.leaf = cls.service.issued(make_csr("ec-P-256", "/CN=a.example.com", ["DNS:a.example.com"], name="audit"), "ucm/tomcat-ECDSA")
        cls.service.revoke(cls.leaf.serial_hex, "superseded")
        cls.service.issue(make_csr("rsa-2048", "/CN=b.example.com", ["DNS:b.example.com"], name="bad"), "ucm/tomcat-ECDSA")
        cls.service.stop()
        cls.still = cls.service.copy()
        cls.service.start()

    def rows(self, **query):
        answer = self.service.api("/audit?" + "&".join(f"{name}={value}" for name, value in {"limit": 1000, **query}.items()))
        return self.assert_status(answer, 200).json()["items"]

    def export(self, service=None):
        return (service or self.service).chancery("audit", "export").stdout

    def verify(self, *options, service=None, check=False):
        return (service or self.service).chancery("audit", "verify", "--output", "json", *options, check=check)

    def verify_lines(self, lines, *options):
        return self.verify("--export", new_file(b"".join(each + b"\n" for each in lines), ".jsonl"), *options)

    def assert_whole(self, result):
        self.assertEqual(result.returncode, DONE, result.stderr)
        report = json.loads(result.stdout)
        self.assertEqual(report["result"], "whole")
        self.assertIsNone(report["problem"])
        return report

    def assert_broken(self, result, words="audit row"):
        self.assertEqual(result.returncode, REFUSED, result.stdout)
        report = json.loads(result.stdout)
        self.assertEqual(report["result"], "broken")
        self.assertIn(words, report["problem"])
        return report

    def seal_key(self, service=None):
        return (service or self.service).home / "admin/audit.pub"

    def twin(self):
        """A service that does not run, on a copy of the home as it was after its first end."""
        service = self.still.copy()
        path = service.home / "chancery.xml"
        path.write_text(re.sub(r'listen="127.0.0.1:\d+"', 'listen="127.0.0.1:0"', path.read_text()))
        return service

    # ---- what stands there ----

    def test_acts_are_rows_with_who_and_what(self):
        issue, revoke = (self.rows(serial=self.leaf.serial_hex, kind=kind) for kind in ("issue", "revoke"))
        self.assertEqual((len(issue), len(revoke)), (1, 1))
        self.assertIn("profile ucm/tomcat-ECDSA", issue[0]["detail"])
        self.assertRegex(issue[0]["actor"], "^cert:")
        self.assertEqual(revoke[0]["detail"], "superseded")
        kinds = {row["kind"] for row in self.rows()}
        self.assertLessEqual({"init", "start", "responder", "listener", "crl", "issue", "revoke", "refuse"}, kinds)

    def test_filters_give_what_fits_in_either_order(self):
        everything = self.rows(order="oldest")
        self.assertEqual([row["seq"] for row in everything], list(range(1, len(everything) + 1)))
        actor = everything[0]["actor"]
        self.assertEqual([row["seq"] for row in self.rows(actor=actor)], [row["seq"] for row in everything if row["actor"] == actor][::-1])
        responders = self.rows(kind="responder", order="oldest")
        self.assertEqual(responders, [row for row in everything if row["kind"] == "responder"])
        self.assertEqual(self.rows(until="2020-01-01"), [])
        self.assertEqual(len(self.rows(since="2020-01-01")), len(everything))
        self.assertEqual(self.rows(serial="0" * 38), [])

    def test_pages_lead_through_all_of_it(self):
        least, found, path = len(self.rows()), [], "/audit?limit=3&order=oldest"
        self.assertGreater(least, 3, "more than a page")
        while path:
            answer = self.assert_status(self.service.api(path), 200)
            found += [row["seq"] for row in answer.json()["items"]]
            link = answer.headers.get("Link")
            self.assertEqual(link is None, answer.json()["next"] is None)
            path = link and re.fullmatch(r'</api/v1(/audit\?[^>]+)>; rel="next"', link)[1]
        self.assertGreaterEqual(len(found), least)
        self.assertEqual(found, list(range(1, len(found) + 1)))

    def test_what_is_no_query_is_refused(self):
        for query in ("kind=nothing", "serial=12", "since=yesterday", "until=1h", "order=up", "limit=0", "limit=1001", "after=00", "who=me",
                      "actor=" + "a" * 200, "kind=issue&kind=issue"):
            with self.subTest(query):
                self.assert_problem(self.service.api("/audit?" + query), 400)
        self.assert_status(self.service.api("/audit", "POST", b""), 405)

    def test_nobody_reads_it_without_a_login(self):
        for path in ("/audit", "/audit/head"):
            answer = self.service.api(path, tls=self.service.tls(None))
            self.assertEqual(answer.status, 401, answer)

    def test_a_refusal_of_the_reading_is_a_row_too(self):
        csr = bytearray(make_csr("rsa-2048", "/CN=c.example.com", ["DNS:c.example.com"], name="bent").der)
        csr[-1] ^= 1  # its self-signature
        before = len(self.rows(kind="refuse"))
        self.assert_problem(self.service.issue(bytes(csr), "ucm/tomcat"), 422)
        rows = self.rows(kind="refuse")
        self.assertEqual(len(rows), before + 1)
        self.assertRegex(rows[0]["detail"], r"^profile ucm/tomcat: .*csr\.signature")
        self.assertRegex(rows[0]["actor"], "^cert:")

    def taken(self, role):
        return [row["detail"] for row in self.rows(kind="config") if row["detail"].startswith(role + " took ")]

    def test_which_configuration_took_effect_is_a_row_once(self):
        files = {name: hashlib.sha256((self.service.home / name).read_bytes()).hexdigest() for name in ("chancery.xml", "profiles.xml")}
        for role in ("ca", "api"):  # the service was started twice with the same
            self.assertEqual(self.taken(role),
                             [f"{role} took chancery.xml {files['chancery.xml']}, profiles.xml {files['profiles.xml']}, at start"])

    def test_a_changed_configuration_is_a_row_of_each_role_that_took_it(self):
        service, path = self.twin(), None
        service.start()
        self.addCleanup(service.kill)
        path = service.home / "chancery.xml"
        path.write_text(path.read_text() + "<!-- changed -->\n")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()

        def details():
            lines = service.chancery("audit", "list", "--kind", "config", "--output", "jsonl").stdout.splitlines()
            return [json.loads(line)["detail"] for line in lines if digest.encode() in line]

        service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: len(details()) == 2, "both roles have taken it")
        self.assertEqual({each.split()[0] for each in details()}, {"ca", "api"})
        self.assertTrue(all(each.endswith(", on SIGHUP") for each in details()))
        path.write_text("<chancery")
        service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "the configuration in force stays" in service.log.read_text(), "the bad one is refused")
        self.assertNotIn(hashlib.sha256(path.read_bytes()).hexdigest(), service.chancery("audit", "list", "--limit", "0").text)

    def test_what_the_ca_leaves_for_a_restart_is_no_row_before_it(self):
        """Other issuers it takes at a start alone, the catalogue at once."""
        service = self.twin()
        service.start()
        self.addCleanup(service.kill)

        def digest(name):
            return hashlib.sha256((service.home / name).read_bytes()).hexdigest()

        def taken(role):
            lines = service.chancery("audit", "list", "--kind", "config", "--order", "oldest", "--limit", "0", "--output", "jsonl").stdout.splitlines()
            return [each for each in (json.loads(line)["detail"] for line in lines) if each.startswith(role + " took ")]

        before = taken("ca")
        settings, path = digest("chancery.xml"), service.home / "chancery.xml"
        text, count = re.subn(r'(<issuer id="rsa-g1"[^>]*>\s*<crl )', r'\1shards="4" ', path.read_text())
        self.assertEqual(count, 1)
        path.write_text(text)
        profiles = service.home / "profiles.xml"
        profiles.write_text(profiles.read_text() + "<!-- changed -->\n")
        service.process.send_signal(signal.SIGHUP)
        row = f"ca took chancery.xml {settings}, profiles.xml {digest('profiles.xml')}, on SIGHUP"
        wait_until(lambda: taken("ca")[len(before):], "the ca has taken the catalogue")
        self.assertIn("the issuers differ", service.log.read_text())
        self.assertEqual(taken("ca"), before + [row])
        service.restart()
        self.assertEqual(taken("ca"), before + [row, f"ca took chancery.xml {digest('chancery.xml')}, profiles.xml {digest('profiles.xml')}, at start"])

    # ---- the command ----

    def test_the_list_in_every_form(self):
        table = self.service.chancery("audit", "list", "--kind", "issue", "--limit", "0").stdout.decode()
        self.assertRegex(table, r"(?m)^SEQ +TIME +KIND +ACTOR +SERIAL +DETAIL$")
        self.assertIn(self.leaf.serial_hex, table)
        csv = self.service.chancery("audit", "list", "--serial", self.leaf.serial_hex, "--output", "csv").stdout.decode().splitlines()
        self.assertEqual(csv[0], "seq,time,kind,actor,serial,detail,hash,row")
        self.assertEqual(len(csv), 3)
        lines = self.service.chancery("audit", "list", "--since", "24h", "--order", "oldest", "--limit", "0", "--output", "jsonl").stdout
        self.assertEqual(json.loads(lines.splitlines()[0])["seq"], 1)
        both = json.loads(self.service.chancery("audit", "list", "--limit", "2", "--output", "json").stdout)
        self.assertEqual(len(both["items"] if isinstance(both, dict) else both), 2)

    def listed(self, *options, last=None):
        """Without what has come since the row `last`."""
        lines = self.service.chancery("audit", "list", "--order", "oldest", "--limit", "0", "--output", "jsonl", *options).stdout.splitlines()
        found = [json.loads(line) for line in lines]
        return [each for each in found if last is None or each["seq"] <= last["seq"]]

    def test_the_rows_of_one_actor(self):
        everything = self.listed()
        actors = {each["actor"] for each in everything}
        self.assertGreater(len(actors), 1)
        for actor in actors:
            wanted = [each for each in everything if each["actor"] == actor]
            self.assertEqual(self.listed("--actor", actor, last=everything[-1]), wanted, actor)
        self.assertEqual(self.listed("--actor", "login:nobody"), [])

    def test_the_rows_before_a_time_and_from_it_on(self):
        everything = self.listed()
        for time in {each["time"] for each in everything} | {"2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z"}:
            before = [each for each in everything if each["time"] < time]
            self.assertEqual(self.listed("--until", time, last=everything[-1]), before)
            self.assertEqual(self.listed("--since", time, last=everything[-1]), everything[len(before) :])

    def test_bad_options_are_named(self):
        for options, word in ((("list", "--kind", "x"), "permitted: start, issue, refuse, revoke"), (("list", "--since", "x"), "--since"), (("list", "--order", "x"), "--order"),
                              (("verify", "--head", "1"), "--head"), (("verify", "--store", "a", "--export", "b"), "not both"),
                              (("verify", "--export", "/nowhere"), "/nowhere"), (("verify", "--store", "/nowhere"), "/nowhere"),
                              (("verify", "--seal-key", self.service.home / "admin/admin.pem"), "PUBLIC KEY")):
            with self.subTest(options):
                result = self.service.chancery("audit", *options, check=False)
                self.assertEqual(result.returncode, WRONG_USE)
                self.assertIn(word.encode(), result.stderr)

    def test_a_serial_with_colons_is_found(self):
        colons = re.sub("(..)(?=.)", r"\1:", self.leaf.serial_hex).upper()
        plain, spelt = (self.service.chancery("audit", "list", "--serial", each, "--output", "jsonl").stdout for each in (self.leaf.serial_hex, colons))
        self.assertTrue(plain)
        self.assertEqual(plain, spelt)

    # ---- verifying ----

    def test_the_running_service_verifies(self):
        report = self.assert_whole(self.verify("--seal-key", self.seal_key()))
        self.assertEqual(report["first"], 1)
        head = self.assert_status(self.service.api("/audit/head"), 200).json()
        self.assertRegex(head["head"], r"^\d+:[0-9a-f]{64}$")
        self.assert_whole(self.verify("--head", head["head"]))
        self.assert_broken(self.verify("--head", "1:" + "00" * 32), "audit row 1: changed")

    def test_without_a_key_the_running_services_own_checks_the_seals(self):
        self.assertEqual(self.service.api("/audit/head").json()["seal_keys"], self.seal_key().read_text())
        report = self.assert_whole(self.verify())
        self.assertTrue(report["seals_checked"])
        self.assertGreaterEqual(report["seals"], 1)
        self.assertEqual(report["warnings"], [])

    def test_python_and_openssl_verify_the_export_alike(self):
        lines = [json.loads(line) for line in self.export().splitlines()]
        previous, seals = b"\0" * 32, 0
        for seq, line in enumerate(lines, 1):
            row = bytes.fromhex(line["row"])
            self.assertEqual(row[0], 1)
            self.assertEqual(int.from_bytes(row[1:9], "big"), seq)
            self.assertEqual(row[38:70], previous)
            if line["kind"] == "seal":
                seals += 1
                signed = PREFIX + (seq - 1).to_bytes(8, "big") + previous + row[9:17]
                signature = bytes.fromhex(line["detail"].split("signature=")[1])
                run("openssl", "dgst", "-sha256", "-verify", self.seal_key(), "-signature", new_file(signature, ".sig"), new_file(signed, ".tbs"))
            previous = hashlib.sha256(row).digest()
            self.assertEqual(line["hash"], previous.hex())
        self.assertGreaterEqual(seals, 1)

    def test_a_changed_dropped_moved_or_cut_export_is_found(self):
        lines = self.export().splitlines()
        report = self.assert_whole(self.verify_lines(lines))
        n = len(lines)
        self.assertEqual(report["rows"], n)
        self.assert_whole(self.verify_lines(lines[3:]))  # an export may begin anywhere, and says so
        self.assertIn("what was before the first row is not here", json.loads(self.verify_lines(lines[3:]).stdout)["warnings"])
        self.assertIn("(--head)", self.assert_whole(self.verify_lines(lines[:-1]))["warnings"][-1])  # a cut that shows against a mark alone
        self.assertNotIn("(--head)", " ".join(self.assert_whole(self.verify_lines(lines, "--head", report["head"]))["warnings"]))
        self.assert_broken(self.verify_lines([]), "there is no audit row")
        self.assert_broken(self.verify_lines([b"", b""]), "there is no audit row")
        self.assert_broken(self.verify_lines(lines[:3] + lines[4:]), "audit row 4: missing")
        self.assert_broken(self.verify_lines(lines[:3] + [lines[4], lines[3]] + lines[5:]), "audit row 4: missing")
        self.assert_broken(self.verify_lines(lines + lines[-1:]), "out of order")
        self.assert_broken(self.verify_lines(lines[:-1], "--head", report["head"]), f"audit row {n}: missing")
        self.assert_broken(self.verify_lines(lines[:2] + [b"{}"] + lines[3:]), "after audit row 2: no row")
        self.assert_broken(self.verify_lines(lines[:2] + [b"junk"] + lines[3:]), "after audit row 2")
        for member, value in (("actor", "nobody"), ("detail", "nothing"), ("time", "2020-01-01T00:00:00Z"), ("kind", "stop"), ("seq", 99),
                              ("serial", "00" * 19), ("hash", "00" * 32)):
            with self.subTest(member):
                bent = {**json.loads(lines[2]), member: value}
                self.assert_broken(self.verify_lines(lines[:2] + [json.dumps(bent).encode()] + lines[3:]), "audit row 3")
        row = bytearray.fromhex(json.loads(lines[2])["row"])
        row[-1] ^= 1
        bent = {**json.loads(lines[2]), "row": row.hex()}
        self.assert_broken(self.verify_lines(lines[:2] + [json.dumps(bent).encode()] + lines[3:]), "audit row 3")

    def test_a_row_of_a_year_that_no_text_can_say_is_damaged(self):
        lines = self.export().splitlines()
        for when in (253402300800, 1 << 62, -62167219201):
            for n in (1, 3):
                bent = json.loads(lines[n - 1])
                row = bytearray.fromhex(bent["row"])
                row[9:17] = when.to_bytes(8, "big", signed=True)
                bent.update(row=row.hex(), hash=hashlib.sha256(row).hexdigest())
                broken = self.verify_lines(lines[: n - 1] + [json.dumps(bent).encode()] + lines[n:])
                self.assert_broken(broken, f"audit row {n}: damaged")

    def test_each_octet_of_a_row_in_a_copied_home_is_held(self):
        home = self.twin().home
        before = sorted(path.name for path in (home / "store").iterdir())
        key = self.seal_key()
        report = self.assert_whole(run(CHANCERY, "audit", "verify", "--store", home, "--seal-key", key, "--output", "json"))
        self.assertGreaterEqual(report["seals"], 1)
        self.assertEqual(report["unsealed_rows"], 0)
        self.assertEqual(sorted(path.name for path in (home / "store").iterdir()), before)
        copied = pathlib.Path(tempfile.mkdtemp(dir=WORK))
        shutil.copy(home / "store/data.mdb", copied)
        row = bytes.fromhex(self.rows(serial=self.leaf.serial_hex, kind="issue")[0]["row"])
        data = bytearray((copied / "data.mdb").read_bytes())
        places = [match.start() for match in re.finditer(re.escape(row), data)]
        self.assertTrue(places)
        with open(copied / "data.mdb", "r+b", buffering=0) as file:
            for at in range(0, len(row)):
                for place in places:  # older pages keep older copies
                    os.pwrite(file.fileno(), bytes([row[at] ^ 1 << at % 8]), place + at)
                self.assert_broken(run(CHANCERY, "audit", "verify", "--store", copied, "--output", "json", check=False))
                for place in places:
                    os.pwrite(file.fileno(), row[at:at + 1], place + at)
        self.assert_whole(run(CHANCERY, "audit", "verify", "--store", copied, "--output", "json"))
        self.assertEqual([path.name for path in copied.iterdir()], ["data.mdb"])

    def test_a_copied_home_is_read_where_nothing_answers(self):
        home = self.twin().home
        verify = (CHANCERY, "audit", "verify", "--home", home, "--seal-key", self.seal_key(), "--output", "json")
        before = sorted(path.name for path in (home / "store").iterdir())
        done = run(*verify)
        self.assertGreaterEqual(self.assert_whole(done)["seals"], 1)
        self.assertEqual(done.stderr.decode(), f"{home}/control.sock: nothing answers, so {home}/store is read\n")
        self.assertEqual(sorted(path.name for path in (home / "store").iterdir()), before)
        row = bytes.fromhex(self.rows(serial=self.leaf.serial_hex, kind="issue")[0]["row"])
        data = home / "store/data.mdb"
        data.write_bytes(data.read_bytes().replace(row, row[:-1] + bytes([row[-1] ^ 1])))
        self.assert_broken(run(*verify, check=False))

    def test_what_is_asked_of_another_service_is_not_read_here(self):
        home, ca = self.twin().home, self.service.home / "admin/server-ca.pem"
        done = run(CHANCERY, "audit", "verify", "--server", "https://127.0.0.1:1", "--cacert", ca, check=False, env={"CHANCERY_HOME": str(home)})
        self.assertEqual((done.returncode, done.stdout), (2, b""), done.said)
        shutil.rmtree(home / "store")
        done = run(CHANCERY, "audit", "verify", "--home", home, check=False)
        self.assertEqual((done.returncode, done.stdout), (2, b""), done.said)

    def test_seals_of_another_key_are_found(self):
        service = self.twin()
        other = self.service.directory / "other.pub"
        run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", other.with_suffix(".key"))
        run("openssl", "pkey", "-in", other.with_suffix(".key"), "-pubout", "-out", other)
        self.assert_broken(run(CHANCERY, "audit", "verify", "--store", service.home, "--seal-key", other, "--output", "json", check=False),
                           "a key that is not known")
        both = new_file(other.read_bytes() + self.seal_key().read_bytes(), ".pub")
        self.assert_whole(run(CHANCERY, "audit", "verify", "--store", service.home, "--seal-key", both, "--output", "json"))

    # ---- copies ----

    FORM = re.compile(r"<(\d+)>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) - chancery \d+ audit - "
                      r"seq=(\d+) hash=([0-9a-f]{64}) kind=(\S+) serial=(\S+) actor=(\S+) detail=([^\x00-\x1f]*)")

    def log_socket(self, path):
        log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        log.bind(str(path))
        path.chmod(0o666)  # as /dev/log is: the service's roles have accounts of their own
        log.settimeout(WAIT_S)
        self.addCleanup(log.close)
        return log

    def copies(self, log, last):
        """What arrives, up to the row of that number."""
        found = []
        while not found or int(found[-1][3]) < last:
            found.append(self.FORM.fullmatch(log.recv(65536).decode()))
            self.assertTrue(found[-1])
        return found

    def head(self, service):
        return json.loads(service.chancery("audit", "head", "--output", "json").stdout)["seq"]

    def test_copies_hold_what_the_rows_hold_and_none_is_lost(self):
        service = self.twin()
        path = pathlib.Path(tempfile.mkdtemp(dir=WORK)) / "log.sock"
        path.parent.chmod(0o711)
        config = service.home / "chancery.xml"
        config.write_text(config.read_text().replace('syslog="false"', f'syslog="{path}"'))
        log = self.log_socket(path)
        service.start()
        self.addCleanup(service.kill)
        head = self.head(service)
        copies = self.copies(log, head)
        rows = {json.loads(line)["seq"]: json.loads(line) for line in self.export(service).splitlines()}
        for each in copies:
            row = rows[int(each[3])]
            self.assertEqual([each[2], each[4], each[5], each[7], each[8]], [row[name] for name in ("time", "hash", "kind", "actor", "detail")])
            self.assertEqual(int(each[1]), 84 if row["kind"] in ("refuse", "login-failure") else 85)
        log.close()
        path.unlink()
        service.chancery("crl", "publish", "--issuer", "rsa-g1")
        wait_until(lambda: b"audit.copies" in service.chancery("health", check=False).stdout, "the alarm stands")
        log = self.log_socket(path)
        service.stop()
        more = self.copies(log, int(copies[-1][3]) + 3)  # the publication, the end, the seal
        self.assertEqual([int(each[3]) for each in copies + more], list(range(int(copies[0][3]), int(more[-1][3]) + 1)))
        self.assertEqual([each[5] for each in more[-2:]], ["stop", "seal"])
        log.close()
        path.unlink()
        service.start()  # it publishes nothing, and is sealed at its end without a copy of a row
        service.chancery("crl", "publish", "--issuer", "rsa-g1")
        self.assertEqual(service.stop(), 0)
        log = self.log_socket(path)
        service.start()
        late = self.copies(log, self.head(service))
        self.assertEqual([int(each[3]) for each in late], list(range(int(more[-1][3]) + 1, int(late[-1][3]) + 1)), "each once")
        self.assertEqual([each[5] for each in late].count("stop"), 1)

    # ---- ends, good and bad ----

    def test_a_kill_leaves_a_chain_that_goes_on(self):
        service = self.twin()
        service.start()
        service.kill()
        service.start()
        self.assertEqual(service.stop(), 0)
        report = self.assert_whole(run(CHANCERY, "audit", "verify", "--store", service.home, "--seal-key", self.seal_key(), "--output", "json"))
        self.assertEqual(report["unsealed_rows"], 0)

    def test_a_home_without_a_key_goes_on_and_says_so(self):
        service = self.twin()
        path = service.home / "chancery.xml"
        path.write_text(re.sub(r' *<audit [^>]*/>\n', "", path.read_text()))
        (service.home / "keys/audit.key").unlink()
        service.start()
        health = service.chancery("health", check=False)
        self.assertIn(b"audit.unsealed", health.stdout)
        self.assertIsNone(json.loads(service.chancery("audit", "head", "--output", "json").stdout)["seal_keys"])
        self.assertFalse(self.assert_whole(self.verify(service=service))["seals_checked"])
        self.assertEqual(service.stop(), 0)

    def test_a_public_half_that_is_another_keys_is_an_alarm_and_no_seal(self):
        service = self.twin()
        key = service.directory / "x.key"
        run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
        run("openssl", "pkey", "-in", key, "-pubout", "-out", service.home / "issuers/audit.pub")
        service.start()
        self.assertEqual(service.stop(), 0)
        self.assertIn("issuers/audit.pub is not the public half", service.log.read_text())
        report = self.assert_whole(run(CHANCERY, "audit", "verify", "--store", service.home, "--output", "json"))
        self.assertEqual(report["seals"], 1)  # of the end before

    def test_the_key_must_be_what_seals_are_made_with(self):
        service = self.twin()
        run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-out", service.home / "keys/audit.key")
        with self.assertRaises(AssertionError):
            service.start()
        self.assertIn("P-256", service.log.read_text())


if __name__ == "__main__":
    unittest.main()
