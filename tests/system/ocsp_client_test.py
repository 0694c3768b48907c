#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Do the clients of others take our OCSP answers, and heed them? openssl, gnutls, Java, nginx and curl, each with a certificate
that is good and one that is revoked."""
import atexit
import pathlib
import subprocess
import tempfile
import unittest

from harness import ROOT, WORK, ServiceTest, free_ports, make_csr, new_file, run, wait_until

KINDS = {"rsa": ("rsa-2048", "ucm/tomcat", "/CN=localhost"), "ec": ("ec-P-384", "ucm/tomcat-ECDSA", "/CN=localhost-EC")}


class Nginx:
    """nginx on a free port of its own with this certificate; the rest of the server block is the test's."""

    def __init__(self, leaf, trusted, *lines):
        self.directory = pathlib.Path(tempfile.mkdtemp(dir=WORK))
        self.port = free_ports(1)[0]
        self.log = self.directory / "error.log"
        temporary = "\n".join(f"{each}_temp_path {self.directory}/{each};" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        config = self.directory / "nginx.conf"
        config.write_text(f"""
daemon off; master_process off; pid {self.directory}/pid; error_log {self.log} info;
events {{}}
http {{
  access_log off; {temporary}
  server {{
    listen 127.0.0.1:{self.port} ssl; server_name localhost;
    ssl_certificate {leaf.file}; ssl_certificate_key {leaf.key}; ssl_trusted_certificate {trusted};
    {' '.join(lines)}
    location / {{ return 200 "served"; }}
  }}
}}
""")
        self.process = subprocess.Popen(["nginx", "-e", self.log, "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        atexit.register(self.process.terminate)

    def close(self):
        self.process.terminate()
        self.process.wait(timeout=60)

    def said(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def handshake(self, root):
        """What openssl's client sees of the stapled answer; empty while nginx does not listen yet."""
        done = run("openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", "-servername", "localhost", "-status", "-CAfile", root,
                   stdin=b"", check=False)
        return done.said if "OCSP response:" in done.said else ""


class Clients(ServiceTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.root = {each: cls.service.ca_file(f"{each}-root-g1") for each in KINDS}
        cls.bundle = {each: cls.service.ca_file(f"{each}-g1", f"{each}-root-g1") for each in KINDS}
        cls.leaves = {each: [cls.leaf(each) for _ in range(2)] for each in KINDS}
        for each in KINDS:
            answer = cls.service.revoke(cls.leaves[each][1].serial_hex, "superseded")
            assert answer.status == 200, answer

    @classmethod
    def leaf(cls, kind):
        key_kind, profile, subject = KINDS[kind]
        csr = make_csr(key_kind, subject, ["localhost"], name="clients")
        leaf = cls.service.issued(csr, profile)
        leaf.file, leaf.key = new_file(leaf.chain_pem, ".pem"), csr.key
        return leaf

    def each(self):
        """Hierarchy, good leaf, revoked leaf."""
        return [(kind, *self.leaves[kind]) for kind in KINDS]

    def nginx(self, leaf, kind, *lines):
        server = Nginx(leaf, self.bundle[kind], *lines)
        self.addCleanup(server.close)
        return server

    # ---- the programs ----

    def test_openssl_with_and_without_nonce(self):
        for kind, good, revoked in self.each():
            for option in ("-nonce", "-no_nonce"):
                for leaf, want in ((good, "good"), (revoked, "revoked")):
                    said = run("openssl", "ocsp", option, "-issuer", self.service.ca_file(f"{kind}-g1"), "-cert", leaf.file, "-CAfile",
                               self.bundle[kind], "-url", f"http://127.0.0.1:{self.service.http_port}/ocsp").said
                    self.assertIn("Response verify OK", said)
                    self.assertIn(f"{leaf.file}: {want}", said)
                    self.assertNotIn("WARNING", said)

    def test_gnutls(self):
        for kind, good, revoked in self.each():
            issuer = self.service.ca_file(f"{kind}-g1")
            for leaf, want in ((good, "good"), (revoked, "revoked")):
                said = run("ocsptool", f"--ask=http://127.0.0.1:{self.service.http_port}/ocsp", "--load-cert", leaf.file, "--load-issuer", issuer,
                           "--load-trust", self.bundle[kind], "--nonce", check=False).said
                self.assertIn(f"Certificate Status: {want}", said)
                self.assertIn("Success", said)

    def test_java(self):
        for kind, good, revoked in self.each():
            java = ("java", "-Xshare:auto", ROOT / "tests/system/OcspCheck.java", self.root[kind])
            self.assertEqual(run(*java, good.file).text, "good\n")
            refused = run(*java, revoked.file, check=False)
            self.assertEqual(refused.returncode, 1, refused.said)
            self.assertIn("REVOKED", refused.text)

    def test_nginx_staples_what_it_has_verified(self):
        for kind, good, revoked in self.each():
            server = self.nginx(good, kind, "ssl_stapling on; ssl_stapling_verify on;")
            said = wait_until(lambda: "Cert Status: good" in (seen := server.handshake(self.root[kind])) and seen, "nginx staples")
            self.assertIn("OCSP Response Status: successful", said)
            self.assertNotIn("stapling", server.said().replace("ssl_stapling", ""))

    def test_nginx_staples_no_revoked_certificate(self):
        for kind, good, revoked in self.each():
            server = self.nginx(revoked, kind, "ssl_stapling on; ssl_stapling_verify on;")
            wait_until(lambda: server.handshake(self.root[kind]) and "certificate status \"revoked\"" in server.said(), "nginx has asked")
            self.assertIn("no response sent", server.handshake(self.root[kind]))

    def test_curl_wants_a_good_status(self):
        for kind, good, revoked in self.each():
            server = self.nginx(good, kind, "ssl_stapling on; ssl_stapling_verify on;")
            curl = ("curl", "-sS", "--noproxy", "*", "--cacert", self.root[kind], "--cert-status")
            wait_until(lambda: "Cert Status: good" in server.handshake(self.root[kind]), "nginx staples")
            self.assertEqual(run(*curl, f"https://localhost:{server.port}/").text, "served")
            # nginx would not staple it; so that curl has something to judge, the answer comes from a file
            answer = new_file(b"")
            run("openssl", "ocsp", "-no_nonce", "-issuer", self.service.ca_file(f"{kind}-g1"), "-cert", revoked.file, "-CAfile", self.bundle[kind],
                "-url", f"http://127.0.0.1:{self.service.http_port}/ocsp", "-respout", answer)
            server = self.nginx(revoked, kind, f"ssl_stapling on; ssl_stapling_file {answer};")
            wait_until(lambda: server.handshake(self.root[kind]), "nginx listens")
            refused = run(*curl, f"https://localhost:{server.port}/", check=False)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn("revocation reason: superseded", refused.said)
            self.assertEqual(run(*curl[:-1], f"https://localhost:{server.port}/").text, "served")  # nothing else was wrong


if __name__ == "__main__":
    unittest.main()
