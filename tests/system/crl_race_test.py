#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Everything that makes a CRL, at once: a schedule of seconds, publication on revocation, and people who publish. One
sequence of numbers, each on one list alone; and a list that was published shows every revocation acknowledged before."""
import hashlib
import threading
import time
import unittest

import der
from harness import Service, ServiceTest, make_csr, replace_file, wait_until

ISSUER, SECONDS = "ec-g1", 8


class Race(ServiceTest):
    @classmethod
    def setUpClass(cls):
        cls.service = Service(start=False)
        path = cls.service.home / "chancery.xml"
        text = path.read_text().replace('on-revocation="false"', 'on-revocation="true"')
        head, _, tail = text.partition(f'<issuer id="{ISSUER}"')
        assert 'every="24h"' in tail
        replace_file(path, head + f'<issuer id="{ISSUER}"' + tail.replace('every="24h"', 'every="1s"', 1))
        cls.service.start()

    def setUp(self):
        self.stopping, self.faults = threading.Event(), []
        self.revoked, self.lists, self.published = set(), {}, 0

    def repeat(self, job):
        try:
            while not self.stopping.is_set():
                job()
        except Exception as error:  # of a thread: told by the test
            self.faults.append(f"{job.__name__}: {error!r}")

    def revoke(self):
        serial = self.service.issued(self.csr, "ucm/tomcat-ECDSA").serial_hex
        answer = self.service.revoke(serial, "superseded")
        if answer.status != 200:
            raise AssertionError(f"revocation: {answer}")
        self.revoked.add(serial)

    def publish(self):
        before = set(self.revoked)
        answer = self.service.api(f"/issuers/{ISSUER}/crl", "POST")
        if answer.status != 200:
            raise AssertionError(f"publication: {answer}")
        crl = self.service.crl(ISSUER)
        if missing := before - set(crl.entries):
            raise AssertionError(f"list {crl.number} lacks {sorted(missing)[0]}, revoked before it was asked for")
        self.published += 1

    def read(self):
        octets = self.service.plain(f"/crl/{ISSUER}.crl").body
        number = der.Crl(octets).number
        known = self.lists.setdefault(number, hashlib.sha256(octets).hexdigest())
        if known != hashlib.sha256(octets).hexdigest():
            raise AssertionError(f"number {number} is on two lists")
        if number < max(self.lists):
            raise AssertionError(f"number {number} was served after {max(self.lists)}")

    def test_one_sequence_and_no_revocation_is_missed(self):
        self.csr = make_csr("ec-P-256", "/CN=node1-EC.example.com")
        threads = [threading.Thread(target=self.repeat, args=(job,))
                   for job in (self.revoke, self.revoke, self.publish, self.publish, self.read)]
        for each in threads:
            each.start()
        time.sleep(SECONDS)  # of load: what is awaited is nothing
        self.stopping.set()
        for each in threads:
            each.join(60)
        self.assertEqual(self.faults, [])
        self.assertGreater(len(self.revoked), 10)
        self.assertGreater(self.published, 3)
        self.assertGreater(len(self.lists), 3)
        rows, after = [], ""
        while after is not None:
            page = self.service.api("/audit?kind=crl&limit=1000" + (f"&after={after}" if after else "")).json()
            rows, after = rows + page["items"], page["next"]
        details = [each["detail"] for each in rows if f"issuer {ISSUER}," in each["detail"]]
        numbers = [int(each.split("number ")[1].split(",")[0]) for each in reversed(details)]
        self.assertEqual(numbers, sorted(set(numbers)), "each number once, in order")
        causes = {each.rsplit("cause ", 1)[1] for each in details}
        self.assertLessEqual({"request", "revocation"}, causes)
        last = self.service.crl(ISSUER).number
        wait_until(lambda: self.service.crl(ISSUER).number > last, "the schedule goes on from a publication by request")


if __name__ == "__main__":
    unittest.main()
