#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who may do what: every route for every role and scope, tokens, certificates of ours and of others, each refused for what it lacks."""
import hashlib
import http.client
import json
import pathlib
import signal
import socket
import time
import unittest

from harness import CHANCERY, WAIT_S, WORK, Service, ServiceTest, key, make_csr, new_file, replace_file, run, self_signed, wait_until

ROLES = ("viewer", "requester", "operator", "auditor", "administrator")
ALL, NONE = set(ROLES), set()
OPERATE, ASK, READ_ALL, MASTER = {"operator", "administrator"}, {"requester", "administrator"}, {"auditor", "administrator"}, {"administrator"}

# Which roles may, and which still may when a scope limits them. A route that is not here fails the walk.
EXPECTED = {
    "GET /livez": (ALL, ALL), "GET /readyz": (ALL, ALL), "GET /metrics": (ALL, ALL),
    "GET /api/v1/certificates": (ALL, ALL), "POST /api/v1/certificates": (ASK, ASK),
    "POST /api/v1/preflight": (ASK | OPERATE, ASK | OPERATE), "GET /api/v1/certificates/{}": (ALL, ALL),
    "PUT /api/v1/certificates/{}/revocation": (OPERATE, OPERATE), "DELETE /api/v1/certificates/{}/revocation": (OPERATE, OPERATE),
    "GET /api/v1/issuers": (ALL, ALL), "GET /api/v1/issuers/{}": (ALL, ALL), "GET /api/v1/issuers/{}/crl": (ALL, ALL),
    "GET /api/v1/issuers/{}/crl.der": (ALL, ALL), "GET /api/v1/issuers/{}/crl.pem": (ALL, ALL),
    "POST /api/v1/issuers/{}/crl": (OPERATE, OPERATE),
    "GET /api/v1/requests": (ALL, ALL), "GET /api/v1/requests/{}": (ALL, ALL),
    "POST /api/v1/requests/{}/approval": (OPERATE, OPERATE), "POST /api/v1/requests/{}/denial": (OPERATE | ASK, OPERATE | ASK),
    "GET /api/v1/audit": (READ_ALL, NONE), "GET /api/v1/audit/head": (READ_ALL, NONE),
    "POST /api/v1/replay": (OPERATE, NONE),
    "GET /api/v1/profiles": (ALL, ALL), "GET /api/v1/profiles/{*}": (ALL, ALL),
    "GET /api/v1/tokens": (READ_ALL, NONE), "POST /api/v1/tokens": (MASTER, NONE), "DELETE /api/v1/tokens/{}": (MASTER, NONE),
    "GET /api/v1/permits": (READ_ALL, NONE), "POST /api/v1/permits": (MASTER, NONE), "DELETE /api/v1/permits": (MASTER, NONE),
}


def make_login(service, role, subject):
    """A client certificate of that role: a TLS context."""
    csr = make_csr("ec-P-256", subject, name=role)
    pem = new_file(service.issued(csr, "chancery/" + role).chain_pem, ".pem")
    return service.tls(pem, csr.key)


class Access(ServiceTest):
    @classmethod
    def setUpClass(cls):
        cls.service = Service(start=False)
        path = cls.service.home / "chancery.xml"
        replace_file(path, path.read_text().replace("</https>", '</https><login><limits failures="none"/></login>'))
        cls.service.start()
        cls.tls = cls.service.tls(None)
        cls.whole = {role: cls.token("--role", role) for role in ROLES}
        cls.limited = {role: cls.token("--role", role, "--profile", "ucm/*", "--name", "a.example") for role in ROLES}
        cls.inside = cls.service.issued(make_csr(subject="/CN=one.a.example"), "ucm/tomcat")
        cls.outside = cls.service.issued(make_csr(subject="/CN=one.b.example"), "ucm/tomcat")

    @classmethod
    def token(cls, *options):
        return cls.service.chancery("token", "create", *options).text.strip()

    def by(self, token, path, method="GET", body=None, headers=None):
        return self.service.api(path, method, body, {"Authorization": "Bearer " + token, **(headers or {})}, tls=self.tls)

    def audit(self):
        return json.loads(self.service.chancery("audit", "list", "--output", "json", "--limit", "0").text)["items"]

    # ---- the walk ----

    def test_every_route_for_every_role_and_scope(self):
        listed = run(pathlib.Path(CHANCERY).parent / "list_routes").text.splitlines()
        self.assertEqual(set(listed), set(EXPECTED))
        for route in listed:
            method, pattern = route.split()
            part = "ucm/nothing" if "{*}" in pattern else "none"
            path = pattern.replace("{*}", part).replace("{}", part)
            for tokens, column in ((self.whole, 0), (self.limited, 1)):
                for role in ROLES:
                    with self.subTest(route=route, role=role, limited=bool(column)):
                        answer = self.service.https(path, method, None, {"Authorization": "Bearer " + tokens[role]}, tls=self.tls)
                        may = role in EXPECTED[route][column] or not pattern.startswith("/api")
                        self.assertEqual(answer.status != 403, may, answer)
                        self.assertNotEqual(answer.status, 401, answer)

    def test_what_a_role_forbids_is_in_the_audit(self):
        viewer = self.token("--role", "viewer")
        before = len(self.audit())
        for _ in range(5):
            self.assert_problem(self.by(viewer, "/tokens", "POST", '{"role": "viewer"}'), 403)
        self.assert_problem(self.by(viewer, "/certificates?profile=ucm/tomcat", "POST", make_csr().der), 403)
        actor = "token:" + hashlib.sha256(viewer.encode()).hexdigest()[:16]
        rows = wait_until(lambda: (found := [row for row in self.audit()[: -before or None] if row["kind"] == "refuse" and row["actor"] == actor])
                          and len(found) > 1 and found, "both acts are recorded")
        self.assertLess(len(rows), 5, "one for each kind of act a minute")
        said = " ".join(row["detail"] for row in rows)
        for text in ("POST /api/v1/tokens", "POST /api/v1/certificates", "The role viewer does not include this."):
            self.assertIn(text, said)

    def test_every_route_without_a_login(self):
        for route in EXPECTED:
            method, pattern = route.split()
            if pattern.startswith("/api"):
                self.assert_problem(self.service.https(pattern.replace("{}", "x").replace("{*}", "x"), method, tls=self.tls), 401)

    # ---- scopes ----

    def test_a_list_shows_what_the_scope_covers(self):
        seen = [each["serial"] for each in self.by(self.limited["viewer"], "/certificates?limit=1000").json()["items"]]
        self.assertIn(self.inside.serial.hex(), seen)
        self.assertNotIn(self.outside.serial.hex(), seen)
        self.assertTrue(all(not each.startswith("chancery/") for each in seen))
        self.assert_status(self.by(self.limited["viewer"], f"/certificates/{self.inside.serial.hex()}"), 200)
        self.assert_problem(self.by(self.limited["viewer"], f"/certificates/{self.outside.serial.hex()}"), 404)
        profiles = [each["id"] for each in self.by(self.limited["viewer"], "/profiles").json()["items"]]
        self.assertIn("ucm/tomcat", profiles)
        self.assertTrue(all(each.startswith("ucm/") for each in profiles), profiles)
        self.assert_problem(self.by(self.limited["viewer"], "/profiles/general/server"), 404)

    def test_pages_show_nothing_of_what_the_scope_hides(self):
        for at, zone in enumerate("abaabb"):
            for kind, profile in (("rsa-2048", "ucm/tomcat"), ("ec-P-256", "ucm/tomcat-ECDSA")):
                self.service.issued(make_csr(kind, f"/CN=walk{at}.{zone}.example"), profile)
        self.service.issued(make_csr(subject="/CN=lonely1.b.example"), "ucm/tomcat")
        self.service.issued(make_csr(subject="/CN=lonely2.b.example"), "ucm/tomcat")
        token, seen, after = self.limited["viewer"], [], ""
        while after is not None:
            page = self.by(token, f"/certificates?cn=walk*&limit=1{after and '&after=' + after}").json()
            self.assertEqual(len(page["items"]), 1)
            seen.append(page["items"][0]["cn"])
            after = page["next"]
            if after is not None:
                self.assertNotIn(b"walk", bytes.fromhex(after))
                cursor = after
        self.assertEqual(seen, sorted(f"walk{at}.a.example" for at in (0, 2, 3) for _ in range(2)))
        for hidden in ("lonely*", "lonely1*", "walk1*", "walk4*"):
            self.assertEqual(self.by(token, f"/certificates?cn={hidden}&limit=1").json(), {"items": [], "next": None})
        plain = self.by(self.whole["viewer"], "/certificates?cn=walk*&limit=1").json()["next"]
        self.assertIn(b"walk", bytes.fromhex(plain))
        bent = cursor[:-1] + ("0" if cursor[-1] != "0" else "1")
        for who, after in ((token, plain), (token, bent), (self.limited["auditor"], cursor), (self.whole["viewer"], cursor)):
            self.assert_problem(self.by(who, f"/certificates?cn=walk*&limit=1&after={after}"), 400)
        self.assert_problem(self.by(token, f"/certificates?cn=lonely*&limit=1&after={cursor}"), 400)

    def test_issuing_keeps_to_the_scope(self):
        token = self.limited["requester"]
        for profile, name, status in (("ucm/tomcat", "two.a.example", 201), ("ucm/tomcat", "two.b.example", 403),
                                      ("general/server", "two.a.example", 403), ("chancery/viewer", "two.a.example", 403)):
            with self.subTest(profile=profile, name=name):
                csr = make_csr(subject=f"/CN={name}", name=name)
                self.assert_status(self.by(token, f"/certificates?profile={profile}", "POST", csr.der), status)
        mixed = make_csr(subject="/CN=two.a.example", sans=("two.a.example", "two.b.example"))
        self.assert_problem(self.by(token, "/certificates?profile=ucm/tomcat", "POST", mixed.der), 403)
        for names, outcome in (("CN=two.b.example/CN=two.a.example", (403,)), ("CN=one.a.example/CN=two.a.example", (422, "name.cn.count"))):
            with self.subTest(names=names):  # OpenSSL reads the first of them, others the last
                several = make_csr(subject=f"/{names}", sans=("two.a.example",))
                self.assert_problem(self.by(token, "/certificates?profile=ucm/tomcat", "POST", several.der), *outcome)
        only_ec = self.token("--role", "requester", "--issuer", "ec-g1")
        self.assert_problem(self.by(only_ec, "/certificates?profile=ucm/tomcat", "POST", make_csr(subject="/CN=three.a.example").der), 403)
        nobody = self.service.chancery("token", "create", "--role", "requester", "--issuer", "ec-g1", "--issuer", "rsa_g1", check=False)
        self.assertEqual(nobody.returncode, 1, nobody.said)
        self.assertIn('There is no issuer "rsa_g1"', nobody.said)
        self.assertEqual(nobody.stdout, b"")

    def test_revoking_keeps_to_the_scope(self):
        body = json.dumps({"reason": "superseded"})
        token = self.limited["operator"]
        self.assert_problem(self.by(token, f"/certificates/{self.outside.serial.hex()}/revocation", "PUT", body), 404)
        leaf = self.service.issued(make_csr(subject="/CN=four.a.example", name="four"), "ucm/tomcat")
        self.assert_status(self.by(token, f"/certificates/{leaf.serial.hex()}/revocation", "PUT", body), 200)

    def test_a_limited_administrator_makes_no_logins(self):
        token = self.limited["administrator"]
        csr = make_csr("ec-P-256", "/CN=x.a.example", name="x")
        self.assert_problem(self.by(token, "/certificates?profile=chancery/administrator", "POST", csr.der), 403)
        self.assert_problem(self.by(token, "/tokens", "POST", '{"role": "administrator"}'), 403)

    # ---- tokens ----

    def test_a_token_from_file_by_the_command(self):
        secret = new_file(self.whole["viewer"] + "\n")
        done = run(CHANCERY, "ca", "list", "--server", f"https://localhost:{self.service.https_port}", "--cacert",
                   self.service.home / "admin/server-ca.pem", "--token", secret)
        self.assertIn("ec-g1", done.text)
        done = run(CHANCERY, "token", "list", "--server", f"https://localhost:{self.service.https_port}", "--cacert",
                   self.service.home / "admin/server-ca.pem", "--token", secret, check=False)
        self.assertEqual(done.returncode, 6, done.said)

    def test_the_secret_is_shown_once_and_kept_nowhere(self):
        made = json.loads(self.service.chancery("token", "create", "--role", "viewer", "--output", "json").text)
        self.assertRegex(made["token"], "^chancery_[0-9a-f]{72}$")
        self.assertNotIn(made["token"], self.service.chancery("token", "list", "--output", "json").text)
        held = b"".join(path.read_bytes() for path in self.service.home.rglob("*") if path.is_file())
        self.assertNotIn(made["token"].encode(), held)
        self.assertNotIn(made["token"].encode(), self.service.log.read_bytes())

    def test_a_deleted_token(self):
        made = json.loads(self.service.chancery("token", "create", "--role", "viewer", "--output", "json").text)
        self.assert_status(self.by(made["token"], "/issuers"), 200)
        self.service.chancery("token", "delete", made["id"])
        self.assert_problem(self.by(made["token"], "/issuers"), 401)
        self.assertEqual(self.service.chancery("token", "delete", "0" * 16, check=False).returncode, 5)
        acts = [each["detail"] for each in self.audit() if each["kind"] == "token"]
        self.assertTrue(any(made["id"] in each and "created" in each for each in acts), acts)
        self.assertTrue(any(made["id"] in each and "deleted" in each for each in acts), acts)

    def test_a_dry_run_deletes_no_token_and_knows_which(self):
        made = json.loads(self.service.chancery("token", "create", "--role", "viewer", "--output", "json").text)

        def dry(token_id, check=True):
            return self.service.chancery("token", "delete", token_id, "--dry-run", "--output", "json", check=check)

        before = self.service.chancery("token", "list", "--output", "json").text
        plan = json.loads(dry(made["id"].upper()).text)
        self.assertEqual((plan["would"], plan["id"], plan["role"]), ("delete", made["id"], "viewer"))
        self.assertEqual(self.service.chancery("token", "list", "--output", "json").text, before)
        self.assert_status(self.by(made["token"], "/issuers"), 200)
        for other in ("0" * 16, "nonsense"):
            done, real = dry(other, check=False), self.service.chancery("token", "delete", other, check=False)
            self.assertEqual((done.returncode, done.text), (5, ""), done.said)
            self.assertEqual((real.returncode, real.stderr), (done.returncode, done.stderr))
        self.service.chancery("token", "delete", made["id"])
        self.assertEqual(json.loads(dry(made["id"]).text)["would"], "nothing")
        done = self.service.chancery("token", "create", "--role", "nobody", "--dry-run", check=False)
        self.assertEqual((done.returncode, done.text), (1, ""))

    def test_tokens_that_are_none(self):
        good = self.whole["viewer"]
        guessed = "chancery_" + "0" * 72
        for value in (guessed, good + "x", good[:-1], good.upper(), good + " x", "", good[9:], good.replace("chancery", "chanceru")):
            with self.subTest(value=value):
                self.assert_problem(self.by(value, "/issuers"), 401)
        for header in (good, "Basic " + good, "Bearer", "Bearer\t" + good):
            with self.subTest(header=header):
                self.assert_problem(self.service.api("/issuers", headers={"Authorization": header}, tls=self.tls), 401)

    def test_use_is_noted(self):
        made = json.loads(self.service.chancery("token", "create", "--role", "viewer", "--output", "json").text)

        def used():
            items = json.loads(self.service.chancery("token", "list", "--output", "json").text)["items"]
            return [each for each in items if each["id"] == made["id"]][0]["last_used"]

        self.assertIsNone(used())
        self.by(made["token"], "/issuers")
        wait_until(used, "the use is in the list")

    def test_arguments_that_make_no_token(self):
        for options in (["--role", "king"], ["--role", "viewer", "--days", "0"], ["--role", "viewer", "--days", "3651"],
                        ["--role", "viewer", "--name", "a b"], ["--role", "viewer", "--role", "viewer"], []):
            with self.subTest(options=options):
                self.assertEqual(self.service.chancery("token", "create", *options, check=False).returncode, 1)

    # ---- certificates of ours ----

    def test_a_certificate_of_each_role(self):
        for role in ROLES:
            with self.subTest(role=role):
                tls = make_login(self.service, role, f"/CN={role}")
                self.assertEqual(self.service.api("/tokens", tls=tls).status, 200 if role in READ_ALL else 403)
                self.assert_status(self.service.api("/certificates?limit=1", tls=tls), 200)

    def test_only_an_administrator_makes_logins(self):
        csr = make_csr("ec-P-256", "/CN=climber", name="climber")
        for role in ("requester", "operator"):
            for profile in ("chancery/administrator", "chancery/viewer"):
                self.assert_problem(self.by(self.whole[role], f"/certificates?profile={profile}", "POST", csr.der), 403)


class OtherSites(ServiceTest):
    """A browser shows an administrator's certificate whatever page asks."""

    def permit(self, headers, **login):
        body = '{"range": "127.0.0.0/8", "role": "viewer"}'
        return self.service.api("/permits", "POST", body, {"Content-Type": "text/plain", **headers}, **login)

    def permits(self):
        return self.assert_status(self.service.api("/permits"), 200).json()["items"]

    def test_a_page_of_another_site_changes_nothing(self):
        own = f"https://127.0.0.1:{self.service.https_port}"
        for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
                        {"Origin": own, "Sec-Fetch-Site": "cross-site"}, {"Origin": f"https://127.0.0.1:{self.service.http_port}"}):
            with self.subTest(headers=headers):
                self.assert_problem(self.permit(headers), 403)
                self.assert_problem(self.service.api("/certificates?profile=ucm/tomcat", "POST", make_csr().der, headers), 403)
                self.assert_problem(self.service.api("/permits?range=127.0.0.0/8", "DELETE", headers=headers), 403)
        self.assertEqual(self.permits(), [])
        rows = json.loads(self.service.chancery("audit", "list", "--output", "json", "--limit", "0").text)["items"]
        self.assertTrue(any(each["kind"] == "refuse" and "another site" in each["detail"] for each in rows), rows)

    def test_ones_own_page_and_programs_do(self):
        own = f"https://127.0.0.1:{self.service.https_port}"
        for headers in ({"Origin": own, "Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {}):
            with self.subTest(headers=headers):
                self.assert_status(self.permit(headers), 201)
                self.assert_status(self.service.api("/permits?range=127.0.0.0/8&role=viewer", "DELETE"), 200)

    def test_a_token_is_shown_by_no_browser_unasked(self):
        token = self.service.chancery("token", "create", "--role", "administrator").text.strip()
        answer = self.permit({"Origin": "https://evil.example", "Authorization": "Bearer " + token}, tls=self.service.tls(None))
        self.assert_status(answer, 201)
        self.assert_status(self.service.api("/permits?range=127.0.0.0/8&role=viewer", "DELETE"), 200)

    def test_a_page_of_another_site_reads_nothing(self):
        for path in ("/issuers", "/certificates", "/nonsense"):
            headers = self.service.api(path, headers={"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}).headers
            self.assertEqual(headers["Cross-Origin-Resource-Policy"], "same-origin")
            self.assertFalse([each for each in headers if each.lower().startswith("access-control-")], headers)
        asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "DELETE", "Access-Control-Request-Headers": "authorization"}
        answer = self.assert_status(self.service.api("/permits", "OPTIONS", headers=asked), 405)
        self.assertFalse([each for each in answer.headers if each.lower().startswith("access-control-")], answer.headers)


class Failures(ServiceTest):
    def audit(self):
        return json.loads(self.service.chancery("audit", "list", "--output", "json", "--limit", "0").text)["items"]

    def by(self, token):
        return self.service.api("/issuers", headers={"Authorization": "Bearer " + token}, tls=self.service.tls(None))

    def raw(self, octets, plain):
        """The answer's head to octets that no client of ours would send."""
        connection = socket.create_connection(("127.0.0.1", self.service.http_port if plain else self.service.https_port), timeout=WAIT_S)
        if not plain:
            connection = self.service.tls().wrap_socket(connection, server_hostname="localhost")
        with connection:
            try:
                connection.sendall(octets)
            except OSError:
                pass  # it has said no already
            return connection.recv(65536).split(b"\r\n\r\n")[0].decode()

    def test_requests_that_two_readers_would_read_in_two_ways(self):
        post = b"POST /api/v1/certificates HTTP/1.1\r\nHost: localhost\r\n"
        for what, octets, status in (
            ("two lengths", post + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nx", 400),
            ("length and coding", post + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
            ("bare LF", b"GET /livez HTTP/1.1\nHost: localhost\n\n", 400),
            ("folded", b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n", 400),
            ("100,000 fields", b"GET /livez HTTP/1.1\r\nHost: localhost\r\n" + b"X: a\r\n" * 100000 + b"\r\n", 431),
        ):
            for plain in (False, True):
                with self.subTest(what=what, plain=plain):
                    head = self.raw(octets, plain)
                    self.assertIn(f" {status} ", head.splitlines()[0])
                    self.assertRegex(head, "X-Request-Id: [0-9a-f]{32}")
                    self.assertIn("\r\nX-Content-Type-Options: nosniff\r\n", head)
        self.assertEqual(self.service.plain("/nonsense").headers["X-Content-Type-Options"], "nosniff")
        self.assert_status(self.service.api("/issuers"), 200)

    def test_failed_logins_are_audited_and_bounded(self):
        unknown = "chancery_" + 64 * "1" + hashlib.sha256(b"chancery_" + 64 * b"1").hexdigest()[:8]
        good = self.service.chancery("token", "create", "--role", "viewer").text.strip()
        answers = [self.by(unknown) for _ in range(150)]
        limited = [each for each in answers if each.status == 429]
        self.assertTrue(limited, "60 at once and one a second")
        self.assertTrue(all(each.status in (401, 429) for each in answers))
        self.assertGreaterEqual(int(limited[-1].headers["Retry-After"]), 1)
        self.assert_problem(limited[-1], 429)
        rows = [each for each in self.audit() if each["kind"] == "login-failure"]
        self.assertTrue(1 <= len(rows) <= 3, rows)
        self.assertIn("127.0.0.1", rows[0]["detail"])
        self.assertIn("unknown token", rows[0]["detail"])
        self.assert_status(self.by(good), 200)

    def test_what_was_counted_since_the_minute_is_told_at_a_stop(self):
        service = Service()
        self.addCleanup(service.kill)
        unknown = "chancery_" + 64 * "2" + hashlib.sha256(b"chancery_" + 64 * b"2").hexdigest()[:8]
        viewer = service.chancery("token", "create", "--role", "viewer").text.strip()
        for token, method, body, status in ((unknown, "GET", None, 401), (viewer, "POST", '{"role": "viewer"}', 403)):
            for _ in range(5):
                answer = service.api("/tokens", method, body, {"Authorization": "Bearer " + token}, tls=service.tls(None))
                self.assert_problem(answer, status)
        self.assertEqual(service.stop(), 0)
        service.start()
        rows = json.loads(service.chancery("audit", "list", "--output", "json", "--limit", "0").text)["items"]
        for kind, text in (("login-failure", "unknown token"), ("refuse", "POST /api/v1/tokens")):
            said = [each["detail"] for each in rows if each["kind"] == kind and text in each["detail"]]
            self.assertEqual(sum(int(each.split()[-2]) for each in said), 5, said)


class Corporate:
    """A CA that is not ours, by openssl: clients, one of them revoked, and its CRL."""

    def __init__(self, name, ca=None):
        self.directory = WORK / name
        self.directory.mkdir()
        (self.directory / "index.txt").write_text("")
        (self.directory / "serial").write_text("1000\n")
        (self.directory / "crlnumber").write_text("01\n")
        self.config = self.directory / "ca.cnf"
        self.config.write_text(f"""
[ca]
default_ca=d
[d]
dir={self.directory}
database=$dir/index.txt
serial=$dir/serial
crlnumber=$dir/crlnumber
new_certs_dir=$dir
certificate=$dir/ca.pem
private_key=$dir/ca.key
default_md=sha256
policy=p
default_days=30
default_crl_days=30
unique_subject=no
[p]
commonName=supplied
organizationName=optional
[client]
basicConstraints=CA:FALSE
keyUsage=digitalSignature
extendedKeyUsage=clientAuth
authorityKeyIdentifier=keyid
[server]
basicConstraints=CA:FALSE
extendedKeyUsage=serverAuth
authorityKeyIdentifier=keyid
[keyed]
authorityKeyIdentifier=keyid
""")
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "90", "-subj", f"/CN={ca or name} CA",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout", self.directory / "ca.key", "-out", self.directory / "ca.pem")
        self.publish()

    def crl(self, *options):
        """A new CRL, which nobody reads yet."""
        run("openssl", "ca", "-config", self.config, "-gencrl", "-out", self.directory / "fresh", *options)
        return self.directory / "fresh"

    def publish(self, *options):
        self.crl(*options).replace(self.directory / "ca.crl")

    def client(self, subject, extensions="client", *options):
        csr = new_file(make_csr("ec-P-256", subject, name="corporate").pem)
        out = new_file(b"", ".pem")
        run("openssl", "ca", "-config", self.config, "-batch", "-notext", "-extensions", extensions, "-in", csr, "-out", out, *options)
        return out

    def revoke(self, certificate):
        run("openssl", "ca", "-config", self.config, "-revoke", certificate)
        self.publish()


def life(last, until):
    """The options of a CRL that lasts from that day to that one, from now."""
    at = [time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + days * 86400)) for days in (last, until)]
    return "-crl_lastupdate", at[0], "-crl_nextupdate", at[1]


class Foreign(ServiceTest):
    @classmethod
    def setUpClass(cls):
        cls.corporate, cls.stranger = Corporate("corp"), Corporate("stranger")
        cls.good = cls.corporate.client("/O=Corp/CN=jenkins")
        cls.pinned, cls.unpinned = cls.corporate.client("/CN=pinned"), cls.corporate.client("/CN=pinned")
        sha256 = run("openssl", "x509", "-in", cls.pinned, "-noout", "-fingerprint", "-sha256").text.split("=")[1].strip().replace(":", "")
        cls.service = Service(start=False)
        path = cls.service.home / "chancery.xml"
        replace_file(path, path.read_text().replace("</https>", f"""</https>
  <login>
    <limits requests="5/m" failures="none"/>
    <certificate-authority id="corp" file="{cls.corporate.directory}/ca.pem" crl="{cls.corporate.directory}/ca.crl"/>
    <principal name="jenkins" authority="corp" subject="O=Corp, CN=jenkins" role="requester"><scope name="ci.example"/></principal>
    <principal name="pinned" authority="corp" subject="CN=pinned" sha256="{sha256}" role="viewer"/>
    <principal name="clara" subject="CN=clara"><scope profile="imp/*"/></principal>
  </login>"""))
        cls.service.start()

    def issuers(self, certificate, key_path=None):
        return self.service.api("/issuers", tls=self.service.tls(certificate, key_path or key("ec-P-256", "corporate")))

    def test_a_named_subject_has_its_role_and_scope(self):
        self.assert_status(self.issuers(self.good), 200)
        tls = self.service.tls(self.good, key("ec-P-256", "corporate"))
        for name, status in (("one.ci.example", 201), ("one.example", 403)):
            csr = make_csr(subject=f"/CN={name}", name=name)
            self.assert_status(self.service.api("/certificates?profile=ucm/tomcat", "POST", csr.der, tls=tls), status)
        rows = json.loads(self.service.chancery("audit", "list", "--output", "json").text)["items"]
        self.assertTrue(any(each["actor"] == "login:jenkins" and each["kind"] == "issue" for each in rows), rows)
        self.assertIn("login:jenkins", self.service.chancery("cert", "list", "--cn", "one.ci.example", "--output", "json").text)

    def hints(self):
        """The names of CAs that a client is told, by which Java and browsers choose a certificate."""
        said = run("openssl", "s_client", "-connect", f"127.0.0.1:{self.service.https_port}", "-tls1_2", stdin=b"", check=False).text
        return said.split("Acceptable client certificate CA names")[-1].split("Server Temp Key")[0]

    def test_clients_are_told_of_authorities_as_they_come_and_change(self):
        wait_until(lambda: "corp CA" in self.hints(), "the one of the start is told")  # unless another test has just changed its files
        self.assertNotIn("late CA", self.hints())
        late, later = Corporate("late"), Corporate("later")
        path, place = self.service.home / "chancery.xml", self.corporate.directory  # which the service may read since its start
        line = f'<certificate-authority id="late" file="{place}/late.pem" crl="{place}/late.crl"/>'
        (place / "late.pem").write_text((late.directory / "ca.pem").read_text())
        (place / "late.crl").write_text((late.directory / "ca.crl").read_text())
        replace_file(path, path.read_text().replace("<certificate-authority id=", line + "<certificate-authority id=", 1))
        self.service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "late CA" in self.hints(), "the new one is told")
        replace_file(place / "late.crl", (later.directory / "ca.crl").read_text())
        replace_file(place / "late.pem", (later.directory / "ca.pem").read_text())
        wait_until(lambda: "later CA" in self.hints(), "the changed one is told")
        replace_file(path, path.read_text().replace(line, ""))
        self.service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "later CA" not in self.hints() and "corp CA" in self.hints(), "none is told that has gone")

    def test_costly_requests_are_limited_for_others_than_administrators(self):
        tls = self.service.tls(self.good, key("ec-P-256", "corporate"))
        answers = [self.service.api("/preflight?profile=ucm/tomcat", "POST", make_csr(subject="/CN=two.ci.example").der, tls=tls) for _ in range(8)]
        self.assertEqual(answers[-1].status, 429, answers[-1])
        self.assertGreaterEqual(int(answers[-1].headers["Retry-After"]), 1)
        self.assert_status(self.service.api("/preflight?profile=ucm/tomcat", "POST", make_csr().der), 200)

    def test_a_pinned_certificate_and_another_of_its_subject(self):
        self.assert_status(self.issuers(self.pinned), 200)
        self.assert_problem(self.issuers(self.unpinned), 403)

    def test_a_subject_that_nobody_named(self):
        self.assert_problem(self.issuers(self.corporate.client("/CN=nobody")), 403)
        self.assert_problem(self.issuers(self.corporate.client("/CN=jenkins, O=Corp")), 403)

    def test_what_is_not_accepted(self):
        stranger = self.stranger.client("/O=Corp/CN=jenkins")
        own, own_key = self_signed("/O=Corp/CN=jenkins")
        expired = self.corporate.client("/O=Corp/CN=jenkins", "client", "-startdate", "20200101000000Z", "-enddate", "20200201000000Z")
        early = self.corporate.client("/O=Corp/CN=jenkins", "client", "-startdate", "20490101000000Z", "-enddate", "20490201000000Z")
        server = self.corporate.client("/O=Corp/CN=jenkins", "server")
        for what, certificate, key_path in (("other CA", stranger, None), ("self-signed", own, own_key), ("expired", expired, None),
                                            ("early", early, None), ("for servers", server, None)):
            with self.subTest(what=what):
                self.assert_problem(self.issuers(certificate, key_path), 401)

    def test_revoked_by_its_own_ca_while_we_run(self):
        certificate = self.corporate.client("/O=Corp/CN=jenkins")
        self.assert_status(self.issuers(certificate), 200)
        self.corporate.revoke(certificate)
        wait_until(lambda: self.issuers(certificate).status == 401, "the new CRL is read")
        self.assert_status(self.issuers(self.good), 200)

    def test_our_own_certificate_with_a_limit(self):
        tls = make_login(self.service, "viewer", "/CN=clara")
        profiles = [each["id"] for each in self.service.api("/profiles", tls=tls).json()["items"]]
        self.assertTrue(profiles and all(each.startswith("imp/") for each in profiles), profiles)

    def crl_checks(self):
        return int(self.service.https("/metrics").text.split("\nchancery_login_crl_checks_total ")[1].split()[0])

    def several(self, certificate, key_path):
        """The statuses that ten requests of one connection get, and how often the CRL was looked into for them."""
        tls = self.service.tls(certificate, key_path)
        connection = http.client.HTTPSConnection("127.0.0.1", self.service.https_port, timeout=WAIT_S, context=tls)
        before, statuses = self.crl_checks(), []
        for _ in range(10):
            connection.request("GET", "/api/v1/issuers")
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
        connection.close()
        return statuses, self.crl_checks() - before

    def test_whom_the_authority_has_not_signed_for_has_no_crl_looked_into(self):
        place, ca = WORK / "forged", self.corporate.directory / "ca.pem"
        place.mkdir()
        ski = run("openssl", "x509", "-in", ca, "-noout", "-ext", "subjectKeyIdentifier").text.split()[-1].replace(":", "")
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "90", "-subj", "/CN=corp CA",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-addext", f"subjectKeyIdentifier={ski}", "-keyout", place / "ca.key", "-out", place / "ca.pem")
        (place / "client").write_text("keyUsage=digitalSignature\nextendedKeyUsage=clientAuth\nauthorityKeyIdentifier=keyid\n")
        csr, leaf = new_file(make_csr("ec-P-256", "/O=Corp/CN=jenkins", name="corporate").pem), place / "leaf.pem"
        run("openssl", "x509", "-req", "-in", csr, "-CA", place / "ca.pem", "-CAkey", place / "ca.key", "-set_serial", "0x7777", "-days", "20",
            "-extfile", place / "client", "-out", leaf)
        statuses, checks = self.several(leaf, key("ec-P-256", "corporate"))
        self.assertEqual(statuses, [401] * 10)
        self.assertEqual(checks, 0)

    def test_one_look_into_the_crl_serves_several_requests(self):
        revoked = self.corporate.client("/O=Corp/CN=jenkins")
        self.assert_status(self.issuers(revoked), 200)
        self.corporate.revoke(revoked)
        wait_until(lambda: self.issuers(revoked).status == 401, "the new CRL is read")
        for certificate, status in ((self.good, 200), (revoked, 401)):
            with self.subTest(status=status):
                statuses, checks = self.several(certificate, key("ec-P-256", "corporate"))
                self.assertEqual(statuses, [status] * 10)
                self.assertLessEqual(checks, 5)

    def alarm(self):
        """What login.authority says of corp in /readyz: level and text, or None."""
        checks = {each["name"]: each for each in self.service.https("/readyz").json()["checks"]}
        found = checks.get("login.authority:corp")
        return found and (found["status"], found["detail"])

    def test_a_crl_that_ends_is_told_before_it_locks_out_and_until_it_is_renewed(self):
        wait_until(lambda: self.alarm() is None, "it has thirty days")
        for until, level, says in ((5, "warning", "a CRL of it ends "), (-1, "critical", "a CRL of it ended ")):
            with self.subTest(until=until):
                self.corporate.publish(*life(-20, until))
                told = wait_until(lambda: (now := self.alarm()) and now[0] == level and now, f"it is told as {level}")
                self.assertIn(says, told[1])
                self.assertEqual(self.issuers(self.good).status, 200 if level == "warning" else 401)
        self.assertEqual(self.service.https("/readyz").status, 200, "the service itself works")
        self.corporate.publish()
        wait_until(lambda: self.alarm() is None, "it is renewed")
        self.assert_status(self.issuers(self.good), 200)

    def test_an_old_crl_beside_the_new_one_is_nothing_to_tell_of(self):
        crl = self.corporate.directory / "ca.crl"
        keyed = ("-crlexts", "keyed")
        for was, now in (((), ()), ((), keyed), (keyed, ()), (keyed, keyed)):  # where one names no key, its CA's name says whose it is
            with self.subTest(was=was, now=now):
                self.corporate.publish(*was, *life(-9, -2))
                wait_until(lambda: self.alarm() is not None, "the old one alone")
                ended = crl.read_text()
                replace_file(crl, ended + self.corporate.crl(*now).read_text())
                wait_until(lambda: self.alarm() is None, "the new one with it")
                self.assert_status(self.issuers(self.good), 200)
        self.corporate.publish()

    def test_of_two_keys_of_one_ca_each_needs_its_crl(self):
        renewed, ca = Corporate("renewed", "corp"), self.corporate.directory / "ca.pem"
        self.addCleanup(wait_until, lambda: self.alarm() is None, "all is as it was")  # the last of the three
        self.addCleanup(self.corporate.publish)
        self.addCleanup(replace_file, ca, ca.read_text())
        replace_file(ca, ca.read_text() + (renewed.directory / "ca.pem").read_text())
        under_new, later = renewed.client("/O=Corp/CN=jenkins"), renewed.crl("-crlexts", "keyed").read_text()
        for until, level, status in ((5, "warning", 200), (-1, "critical", 401)):
            with self.subTest(until=until):
                replace_file(self.corporate.directory / "ca.crl", self.corporate.crl("-crlexts", "keyed", *life(-20, until)).read_text() + later)
                told = wait_until(lambda: (now := self.alarm()) and now[0] == level and now, f"it is told as {level}")
                self.assertIn("a CRL of it ", told[1])
                self.assert_status(self.issuers(self.good), status)
                self.assert_status(self.issuers(under_new), 200)

    def test_an_authority_without_its_crl_lets_nobody_in(self):
        crl = self.corporate.directory / "ca.crl"
        good = crl.read_bytes()
        try:
            crl.unlink()
            wait_until(lambda: self.issuers(self.good).status == 401, "it is missed")
            told = wait_until(self.alarm, "it is told")
            self.assertEqual(told[0], "critical")
            self.assertIn("nobody of it gets in: ", told[1])
        finally:
            replace_file(crl, good.decode())
        wait_until(lambda: self.issuers(self.good).status == 200, "it is back")


if __name__ == "__main__":
    unittest.main()
