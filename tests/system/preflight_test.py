#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does the preflight name every rule that a request or a certificate breaks, and does issuing say the same?

REQUESTS and CERTIFICATES are tables: a rule, the profile, and what breaks the rule. The last test holds the
documented rules against these tables and the unit tests."""
import itertools
import json
import math
import pathlib
import re
import unittest

import der
from harness import DIGESTS, ROOT, WAIT_S, WORK, Service, ServiceTest, der_to_pem, key, make_csr, new_file, public_key, run, signed_request, utc_s

TOMCAT_KU = ["digitalSignature", "dataEncipherment"]
TOMCAT_EKU = ["serverAuth", "clientAuth"]
SUBJECT = der.common_name("cucm1.example.com")
EC_SUBJECT = der.common_name("cucm1-EC.example.com")
HASH_OIDS = {
    ("rsa", "md5"): "1.2.840.113549.1.1.4", ("rsa", "sha1"): "1.2.840.113549.1.1.5", ("rsa", "sha256"): "1.2.840.113549.1.1.11",
    ("rsa", "sha384"): "1.2.840.113549.1.1.12",
    ("ec", "sha256"): "1.2.840.10045.4.3.2", ("ec", "sha384"): "1.2.840.10045.4.3.3", ("ec", "sha512"): "1.2.840.10045.4.3.4",
}
KEY_USAGE, EXT_KEY_USAGE, CONSTRAINTS = "2.5.29.15", "2.5.29.37", "2.5.29.19"


def signature(kind, digest=None):
    """The AlgorithmIdentifier that goes with a kind of key."""
    digest = digest or DIGESTS.get(kind, "sha256")
    parameters = der.tlv(der.NULL) if kind.startswith("rsa") else b""
    return der.sequence(der.oid(HASH_OIDS[kind.split("-")[0], digest]), parameters), digest


def signed(info, kind, digest=None, name="shared"):
    algorithm, digest = signature(kind, digest)
    octets = run("openssl", "dgst", f"-{digest}", "-sign", key(kind, name), stdin=info).stdout
    return der.sequence(info, algorithm, der.tlv(der.BITS, b"\0", octets))


# ---- requests ----

def san(*names):
    return der.extension(der.SUBJECT_ALT_NAME, der.alt_names(*names))


def ku(*names):
    return der.extension(KEY_USAGE, der.key_usage(names))


def eku(*names):
    return der.extension(EXT_KEY_USAGE, der.extended_key_usage(names))


def request(*extensions, kind="rsa-2048", subject=SUBJECT, spki=None, name="shared", **options):
    info = der.request_info(subject, spki or public_key(key(kind, name)), extensions)
    return signed(info, kind, name=name, **options)


def of_version_2():
    return signed(der.sequence(der.tlv(der.INTEGER, b"\1"), SUBJECT, public_key(key("rsa-2048")), der.tlv(0xA0)), "rsa-2048")


def with_challenge():
    attribute = der.sequence(der.oid("1.2.840.113549.1.9.7"), der.tlv(der.SET, der.tlv(der.UTF8, b"secret")))
    return signed(der.sequence(der.tlv(der.INTEGER, b"\0"), SUBJECT, public_key(key("rsa-2048")), der.tlv(0xA0, attribute)), "rsa-2048")


def integer(value):
    return der.tlv(der.INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def rsa_spki(modulus, exponent=65537):
    """A public key that nobody has the private half of: the request's signature is wrong as well."""
    algorithm = der.sequence(der.oid("1.2.840.113549.1.1.1"), der.tlv(der.NULL))
    return der.sequence(algorithm, der.tlv(der.BITS, b"\0", der.sequence(integer(modulus), integer(exponent))))


def ec_spki_off_curve():
    octets = bytearray(public_key(key("ec-P-256")))
    octets[-1] ^= 1
    return bytes(octets)


def any_modulus():
    """That of a good key."""
    spki = der.Element(public_key(key("rsa-2048")))
    return int.from_bytes(der.Element(spki[1].body[1:])[0].body, "big")


def close_modulus():
    """A product of neighbours without a small factor: Fermat's method takes it apart at once."""
    small = math.prod(range(3, 1 << 16, 2))
    first, second = itertools.islice((each for each in itertools.count((3 << 1022) + 1, 2) if math.gcd(each, small) == 1), 2)
    return first * second


ATTRIBUTE_OU = ("2.5.4.11", der.UTF8, b"Unit")
FULL = (san("cucm1.example.com"), ku(*TOMCAT_KU), eku(*TOMCAT_EKU))

# rule -> (profile, octets of the request[, days]); each is good but for its fault.
REQUESTS = {
    "csr.version": lambda: ("ucm/tomcat", of_version_2()),
    "csr.signature": lambda: ("ucm/tomcat", signed_request(der.request_info(SUBJECT, public_key(key("rsa-2048"))), "rsa-2048", tamper=True)),
    "csr.hash": lambda: ("ucm/tomcat", request(digest="md5")),
    "csr.hash.weak": lambda: ("ucm/tomcat", request(digest="sha1")),
    "csr.hash.pairing": lambda: ("ucm/tomcat-ECDSA", request(kind="ec-P-384", subject=EC_SUBJECT, digest="sha256")),
    "csr.extension.malformed": lambda: ("ucm/tomcat", request(der.extension(KEY_USAGE, b"\x03\x01"))),
    "csr.extension.duplicate": lambda: ("ucm/tomcat", request(san("a.example.com"), san("a.example.com"))),
    "purpose.key-type": lambda: ("ucm/tomcat", request(kind="ec-P-384", subject=EC_SUBJECT)),
    "key.unsupported": lambda: ("ucm/tomcat", make_csr("ed25519").der),
    "key.too-small": lambda: ("ucm/tomcat", request(kind="rsa-1024")),
    "key.size": lambda: ("ucm/tomcat", request(kind="rsa-2560")),
    "key.too-large": lambda: ("ucm/tomcat", request(spki=rsa_spki(any_modulus() ** 2 * 2**1100 + 1))),
    "key.exponent": lambda: ("ucm/tomcat", request(spki=rsa_spki(any_modulus(), 4))),
    "key.small-factor": lambda: ("ucm/tomcat", request(spki=rsa_spki((any_modulus() >> 4 | 1) * 3))),
    "key.close-primes": lambda: ("ucm/tomcat", request(spki=rsa_spki(close_modulus()))),
    "key.curve": lambda: ("ucm/tomcat-ECDSA", request(kind="ec-secp256k1", subject=EC_SUBJECT)),
    "key.point": lambda: ("ucm/tomcat-ECDSA", request(kind="ec-P-256", subject=EC_SUBJECT, spki=ec_spki_off_curve())),
    "usage.key.missing": lambda: ("ucm/tomcat", request(ku("digitalSignature"))),
    "usage.key.forbidden": lambda: ("ucm/tomcat", request(ku(*TOMCAT_KU, "nonRepudiation"))),
    "usage.ext.missing": lambda: ("ucm/tomcat", request(eku("serverAuth"))),
    "usage.ext.forbidden": lambda: ("ucm/tomcat", request(eku(*TOMCAT_EKU, "codeSigning"))),
    "usage.ext.unknown": lambda: ("ucm/tomcat", request(eku(*TOMCAT_EKU, "1.2.3.4.5"))),
    "usage.data-encipherment": lambda: ("ucm/tomcat", request(ku("digitalSignature"))),
    "usage.rfc8813": lambda: ("ucm/tomcat-ECDSA", request(kind="ec-P-384", subject=EC_SUBJECT)),
    "ca.requested": lambda: ("ucm/tomcat", request(der.extension(CONSTRAINTS, der.sequence(der.tlv(der.BOOLEAN, b"\xff"))))),
    "subject.empty": lambda: ("ucm/tomcat", request(san("a.example.com"), subject=der.name())),
    "name.nul": lambda: ("ucm/tomcat", request(subject=der.common_name("a.example.com\0.evil.com"))),
    "name.cn.missing": lambda: ("ucm/tomcat", request(subject=der.name(("2.5.4.10", der.UTF8, b"Example")))),
    "name.cn.count": lambda: ("ucm/tomcat", request(subject=der.name(*[("2.5.4.3", der.UTF8, b"a.example.com")] * 2))),
    "name.cn.length": lambda: ("ucm/tomcat", request(subject=der.common_name("x" * 61 + ".com"))),
    "name.cn.comma": lambda: ("general/client", request(subject=der.common_name("Doe, Jane"))),
    "name.wildcard": lambda: ("ucm/tomcat", request(san("*.example.com"))),
    "name.ec": lambda: ("ucm/tomcat-ECDSA", request(kind="ec-P-384")),
    "name.ms": lambda: ("ucm/tomcat", request(san("cucm1.example.com", "cucm2.example.com"))),
    "name.capf": lambda: ("ucm/CAPF", request()),
    "name.lsc": lambda: ("phone/LSC", request()),
    "name.label.reserved": lambda: ("ucm/tomcat", request(san("cucm1.example.com", "ab--cd.example.com"))),
    "san.from-cn": lambda: ("ucm/tomcat", request()),
    "san.missing": lambda: ("ucm/tomcat", request(subject=der.common_name("not a host"))),
    "san.count": lambda: ("ucm/tomcat", request(san(*(f"h{i}.example.com" for i in range(1001))))),
    "san.type": lambda: ("ucm/tomcat", request(san((0x86, b"http://a.example.com/")))),
    "san.syntax": lambda: ("ucm/tomcat", request(san("-a-.example.com"))),
    "san.underscore": lambda: ("ucm/tomcat", request(san("cucm1.example.com", "cu_cm.example.com"))),
    "san.ip": lambda: ("phone/LSC", request(san((0x87, b"\x0a\0\0\1")))),
    "san.ip.as-name": lambda: ("ucm/tomcat", request(san("cucm1.example.com", "10.0.0.1"))),
    "san.duplicate": lambda: ("ucm/tomcat", request(san("cucm1.example.com", "CUCM1.example.com"))),
    "profile.multi-server": lambda: ("ucce/host", request(san("a.example.com", "b.example.com"))),
    "days.too-long": lambda: ("ucm/tomcat", request(), 1826),
    "extension.ignored": lambda: ("ucm/tomcat", request(der.extension("2.5.29.14", der.tlv(der.OCTETS, b"1234")))),
    "challenge.ignored": lambda: ("ucm/tomcat", with_challenge()),
}


# ---- certificates of a CA that is not ours ----

LONG_AGO, SOON, LATER = (0x17, b"250101000000Z"), (0x17, b"490101000000Z"), (0x17, b"491231000000Z")


def forge(subject, spki, extensions=(), issuer=der.common_name("Other CA"), signer="rsa-3072", signer_name="other ca", times=(LONG_AGO, SOON), digest=None, version=2, outer=None):
    """A certificate, every octet of it as wanted; openssl signs it."""
    algorithm, digest = signature(signer, digest)
    tbs = der.sequence(
        der.tlv(0xA0, integer(version)) if version else b"", der.tlv(der.INTEGER, b"\x11\x22"), algorithm, issuer,
        der.sequence(*(der.tlv(tag, text) for tag, text in times)), subject, spki,
        der.tlv(0xA3, der.sequence(*extensions)) if extensions else b"",
    )
    octets = run("openssl", "dgst", f"-{digest}", "-sign", key(signer, signer_name), stdin=tbs).stdout
    return der.sequence(tbs, outer or algorithm, der.tlv(der.BITS, b"\0", octets))


def ca_extensions():
    return (der.extension(CONSTRAINTS, der.sequence(der.tlv(der.BOOLEAN, b"\xff")), critical=True), ku("keyCertSign", "cRLSign"))


def other_ca(kind="rsa-3072", name="other ca", subject=der.common_name("Other CA"), **options):
    return forge(subject, public_key(key(kind, name)), ca_extensions(), subject, kind, name, **options)


def chain_of_two(digest, root_digest):
    """An authority below a root, each signed over its own hash."""
    root = der.common_name("Old Root")
    authority = forge(der.common_name("Other CA"), public_key(key("rsa-3072", "other ca")), ca_extensions(), root, signer_name="old root", digest=digest)
    return pem(authority, other_ca(name="old root", subject=root, digest=root_digest))


def pem(*certificates):
    return "".join(der_to_pem(each, "CERTIFICATE") for each in certificates).encode()


def spki(kind="rsa-2048", name="shared"):
    return public_key(key(kind, name))


def leaf(*extensions, subject=SUBJECT, kind="rsa-2048", **options):
    return pem(forge(subject, spki(kind), extensions or FULL, **options))


def under(kind):
    """A certificate and the authority that issued it, on a key of this kind."""
    return tomcat(leaf(signer=kind, signer_name="other ca") + pem(other_ca(kind)))


def tomcat(answer):
    """(profile, request, certificate file): most faults show with this one."""
    return "ucm/tomcat", request(*FULL), answer


def lsc(*certificate_extensions):
    subject = der.name(("2.5.4.5", 0x13, b"PID:CP-8861 SN:FCH12345678"), ("2.5.4.3", der.UTF8, b"CP-8861-SEP001122334455"))
    return "phone/LSC", request(subject=subject), leaf(*certificate_extensions, subject=subject)


def capf(*certificate_extensions):
    subject = der.common_name("CAPF-0a1b2c3d")
    return "ucm/CAPF", request(subject=subject), leaf(*certificate_extensions, subject=subject)


def shuffled():
    """The same subject in another order."""
    asked = der.name(("2.5.4.10", der.UTF8, b"Example"), ("2.5.4.3", der.UTF8, b"cucm1.example.com"))
    given = der.name(("2.5.4.3", der.UTF8, b"cucm1.example.com"), ("2.5.4.10", der.UTF8, b"Example"))
    return "ucm/tomcat", request(*FULL, subject=asked), leaf(subject=given)


def without_ou():
    asked = der.name(ATTRIBUTE_OU, ("2.5.4.3", der.UTF8, b"cucm1.example.com"))
    return "ucm/tomcat", request(*FULL, subject=asked), leaf()


def in_pkcs7():
    path = new_file(leaf(), ".pem")
    return run("openssl", "crl2pkcs7", "-nocrl", "-certfile", path).stdout


CERTIFICATES = {
    "format": lambda: tomcat(leaf().replace(b"\n", b"\r\n")),
    "format.chain": lambda: tomcat(leaf() + pem(other_ca())),
    "key.mismatch": lambda: tomcat(pem(forge(SUBJECT, spki(name="another"), FULL))),
    "san.mismatch": lambda: tomcat(leaf(san("cucm2.example.com"), *FULL[1:])),
    "subject.mismatch": lambda: tomcat(leaf(subject=der.common_name("cucm2.example.com"))),
    "subject.encoding": shuffled,
    "subject.ou": without_ou,
    "chain.missing": lambda: tomcat(leaf()),
    "chain.key-type": lambda: ("ucm/tomcat-ECDSA", request(*FULL, kind="ec-P-384", subject=EC_SUBJECT),
                               leaf(subject=EC_SUBJECT, kind="ec-P-384")),
    "certificate.hash": lambda: tomcat(leaf(digest="md5")),
    "certificate.hash.weak": lambda: tomcat(leaf(digest="sha1")),
    "key.ca-small": lambda: under("rsa-1024"),
    "key.ca-size": lambda: under("rsa-4096"),
    "trust.duplicate-dn": lambda: tomcat(leaf() + pem(other_ca(), other_ca(name="renewed ca"))),
    "validity.expired": lambda: tomcat(leaf(times=(LONG_AGO, (0x17, b"250201000000Z")))),
    "validity.early": lambda: tomcat(leaf(times=(SOON, LATER))),
    "time.format": lambda: tomcat(leaf(times=(LONG_AGO, (0x18, b"20490101000000Z")))),
    "extension.critical": lambda: tomcat(leaf(*FULL[:2], der.extension(EXT_KEY_USAGE, der.extended_key_usage(TOMCAT_EKU), critical=True))),
    "usage.key.mismatch": lambda: tomcat(leaf(FULL[0], ku("digitalSignature", "dataEncipherment", "keyEncipherment"), FULL[2])),
    "usage.data-encipherment": lambda: tomcat(leaf(FULL[0], ku("digitalSignature"), FULL[2])),
    "usage.key.lost": lambda: ("ucm/tomcat", request(), leaf(ku("digitalSignature"), FULL[2])),
    "usage.ext.lost": lambda: tomcat(leaf(*FULL[:2], eku("serverAuth"))),
    "usage.ext.mismatch": lambda: tomcat(leaf(*FULL[:2], eku(*TOMCAT_EKU, "ipsecEndSystem"))),
    "eku.client": lambda: ("expressway/server", request(), leaf(ku("digitalSignature", "keyEncipherment"), eku("serverAuth"))),
    "cc.eku": lambda: tomcat(leaf(*FULL[:2])),
    "capf.not-a-ca": lambda: capf(ku("digitalSignature", "keyCertSign"), eku("serverAuth")),
    "ca.unexpected": lambda: tomcat(leaf(*FULL, ca_extensions()[0])),
    "lsc.usage": lambda: lsc(ku("digitalSignature"), eku("clientAuth")),
    "name.wildcard": lambda: tomcat(leaf(san("*.example.com"), *FULL[1:])),
    "key.too-large": lambda: tomcat(pem(forge(SUBJECT, rsa_spki(2**5119 + 12345), FULL))),
}

# What the products print (docs/products.md, 5).
PRINTED = {
    "san.mismatch": "CSR SAN and Certificate SAN does not match",
    "key.mismatch": "CSR public key and Certificate public key do not match",
    "chain.missing": "CA certificate is not available in the trust-store",
    "format": "Certificate is not in PEM format",
}


def documented():
    """{rule: severity} out of docs/rules.md."""
    text = (ROOT / "docs/rules.md").read_text()
    return dict(re.findall(r"^\| `([a-z0-9.-]+)` \| (refuse|warn|note) \|", text, re.MULTILINE))


class Preflight(ServiceTest):
    def verdict(self, profile, csr, days=None, certificate=None):
        path = f"/preflight?profile={profile}" + (f"&days={days}" if days else "")
        body, headers = csr, {"Content-Type": "application/pkcs10"}
        if certificate is not None:
            body = json.dumps({"csr": der_to_pem(csr, "CERTIFICATE REQUEST"), "certificate": certificate.decode("latin-1")})
            headers = {"Content-Type": "application/json"}
        return self.assert_status(self.service.api(path, "POST", body, headers), 200).json()

    def assert_found(self, verdict, rule):
        """It is there, with its documented severity and whole; the verdict follows from the findings."""
        [finding, *_] = [each for each in verdict["findings"] if each["rule"] == rule] or [None]
        self.assertIsNotNone(finding, f"{rule}: {verdict['findings']}")
        self.assertEqual(finding["severity"], documented()[rule])
        for member in ("field", "got", "want", "message", "fix"):
            self.assertIn(member, finding)
        self.assertTrue(finding["message"] and finding["fix"], finding)
        self.assertEqual(verdict["accepted"], all(each["severity"] != "refuse" for each in verdict["findings"]))
        return finding

    # ---- requests ----

    def test_every_request_that_breaks_a_rule_is_told_so(self):
        for rule, make in REQUESTS.items():
            with self.subTest(rule=rule):
                self.assert_found(self.verdict(*make()), rule)

    def test_a_good_request_is_accepted_without_a_word(self):
        verdict = self.verdict("ucm/tomcat", request(*FULL, name="nothing wrong"))
        self.assertEqual((verdict["accepted"], verdict["findings"]), (True, []))

    def test_issuing_refuses_with_the_findings_of_the_preflight(self):
        refused = 0
        for rule, make in REQUESTS.items():
            profile, csr, *days = make()
            verdict = self.verdict(profile, csr, *days)
            if verdict["accepted"]:
                continue
            refused += 1
            with self.subTest(rule=rule):
                answer = self.service.issue(csr, profile, **({"days": days[0]} if days else {}))
                self.assertEqual(self.assert_problem(answer, 422)["findings"], verdict["findings"])
        self.assertGreater(refused, 25)

    def test_all_findings_are_told_not_the_first(self):
        csr = signed_request(der.request_info(der.common_name("a\0b, c"), spki(), (san("*.example.com", "a_b.example.com"), ku("cRLSign"))),
                             "rsa-2048", tamper=True)
        rules = {each["rule"] for each in self.verdict("ucm/tomcat", csr, 4000)["findings"]}
        self.assertLessEqual({"csr.signature", "name.nul", "name.wildcard", "san.underscore", "usage.key.missing", "usage.key.forbidden",
                              "usage.data-encipherment", "days.too-long"}, rules)

    def test_a_request_signed_before_is_stale(self):
        csr = make_csr(name="signed twice", subject="/CN=twice.example.com")
        self.assertNotIn("csr.stale", [each["rule"] for each in self.verdict("ucm/tomcat", csr.der)["findings"]])
        self.service.issued(csr, "ucm/tomcat")
        verdict = self.verdict("ucm/tomcat", csr.der)
        self.assertTrue(verdict["accepted"])
        self.assert_found(verdict, "csr.stale")
        again = make_csr(name="signed twice", subject="/CN=twice.example.com", sans=["twice.example.com"])
        self.assertNotIn("csr.stale", [each["rule"] for each in self.verdict("ucm/tomcat", again.der)["findings"]], "another request")

    def test_a_key_that_was_compromised_or_belongs_to_another(self):
        first = self.service.issued(make_csr(name="spoilt", subject="/CN=spoilt.example.com"), "ucm/tomcat")
        other = make_csr(name="spoilt", subject="/CN=other.example.com")
        self.assert_found(self.verdict("ucm/tomcat", other.der), "key.reused")
        self.service.revoke(first.serial_hex, "keyCompromise")
        self.assert_found(self.verdict("ucm/tomcat", other.der), "key.compromised")

    def test_the_request_is_decoded(self):
        subject = der.name(("2.5.4.6", 0x13, b"PL"), ("2.5.4.10", der.UTF8, b"Example"), ("2.5.4.3", der.UTF8, b"cucm1.example.com"))
        asked = self.verdict("ucm/tomcat", request(*FULL, subject=subject))["request"]
        self.assertEqual([(each["type"], each["value"]) for each in asked["rdns"]],
                         [("C", "PL"), ("O", "Example"), ("CN", "cucm1.example.com")])
        self.assertEqual((asked["key"], asked["signature_hash"]), ({"type": "rsa", "bits": 2048}, "SHA-256"))
        self.assertEqual((asked["sans"], asked["ku"], asked["eku"]), (["cucm1.example.com"], TOMCAT_KU, TOMCAT_EKU))
        self.assertFalse(asked["asks_ca"])

    def test_what_would_be_issued_is_what_is_issued(self):
        for profile, kind, subject in (("ucm/tomcat", "rsa-2048", SUBJECT), ("ucm/tomcat-ECDSA", "ec-P-384", EC_SUBJECT)):
            csr = request(*FULL, kind=kind, subject=subject)
            would = self.verdict(profile, csr, 30)["would_issue"]
            issued = self.service.issue(csr, profile, "application/json", days=30).json()
            for member in ("issuer", "subject", "sans", "key"):
                self.assertEqual(would[member], issued[member], member)
            text = run("openssl", "x509", "-noout", "-text", stdin=issued["pem"].encode()).text
            for url in would["urls"].values():
                self.assertIn(f"URI:{url}", text)
            self.assertEqual((would["ku"], would["eku"], would["basic_constraints"]["ca"]), (TOMCAT_KU, TOMCAT_EKU, False))
            passed_s = utc_s(issued["not_before"], "%Y-%m-%dT%H:%M:%SZ") - utc_s(would["not_before"], "%Y-%m-%dT%H:%M:%SZ")
            self.assertTrue(0 <= passed_s <= WAIT_S, passed_s)

    # ---- certificates ----

    def test_every_certificate_that_breaks_a_rule_is_told_so(self):
        for rule, make in CERTIFICATES.items():
            with self.subTest(rule=rule):
                profile, csr, certificate = make()
                finding = self.assert_found(self.verdict(profile, csr, None, certificate), rule)
                self.assertIn(PRINTED.get(rule, ""), finding["message"])

    def test_a_good_certificate_of_another_ca_has_its_chain_missing_alone(self):
        verdict = self.verdict(*tomcat(None)[:2], None, leaf())
        self.assertEqual([each["rule"] for each in verdict["findings"]], ["chain.missing"])
        self.assertTrue(verdict["accepted"])
        self.assertIn("Other CA", verdict["upload"][0]["what"])

    def test_a_chain_that_came_along_is_found_by_signature_not_by_name(self):
        verdict = self.verdict(*tomcat(None)[:2], None, leaf() + pem(other_ca()))
        self.assertEqual([each["rule"] for each in verdict["findings"]], ["format.chain"])
        impostor = self.verdict(*tomcat(None)[:2], None, leaf() + pem(other_ca(name="renewed ca")))
        self.assertIn("chain.missing", [each["rule"] for each in impostor["findings"]])

    def test_a_hash_is_told_of_the_leaf_and_of_each_authority_but_the_root(self):
        for digests, expected in ((("sha256", "sha256", "sha1"), []), (("sha256", "sha1", "sha256"), ["certificate.hash.weak"]),
                                  (("sha256", "md5", "md5"), ["certificate.hash"]), (("sha1", "md5", "sha256"), ["certificate.hash", "certificate.hash.weak"])):
            with self.subTest(digests=digests):
                verdict = self.verdict(*tomcat(None)[:2], None, leaf(digest=digests[0]) + chain_of_two(*digests[1:]))
                self.assertEqual([each["rule"] for each in verdict["findings"]], ["format.chain", *expected])
                self.assertEqual(verdict["certificate"]["signature_hash"], {"sha256": "SHA-256", "sha1": "SHA-1"}[digests[0]])
        self.assertEqual(self.verdict("ucm/tomcat-ECDSA", request(kind="ec-P-384", subject=EC_SUBJECT))["would_issue"]["signature_hash"], "SHA-384")

    def test_an_authority_on_a_key_above_4096_bits_is_refused(self):
        for kind, expected in (("rsa-4096", ["format.chain", "key.ca-size"]), ("rsa-4104", ["format.chain", "key.too-large"]), ("rsa-3072", ["format.chain"])):
            verdict = self.verdict(*under(kind)[:2], None, under(kind)[2])
            self.assertEqual([each["rule"] for each in verdict["findings"]], expected)
            self.assertEqual(verdict["accepted"], "key.too-large" not in expected)

    def rules_of(self, *certificates):
        verdict = self.verdict(*tomcat(None)[:2], None, leaf(issuer=der.common_name("A"), signer="ec-P-256", signer_name="a last") + pem(*certificates))
        return [each["rule"] for each in verdict["findings"]]

    def test_a_path_that_takes_many_signatures_to_find_breaks_off(self):
        """CAs "A" certified by "B" and the other way round; the right one stands last, so that each level tries all of a name."""
        names = {"a": der.common_name("A"), "b": der.common_name("B"), "r": der.common_name("R")}

        def ca(which, number, by, by_number):
            return forge(names[which], spki("ec-P-256", f"{which} {number}"), ca_extensions(), names[by], "ec-P-256", f"{by} {by_number}")

        root = other_ca("ec-P-256", "r last", names["r"])
        above = [ca("b", "last", "a", "second"), ca("a", "second", "r", "last"), root]
        self.assertNotIn("chain.missing", self.rules_of(ca("a", "last", "b", "last"), *above))
        decoys = [ca(which, number, "r", "last") for which in "ab" for number in range(5)]
        self.assertNotIn("chain.missing", self.rules_of(*decoys, ca("a", "last", "b", "last"), *above))
        decoys = [ca("a", number, "r", "last") for number in range(11)]
        self.assertIn("chain.missing", self.rules_of(*decoys, ca("a", "last", "b", "last"), *above))

    def test_keys_that_are_dear_to_compute_with_verify_nothing(self):
        wide = WORK / "rsa-3072-wide.key"
        run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072", "-pkeyopt", f"rsa_keygen_pubexp:{2**64 + 13}", "-out", wide)
        found = {}
        for name in ("wide", "other ca"):
            octets = leaf(signer_name=name) + pem(other_ca(name=name))
            found[name] = [each["rule"] for each in self.verdict(*tomcat(None)[:2], None, octets)["findings"]]
        self.assertIn("chain.missing", found["wide"])
        self.assertNotIn("chain.missing", found["other ca"])
        explicit = forge(der.common_name("E"), spki("explicit-P-256"), ca_extensions())
        verdict = self.verdict(*tomcat(None)[:2], None, leaf() + pem(explicit))
        self.assertIn("no certificate", json.dumps(verdict["findings"]))

    def test_names_are_a_set_without_regard_to_case_or_order(self):
        csr = request(san("b.example.com", "A.example.com"), *FULL[1:])
        verdict = self.verdict("ucm/tomcat", csr, None, leaf(san("a.example.com", "B.example.com"), *FULL[1:]))
        self.assertNotIn("san.mismatch", [each["rule"] for each in verdict["findings"]])
        exempt = self.verdict("ucm/tomcat", request(*FULL[1:]), None, leaf(san("any.example.com"), *FULL[1:]))
        self.assertNotIn("san.mismatch", [each["rule"] for each in exempt["findings"]])

    def test_our_own_certificate_is_accepted_in_every_form(self):
        csr = make_csr(sans=["own.example.com"], subject="/CN=own.example.com", name="own")
        issued = self.service.issued(csr, "ucm/tomcat")
        for accept in ("/certificates/%s.pem", "/certificates/%s.der", "/certificates/%s-chain.pem"):
            octets = self.service.api(accept % issued.serial_hex).body
            with self.subTest(form=accept):
                done = self.check(csr.pem, "ucm/tomcat", octets)
                self.assertEqual(done.returncode, 0, done.said)
                self.assertIn("ACCEPTED", done.text)

    def test_how_the_file_is_written(self):
        good = leaf()
        for fault, octets in (("CRLF", good.replace(b"\n", b"\r\n")), ("outside", b"subject=CN = a\n" + good), ("outside", good + b"text\n"),
                              ("newline at the end", good[:-1]), ("64 columns", self.in_columns(good, 76)), ("PKCS#7", in_pkcs7()),
                              ("byte order mark", b"\xef\xbb\xbf" + good), ("no certificate", b"garbage\n")):
            with self.subTest(fault=fault):
                finding = self.assert_found(self.json_of(request(*FULL), octets), "format")
                self.assertIn(fault, finding["got"])

    def test_what_other_readers_cannot_parse_is_no_certificate(self):
        """Java is what the products' stores read with; GnuTLS is held to the same RFC. The last is one that Go cannot parse."""
        policies = der.extension("2.5.29.32", der.sequence(der.sequence(der.oid("2.23.140.1.2.1"))))
        key_id = der.extension("2.5.29.14", der.tlv(der.OCTETS, b"01234567890123456789"))
        for got, octets, refusing in (
                ("Certificate Policies twice", leaf(*FULL, policies, policies), "keytool certtool"),
                ("Subject Key Identifier twice", leaf(*FULL, key_id, key_id), "keytool certtool"),
                ("signature algorithms differ", leaf(outer=signature("rsa-3072", "sha384")[0]), "keytool certtool"),
                ("version 1 with extensions", leaf(version=0), "keytool certtool"),
                ("Subject Key Identifier has another form", leaf(*FULL, der.extension("2.5.29.14", b"0123")), "")):
            path = new_file(octets, ".pem")
            readers = {"keytool": ("-printcert", "-file", path), "certtool": ("--certificate-info", "--infile", path)}
            with self.subTest(got=got):
                for name in refusing.split():
                    self.assertNotEqual(run(name, *readers[name], check=False).returncode, 0, name)
                finding = self.assert_found(self.json_of(request(*FULL), octets), "format")
                self.assertIn(got, finding["got"])
        good = new_file(leaf(*FULL, policies, key_id), ".pem")
        self.assertNotIn("format", [each["rule"] for each in self.json_of(request(*FULL), leaf(*FULL, policies, key_id))["findings"]])
        for name, arguments in (("keytool", ("-printcert", "-file", good)), ("certtool", ("--certificate-info", "--infile", good))):
            self.assertEqual(run(name, *arguments, check=False).returncode, 0, name)

    def test_the_rest_is_held_even_when_the_file_is_badly_written(self):
        bad = leaf(san("cucm2.example.com"), *FULL[1:])
        for octets in (bad.replace(b"\n", b"\r\n"), b"text\n" + bad, run("openssl", "crl2pkcs7", "-nocrl", "-certfile", new_file(bad)).stdout):
            rules = [each["rule"] for each in self.json_of(request(*FULL), octets)["findings"]]
            self.assertLessEqual({"format", "san.mismatch"}, set(rules))

    def test_octets_that_nobody_meant(self):
        good = der.Element(leaf_der())
        for octets in (leaf_der()[:-1], leaf_der() + b"\0", b"\x30\x82\xff\xff", b"\x30" * 4000, good.body, b"\0" * 40000):
            with self.subTest(octets=octets[:8]):
                self.assert_found(self.json_of(request(*FULL), octets), "format")
        for at in range(0, len(leaf_der()), 7):  # one octet changed: a verdict in every case
            spoilt = bytearray(leaf_der())
            spoilt[at] ^= 0x20
            self.json_of(request(*FULL), bytes(spoilt))

    def test_a_body_that_is_no_question(self):
        headers = {"Content-Type": "application/json"}
        secret = pathlib.Path(key("rsa-2048")).read_text()
        good = der_to_pem(request(*FULL), "CERTIFICATE REQUEST")
        for body in ("", "{}", "[]", '{"csr": 7}', '{"csr": "x"}', json.dumps({"csr": good, "certificate": 7}),
                     json.dumps({"csr": good, "certificate": secret}), json.dumps({"csr": good})[:-1],
                     json.dumps({"csr": good, "key": secret}), json.dumps({"csr": good, "days": 3})):
            with self.subTest(body=body[:30]):
                self.assert_problem(self.service.api("/preflight?profile=ucm/tomcat", "POST", body, headers), 400)

    def test_a_certificate_is_looked_at_whatever_the_type_says(self):
        body = json.dumps({"csr": der_to_pem(request(*FULL), "CERTIFICATE REQUEST"), "certificate": "no certificate at all"})
        for type_ in ("application/json", "application/x-www-form-urlencoded", None):
            with self.subTest(type_):
                answer = self.service.api("/preflight?profile=ucm/tomcat", "POST", body, {"Content-Type": type_} if type_ else {})
                verdict = self.assert_status(answer, 200).json()
                self.assertFalse(verdict["accepted"])
                self.assertIsNone(verdict["certificate"])

    # ---- the plan ----

    def test_root_and_issuing_ca_go_before_the_certificate(self):
        stores = {
            "ucm/tomcat": ["tomcat-trust"] * 2 + ["tomcat"], "ucm/CallManager": ["CallManager-trust"] * 2 + ["CallManager"],
            "ucm/ipsec": ["ipsec-trust"] * 2 + ["ipsec"], "ucm/TVS": ["TVS-trust"] * 2 + ["TVS"], "imp/cup": ["cup-trust"] * 2 + ["cup"],
            "ucm/CAPF": ["CAPF-trust"] * 2 + ["CallManager-trust"] * 2 + ["CAPF"],
            "imp/cup-xmpp-s2s": ["cup-xmpp-trust"] * 2 + ["cup-xmpp-s2s"], "vos/tomcat": ["tomcat-trust"] * 2 + ["tomcat"],
            "uccx/tomcat-ECDSA": ["tomcat-trust"] * 2 + ["tomcat-ECDSA"],
            "phone/LSC": ["CAPF-trust"] * 2 + ["CallManager-trust"] * 2,
        }
        for profile, expected in stores.items():
            with self.subTest(profile=profile):
                plan = self.verdict(profile, request())["upload"]
                uploads = [each for each in plan if each["action"] == "upload"]
                self.assertEqual([each["to"] for each in uploads], expected)
                self.assertIn("Root", uploads[0]["what"])
                self.assertIn("Issuing", uploads[1]["what"])
                self.assertEqual([each["step"] for each in plan], list(range(1, len(plan) + 1)))

    def test_an_ecdsa_purpose_goes_under_the_ec_hierarchy(self):
        plan = self.verdict("ucm/tomcat-ECDSA", request(kind="ec-P-384", subject=EC_SUBJECT))["upload"]
        self.assertEqual([each["to"] for each in plan[:3]], ["tomcat-trust", "tomcat-trust", "tomcat-ECDSA"])
        self.assertTrue(plan[0]["url"].endswith("/ca/ec-root-g1.pem"))
        shown = self.service.plain(plan[0]["url"].removeprefix(self.service.public_url))
        self.assertEqual(shown.status, 200)

    def test_no_plan_takes_what_phones_trust_down_together(self):
        guarded = ({"Cisco CallManager"}, {"Cisco Trust Verification Service"})
        for profile in self.service.api("/profiles").json()["items"]:
            plan = self.verdict(profile["id"], request())["upload"]
            restarts = {each["what"] for each in plan if each["action"] == "restart"}
            self.assertLessEqual(sum(bool(restarts & each) for each in guarded), 1, profile["id"])
            if restarts & (guarded[0] | guarded[1]):
                self.assertIn("ITLRecovery", " ".join(each["text"] for each in plan if each["action"] == "caution"))

    # ---- the command ----

    def check(self, csr, profile, certificate=None, *options):
        words = ["csr", "check", new_file(csr, ".csr"), "--profile", profile, *options]
        if certificate is not None:
            words += ["--certificate", new_file(certificate, ".pem")]
        return self.service.chancery(*words, check=False)

    def json_of(self, csr, certificate, profile="ucm/tomcat"):
        """By the command line, whatever octets the file holds."""
        done = self.check(csr, profile, certificate, "--output", "json")
        self.assertIn(done.returncode, (0, 3), done.said)
        verdict = json.loads(done.text)
        self.assertEqual(done.returncode, 0 if verdict["accepted"] else 3)
        return verdict

    def in_columns(self, text, width):
        body = "".join(text.decode().split("-----")[2].split())
        lines = [body[i : i + width] for i in range(0, len(body), width)]
        return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""]).encode()

    def test_people_read_the_verdict_first_and_the_plan_last(self):
        done = self.check(request(san("*.example.com"), *FULL[1:]), "ucm/CallManager")
        self.assertEqual(done.returncode, 3)
        lines = done.text.splitlines()
        self.assertEqual(lines[0], "REFUSED for ucm/CallManager")
        self.assertTrue(lines[1].startswith("refuse  name.wildcard"), lines[1])
        self.assertLess(done.text.index("the request"), done.text.index("upload, in this order"))
        self.assertIn("fix: ", done.text)
        self.assertIn("caution", done.text)
        self.assertNotIn("\x1b", done.text, "no colour in a pipe")

    def test_the_command_and_the_interface_say_the_same(self):
        csr, certificate = request(*FULL), leaf(san("cucm2.example.com"), *FULL[1:])
        self.assertEqual(self.json_of(csr, certificate)["findings"], self.verdict("ucm/tomcat", csr, None, certificate)["findings"])


def leaf_der():
    return forge(SUBJECT, spki(), FULL)


class Documentation(unittest.TestCase):
    def test_every_documented_rule_has_a_test_that_breaks_it(self):
        units = "".join(each.read_text() for each in (ROOT / "tests").rglob("*_test.*")
                        if each.suffix in (".c", ".py") and each.name != "rule_test.c")
        for rule in documented():
            self.assertIn(f'"{rule}"', units, "a rule that nothing breaks")


if __name__ == "__main__":
    unittest.main()
