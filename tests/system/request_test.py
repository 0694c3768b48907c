#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Approvals: what needs one waits, a second person decides, and the answer is a certificate once or never; over HTTPS,
over the control socket, and through a kill."""
import json
import os
import re
import signal
import unittest

import der
from harness import CHANCERY, WAIT_S, ServiceTest, make_csr, new_file, pem_to_der, run, utc_s, wait_until

DONE, WRONG_USE, REFUSED, PENDING, NOT_FOUND, NOT_PERMITTED = 0, 1, 3, 4, 5, 6
PROFILE = "ucm/CAPF"


class Request(ServiceTest):
    count = 0

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        second = make_csr("ec-P-256", "/CN=second administrator", name="second")
        cls.second = cls.service.tls(new_file(cls.service.issued(second, "chancery/administrator").chain_pem, ".pem"), second.key)

    def csr(self):
        """A new one each time, so that no two tests ask for the same. A CAPF asks for CA:TRUE nowhere: the profile gives it."""
        Request.count += 1
        return make_csr("rsa-2048", f"/O=Example/CN=CAPF-{Request.count:08x}", name=f"capf{Request.count}")

    def post(self, csr, key=None, **query):
        parameters = "&".join(f"{each}={value}" for each, value in {"profile": PROFILE, **query}.items())
        headers = {"Content-Type": "application/pkcs10", **({"Idempotency-Key": key} if key else {})}
        return self.service.api(f"/certificates?{parameters}", "POST", csr.der, headers)

    def asked(self, csr=None, key=None):
        """Asks; the id of the request that waits."""
        answer = self.assert_status(self.post(csr or self.csr(), key), 202)
        return answer.json()["request"]

    def approve(self, request, tls=None):
        return self.service.api(f"/requests/{request}/approval", "POST", tls=tls or self.second)

    def deny(self, request, reason="not ours", tls=None):
        return self.service.api(f"/requests/{request}/denial", "POST", json.dumps({"reason": reason}),
                                {"Content-Type": "application/json"}, tls=tls or self.second)

    def show(self, request):
        return self.assert_status(self.service.api(f"/requests/{request}"), 200).json()

    # ---- who learns of it ----

    def waiting(self):
        text = self.service.https("/metrics").text
        return int(re.search(r"(?m)^chancery_requests_waiting(?:\{[^}]*\})? (\d+)$", text)[1])

    def test_those_that_wait_are_a_figure_and_a_line_in_the_log(self):
        before = self.waiting()
        request = self.asked()
        self.assertEqual(self.waiting(), before + 1)
        self.assertRegex(self.service.log.read_text(), rf"request detail=\"request by .*{request}")
        self.assert_status(self.deny(request), 200)
        self.assertEqual(self.waiting(), before)

    # ---- asking ----

    def test_asking_is_202_and_says_where_and_when(self):
        csr, before = self.csr(), self.service.serials()
        answer = self.assert_status(self.post(csr), 202)
        self.assertEqual(answer.type, "application/json")
        body = answer.json()
        self.assertRegex(body["request"], "^[0-9a-f]{32}$")
        self.assertEqual(body["status"], "pending")
        self.assertRegex(body["expires_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(answer.headers["Location"], f"/api/v1/requests/{body['request']}")
        self.assertGreater(int(answer.headers["Retry-After"]), 0)
        self.assertEqual(self.service.serials(), before)
        shown = self.show(body["request"])
        self.assertEqual(pem_to_der(shown["csr"])[0], csr.der)
        self.assertEqual((shown["status"], shown["profile"], shown["serial"], shown["decided_by"]), ("pending", PROFILE, None, None))
        self.assertTrue(shown["asker"].startswith("cert:"))
        self.assertEqual(shown["findings"], body["findings"])
        asked_s, expires_s = (utc_s(shown[each], "%Y-%m-%dT%H:%M:%SZ") for each in ("asked_at", "expires_at"))
        self.assertEqual(expires_s - asked_s, 7 * 86400)

    def test_what_breaks_a_rule_does_not_wait(self):
        before = len(self.service.api("/requests?limit=1000").json()["items"])
        self.assert_problem(self.post(make_csr("ec-P-256", "/CN=CAPF-0a1b2c3d")), 422, "purpose.key-type")
        self.assert_problem(self.post(self.csr(), days=9999), 422, "days.too-long")
        self.assertEqual(len(self.service.api("/requests?limit=1000").json()["items"]), before)

    def test_the_same_again_is_the_same_request(self):
        csr = self.csr()
        self.assertEqual(self.asked(csr), self.asked(csr))
        self.assertNotEqual(self.asked(csr), self.asked())

    # ---- approving ----

    def test_approving_issues_a_subordinate_ca(self):
        csr = self.csr()
        request = self.asked(csr)
        shown = self.assert_status(self.approve(request), 200).json()
        self.assertEqual(shown["status"], "approved")
        self.assertEqual(shown["certificate"], f"/api/v1/certificates/{shown['serial']}")
        leaf = der.Certificate(self.service.api(f"/certificates/{shown['serial']}.der").body)
        self.assertEqual(leaf.spki, csr.fields.spki)
        text = run("openssl", "x509", "-inform", "DER", "-noout", "-text", stdin=leaf.der).text
        self.assertIn("CA:TRUE, pathlen:0", text)
        leaf.chain_pem = self.service.api(f"/certificates/{shown['serial']}-chain.pem").text
        self.assert_chain(leaf)
        about = self.service.api(f"/certificates/{shown['serial']}").json()
        self.assertEqual(about["requester"], shown["asker"])
        self.assert_problem(self.approve(request), 409)
        self.assert_problem(self.deny(request), 409)

    def test_the_asker_cannot_approve(self):
        request = self.asked()
        problem = self.assert_problem(self.approve(request, self.service.tls()), 403)
        self.assertIn("asked", problem["detail"])
        self.assertEqual(self.show(request)["status"], "pending")
        self.assert_status(self.approve(request), 200)

    def test_the_control_socket_may_approve_what_another_asked(self):
        request = self.asked()
        done = self.service.chancery("request", "approve", request, "--output", "json")
        self.assertEqual(json.loads(done.text)["decided_by"], f"uid:{os.getuid()}")

    def test_a_key_revoked_meanwhile_is_not_approved(self):
        csr = self.csr()
        request = self.asked(csr)
        server = make_csr("rsa-2048", "/CN=cucm1.example.com", ["cucm1.example.com"], name=f"capf{Request.count}")
        self.assertEqual(server.fields.spki, csr.fields.spki)
        leaf = self.service.issued(server, "ucm/tomcat")
        self.assert_status(self.service.revoke(leaf.serial_hex, "keyCompromise"), 200)
        self.assert_problem(self.approve(request), 422)
        self.assertEqual(self.show(request)["status"], "pending")
        self.assert_status(self.deny(request, "its key is compromised"), 200)

    # ---- denying ----

    def test_denying_is_the_end_and_says_why(self):
        request = self.asked()
        self.assert_status(self.deny(request, "nicht von uns: żaden"), 200)
        shown = self.show(request)
        self.assertEqual((shown["status"], shown["reason"], shown["serial"]), ("denied", "nicht von uns: żaden", None))
        self.assert_problem(self.approve(request), 409)
        self.assert_problem(self.deny(request), 409)

    def test_a_denial_needs_a_reason_of_one_line(self):
        request = self.asked()
        for reason in ("", "two\nlines", "\x1b[31m", "x" * 600, None, 5):
            self.assert_problem(self.deny(request, reason), 400)
        self.assertEqual(self.show(request)["status"], "pending")

    def test_outside_the_scope_nothing_is_there_nor_done(self):
        request = self.asked()
        for scope, code in (("other.example", NOT_FOUND), (f"CAPF-{Request.count:08x}", DONE)):
            token = self.service.chancery("token", "create", "--role", "operator", "--name", scope).text.strip()
            for verb in (("approve",), ("deny", "--reason", "not ours")) if code else (("deny", "--reason", "ours"),):
                with self.subTest(scope=scope, verb=verb[0]):
                    done = run(CHANCERY, "request", verb[0], request, *verb[1:], "--server", f"https://127.0.0.1:{self.service.https_port}",
                               "--cacert", self.service.home / "admin/server-ca.pem", "--token", new_file(token), check=False)
                    self.assertEqual(done.returncode, code, done.said)
                    self.assertEqual(self.show(request)["status"], "pending" if code else "denied")

    def test_what_is_not_there(self):
        for request in ("0" * 32, "nonsense", "0" * 31, "g" * 32):
            self.assert_problem(self.service.api(f"/requests/{request}"), 404)
            self.assert_problem(self.approve(request), 404)
            self.assert_problem(self.deny(request), 404)

    # ---- polling with the same key ----

    def test_a_repeated_post_gets_the_certificate_once_it_is_approved(self):
        csr, key = self.csr(), f"poll-{Request.count}"
        request = self.asked(csr, key)
        self.assertEqual(self.asked(csr, key), request)
        self.assert_problem(self.post(self.csr(), key), 422)
        serial = self.assert_status(self.approve(request), 200).json()["serial"]
        before = self.service.serials()
        for _ in range(2):
            answer = self.assert_status(self.post(csr, key), 201)
            self.assertEqual(der.Certificate(pem_to_der(answer.text)[0]).serial_hex, serial)
        self.assertEqual(self.service.serials(), before)
        self.assert_problem(self.post(self.csr(), key), 422)

    def test_a_repeated_post_is_told_of_the_denial(self):
        csr, key = self.csr(), f"poll-{Request.count}"
        self.assert_status(self.deny(self.asked(csr, key), "ask your manager"), 200)
        self.assertIn("ask your manager", self.assert_problem(self.post(csr, key), 422)["detail"])

    # ---- lists ----

    def test_lists_by_status_and_page(self):
        pending, approved, denied = self.asked(), self.asked(), self.asked()
        self.assert_status(self.approve(approved), 200)
        self.assert_status(self.deny(denied), 200)
        for status, request in (("pending", pending), ("approved", approved), ("denied", denied)):
            found = [each["request"] for each in self.service.api(f"/requests?status={status}&limit=1000").json()["items"]]
            self.assertIn(request, found)
            self.assertEqual({pending, approved, denied} & set(found), {request})
        found, after = [], ""
        while after is not None:
            answer = self.service.api("/requests?limit=2" + (f"&after={after}" if after else ""))
            found += [(each["asked_at"], each["request"]) for each in answer.json()["items"]]
            after = answer.json()["next"]
            self.assertEqual(after is not None, "rel=\"next\"" in (answer.headers["Link"] or ""))
        self.assertEqual(len(found), len(set(found)))
        self.assertEqual(found, sorted(found, reverse=True), "the latest first")
        self.assertEqual({pending, approved, denied} - {request for _, request in found}, set())
        for query in ("status=odd", "limit=0", "after=00", "color=red"):
            self.assert_problem(self.service.api(f"/requests?{query}"), 400)

    def test_pages_show_nothing_of_what_a_scope_hides(self):
        csrs = [self.csr() for _ in range(4)]
        requests = [self.asked(csr) for csr in csrs]
        names = [self.show(request)["cn"] for request in requests]

        def listed(*options):
            token = self.service.chancery("token", "create", "--role", "operator", *options).text.strip()
            pages, after = [], ""
            while after is not None:
                answer = self.service.api(f"/requests?limit=1{after and '&after=' + after}", headers={"Authorization": "Bearer " + token}).json()
                pages.append([each["request"] for each in answer["items"]])
                after = answer["next"]
                self.assertFalse(any(request in (after or "") for request in requests))
            return pages

        self.assertEqual(sorted(listed("--name", names[1], "--name", names[2])), sorted([[requests[1]], [requests[2]]]))
        self.assertEqual(listed("--name", "nothing.example"), [[]])
        self.assertEqual(listed("--issuer", "ec-g1"), [[]])
        other = {"Authorization": "Bearer " + self.service.chancery("token", "create", "--role", "operator", "--issuer", "ec-g1").text.strip()}
        for body in (("approval", None), ("denial", '{"reason": "no"}')):
            self.assert_problem(self.service.api(f"/requests/{requests[0]}/{body[0]}", "POST", body[1], other), 404)
        self.assertEqual(self.show(requests[0])["status"], "pending")
        self.assertLessEqual({(each,) for each in requests}, {tuple(each) for each in listed("--issuer", "rsa-g1")})

    # ---- the command line ----

    def chancery(self, *arguments, code=DONE):
        done = self.service.chancery(*arguments, check=False)
        self.assertEqual(done.returncode, code, f"{arguments}: {done.said}")
        return done

    def test_sign_prints_the_id_and_ends_with_4(self):
        csr = new_file(self.csr().pem, ".csr")
        done = self.chancery("csr", "sign", csr, "--profile", PROFILE, code=PENDING)
        request = done.text.strip()
        self.assertEqual(self.show(request)["status"], "pending")
        out = new_file(b"")
        self.assertEqual(self.chancery("csr", "sign", csr, "--profile", PROFILE, "--out", out, code=PENDING).text.strip(), request)
        self.assertEqual(os.path.getsize(out), 0)
        self.assertIn("CAPF-", self.chancery("request", "show", request).text)
        self.assertIn(request, self.chancery("request", "list").text)
        self.assertIn(request, self.chancery("request", "list", "--status", "pending", "--output", "csv").text)
        self.assertIn("pending", self.chancery("request", "approve", request, "--dry-run").text)
        self.assertIn("approved", self.chancery("request", "approve", request).text)
        refused = self.chancery("request", "approve", request, code=REFUSED)
        self.assertEqual(self.chancery("request", "approve", request, "--dry-run", code=REFUSED).stderr, refused.stderr)
        self.assertNotIn(request, self.chancery("request", "list", "--status", "pending").text)

    def test_deny_by_the_command_line(self):
        request = self.asked()
        self.chancery("request", "deny", request, code=WRONG_USE)
        self.assertIn("not today", self.chancery("request", "deny", request, "--reason", "not today").text)
        self.chancery("request", "deny", request, "--reason", "again", code=REFUSED)
        self.chancery("request", "show", "0" * 32, code=NOT_FOUND)
        self.chancery("request", "approve", "0" * 32, code=NOT_FOUND)
        lines = self.chancery("request", "list", "--status", "denied", "--limit", "0", "--output", "jsonl").text.splitlines()
        self.assertIn(request, [json.loads(each)["request"] for each in lines])

    def test_the_asker_is_not_permitted_by_the_command_line(self):
        request, admin = self.asked(), self.service.home / "admin"
        done = run(CHANCERY, "request", "approve", request, "--server", f"https://127.0.0.1:{self.service.https_port}",
                   "--cacert", admin / "server-ca.pem", "--cert", admin / "admin.pem", "--key", admin / "admin.key", check=False)
        self.assertEqual(done.returncode, NOT_PERMITTED, done.said)

    # ---- kills ----

    def test_a_kill_between_asking_and_approving_loses_nothing(self):
        csr, key = self.csr(), f"kill-{Request.count}"
        request, keyless = self.asked(csr, key), self.asked()
        before = self.show(request)
        os.kill(self.service.roles()["ca"][0], signal.SIGKILL)
        self.assertEqual(self.service.process.wait(timeout=WAIT_S), 2)
        wait_until(lambda: not self.service.roles(), "no process is left")
        self.service.start()
        self.assertEqual(self.show(request), before)
        self.assertEqual(self.asked(csr, key), request)
        serial = self.assert_status(self.approve(request), 200).json()["serial"]
        self.service.kill()
        wait_until(lambda: not self.service.roles(), "no process is left")
        self.service.start()
        self.assertEqual(self.show(request)["serial"], serial)
        self.assertEqual(self.show(keyless)["status"], "pending")
        answer = self.assert_status(self.post(csr, key), 201)
        self.assertEqual(der.Certificate(pem_to_der(answer.text)[0]).serial_hex, serial)
        self.assertIn(": 0 faults\n", self.service.chancery("store", "check").text, "and no warnings")


if __name__ == "__main__":
    unittest.main()
