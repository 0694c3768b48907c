#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The requests of a profile against a changed catalogue: who would be refused, who would get something else, and nothing happens."""
import csv
import io
import json
import pathlib
import re
import unittest

from harness import CHANCERY, ServiceTest, make_csr, new_file, run, self_signed

DONE, WRONG_USE, REFUSED, NOT_FOUND = 0, 1, 3, 5
INSTALLED = (pathlib.Path(__file__).resolve().parents[2] / "ca/profiles.xml").read_text()


def changed(profile, *edits):
    """The installed catalogue with (pattern, replacement) edits inside one profile."""
    start = INSTALLED.index(f'<profile id="{profile}"')
    end = INSTALLED.index("</profile>", start)
    text = INSTALLED[start:end]
    for pattern, replacement in edits:
        text, count = re.subn(pattern, replacement, text)
        assert count > 0, pattern
    return INSTALLED[:start] + text + INSTALLED[end:]


class Replay(ServiceTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        names = {"plain": {}, "longer": {"days": 1000}, "tolerated": {"ku": ["digitalSignature", "dataEncipherment", "keyAgreement"]},
                 "unit": {"subject": "/O=Example/OU=Voice/CN=unit.example.com"}}
        cls.serials = {}
        for name, options in names.items():
            days = {"days": options.pop("days")} if "days" in options else {}
            subject = options.pop("subject", f"/O=Example/CN={name}.example.com")
            csr = make_csr(subject=subject, sans=[f"{name}.example.com"], name=name, **options)
            cls.serials[name] = cls.service.issued(csr, "ucm/tomcat", **days).serial_hex
        cls.service.issued(make_csr("ec-P-256", sans=["other.example.com"]), "ucm/tomcat-ECDSA")

    def replay(self, catalogue, query="", status=200, profile="ucm/tomcat", **options):
        answer = self.service.api(f"/replay?profile={profile}{query}", "POST", catalogue, {"Content-Type": "application/xml"}, **options)
        return self.assert_status(answer, status)

    def named(self, catalogue):
        """{name: item} of what would differ."""
        page = self.replay(catalogue).json()
        self.assertEqual((page["examined"], page["next"]), (4, None))
        by_serial = {serial: name for name, serial in self.serials.items()}
        return {by_serial[each["serial"]]: each for each in page["items"]}

    def changes(self, item):
        return {each["field"]: (each["before"], each["after"]) for each in item["changes"]}

    # ---- what differs ----

    def test_the_same_catalogue_changes_nothing(self):
        self.assertEqual(self.named(INSTALLED), {})

    def test_fewer_days_shorten_and_refuse(self):
        found = self.named(changed("ucm/tomcat", (r'<days [^>]*>', '<days default="397" max="397"/>')))
        self.assertEqual(found["longer"]["result"], "refused")
        self.assertEqual(found["longer"]["rules"], ["days.too-long"])
        self.assertEqual(found["plain"]["result"], "changed")
        self.assertEqual(self.changes(found["plain"]), {"days": ("825", "397")})
        self.assertEqual(found["plain"]["cn"], "plain.example.com")
        self.assertEqual(set(found), set(self.serials))

    def test_a_usage_that_is_no_longer_tolerated_refuses_who_asked_for_it(self):
        found = self.named(changed("ucm/tomcat", (' keyAgreement"', '"')))
        self.assertEqual({name: each["rules"] for name, each in found.items()}, {"tolerated": ["usage.key.forbidden"]})

    def test_a_new_default_changes_who_asked_for_nothing(self):
        found = self.named(changed("ucm/tomcat", ('required="serverAuth clientAuth" tolerated="ipsecEndSystem"',
                                                  'required="serverAuth"'), ('tolerated="keyEncipherment', 'default="digitalSignature dataEncipherment keyEncipherment" tolerated="keyEncipherment')))
        self.assertEqual(self.changes(found["plain"]), {
            "eku": ("serverAuth, clientAuth", "serverAuth"),
            "ku": ("digitalSignature, dataEncipherment", "digitalSignature, keyEncipherment, dataEncipherment")})
        self.assertEqual(self.changes(found["tolerated"]), {"eku": ("serverAuth, clientAuth", "serverAuth")})

    def test_subject_and_approval(self):
        found = self.named(changed("ucm/tomcat", ('multi-server="true"', 'multi-server="true" ou="drop"')))
        self.assertEqual({name: self.changes(each) for name, each in found.items()}, {"unit": {"subject": ("as asked", "without OU")}})
        found = self.named(changed("ucm/tomcat", ('multi-server="true"', 'multi-server="true" approval="true"')))
        self.assertEqual(set(found), set(self.serials))
        self.assertEqual(self.changes(found["unit"]), {"approval": ("not needed", "needed")})

    def test_another_kind_of_key_refuses_all(self):
        ec = re.search(r"<ec .*?</ec>", INSTALLED, re.S)[0]
        found = self.named(changed("ucm/tomcat", (r"(?s)<rsa .*</rsa>", ec)))
        self.assertEqual({each["result"] for each in found.values()}, {"refused"})
        self.assertEqual({rule for each in found.values() for rule in each["rules"]}, {"purpose.key-type"})

    def test_nothing_is_issued_or_written(self):
        before = self.service.serials()
        rows = self.service.api("/certificates?limit=1000").json()
        self.replay(changed("ucm/tomcat", (r'<days [^>]*>', '<days default="1" max="1"/>')))
        self.assertEqual(self.service.serials(), before)
        self.assertEqual(self.service.api("/certificates?limit=1000").json(), rows)
        self.assertNotIn('default="1"', (self.service.home / "profiles.xml").read_text())

    # ---- pages ----

    def test_pages_hold_every_request_once(self):
        catalogue = changed("ucm/tomcat", (r'<days [^>]*>', '<days default="397" max="397"/>'))
        found, after, pages = [], "", 0
        while after is not None:
            page = self.replay(catalogue, "&limit=1" + (f"&after={after}" if after else "")).json()
            self.assertLessEqual(page["examined"], 1)
            found += [each["serial"] for each in page["items"]]
            after, pages = page["next"], pages + 1
        self.assertEqual(sorted(found), sorted(self.serials.values()))
        self.assertGreaterEqual(pages, 4)

    # ---- what is refused ----

    def test_a_wrong_catalogue_is_422_with_every_line(self):
        wrong = INSTALLED.replace('default="825"', 'default="many"', 2)
        problem = self.assert_problem(self.replay(wrong, status=422), 422)
        lines = problem["report"]
        self.assertEqual(problem["findings"], [])
        self.assertGreaterEqual(len(lines), 2)
        for line in lines:
            self.assertRegex(line, r"^profiles\.xml:\d+: ")

    def test_what_cannot_be_read_is_refused(self):
        for body, status in ((b"", 400), (b"hello", 422), (b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>", 422),
                             (INSTALLED[: len(INSTALLED) // 2], 422)):
            with self.subTest(body=body[:20]):
                answer = self.replay(body, status=status)
                self.assertNotIn("root:", answer.text)
        for query in ("&limit=0", "&limit=201", "&limit=x", "&after=nonsense", "&unknown=1"):
            with self.subTest(query=query):
                self.assert_problem(self.replay(INSTALLED, query, status=400), 400)
        self.assert_problem(self.service.api("/replay", "POST", INSTALLED), 400)

    def test_a_profile_that_is_not_there(self):
        self.assert_problem(self.replay(INSTALLED, profile="ucm/none", status=404), 404)
        self.assert_problem(self.replay(INSTALLED, profile="chancery/administrator", status=404), 404)
        without = re.sub(r'(?s)<profile id="ucm/tomcat".*?</profile>', "", INSTALLED, count=1)
        self.assert_problem(self.replay(without, status=422), 422)

    def test_the_size_is_bounded_and_strangers_send_less(self):
        self.assertEqual(self.replay(INSTALLED + f"<!--{'x' * 900_000}-->").json()["examined"], 4)
        self.assert_problem(self.replay(INSTALLED + f"<!--{'x' * 1_100_000}-->", status=413), 413)
        stranger = self.service.tls(*self_signed("/CN=stranger"))
        for tls in (stranger, self.service.tls(None)):
            try:
                answer = self.replay("x" * 100_000, status=413, tls=tls)
            except (OSError, ConnectionError):
                continue  # turned away earlier still
            self.assert_problem(answer, 413)
        self.assert_problem(self.replay("x", status=401, tls=self.service.tls(None)), 401)

    def test_only_post(self):
        self.assert_status(self.service.api("/replay?profile=ucm/tomcat"), 405)

    # ---- the command ----

    def chancery(self, *arguments, code=DONE):
        done = run(CHANCERY, "profile", "replay", *arguments, "--home", self.service.home, check=False)
        self.assertEqual(done.returncode, code, f"{arguments}: {done.said}")
        return done

    def test_the_command_in_every_form(self):
        against = ["ucm/tomcat", "--against", new_file(changed("ucm/tomcat", (r'<days [^>]*>', '<days default="397" max="397"/>')), ".xml")]
        done = self.chancery(*against)
        self.assertIn("days 825 -> 397", done.text)
        self.assertIn("days.too-long", done.text)
        self.assertIn("4 examined: 1 would be refused, 3 would come out differently", done.stderr.decode())
        whole = json.loads(self.chancery(*against, "--output", "json").text)
        self.assertEqual({each["serial"] for each in whole["items"]}, set(self.serials.values()))
        self.assertEqual(len(self.chancery(*against, "--output", "jsonl").text.splitlines()), 4)
        table = list(csv.DictReader(io.StringIO(self.chancery(*against, "--output", "csv").text, newline="")))
        self.assertEqual({each["result"] for each in table}, {"refused", "changed"})
        self.assertIn("2 examined", self.chancery(*against, "--limit", "2").stderr.decode())

    def test_the_command_when_something_is_wrong(self):
        wrong = self.chancery("ucm/tomcat", "--against", new_file(INSTALLED.replace('default="825"', 'default="many"', 1), ".xml"), code=REFUSED)
        self.assertRegex(wrong.said, r"profiles\.xml:\d+: ")
        self.assertEqual(wrong.stdout, b"")
        good = new_file(INSTALLED, ".xml")
        self.chancery("ucm/none", "--against", good, code=NOT_FOUND)
        self.chancery("ucm/tomcat", "--against", "/nonexistent", code=WRONG_USE)
        self.chancery("ucm/tomcat", code=WRONG_USE)
        self.chancery("ucm/tomcat", "--against", good, "--limit", "none", code=WRONG_USE)


class Cut(ServiceTest):
    """Certificates that their issuer's end has cut: nobody knows what was asked for."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.long = changed("ucm/tomcat", (r'<days [^>]*>', '<days default="4000" max="4000"/>'))
        (cls.service.home / "profiles.xml").write_text(cls.long)
        cls.service.restart()
        cls.service.issued(make_csr(subject="/CN=cut.example.com", name="cut"), "ucm/tomcat")
        cls.service.issued(make_csr(subject="/CN=asked.example.com", name="asked"), "ucm/tomcat", days=1000)

    def test_they_count_as_those_that_asked_for_none(self):
        answer = self.service.api("/replay?profile=ucm/tomcat", "POST", changed("ucm/tomcat", (r'<days [^>]*>', '<days default="397" max="397"/>')))
        found = {each["cn"]: (each["result"], each["rules"]) for each in self.assert_status(answer, 200).json()["items"]}
        self.assertEqual(found, {"cut.example.com": ("changed", []), "asked.example.com": ("refused", ["days.too-long"])})

    def test_the_same_catalogue_changes_nothing(self):
        self.assertEqual(self.assert_status(self.service.api("/replay?profile=ucm/tomcat", "POST", self.long), 200).json()["items"], [])


if __name__ == "__main__":
    unittest.main()
