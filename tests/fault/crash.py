# SPDX-License-Identifier: Apache-2.0
"""Load while something breaks, and what has to be true afterwards: whatever was acknowledged is there, nothing has two
meanings, no number comes twice, nothing served is half a thing."""
import random
import threading
import time

from harness import WAIT_S, der_to_pem, make_csr, new_file, run, wait_until

ISSUER = "ec-g1"


class Load:
    """Clients that issue, revoke and publish until stopped, or until the service is gone. What was acknowledged is kept
    with the moment before which its client had the answer. What a client meets while the service must live is a fault."""

    def __init__(self, service, issuers=3):
        self.service = service
        self.issued, self.revoked, self.published = {}, {}, []
        self.csrs = [make_csr("ec-P-256", f"/CN=node{i}-EC.example.com") for i in range(issuers)]
        self.stopping, self.ending, self.faults = threading.Event(), threading.Event(), []
        jobs = [lambda csr=csr: self.issue(csr) for csr in self.csrs] + [self.revoke, self.publish]
        self.threads = [threading.Thread(target=self.repeat, args=(job,), daemon=True) for job in jobs]

    def repeat(self, job):
        try:
            while not self.stopping.is_set():
                job()
        except Exception as error:  # whatever it is
            if not self.ending.is_set():
                self.faults.append(repr(error))

    def issue(self, csr):
        leaf = self.service.issued(csr, "ucm/tomcat-ECDSA")
        self.issued[leaf.serial_hex] = (leaf.der, time.monotonic())

    def revoke(self):
        waiting = [each for each in list(self.issued) if each not in self.revoked]
        if not waiting:
            time.sleep(0.005)
            return
        serial = random.choice(waiting)
        if self.service.revoke(serial, "superseded").status != 200:
            raise AssertionError("not revoked")
        self.revoked[serial] = time.monotonic()

    def publish(self):
        self.service.publish(ISSUER)
        self.published.append((self.service.crl(ISSUER).number, time.monotonic()))

    def start(self, least=20):
        for each in self.threads:
            each.start()
        wait_until(lambda: self.faults or len(self.issued) >= least and self.revoked and self.published, "the load is on")

    def end(self, kill):
        """What the clients meet from now on is that the service dies."""
        self.ending.set()
        kill()

    def stop(self):
        self.stopping.set()
        for each in self.threads:
            each.join(WAIT_S)
            if each.is_alive():
                self.faults.append(f"a client still waits after {WAIT_S} s")

    def acknowledged(self, before=None):
        """Serial -> octets, serials revoked, highest CRL number seen: what a client had before that moment."""
        end = time.monotonic() if before is None else before
        return ({serial: octets for serial, (octets, at) in self.issued.items() if at < end},
                {serial for serial, at in self.revoked.items() if at < end},
                max([number for number, at in self.published if at < end], default=0))


def lost(service, issued, revoked):
    """What was acknowledged and is not there, in words."""
    missing = [serial for serial, octets in issued.items() if service.api(f"/certificates/{serial}.der").body != octets]
    good = [serial for serial in revoked if service.api(f"/certificates/{serial}").json().get("status") != "revoked"]
    return [f"certificate {each}" for each in missing] + [f"revocation of {each}" for each in good]


def check(test, service, acknowledged, everything, faults=()):
    """All of it, in the running service. `everything`: serials that any client ever had; `faults`: of the load."""
    test.assertEqual(list(faults), [])
    issued, revoked, number = acknowledged
    test.assertEqual(lost(service, issued, revoked), [])
    test.assertGreaterEqual(service.crl(ISSUER).number, 1)
    run("openssl", "crl", "-in", service.crl_file(ISSUER), "-noout")
    service.publish(ISSUER)
    crl = service.crl(ISSUER)
    test.assertGreater(crl.number, number, "a CRL number comes twice")
    test.assertLessEqual(revoked, set(crl.entries))
    serials = service.serials()
    test.assertEqual(len(serials), len(set(serials)))
    fresh = service.issued(make_csr("ec-P-256", "/CN=fresh-EC.example.com"), "ucm/tomcat-ECDSA")
    test.assertNotIn(fresh.serial_hex, everything)
    check_ocsp(test, service, issued, revoked)
    test.assertIn(": 0 faults", service.chancery("store", "check").text)
    service.chancery("audit", "verify")


def check_ocsp(test, service, issued, revoked, most=3):
    """OCSP says what was acknowledged, by openssl."""
    issuer = service.ca_file(ISSUER)
    trust = service.ca_file("ec-root-g1", ISSUER)
    chosen = random.sample(sorted(revoked), min(most, len(revoked)))
    chosen += random.sample(sorted(set(issued) - revoked), min(most, len(set(issued) - revoked)))
    for serial in chosen:
        leaf = new_file(der_to_pem(issued[serial], "CERTIFICATE"), ".pem")
        said = run("openssl", "ocsp", "-issuer", issuer, "-cert", leaf, "-CAfile", trust,
                   "-url", f"http://127.0.0.1:{service.http_port}/ocsp").said
        status = service.api(f"/certificates/{serial}").json()["status"]
        test.assertIn(": revoked" if status == "revoked" else ": good", said)
        if serial in revoked:
            test.assertIn(": revoked", said)
