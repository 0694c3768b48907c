#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does every published list get to every place it has to go, through servers that others wrote, once and whole?"""
import os
import pathlib
import re
import unittest

from harness import Service, make_csr, new_file, of_another, run, wait_until
from places import NO_SSHD, Bucket, Nginx, Sshd, new_directory, private_file
from watched import QUICK, PeersTest, WatchTest, checks, figure, files_in, published, set_watch


@unittest.skipIf(NO_SSHD, NO_SSHD)
class Servers(WatchTest):
    """One service, one target of each kind."""

    @classmethod
    def setUpClass(cls):
        cls.nginx = Nginx()
        cls.addClassCleanup(cls.nginx.stop)
        cls.sshd = Sshd()
        cls.addClassCleanup(cls.sshd.stop)
        cls.bucket = Bucket()
        cls.addClassCleanup(cls.bucket.stop)
        cls.directory = new_directory()
        cls.credentials = new_directory()
        (cls.credentials / "s3").write_text(Bucket.SECRET + "\n")
        (cls.credentials / "s3").chmod(0o400)
        os.environ["CREDENTIALS_DIRECTORY"] = str(cls.credentials)
        cls.addClassCleanup(os.environ.pop, "CREDENTIALS_DIRECTORY")
        cls.service = Service(start=False)
        set_watch(cls.service, cls.targets())
        cls.service.start()
        cls.ids = ("basic", "token", "mutual", "plain-put", "sftp", "s3", "local")

    @classmethod
    def targets(cls):
        n, s = cls.nginx, cls.sshd
        public = f'public-url="http://127.0.0.1:{n.http}'
        tls = f'ca="file:{n.certificate}"'
        (n.files / "token/direct").mkdir()
        (n.files / "sftp").symlink_to(s.files)
        (n.files / "local").symlink_to(cls.directory)
        return f"""
          <target id="basic" type="webdav" url="https://localhost:{n.https}/basic" user="crl" secret="file:{private_file(n.password)}" {tls} {public}/basic"/>
          <target id="token" type="webdav" url="https://localhost:{n.https}/token/" secret="file:{private_file(n.token)}" {tls} {public}/token/"/>
          <target id="mutual" type="webdav" url="https://localhost:{n.mutual}/mutual" certificate="file:{n.client_certificate}" key="file:{n.client_key}" {tls} {public}/mutual"/>
          <target id="plain-put" type="http" url="https://localhost:{n.https}/token/direct" secret="file:{private_file(n.token)}" {tls} {public}/token/direct"/>
          <target id="sftp" type="sftp" url="sftp://127.0.0.1:{s.port}{s.files}" user="{s.user}" key="file:{s.key}" known-hosts="file:{s.known_hosts}" {public}/sftp"/>
          <target id="s3" type="s3" url="{cls.bucket.url}/bucket/crl" user="{Bucket.KEY_ID}" secret="credential:s3" region="{Bucket.REGION}" public-url="{cls.bucket.url}/public"/>
          <target id="local" type="directory" url="file:{cls.directory}" {public}/local"/>
          <target id="own" type="public"/>
        """

    def stands(self):
        """{target: what is there}."""
        www = self.nginx.files
        return {"basic": files_in(www / "basic"), "token": files_in(www / "token"), "mutual": files_in(www / "mutual"),
                "plain-put": files_in(www / "token/direct"), "sftp": files_in(self.sshd.files), "s3": dict(self.bucket.objects),
                "local": files_in(self.directory)}

    def await_delivery(self):
        def is_done():
            wanted = published(self.service)
            return len(wanted) >= 8 and all(each == wanted for each in self.stands().values()) and \
                all(figure(self.service, "watch_pending", each) == 0 for each in self.ids)
        wait_until(is_done, "every target holds what is published")

    def assert_no_alarm(self):
        codes = ("target.", "readback.", "watch.", "crl.overdue", "crl.foreign")
        wait_until(lambda: not [each for each in checks(self.service) if each.startswith(codes)], "no alarm stands")

    def test_1_every_target_gets_every_list_and_shows_it(self):
        self.await_delivery()
        self.assert_no_alarm()
        for each in (*self.ids, "own"):
            wait_until(lambda: figure(self.service, "watch_readback_good_seconds", each), f"{each} was read back and is good")
        self.assertEqual(self.bucket.refusals, [])
        self.assertEqual(self.bucket.types["rsa-g1.crl"], "application/pkix-crl")
        self.assertEqual(self.bucket.types["rsa-g1.pem"], "application/x-pem-file")

    def test_2_a_revocation_that_is_published_is_at_every_target(self):
        serial = self.service.issued(make_csr(name="watched"), "ucm/tomcat").serial_hex
        self.assert_status(self.service.revoke(serial, "superseded"), 200)
        before = published(self.service)["rsa-g1.crl"]
        self.service.publish("rsa-g1")
        self.assertNotEqual(published(self.service)["rsa-g1.crl"], before)
        self.await_delivery()
        for place, files in self.stands().items():
            with self.subTest(place=place):
                said = run("openssl", "crl", "-inform", "DER", "-in", new_file(files["rsa-g1.crl"]), "-noout", "-text").text
                self.assertIn(serial.upper(), said)
        self.assert_no_alarm()

    def test_3_lists_go_up_under_another_name_where_the_target_can_rename(self):
        self.await_delivery()
        asked = "\n".join(self.nginx.requests())
        self.assertRegex(asked, r'"PUT /basic/rsa-g1\.crl\.part ')
        self.assertRegex(asked, r'"MOVE /basic/rsa-g1\.crl\.part ')
        self.assertNotRegex(asked, r'"PUT /basic/[^" ]*(crl|pem) ')
        self.assertRegex(asked, r'"PUT /token/direct/rsa-g1\.crl ')

    def test_4_a_restart_carries_nothing_that_is_there(self):
        self.await_delivery()
        puts, asked = self.bucket.puts, len(self.nginx.requests())
        self.service.restart()
        wait_until(lambda: all(figure(self.service, "watch_readback_good_seconds", each) for each in self.ids), "all was read back")
        self.assertEqual(self.bucket.puts, puts)
        self.assertFalse([each for each in self.nginx.requests()[asked:] if '"PUT' in each or '"MOVE' in each])
        self.assertTrue(all(figure(self.service, "watch_uploads_total", each) == 0 for each in self.ids))

    def test_5_what_a_target_lost_is_put_there_again(self):
        self.await_delivery()
        (self.directory / "rsa-g1.crl").unlink()
        set_watch(self.service, self.targets_again(), check="1s")
        wait_until(lambda: (self.directory / "rsa-g1.crl").exists(), "the list is there again")
        self.await_delivery()
        self.assert_no_alarm()

    def targets_again(self):
        text = (self.service.home / "chancery.xml").read_text()
        return re.search(r"<watch [^>]*>(.*)</watch>", text, re.S)[1]

    def test_6_no_secret_is_in_the_log_or_the_state(self):
        self.await_delivery()
        said = self.service.log.read_text() + "".join(each.read_text() for each in (self.service.home / "watch").iterdir())
        for secret in (self.nginx.password, self.nginx.token, Bucket.SECRET, self.sshd.key.read_text().splitlines()[1]):
            self.assertNotIn(secret, said)

    def test_7_the_process_that_connects_out_has_no_view_of_the_store(self):
        (pid,) = self.service.roles()["watch"]
        maps = of_another(pathlib.Path.read_text, pathlib.Path(f"/proc/{pid}/maps"))
        self.assertNotIn("data.mdb", maps)
        self.assertNotIn("lock.mdb", maps)
        links = [of_another(os.readlink, f"/proc/{pid}/fd/{each}") for each in of_another(os.listdir, f"/proc/{pid}/fd")]
        self.assertTrue(links)
        self.assertFalse([each for each in links if "/store/" in each or "/keys/" in each])


class Refusals(PeersTest):
    """A server that will not take one file."""

    def keeps_no_other_back(self, target, place, files):
        in_the_way = files / "ec-g1.crl.part"
        in_the_way.mkdir()
        set_watch(self.service, target, **QUICK)
        wanted = published(self.service)
        self.assertEqual(min(wanted), "ec-g1.crl", "it is the first to be carried")
        others = {name: data for name, data in wanted.items() if name != "ec-g1.crl"}
        wait_until(lambda: files_in(files) == others, "all but one are there")
        status, _ = self.alarm("target.failing", place, "ec-g1.crl")
        self.assertEqual(status, "warning")
        in_the_way.rmdir()
        wait_until(lambda: files_in(files) == wanted, "it is there too")
        self.no_alarm("target.")

    def test_nginx(self):
        self.keeps_no_other_back(self.dav(), "dav", self.nginx.files / "basic")

    def test_sshd(self):
        self.keeps_no_other_back(self.sftp(), "sftp", self.sshd.files)


if __name__ == "__main__":
    unittest.main()
