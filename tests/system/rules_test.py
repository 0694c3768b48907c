#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every rule a request can break, broken by one that a stranger could send, over HTTPS: refused by that rule's name,
or warned of by it. At the end no rule of docs/rules.md may be left without a test."""
import json
import pathlib
import re
import secrets
import unittest

import der
from harness import ROOT, ServiceTest, key, make_csr, pem_to_der, public_key, signed_request

RULES = re.findall(r"^\| `([^`]+)` \| (\w+) \|", (ROOT / "docs/rules.md").read_text(), re.MULTILINE)
HOST = der.common_name("cucm1.example.com")
RSA_OID = "1.2.840.113549.1.1.1"


def small_primes(limit):
    return [n for n in range(2, limit) if all(n % d for d in range(2, int(n**0.5) + 1))]


SMALL = small_primes(8192)


def sound(bits):
    """A random number without small factors: for a modulus it does."""
    while True:
        n = secrets.randbits(bits) | 3 << bits - 2 | 1
        if all(n % p for p in SMALL):
            return n


def rsa_spki(modulus, exponent=65537):
    def integer(value):
        return der.tlv(der.INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))

    numbers = der.sequence(integer(modulus), integer(exponent))
    return der.sequence(der.sequence(der.oid(RSA_OID), der.tlv(der.NULL)), der.tlv(der.BITS, b"\0", numbers))


def roca_modulus():
    product = 1
    for p in SMALL:
        if p <= 701:
            product *= p

    def prime():
        while True:
            p = (secrets.randbits(50) | 1 << 53) * product + pow(65537, secrets.randbits(64), product)
            if all(p % q for q in SMALL):
                return p

    while True:
        n = prime() * prime()
        if n.bit_length() == 2048:
            return n


def close_modulus():
    p = sound(1024)
    q = p + (1 << 500)
    while not all(q % s for s in SMALL):
        q += 1
    return p * q


def off_curve(spki):
    return spki[:-1] + bytes([spki[-1] ^ 1])


def compressed(spki):
    """The same point in the form of RFC 5480 2.2 that not every product reads."""
    whole = der.Element(spki)
    point = whole[1].body[1:]
    half = bytes([2 + (point[-1] & 1)]) + point[1 : 1 + len(point) // 2]
    return der.sequence(whole[0].whole, der.tlv(der.BITS, b"\0", half))


def asks(subject=HOST, kind="rsa-2048", extensions=(), spki=None, **how):
    """A request whose key may be another than the one that signs: a weak key is found without its signature."""
    return signed_request(der.request_info(subject, spki or public_key(key(kind)), extensions), kind, **how)


def sans(*names):
    return [der.extension(der.SUBJECT_ALT_NAME, der.alt_names(*names))]


def ku(*names):
    return [der.extension(der.KEY_USAGE, der.key_usage(names))]


def eku(*names):
    return [der.extension(der.EXTENDED_KEY_USAGE, der.extended_key_usage(names))]


def padded_csr(data, version):
    """The same request with another version number: its signature is then wrong too."""
    return data.replace(b"\x02\x01\x00", b"\x02\x01" + bytes([version]), 1)


# What is refused: rule, profile, the request.
REFUSED = [
    ("csr.version", "ucm/tomcat", lambda: padded_csr(asks(), 7)),
    ("csr.signature", "ucm/tomcat", lambda: asks(tamper=True)),
    ("csr.hash", "ucm/tomcat", lambda: make_csr(digest="md5").der),
    ("csr.hash.not-permitted", "phone/LSC", lambda: make_csr(digest="sha1").der),
    ("csr.extension.malformed", "ucm/tomcat", lambda: asks(extensions=[der.extension(der.SUBJECT_ALT_NAME, b"\x30\x80\0\0")])),
    ("csr.extension.duplicate", "ucm/tomcat", lambda: asks(extensions=sans("a.example.com") * 2)),
    ("purpose.key-type", "ucm/tomcat", lambda: asks(kind="ec-P-256")),
    ("key.unsupported", "ucm/tomcat", lambda: make_csr("ed25519").der),
    ("key.too-small", "ucm/tomcat", lambda: make_csr("rsa-1024").der),
    ("key.too-large", "ucm/tomcat", lambda: asks(spki=rsa_spki(sound(4608)))),
    ("key.size", "ucm/tomcat", lambda: asks(spki=rsa_spki(sound(2560)))),
    ("key.exponent", "ucm/tomcat", lambda: asks(spki=rsa_spki(sound(2048), 1))),
    ("key.curve", "ucm/tomcat-ECDSA", lambda: make_csr("ec-P-224").der),
    ("key.small-factor", "ucm/tomcat", lambda: asks(spki=rsa_spki(3 * sound(2046)))),
    ("key.close-primes", "ucm/tomcat", lambda: asks(spki=rsa_spki(close_modulus()))),
    ("key.roca", "ucm/tomcat", lambda: asks(spki=rsa_spki(roca_modulus()))),
    ("key.point", "ucm/tomcat-ECDSA", lambda: asks(kind="ec-P-256", spki=off_curve(public_key(key("ec-P-256"))))),
    ("key.point.compressed", "ucm/tomcat-ECDSA", lambda: asks(kind="ec-P-256", spki=compressed(public_key(key("ec-P-256"))))),
    ("usage.key.missing", "ucm/tomcat", lambda: asks(extensions=ku("digitalSignature"))),
    ("usage.key.forbidden", "ucm/tomcat", lambda: asks(extensions=ku("digitalSignature", "dataEncipherment", "cRLSign"))),
    ("usage.ext.missing", "ucm/tomcat", lambda: asks(extensions=eku("serverAuth"))),
    ("eku.client", "expressway/server", lambda: asks(extensions=eku("serverAuth"))),
    ("lsc.usage", "phone/LSC", lambda: asks(extensions=ku("digitalSignature"))),
    ("usage.ext.forbidden", "ucm/tomcat", lambda: asks(extensions=eku("serverAuth", "clientAuth", "codeSigning"))),
    ("usage.ext.unknown", "ucm/tomcat", lambda: asks(extensions=eku("serverAuth", "clientAuth", "1.2.3.4"))),
    ("ca.requested", "ucm/tomcat", lambda: asks(extensions=[der.extension(der.BASIC_CONSTRAINTS, der.sequence(b"\x01\x01\xff"), True)])),
    ("subject.empty", "general/server", lambda: asks(der.name(), extensions=sans("a.example.com"))),
    ("name.nul", "ucm/tomcat", lambda: asks(der.common_name(b"a\0b"))),
    ("name.cn.missing", "ucm/tomcat", lambda: asks(der.name(("2.5.4.10", der.UTF8, b"Example")))),
    ("name.cn.count", "general/server", lambda: asks(der.name(("2.5.4.3", der.UTF8, b"*.bank.test"), ("2.5.4.3", der.UTF8, b"a.example.com")))),
    ("name.cn.length", "ucm/tomcat", lambda: asks(der.common_name("x" * 65))),
    ("name.wildcard", "ucm/tomcat", lambda: asks(extensions=sans("*.example.com"))),
    ("name.host", "expressway/server", lambda: asks(der.common_name("Our Expressway"))),
    ("name.idn", "ucm/tomcat", lambda: asks(extensions=sans("bücher.example.com"))),
    ("name.idn.label", "ucm/tomcat", lambda: asks(extensions=sans("xn--a.example.com"))),
    ("san.count", "ucm/tomcat", lambda: asks(extensions=sans(*(f"n{i}.example.com" for i in range(1001))))),
    ("san.type", "ucm/tomcat", lambda: asks(extensions=sans((0x81, b"a@example.com")))),
    ("san.syntax", "ucm/tomcat", lambda: asks(extensions=sans("a.example.com."))),
    ("san.ip", "phone/LSC", lambda: asks(extensions=sans((0x87, b"\xc0\0\2\1")))),
    ("lint.string-type", "ucm/tomcat", lambda: asks(der.common_name("a@b", der.PRINTABLE))),
    ("lint.name-length", "ucm/tomcat", lambda: asks(der.name(("2.5.4.10", der.UTF8, b"x" * 65), ("2.5.4.3", der.UTF8, b"a.example.com")))),
]
# What is issued all the same.
TOLD = [
    ("csr.hash.weak", "ucm/ipsec", lambda: make_csr(digest="sha1").der),
    ("csr.hash.pairing", "ucm/tomcat-ECDSA", lambda: make_csr("ec-P-384", digest="sha256").der),
    ("usage.rfc8813", "ucm/tomcat-ECDSA", lambda: make_csr("ec-P-256").der),
    ("name.cn.comma", "ucm/tomcat", lambda: asks(der.common_name("a, b"), extensions=sans("a.example.com"))),
    ("name.ec", "ucm/tomcat-ECDSA", lambda: make_csr("ec-P-256").der),
    ("name.ms", "ucm/tomcat", lambda: asks(extensions=sans("a.example.com", "b.example.com"))),
    ("name.capf", "ucm/CAPF", lambda: make_csr().der),
    ("key.advised", "ucm/CallManager", lambda: make_csr("rsa-3072").der),
    ("key.ca-size", "ucm/CAPF", lambda: make_csr("rsa-4096", "/CN=CAPF-0a1b2c3d").der),
    ("name.lsc", "phone/LSC", lambda: make_csr().der),
    ("name.label.reserved", "ucm/tomcat", lambda: asks(extensions=sans("ab--cd.example.com"))),
    ("san.from-cn", "ucm/tomcat", lambda: make_csr().der),
    ("san.missing", "ucm/tomcat", lambda: asks(der.common_name("Web server"))),
    ("san.underscore", "ucm/tomcat", lambda: asks(extensions=sans("my_host.example.com"))),
    ("san.ip.as-name", "ucm/tomcat", lambda: asks(extensions=sans("192.0.2.1"))),
    ("san.duplicate", "ucm/tomcat", lambda: asks(extensions=sans("a.example.com", "A.example.com"))),
    ("profile.multi-server", "ucm/ipsec", lambda: asks(extensions=sans("a.example.com", "b.example.com"))),
    ("extension.ignored", "ucm/tomcat", lambda: asks(extensions=[der.extension("1.2.3.4", b"\x05\x00")])),
]


class Rules(ServiceTest):
    def test_each_refusal_is_by_name(self):
        for rule, profile, make in REFUSED:
            with self.subTest(rule=rule):
                self.assert_problem(self.service.issue(make(), profile), 422, rule)

    def test_preflight_says_the_same(self):
        for rule, profile, make in REFUSED + TOLD:
            with self.subTest(rule=rule):
                answer = self.assert_status(self.service.api(f"/preflight?profile={profile}", "POST", make()), 200).json()
                found = [each for each in answer["findings"] if each["rule"] == rule]
                self.assertTrue(found, answer["findings"])
                self.assertEqual(found[0]["severity"], dict(RULES)[rule])
                for member in ("field", "message", "fix"):
                    self.assertTrue(found[0][member])
                if (rule, profile, make) in REFUSED:
                    self.assertFalse(answer["accepted"])

    def test_too_many_days_are_refused_by_name(self):
        self.assert_problem(self.service.issue(make_csr(), "ucm/tomcat", days=1826), 422, "days.too-long")

    def test_the_name_of_an_issuer_is_refused_by_name(self):
        issuer = der.Certificate(self.service.plain("/ca/rsa-g1.cer").body)
        self.assert_problem(self.service.issue(asks(issuer.subject), "ucm/tomcat"), 422, "name.issuer")

    def test_the_name_of_an_issuer_is_that_name_however_it_is_written(self):
        """RFC 5280 7.1. Its hash in OpenSSL, by which issuers are found, is the same."""
        for file in ("rsa-g1", "ec-g1", "rsa-root-g1"):
            issuer = der.Certificate(self.service.plain(f"/ca/{file}.cer").body).subject
            texts = [rdn[0][1].body.decode() for rdn in der.Element(issuer)]
            subject = der.name(("2.5.4.10", der.PRINTABLE, texts[0].upper().encode()), ("2.5.4.3", der.UTF8, f" {texts[1].lower()}  ".encode()))
            with self.subTest(file=file):
                self.assert_problem(self.service.issue(asks(subject), "ucm/tomcat"), 422, "name.issuer")

    def test_a_compromised_key_is_refused_by_name_under_any_profile(self):
        leaf = self.service.issued(make_csr(name="lost"), "ucm/tomcat")
        self.assert_status(self.service.revoke(leaf.serial_hex, "keyCompromise"), 200)
        for profile in ("ucm/tomcat", "general/client"):
            self.assert_problem(self.service.issue(make_csr(name="lost"), profile), 422, "key.compromised")

    def test_capf_is_an_authority_with_every_key_size_and_usage_it_may_have(self):
        """docs/products.md, 4: EKU S, tolerated C I; KU d c, tolerated k; CA:TRUE pathlen:0 from the profile alone. A person approves each."""
        for size in (2048, 3072, 4096):
            for usages, purposes in ((None, None), (("digitalSignature", "keyCertSign"), ("serverAuth",)),
                                     (("digitalSignature", "keyEncipherment", "keyCertSign"), ("ipsecEndSystem", "clientAuth", "serverAuth"))):
                with self.subTest(size=size, usages=usages):
                    csr = make_csr(f"rsa-{size}", f"/O=Example/CN=CAPF-{secrets.token_hex(4)}", ku=usages, eku=purposes)
                    waiting = self.assert_status(self.service.issue(csr, "ucm/CAPF"), 202).json()["request"]
                    done = self.service.chancery("request", "approve", waiting, "--output", "json")
                    leaf = der.Certificate(self.service.api(f"/certificates/{json.loads(done.text)['serial']}.der").body)
                    self.assertEqual(leaf.value(der.BASIC_CONSTRAINTS), der.sequence(b"\x01\x01\xff", b"\x02\x01\x00"))
                    self.assertEqual(leaf.critical(), {der.KEY_USAGE, der.BASIC_CONSTRAINTS})
                    self.assertEqual(leaf.value(der.KEY_USAGE), der.key_usage(usages or ("digitalSignature", "keyCertSign")))
                    self.assertEqual(leaf.value(der.EXTENDED_KEY_USAGE), der.extended_key_usage(purposes or ("serverAuth",)))
                    self.assertNotIn(der.SUBJECT_ALT_NAME, leaf.extensions)
                    self.assertEqual(leaf.subject, csr.fields.subject)

    def test_capf_may_not_issue_for_others_nor_sign_lists(self):
        refused = make_csr(subject="/CN=CAPF-0a1b2c3d", ku=["digitalSignature", "keyCertSign", "cRLSign"], eku=["serverAuth"])
        self.assert_problem(self.service.issue(refused, "ucm/CAPF"), 422, "usage.key.forbidden")

    def test_a_key_of_another_subject_is_told(self):
        self.service.issued(make_csr(name="twice"), "ucm/tomcat")
        answer = self.service.issue(make_csr(name="twice", subject="/CN=other.example.com"), "ucm/tomcat", accept="application/json")
        self.assertIn("key.reused", [each["rule"] for each in answer.json()["findings"]])

    def test_all_that_is_wrong_is_said_at_once(self):
        spki = rsa_spki(3 * sound(2046))
        request = asks(der.common_name("a@b", der.PRINTABLE), spki=spki, extensions=sans("*.example.com") + ku("cRLSign"))
        problem = self.assert_problem(self.service.issue(request, "ucm/tomcat"), 422)
        rules = {each["rule"] for each in problem["findings"]}
        self.assertLessEqual({"key.small-factor", "name.wildcard", "usage.key.missing", "usage.key.forbidden", "lint.string-type"}, rules)


SITE = """<profiles xmlns="urn:chancery:profiles:1">
  <profile id="site/web" title="Web" ou="drop" san="required">
    <rsa sizes="2048"><key-usage required="digitalSignature"/></rsa>
    <extended-key-usage required="serverAuth"/>
    <days default="90" max="90"/>
    <names><suffix value=".example.com"/><name value="www.example.org"/></names>
  </profile>
  <profile id="site/odd" title="A usage that serves no TLS server">
    <rsa sizes="2048"><key-usage required="nonRepudiation"/></rsa>
    <extended-key-usage required="serverAuth"/>
    <days default="90" max="90"/>
  </profile>
  <profile id="site/long" title="Longer than the issuer lives">
    <rsa sizes="2048"><key-usage required="digitalSignature"/></rsa>
    <extended-key-usage required="serverAuth"/>
    <days default="4000" max="4000"/>
  </profile>
  <profile id="site/ca" title="CA without a person" ca="true" approval="false" san="as-asked">
    <rsa sizes="2048"><key-usage required="digitalSignature keyCertSign cRLSign"/></rsa>
    <days default="90" max="90"/>
  </profile>
</profiles>
"""


class Site(ServiceTest):
    """What a site's own catalogue decides."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.service.home / "profiles.xml").write_text(SITE)
        cls.service.restart()

    def test_units_are_dropped_and_nothing_else_of_the_subject(self):
        organization, unit, cn = ("2.5.4.10", der.PRINTABLE, b"Example"), ("2.5.4.11", der.UTF8, b"Voice"), ("2.5.4.3", der.UTF8, b"a.example.com")
        request = asks(der.name(organization, unit, cn), extensions=sans("a.example.com"))
        leaf = self.service.issued(request, "site/web")
        self.assertEqual(leaf.subject, der.name(organization, cn))
        shown = self.service.api(f"/certificates/{leaf.serial_hex}").json()
        self.assertEqual(shown["subject"], "CN=a.example.com, O=Example")
        answer = self.service.issue(request, "site/web", accept="application/json").json()
        self.assertIn("subject.ou-dropped", [each["rule"] for each in answer["findings"]])

    def test_names_are_limited(self):
        self.service.issued(asks(der.common_name("www.example.org"), extensions=sans("a.b.example.com")), "site/web")
        for subject, name in (("a.example.com", "a.example.net"), ("www.example.net", "a.example.com"), ("a.example.com", "example.com")):
            request = asks(der.common_name(subject), extensions=sans(name))
            self.assert_problem(self.service.issue(request, "site/web"), 422, "name.not-permitted")

    def test_a_san_may_be_required(self):
        self.assert_problem(self.service.issue(asks(der.common_name("a.example.com")), "site/web"), 422, "san.required")

    def test_what_the_issuers_end_cuts_is_said(self):
        end = der.Certificate(self.service.plain("/ca/rsa-g1.cer").body).not_after
        csr = make_csr(name="long", subject="/CN=long.example.com")
        for asked, is_cut in (({}, True), ({"days": 3999}, True), ({"days": 3000}, False)):
            with self.subTest(asked=asked):
                query = "".join(f"&{name}={value}" for name, value in asked.items())
                would = self.assert_status(self.service.api(f"/preflight?profile=site/long{query}", "POST", csr.der), 200).json()
                issued = self.assert_status(self.service.issue(csr, "site/long", "application/json", **asked), 201).json()
                for answer in (would, issued):
                    self.assertEqual("days.cut" in [each["rule"] for each in answer["findings"]], is_cut)
                self.assertIn(would["would_issue"]["days"], (3651, 3652) if is_cut else (3000,))
                self.assertEqual(der.Certificate(pem_to_der(issued["pem"])[0]).not_after == end, is_cut)

    def test_what_breaks_a_MUST_is_not_signed_whatever_the_profile_says(self):
        self.assert_problem(self.service.issue(make_csr(), "site/odd"), 422, "lint.ext-key-usage")

    def test_an_authority_is_one_whatever_its_request_asks(self):
        leaf = self.service.issued(make_csr(subject="/CN=Site CA"), "site/ca")
        self.assertEqual(leaf.value(der.BASIC_CONSTRAINTS), der.sequence(b"\x01\x01\xff", b"\x02\x01\x00"))
        self.assertEqual(leaf.critical(), {der.KEY_USAGE, der.BASIC_CONSTRAINTS})
        self.assertEqual(der.read_key_usage(leaf.value(der.KEY_USAGE)), {"digitalSignature", "keyCertSign", "cRLSign"})
        self.assertNotIn(der.SUBJECT_ALT_NAME, leaf.extensions)
        self.assert_chain(leaf)


class Coverage(unittest.TestCase):
    def test_no_rule_is_without_a_test(self):
        """Each name stands in a test: in this one, or in the unit test of what cannot be sent from outside."""
        tests = pathlib.Path(ROOT / "tests")
        text = "".join(path.read_text() for path in [*tests.rglob("*_test.c"), *tests.rglob("*_test.py")])
        missing = [rule for rule, _ in RULES if f'"{rule}"' not in text]
        self.assertEqual(missing, [])
        self.assertGreater(len(RULES), 70)


if __name__ == "__main__":
    unittest.main()
