#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The responder at the door: what is no request, what a proxy has bent, conditional requests, budgets, and that no
answer is older than an acknowledged revocation, whatever is kept and however much is asked."""
import base64
import hashlib
import http.client
import os
import re
import socket
import subprocess
import threading
import time
import unittest
import urllib.parse

import der
import harness
from harness import ASAN_LITTLE, UNDER, Service, ServiceTest, asan_options, make_csr, new_file, run, utc_s, wait_until

TYPE = {"Content-Type": "application/ocsp-request"}
MALFORMED, TRY_LATER, UNAUTHORIZED = (bytes([0x30, 3, 0x0A, 1, code]) for code in (1, 3, 6))
GOOD, REVOKED, UNKNOWN = 0x80, 0xA1, 0x82
NONCE_OID = bytes.fromhex("06092b0601050507300102")


def status_of(answer):
    """The certStatus tag of a successful answer's first SingleResponse, read with nothing of ours but der.py."""
    response = der.Element(answer)
    basic = der.Element(list(list(list(response)[1])[0])[1].body)
    data = list(list(basic)[0])
    single = list(list(data[2])[0])
    return single[1].tag


class Requests:
    """CertIDs and requests by hand: of any shape."""

    def __init__(self, service, issuer_id):
        issuer = der.Certificate(harness.pem_to_der(service.plain(f"/ca/{issuer_id}.pem").text)[0])
        path = new_file(b"")
        run("openssl", "ocsp", "-issuer", service.ca_file(issuer_id), "-serial", "1", "-no_nonce", "-reqout", path)
        with open(path, "rb") as file:
            one = file.read()
        # ... SEQUENCE { SEQUENCE { OID, NULL }, OCTET STRING, OCTET STRING, INTEGER 1 }
        self.alg_and_hashes = one[10:-3]
        self.issuer = issuer

    def certid(self, serial, alg_and_hashes=None):
        """`serial`: the INTEGER's content octets."""
        return der.sequence(alg_and_hashes or self.alg_and_hashes, der.tlv(0x02, serial))

    def request(self, *certids, tail=b""):
        return der.sequence(der.sequence(der.sequence(*(der.sequence(each) for each in certids)), tail))


def get_path(request):
    return "/ocsp/" + urllib.parse.quote(base64.b64encode(request).decode(), safe="")


class Ocsp(ServiceTest):
    @classmethod
    def setUpClass(cls):
        os.environ.update(asan_options(ASAN_LITTLE))
        super().setUpClass()
        cls.requests = Requests(cls.service, "ec-g1")

    def issue_serial(self):
        leaf = self.service.issued(make_csr("ec-P-384", "/CN=node1-EC.example.com"), "ucm/tomcat-ECDSA")
        return bytes.fromhex(leaf.serial_hex)

    def about(self, serial):
        return self.requests.request(self.requests.certid(serial))

    def post(self, body, headers=None):
        return self.service.plain("/ocsp", "POST", body, headers or TYPE)

    # ---- bad input ----

    def test_junk_is_malformed_by_post_and_by_get(self):
        good = self.about(self.issue_serial())
        for body in (b"junk", b"\x30\x80" + good[2:] + b"\0\0", good[:-1], good + b"\0", b"\x30\x84\xff\xff\xff\xff", b"\0" * 4096):
            with self.subTest(body=body[:20]):
                self.assertEqual(self.post(body).body, MALFORMED)
                if len(body) < 1000:
                    self.assertEqual(self.service.plain(get_path(body)).body, MALFORMED)

    def test_paths_that_hold_no_base64_are_malformed(self):
        for path in ("%", "%zz", "A", "====", "MFQ%00", "MF-_", "M" * 5, "%4d%4", "..", "MFQw/../../etc"):
            with self.subTest(path=path):
                answer = self.service.plain("/ocsp/" + path)
                self.assert_status(answer, 200)
                self.assertEqual(answer.body, MALFORMED)
        self.assert_status(self.service.plain("/ocsp/" + "M" * 12000), 413)

    def test_more_than_4_kib_is_413_and_another_type_415(self):
        self.assert_status(self.post(b"\0" * 4097), 413)
        many = self.requests.request(*[self.requests.certid(bytes([1]) + index.to_bytes(18, "big")) for index in range(10000)])
        self.assert_status(self.post(many), 413)
        self.assert_status(self.post(self.about(b"\1"), {"Content-Type": "application/json"}), 415)
        self.assert_status(self.service.plain("/ocsp", "PUT", b"", TYPE), 405)

    def test_odd_serials_and_hashes_are_answered_for_what_they_are(self):
        for serial in (b"\xff", b"\x81" + b"\1" * 18, b"\1" * 100, b"\0", b"\1"):
            with self.subTest(serial=serial.hex()):
                self.assertEqual(status_of(self.post(self.about(serial)).body), UNKNOWN)
        alg = self.requests.alg_and_hashes.replace(bytes.fromhex("06052b0e03021a"), bytes.fromhex("06052b0e03021b"))
        self.assertEqual(self.post(self.requests.request(self.requests.certid(b"\1", alg))).body, UNAUTHORIZED)
        alg = self.requests.alg_and_hashes[:-1] + bytes([self.requests.alg_and_hashes[-1] ^ 1])
        self.assertEqual(self.post(self.requests.request(self.requests.certid(b"\1", alg))).body, UNAUTHORIZED)

    def test_each_of_several_certids_has_its_answer_up_to_a_limit(self):
        serial = self.issue_serial()
        certid = self.requests.certid(serial)
        answer = self.post(self.requests.request(certid, self.requests.certid(b"\1"), certid)).body
        self.assertEqual(answer.count(certid), 2)
        few = [self.requests.certid(b"\1") for _ in range(33)]
        self.assertEqual(status_of(self.post(self.requests.request(*few[:32])).body), UNKNOWN)
        self.assertEqual(self.post(self.requests.request(*few)).body, MALFORMED)

    def test_a_nonce_has_1_to_128_octets(self):
        certid = self.requests.certid(self.issue_serial())
        for length, is_taken in ((0, False), (1, True), (128, True), (129, False)):
            nonce = der.tlv(0x04, bytes(range(length)))
            extension = der.tlv(0xA2, der.sequence(der.sequence(NONCE_OID, der.tlv(0x04, nonce))))
            answer = self.post(self.requests.request(certid, tail=extension)).body
            with self.subTest(length=length):
                self.assertEqual(answer == MALFORMED, not is_taken)
                self.assertEqual(nonce in answer, is_taken)

    def test_a_path_whose_slashes_a_proxy_merged_is_answered(self):
        csr = make_csr("ec-P-384", "/CN=node1-EC.example.com")
        for _ in range(3000):  # one in 230 has it
            request = self.about(bytes.fromhex(self.service.issued(csr, "ucm/tomcat-ECDSA").serial_hex))
            text = base64.b64encode(request).decode()
            if "//" in text:
                break
        else:
            self.fail("no base64 with // among 3000")
        merged = re.sub("/+", "/", text)
        for path in (merged, urllib.parse.quote(merged, safe="")):
            answer = self.service.plain("/ocsp/" + path).body
            self.assertEqual(status_of(answer), GOOD)
            self.assertIn(request[8:], answer)  # the CertID that was asked
        # what was never issued is not guessed at
        serial = request[-19:]
        unknown = base64.b64encode(request[:-19] + serial[:1] + bytes(each ^ 0x55 for each in serial[1:-6]) + b"\xff" * 6).decode()
        self.assertIn("//", unknown)
        self.assertEqual(self.service.plain("/ocsp/" + re.sub("/+", "/", unknown)).body, MALFORMED)

    def test_slow_senders_do_not_hold_up_others(self):
        slow = []
        for index in range(50):
            each = socket.create_connection(("127.0.0.1", self.service.http_port))
            each.sendall(b"POST /ocsp HTTP/1.1\r\nHost: x\r\nContent-Type: application/ocsp-request\r\nContent-Length: 80\r\n\r\n" + b"0" * (index % 5))
            slow.append(each)
        self.assertEqual(status_of(self.post(self.about(self.issue_serial())).body), GOOD)
        for each in slow:
            each.close()

    @unittest.skipIf(UNDER, "what runs it takes memory of its own")
    def test_a_flood_of_junk_leaves_memory_and_log_as_they_were(self):
        pid, = self.service.roles()["ocsp"]

        def resident():
            with open(f"/proc/{pid}/status", encoding="ascii") as status:
                return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])

        connection = http.client.HTTPConnection("127.0.0.1", self.service.http_port, timeout=harness.WAIT_S)

        def flood(count):
            for index in range(count):
                body = (b"junk" * (index % 200), b"\x30\x03\x0a\x01", bytes([index % 256]) * 40)[index % 3]
                connection.request("POST", "/ocsp", body, TYPE)
                self.assertEqual(connection.getresponse().read(), MALFORMED)

        flood(300)
        before, lines = resident(), len(self.service.log.read_text().splitlines())
        flood(3000)
        self.assertLess(resident() - before, 2048, "KiB")
        connection.close()
        self.assertLessEqual(len(self.service.log.read_text().splitlines()) - lines, 5)

    # ---- caches ----

    def test_a_get_may_be_cached_and_is_confirmed_by_its_tag(self):
        serial = self.issue_serial()
        path = get_path(self.about(serial))
        first = self.service.plain(path)
        self.assertEqual(first.headers["Cache-Control"], "max-age=60, public, no-transform, must-revalidate")
        date, modified, expires = (utc_s(first.headers[name], "%a, %d %b %Y %H:%M:%S GMT") for name in ("Date", "Last-Modified", "Expires"))
        self.assertLessEqual(modified, date)
        self.assertEqual(expires - modified, 24 * 3600)
        self.assertNotIn(b".", re.findall(rb"\d{14}[.Z]", first.body)[0])
        self.assertEqual(first.headers["ETag"], f'"{hashlib.sha256(first.body).hexdigest()}"', "as `ocsp export` writes it beside the file")
        again = self.service.plain(path, headers={"If-None-Match": first.headers["ETag"]})
        self.assert_status(again, 304)
        self.assertEqual(again.body, b"")
        self.assertEqual(self.service.plain(path).body, first.body)
        self.assert_status(self.service.revoke(serial.hex(), "superseded"), 200)
        changed = self.service.plain(path, headers={"If-None-Match": first.headers["ETag"], "If-Modified-Since": first.headers["Date"]})
        self.assert_status(changed, 200)
        self.assertEqual(changed.headers["ETag"], f'"{hashlib.sha256(changed.body).hexdigest()}"')
        self.assertNotEqual(changed.headers["ETag"], first.headers["ETag"])
        self.assertEqual(status_of(changed.body), REVOKED)

    def test_an_unknown_is_not_for_caches_and_known_once_issued(self):
        answer = self.service.plain(get_path(self.about(b"\1" * 19)))
        self.assertEqual((status_of(answer.body), answer.headers["Cache-Control"]), (UNKNOWN, "no-store"))


class Restart(unittest.TestCase):
    """What was asked for is ready after a restart, and a file that is none harms nothing."""

    def signatures(self, service):
        text = service.https("/metrics").text
        found = dict(re.findall(r'^chancery_ocsp_signatures_total\{cause="(\w+)"\} (\d+)$', text, re.M))
        return {name: int(value) for name, value in found.items()}

    def test_what_was_asked_for_is_signed_at_the_start(self):
        service = Service()
        requests = Requests(service, "ec-g1")
        leaf = service.issued(make_csr("ec-P-384", "/CN=node1-EC.example.com"), "ucm/tomcat-ECDSA")
        request = requests.request(requests.certid(bytes.fromhex(leaf.serial_hex)))

        def ask():
            return service.plain("/ocsp", "POST", request, TYPE).body

        self.assertEqual(status_of(ask()), GOOD)
        service.restart()
        wait_until(lambda: self.signatures(service)["start"] == 1, "it is signed before it is asked for")
        self.assertEqual(status_of(ask()), GOOD)
        self.assertEqual(self.signatures(service)["first"], 0)
        for content in (b"", b"junk" * 1000, (service.home / "ocsp-recent").read_bytes()[:-1]):
            self.assertEqual(service.stop(), 0)
            (service.home / "ocsp-recent").write_bytes(content)
            service.start()
            self.assertEqual(status_of(ask()), GOOD)
            self.assertEqual(self.signatures(service), {**self.signatures(service), "start": 0, "first": 1})
        self.assertEqual(service.stop(), 0)


class Configured(unittest.TestCase):
    """Another configuration than the default."""

    def test_not_issued_and_archive_cutoff_and_budgets(self):
        service = Service(start=False)
        path = service.home / "chancery.xml"
        harness.replace_file(path, path.read_text().replace(
            "<ocsp ", '<ocsp not-issued="revoked" archive-cutoff="3650d" live-rate="5/h" unknown-rate="2/h" ', 1))
        service.start()
        requests = Requests(service, "ec-g1")
        leaf = service.issued(make_csr("ec-P-384", "/CN=node1-EC.example.com"), "ucm/tomcat-ECDSA")

        def ask(serial):
            return service.plain("/ocsp", "POST", requests.request(requests.certid(serial)), TYPE).body

        answer = ask(b"\1" * 19)
        text = run("openssl", "ocsp", "-respin", new_file(answer), "-text", "-noverify").text
        self.assertIn("Revocation Reason: certificateHold", text)
        self.assertIn("Revocation Time: Jan  1 00:00:00 1970 GMT", text)
        extended_revoke = der.extension("1.3.6.1.5.5.7.48.1.9", b"\x05\x00")
        self.assertIn(extended_revoke, answer)
        self.assertEqual(ask(b"\1" * 19), answer)
        answer = ask(bytes.fromhex(leaf.serial_hex))
        text = run("openssl", "ocsp", "-respin", new_file(answer), "-text", "-noverify").text
        self.assertIn("OCSP Archive Cutoff", text)
        self.assertNotIn(extended_revoke, answer)
        self.assertEqual(status_of(ask(b"\2" * 19)), REVOKED)
        self.assertEqual(ask(b"\3" * 19), TRY_LATER)  # the third unknown of the hour
        self.assertEqual(ask(bytes.fromhex(leaf.serial_hex)), answer)
        ask(b"\4" * 19)
        self.assertEqual(ask(b"\5" * 19), TRY_LATER)  # and this address has used up its own
        self.assertEqual(service.stop(), 0)


class Load(threading.Thread):
    """Asks for one certificate after the other on one connection, and keeps when each was sent and what was said."""

    def __init__(self, port, paths, end):
        super().__init__(daemon=True)  # a test that fails does not wait for it
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=harness.WAIT_S)
        self.paths, self.end = paths, end
        self.seen, self.count, self.wrong = {}, 0, []

    def run(self):
        while not self.end.is_set():
            for serial, path, acknowledged in self.paths:
                # read before the request leaves: what was acknowledged by then must be in the answer
                must_be_revoked = acknowledged.is_set()
                self.connection.request("GET", path)
                status = status_of(self.connection.getresponse().read())
                self.count += 1
                if must_be_revoked and status != REVOKED or status not in (GOOD, REVOKED):
                    self.wrong.append((serial, status))


class UnderLoad(ServiceTest):
    def test_no_answer_is_older_than_an_acknowledged_revocation(self):
        requests = Requests(self.service, "ec-g1")
        csr = make_csr("ec-P-384", "/CN=node1-EC.example.com")
        paths = []
        for _ in range(120):
            serial = bytes.fromhex(self.service.issued(csr, "ucm/tomcat-ECDSA").serial_hex)
            paths.append((serial.hex(), get_path(requests.request(requests.certid(serial))), threading.Event()))
        end = threading.Event()
        # what makes it full: the readers in Python are slower than the responder
        full = subprocess.Popen(["wrk", "-t1", "-c32", f"-d{10 * harness.WAIT_S}s", f"http://127.0.0.1:{self.service.http_port}{paths[0][1]}"],
                                stdout=subprocess.DEVNULL)
        self.addCleanup(full.wait)
        self.addCleanup(full.kill)
        loads = [Load(self.service.http_port, paths[index:] + paths[:index], end) for index in (0, 40, 80)]
        for each in loads:
            each.start()
        wait_until(lambda: all(each.count > len(paths) for each in loads), "every answer is kept")
        connection = http.client.HTTPSConnection("127.0.0.1", self.service.https_port, timeout=harness.WAIT_S, context=self.service.tls())
        for serial, _, acknowledged in paths:
            begun = time.monotonic()
            connection.request("PUT", f"/api/v1/certificates/{serial}/revocation", '{"reason": "superseded"}', {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            self.assertEqual(answer.status, 200)
            acknowledged.set()
            acknowledged_at = {each: each.count for each in loads}
            end.wait(max(0, begun + 0.01 - time.monotonic()))  # one each 10 ms
        self.assertIsNone(full.poll(), "the load went on until the last of them")
        wait_until(lambda: all(each.count > acknowledged_at[each] + 2 * len(paths) for each in loads), "all are asked once more")
        end.set()
        for each in loads:
            each.join(timeout=harness.WAIT_S)
            each.connection.close()
        connection.close()
        self.assertEqual([each.wrong for each in loads], [[], [], []])


if __name__ == "__main__":
    unittest.main()
