#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Is whatever clients see that is not what is published one clear alarm, and over when they see it again?"""
import unittest

from harness import Service, new_file, run, wait_until
from places import Origin, new_directory, private_file
from watched import QUICK, WatchTest, figure, published, set_watch


class ReadBack(WatchTest):
    """What clients see, where carrying there is somebody else's job."""

    @classmethod
    def setUpClass(cls):
        cls.service = Service()
        cls.origin = Origin()
        cls.addClassCleanup(cls.origin.stop)

    def setUp(self):
        self.origin.mode, self.origin.afflicted = "well", ("GET",)
        self.origin.shown = {}
        self.mirror()
        set_watch(self.service, f'<target id="seen" type="public" timeout="1s" public-url="{self.origin.url}/crl"/>', **QUICK)
        self.await_good()

    def mirror(self):
        self.origin.files = {f"/crl/{name}": data for name, data in published(self.service).items()}

    def await_good(self):
        def is_good():
            self.mirror()
            return (figure(self.service, "watch_readbacks_total", "seen") or 0) > 0
        wait_until(is_good, "it is read back")
        self.no_alarm("readback.")

    def recovers(self):
        self.origin.mode, self.origin.shown = "well", {}
        self.mirror()
        self.no_alarm("readback.")

    def test_an_older_list_is_stale(self):
        older = published(self.service)["rsa-g1.crl"]
        self.publish_anew()
        self.mirror()
        self.origin.shown = {"rsa-g1.crl": older}
        status, _ = self.alarm("readback.stale", "seen", "rsa-g1.crl", "clients get number")
        self.assertEqual(status, "warning", "it is good for a while yet")
        self.recovers()

    def test_a_list_of_another_issuer_is_foreign(self):
        self.origin.shown = {"rsa-g1.crl": published(self.service)["ec-g1.crl"]}
        status, _ = self.alarm("readback.foreign", "seen", "rsa-g1.crl", "another issuer")
        self.assertEqual(status, "critical")
        self.recovers()

    def test_a_list_of_a_stranger_is_foreign(self):
        key, certificate, index = private_file(""), new_file(b"", ".pem"), new_directory()
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
            "-subj", "/CN=Stranger", "-out", certificate)
        (index / "index").write_text("")
        (index / "number").write_text("77\n")
        config = new_file(f"[ca]\ndefault_ca=d\n[d]\ndatabase={index}/index\ncrlnumber={index}/number\ndefault_md=sha256\ndefault_crl_days=3\n")
        run("openssl", "ca", "-gencrl", "-config", config, "-keyfile", key, "-cert", certificate, "-out", index / "crl.pem")
        self.origin.shown = {"rsa-g1.pem": (index / "crl.pem").read_bytes()}
        self.alarm("readback.foreign", "seen", "rsa-g1.pem", "its issuer is none of ours")
        self.recovers()

    def test_one_changed_octet_is_foreign(self):
        data = bytearray(published(self.service)["rsa-g1.crl"])
        data[-1] ^= 1
        self.origin.shown = {"rsa-g1.crl": bytes(data)}
        self.alarm("readback.foreign", "seen", "rsa-g1.crl", "has not signed it")
        self.recovers()

    def test_a_page_instead_of_a_list_is_foreign(self):
        self.origin.shown = {"ec-g1.crl": b"<html>welcome</html>"}
        self.alarm("readback.foreign", "seen", "ec-g1.crl", "it is no CRL")
        self.recovers()

    def test_a_list_cut_short_is_no_list(self):
        data = published(self.service)["ec-g1.crl"]
        self.origin.shown = {"ec-g1.crl": data[: len(data) // 2]}
        self.alarm("readback.foreign", "seen", "ec-g1.crl", "cut short")
        self.recovers()

    def test_an_answer_cut_short_fails(self):
        self.origin.mode = "cut"
        self.alarm("readback.failed", "seen")
        self.recovers()

    def test_nothing_there_fails(self):
        self.origin.files = {}
        self.origin.shown = {}
        self.alarm("readback.failed", "seen", "it is not there")
        self.recovers()

    def test_a_server_that_hangs_or_answers_500_fails(self):
        for mode in ("hang", "500"):
            with self.subTest(mode=mode):
                self.origin.mode = mode
                self.alarm("readback.failed", "seen")
                self.recovers()

    def test_a_redirect_to_another_scheme_is_not_followed(self):
        for elsewhere in ("ftp://127.0.0.1/", "file:///", "https://127.0.0.1:1/"):
            with self.subTest(elsewhere=elsewhere):
                self.origin.elsewhere, self.origin.mode = elsewhere, "redirect"
                self.alarm("readback.failed", "seen", "another scheme")
                self.recovers()

    def test_a_redirect_within_the_scheme_is_followed_and_a_circle_is_not(self):
        mirror = Origin()
        self.addCleanup(mirror.stop)
        mirror.files = self.origin.files
        self.origin.elsewhere, self.origin.mode = mirror.url + "/", "redirect"
        wait_until(lambda: ("GET", "/crl/rsa-g1.crl") in mirror.log, "the mirror is asked")
        self.no_alarm("readback.")
        self.origin.elsewhere = self.origin.url + "/"
        self.alarm("readback.failed", "seen", "redirects")
        self.recovers()


if __name__ == "__main__":
    unittest.main()
