#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How clients get CRL files, with curl as the judge: parts, resumed downloads, versions they have, files of 100 MB."""
import hashlib
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import unittest

from harness import ASAN_LITTLE, WORK, ServiceTest, asan_options, run, utc_s, wait_until

LARGE = 100 * 1024 * 1024
PATH = "/crl/rsa-g1.crl"


def digest(octets):
    return hashlib.sha256(octets).hexdigest()


def seconds(der_time):
    return utc_s(der_time, "%y%m%d%H%M%SZ" if len(der_time) == 13 else "%Y%m%d%H%M%SZ")


def random_file(size):
    """Octets that repeat nowhere near each other, so that a part from the wrong place is another."""
    block = os.urandom(1 << 20)
    return b"".join(hashlib.sha256(bytes([n]) + block[:64]).digest() + block[32:] for n in range(size >> 20))


class Download(ServiceTest):
    @classmethod
    def setUpClass(cls):
        os.environ.update(asan_options(ASAN_LITTLE))
        super().setUpClass()

    def url(self, path=PATH):
        return f"http://127.0.0.1:{self.service.http_port}{path}"

    def curl(self, *arguments, path=PATH):
        """Status and octets as curl has them."""
        out = pathlib.Path(tempfile.mkdtemp(dir=WORK)) / "out"
        done = run("curl", "-sS", "--max-time", "50", "-o", out, "-w", "%{http_code}", *arguments, self.url(path))
        return int(done.text), out.read_bytes() if out.exists() else b""

    def put(self, octets, name="rsa-g1.crl"):
        """Replaces a published file as the publisher does."""
        target = self.service.home / "public/crl" / name
        draft = target.with_name(name + ".draft-of-a-test")
        draft.write_bytes(octets)
        os.chown(draft, target.stat().st_uid, target.stat().st_gid)  # the publisher's, whatever its account
        draft.replace(target)

    def memory_kb(self):
        """What the process "ocsp" has allocated: the pages of the store's map are the page cache's."""
        (pid,) = self.service.roles()["ocsp"]
        said = pathlib.Path(f"/proc/{pid}/status").read_text()
        return int(re.search(r"RssAnon:\s+(\d+) kB", said)[1])

    def setUp(self):
        self.service.publish("rsa-g1")

    # ---- versions ----

    def test_a_version_is_known_by_tag_and_by_date(self):
        kept = pathlib.Path(tempfile.mkdtemp(dir=WORK)) / "etag"
        status, whole = self.curl("--etag-save", kept)
        self.assertEqual(status, 200)
        self.assertRegex(kept.read_text(), r'^"[0-9a-f]{64}"$')
        self.assertEqual(self.curl("--etag-compare", kept), (304, b""))
        answer = self.service.plain(PATH)
        self.assertEqual(self.curl("-H", f"If-Modified-Since: {answer.headers['Last-Modified']}"), (304, b""))
        self.assertEqual(self.curl("-H", "If-Modified-Since: Thu, 01 Jan 2015 00:00:00 GMT"), (200, whole))
        self.assertEqual(self.curl("-H", f"If-Match: {answer.headers['ETag']}"), (200, whole))
        self.assertEqual(self.curl("-H", 'If-Match: "another"'), (412, b""))
        self.service.publish("rsa-g1")
        status, newer = self.curl("--etag-compare", kept)
        self.assertEqual(status, 200)
        self.assertNotEqual(newer, whole)

    def test_the_tag_is_that_of_the_octets(self):
        """The same file anew, as a restored or copied one is, has the same tag; DER and PEM differ."""
        before = self.service.plain(PATH)
        self.put(before.body)
        self.assertEqual(self.service.plain(PATH).headers["ETag"], before.headers["ETag"])
        self.assertNotEqual(self.service.plain("/crl/rsa-g1.pem").headers["ETag"], before.headers["ETag"])

    def test_caches_may_keep_it_until_the_next_run(self):
        """every="24h" overlap="72h": the overlap is for failures."""
        answer, crl = self.service.plain(PATH), self.service.crl("rsa-g1")
        age = int(re.search(r"max-age=(\d+)", answer.headers["Cache-Control"])[1])
        lasts = seconds(crl.next_update) - seconds(crl.this_update)
        self.assertGreaterEqual(lasts, 96 * 3600)
        self.assertLessEqual(age, 24 * 3600)
        self.assertGreater(age, 24 * 3600 - 120)

    def test_the_one_before_stays_on_the_disk(self):
        before = self.service.plain(PATH).body
        self.service.publish("rsa-g1")
        self.assertEqual((self.service.home / "public/crl/rsa-g1.previous.crl").read_bytes(), before)
        self.assertNotEqual(self.service.plain(PATH).body, before)
        self.assertEqual(self.curl(path="/crl/rsa-g1.previous.crl")[0], 404)

    # ---- parts ----

    def test_ranges_are_parts_of_the_file(self):
        for path in (PATH, "/crl/rsa-g1.pem"):
            whole = self.service.plain(path).body
            for asked, want in (("0-9", whole[:10]), ("10-", whole[10:]), ("-7", whole[-7:]), ("5-5", whole[5:6]),
                                (f"3-{len(whole) + 50}", whole[3:])):
                with self.subTest(path=path, range=asked):
                    self.assertEqual(self.curl("-r", asked, path=path), (206, want))

    def test_a_range_says_where_it_is(self):
        size = len(self.service.plain(PATH).body)
        answer = self.service.plain(PATH, headers={"Range": "bytes=4-9"})
        self.assertEqual((answer.status, answer.headers["Content-Range"], answer.headers["Content-Length"]),
                         (206, f"bytes 4-9/{size}", "6"))
        self.assertEqual(answer.headers["ETag"], self.service.plain(PATH).headers["ETag"])
        head = self.service.plain(PATH, "HEAD", headers={"Range": "bytes=4-9"})
        self.assertEqual((head.status, head.headers["Content-Length"], head.headers["Accept-Ranges"]), (200, str(size), "bytes"))

    def test_ranges_that_are_not_there_or_none(self):
        whole = self.service.plain(PATH).body
        for asked in (f"{len(whole)}-", f"{len(whole)}-{len(whole) + 9}", "99999999999999999999999-", "-0"):
            with self.subTest(range=asked):
                answer = self.service.plain(PATH, headers={"Range": f"bytes={asked}"})
                self.assertEqual((answer.status, answer.headers["Content-Range"], answer.body), (416, f"bytes */{len(whole)}", b""))
        for asked in ("bytes=9-4", "bytes=a-b", "bytes=-", "bytes=", "lines=0-4", "bytes=0-1,4-5", "0-4", "bytes=0-4;"):
            with self.subTest(range=asked):
                answer = self.service.plain(PATH, headers={"Range": asked})
                self.assertEqual((answer.status, answer.body), (200, whole))

    def test_a_part_of_another_version_is_not_given(self):
        before = self.service.plain(PATH)
        same = {"Range": "bytes=0-3", "If-Range": before.headers["ETag"]}
        self.assertEqual(self.service.plain(PATH, headers=same).status, 206)
        self.service.publish("rsa-g1")
        after = self.service.plain(PATH)
        for tag in (before.headers["ETag"], 'W/' + after.headers["ETag"], "Thu, 01 Jan 2015 00:00:00 GMT", "nonsense"):
            with self.subTest(if_range=tag):
                answer = self.service.plain(PATH, headers={"Range": "bytes=0-3", "If-Range": tag})
                self.assertEqual((answer.status, answer.body), (200, after.body))

    # ---- large files ----

    def test_a_download_that_broke_off_is_resumed(self):
        octets = random_file(8 << 20)
        self.put(octets)
        out = pathlib.Path(tempfile.mkdtemp(dir=WORK)) / "out"
        out.write_bytes(octets[:3_000_001])
        run("curl", "-sS", "--fail", "--max-time", "50", "-C", "-", "-o", out, self.url())
        self.assertEqual(digest(out.read_bytes()), digest(octets))

    def test_a_file_that_is_replaced_meanwhile_is_delivered_as_it_was(self):
        old, new = random_file(24 << 20), random_file(24 << 20)
        self.put(old)
        out = pathlib.Path(tempfile.mkdtemp(dir=WORK)) / "out"
        with subprocess.Popen(["curl", "-sS", "--fail", "--limit-rate", "12M", "-o", out, self.url()]) as client:
            wait_until(lambda: out.exists() and out.stat().st_size > 0, "the download has begun")
            self.put(new)
            self.assertEqual(client.wait(timeout=50), 0)
        self.assertEqual(digest(out.read_bytes()), digest(old))
        self.assertEqual(digest(self.curl()[1]), digest(new))

    def test_a_hundred_megabytes_take_no_memory(self):
        octets = random_file(LARGE)
        self.put(octets)
        self.curl("-r", "0-0")
        before = self.memory_kb()
        for _ in range(2):
            self.assertEqual(digest(self.curl()[1]), digest(octets))
        stuck = []
        for _ in range(20):  # clients that ask for it and read nothing
            each = socket.create_connection(("127.0.0.1", self.service.http_port))
            each.sendall(f"GET {PATH} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            stuck.append(each)
        for each in stuck:
            self.assertTrue(each.recv(1, socket.MSG_PEEK))
        self.assertEqual(digest(self.curl()[1]), digest(octets), "the others are served meanwhile")
        grown = self.memory_kb() - before
        for each in stuck:
            each.close()
        self.assertLess(grown, 20 * 256, "kB for 20 stuck clients")


if __name__ == "__main__":
    unittest.main()
