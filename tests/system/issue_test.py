#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every profile with every key kind it takes, issued over HTTPS and judged by openssl, gnutls and octet for octet.
The table is typed in from Cisco's own: the catalogue of the product is not asked what is right."""
import calendar
import json
import re
import time
import unittest

import der
from harness import ServiceTest, make_csr, new_file, pem_to_der, run

RSA = ("rsa-2048", "rsa-3072", "rsa-4096")
EC = ("ec-P-256", "ec-P-384", "ec-P-521")
KU = {"d": "digitalSignature", "k": "keyEncipherment", "D": "dataEncipherment", "a": "keyAgreement", "n": "nonRepudiation"}
EKU = {"S": "serverAuth", "C": "clientAuth", "I": "ipsecEndSystem"}

HOST = "/C=PL/ST=Malopolska/L=Krakow/O=Example/CN=node1.example.com"
HOST_EC = "/C=PL/ST=Malopolska/L=Krakow/O=Example/CN=node1-EC.example.com"
PHONE = "/serialNumber=PID:CP-8861 SN:FCH18198CNQ/C=AU/O=Example/OU=IST/CN=CP-8861-SEPB000B4BA0AEE"
# profile: key kinds, subject, EKU and KU required = default, EKU and KU tolerated
PROFILES = {
    "ucm/CallManager": (RSA, HOST, "SC", "dD", "I", "ka"),
    "ucm/CallManager-ECDSA": (EC, HOST_EC, "SC", "dD", "I", "ka"),
    "ucm/tomcat": (RSA, HOST, "SC", "dD", "I", "ka"),
    "ucm/tomcat-ECDSA": (EC, HOST_EC, "SC", "dD", "I", "ka"),
    "ucm/ipsec": (RSA, HOST, "SCI", "dkD", "", "a"),
    "ucm/TVS": (RSA, HOST, "SC", "dkD", "I", "a"),
    "imp/cup": (RSA, HOST, "SCI", "dkD", "", "a"),
    "imp/cup-ECDSA": (EC, HOST_EC, "SCI", "dkD", "", "a"),
    "imp/cup-xmpp": (RSA, HOST, "SCI", "dkD", "", "a"),
    "imp/cup-xmpp-ECDSA": (EC, HOST_EC, "SCI", "dkD", "", "a"),
    "imp/cup-xmpp-s2s": (RSA, HOST, "SCI", "dkD", "", "a"),
    "imp/cup-xmpp-s2s-ECDSA": (EC, HOST_EC, "SCI", "dkD", "", "a"),
    "imp/ipsec": (RSA, HOST, "SCI", "dkD", "", "a"),
    "imp/tomcat": (RSA, HOST, "SC", "dkD", "I", "a"),
    "imp/tomcat-ECDSA": (EC, HOST_EC, "SC", "dkD", "I", "a"),
    "vos/tomcat": (RSA, HOST, "SC", "dD", "I", "ka"),
    "vos/tomcat-ECDSA": (EC, HOST_EC, "SC", "dD", "I", "ka"),
    "uccx/tomcat": (RSA, HOST, "SC", "dD", "I", "ka"),
    "uccx/tomcat-ECDSA": (EC, HOST_EC, "SC", "dD", "I", "ka"),
    "ucce/host": (RSA, HOST, "SC", "dk", "", "Da"),
    "ucce/host-ECDSA": (EC, HOST_EC, "SC", "d", "", "Da"),
    "ucce/web": (RSA, HOST, "S", "dk", "C", "Dan"),
    "ucce/web-ECDSA": (EC, HOST_EC, "S", "d", "C", "Dan"),
    "cvp/server": (RSA, HOST, "SC", "dk", "", "Da"),
    "phone/LSC": (RSA, PHONE, "C", "dk", "SI", "Da"),
    "phone/LSC-EC": (EC, PHONE, "C", "d", "SI", "Da"),
    "expressway/server": (RSA + EC, HOST, "SC", "d", "", "Da"),
}
# expressway/server: keyEncipherment is required with RSA alone
EXPRESSWAY_RSA_KU = "dk"


def sans_for(subject):
    """A host asks for itself and its domain, as UCM does; phones have no name to ask for."""
    host = subject.rpartition("CN=")[2]
    return (host, "example.com") if host.endswith(".example.com") else ()


def names(table, letters):
    return [table[each] for each in letters]


def cases():
    for profile, (kinds, subject, eku, ku, eku_tolerated, ku_tolerated) in PROFILES.items():
        for kind in kinds:
            required = EXPRESSWAY_RSA_KU if profile == "expressway/server" and kind in RSA else ku
            yield profile, kind, subject, names(EKU, eku), names(KU, required), names(EKU, eku_tolerated), names(KU, ku_tolerated)


# What is not Cisco's: keyEncipherment by default with RSA alone (RFC 8813).
GENERAL = {"general/server": "S", "general/client": "C", "general/server-client": "SC"}
APPROVED = "ucm/CAPF"  # by a second person: request_test.py


def extensions_by_openssl(leaf):
    """[(is critical, octets in hex)] as `openssl asn1parse` reads them, in order."""
    lines = run("openssl", "asn1parse", "-inform", "DER", "-in", new_file(leaf.der, ".der")).text.splitlines()
    start = max(i for i, line in enumerate(lines) if "cont [ 3 ]" in line)
    found, critical = [], False
    for line in lines[start:]:
        if "BOOLEAN" in line:
            critical = line.endswith(":255")
        elif "OCTET STRING" in line:
            found.append((critical, line.rpartition(":")[2].lower()))
            critical = False
    return found


class Issue(ServiceTest):
    def check_certificate(self, leaf, csr, kind):
        """What holds for every certificate, whatever its profile."""
        issuer_id = "ec-g1" if kind in EC else "rsa-g1"
        issuer = der.Certificate(self.service.plain(f"/ca/{issuer_id}.cer").body)
        self.assertEqual(leaf.version[-1], 2, "v3")
        self.assertEqual(len(leaf.serial), 19)
        self.assertTrue(1 <= leaf.serial[0] <= 0x7F, "the node")
        self.assertEqual(leaf.subject, csr.fields.subject, "the subject's octets are the CSR's")
        self.assertEqual(leaf.spki, csr.fields.spki)
        self.assertEqual(leaf.issuer, issuer.subject, f"by {issuer_id}")
        self.assertLessEqual(seconds_of(leaf.not_after), seconds_of(issuer.not_after))
        self.assertGreaterEqual(seconds_of(leaf.not_before), seconds_of(issuer.not_before))
        self.assertEqual(leaf.critical(), {der.KEY_USAGE})
        self.assertEqual(extension_body(leaf, der.SUBJECT_KEY_ID), leaf.key_id)
        self.assertEqual(leaf.value(der.AUTHORITY_KEY_ID), der.sequence(der.tlv(0x80, extension_body(issuer, der.SUBJECT_KEY_ID))))
        self.check_addresses(leaf, issuer_id)
        if der.BASIC_CONSTRAINTS in leaf.extensions:
            self.assertEqual(leaf.value(der.BASIC_CONSTRAINTS), der.sequence())
        self.assertEqual(extensions_by_openssl(leaf), [(critical, value.hex()) for critical, value in leaf.extensions.values()])
        self.assert_chain(leaf)

    def check_addresses(self, leaf, issuer_id):
        url = self.service.public_url.encode()
        ocsp = der.sequence(der.oid(der.OCSP_METHOD), der.tlv(0x86, url + b"/ocsp"))
        issuer = der.sequence(der.oid(der.CA_ISSUERS_METHOD), der.tlv(0x86, url + f"/ca/{issuer_id}.cer".encode()))
        self.assertEqual({each.whole for each in der.Element(leaf.value(der.AUTHORITY_INFO))}, {ocsp, issuer})
        point = der.tlv(0xA0, der.tlv(0xA0, der.tlv(0x86, url + f"/crl/{issuer_id}.crl".encode())))
        self.assertEqual(leaf.value(der.CRL_POINTS), der.sequence(der.sequence(point)))

    def test_a_csr_that_asks_for_no_usage_gets_the_profile_default(self):
        for profile, kind, subject, eku, ku, _, _ in cases():
            with self.subTest(profile=profile, kind=kind):
                csr = make_csr(kind, subject, sans_for(subject))
                leaf = self.service.issued(csr, profile)
                self.assertEqual(der.read_key_usage(leaf.value(der.KEY_USAGE)), set(ku))
                usages = {der.oid_text(each) for each in der.Element(leaf.value(der.EXTENDED_KEY_USAGE))}
                self.assertEqual(usages, {der.EKU_OIDS[each] for each in eku})
                self.assertEqual(leaf.alt_names(), san_octets(csr))
                self.check_certificate(leaf, csr, kind)

    def test_general_profiles_take_every_kind_of_key(self):
        for profile, eku in GENERAL.items():
            for kind in RSA + EC:
                with self.subTest(profile=profile, kind=kind):
                    csr = make_csr(kind, HOST, sans_for(HOST))
                    leaf = self.service.issued(csr, profile)
                    self.assertEqual(der.read_key_usage(leaf.value(der.KEY_USAGE)), set(names(KU, "dk" if kind in RSA else "d")))
                    usages = {der.oid_text(each) for each in der.Element(leaf.value(der.EXTENDED_KEY_USAGE))}
                    self.assertEqual(usages, {der.EKU_OIDS[each] for each in names(EKU, eku)})
                    self.assertEqual(leaf.alt_names(), san_octets(csr))
                    self.check_certificate(leaf, csr, kind)

    # ---- its life afterwards: listed, good, revoked ----

    def listed(self, profile):
        """{serial: status} of a profile, as `cert list` says."""
        said = self.service.chancery("cert", "list", "--profile", profile, "--limit", "0", "--output", "jsonl").text
        return {row["serial"]: row["status"] for row in map(json.loads, said.splitlines())}

    def asked(self, leaf):
        """The status in one answer of OCSP, verified by openssl."""
        said = run("openssl", "ocsp", "-issuer", self.issuers[leaf.issuer_id], "-cert", leaf.file, "-CAfile", self.trust[leaf.issuer_id],
                   "-url", f"http://127.0.0.1:{self.service.http_port}/ocsp").said
        self.assertIn("Response verify OK", said)
        return re.search(f"^{leaf.file}: (.*)$", said, re.M)[1]

    def test_each_is_listed_and_good_and_once_revoked_so_everywhere(self):
        self.issuers = {each: self.service.ca_file(each) for each in ("rsa-g1", "ec-g1")}
        self.trust = {each: self.service.ca_file(each.replace("-g1", "-root-g1"), each) for each in self.issuers}
        leaves = []
        every = [(profile, kind, subject) for profile, kind, subject, *_ in cases()] + [(profile, kind, HOST) for profile in GENERAL for kind in RSA + EC]
        for profile, kind, subject in every:
            with self.subTest(profile=profile, kind=kind):
                leaf = self.service.issued(make_csr(kind, subject, sans_for(subject)), profile)
                leaf.issuer_id, leaf.profile, leaf.file = "ec-g1" if kind in EC else "rsa-g1", profile, new_file(leaf.chain_pem, ".pem")
                self.assertEqual(self.asked(leaf), "good")
                leaves.append(leaf)
        self.assertEqual(len(leaves), len(every))
        for profile in {*PROFILES, *GENERAL}:
            mine = {leaf.serial_hex: "valid" for leaf in leaves if leaf.profile == profile}
            self.assertLessEqual(mine.items(), self.listed(profile).items(), profile)
        for leaf in leaves:
            with self.subTest(profile=leaf.profile, revoked=leaf.serial_hex):
                self.assert_status(self.service.revoke(leaf.serial_hex, "superseded"), 200)
                self.assertEqual(self.asked(leaf), "revoked")
        for issuer in self.issuers:
            self.service.publish(issuer)
            entries = set(self.service.crl(issuer).entries)
            self.assertEqual({leaf.serial_hex for leaf in leaves if leaf.issuer_id == issuer} - entries, set())
        for profile in {*PROFILES, *GENERAL}:
            mine = {leaf.serial_hex: "revoked" for leaf in leaves if leaf.profile == profile}
            self.assertLessEqual(mine.items(), self.listed(profile).items(), profile)

    def test_usages_within_required_and_tolerated_are_issued_as_asked(self):
        for profile, kind, subject, eku, ku, eku_tolerated, ku_tolerated in cases():
            with self.subTest(profile=profile, kind=kind):
                # In an order that no table has: the CSR's is kept.
                asked = (eku + eku_tolerated)[::-1]
                csr = make_csr(kind, subject, sans_for(subject), ku + ku_tolerated, asked)
                leaf = self.service.issued(csr, profile)
                for extension in (der.KEY_USAGE, der.EXTENDED_KEY_USAGE):
                    self.assertEqual(leaf.value(extension), csr.fields.extensions[extension][1])
                self.assertEqual(leaf.alt_names(), san_octets(csr) or host_octets(subject, asked))
                self.check_certificate(leaf, csr, kind)

    def test_a_usage_outside_the_profile_is_refused_and_named(self):
        csr = make_csr(sans=["cucm1.example.com"], ku=["digitalSignature", "dataEncipherment", "cRLSign"], eku=["serverAuth", "clientAuth"])
        problem = self.assert_problem(self.service.issue(csr, "ucm/tomcat"), 422)
        self.assertIn("cRLSign", json.dumps(problem["findings"]))

    def test_a_missing_required_usage_is_refused_and_named(self):
        csr = make_csr(sans=["cucm1.example.com"], ku=["digitalSignature"], eku=["serverAuth", "clientAuth"])
        problem = self.assert_problem(self.service.issue(csr, "ucm/tomcat"), 422)
        self.assertIn("dataEncipherment", json.dumps(problem["findings"]))

    def test_a_key_of_the_wrong_type_for_the_purpose_is_refused(self):
        self.assert_problem(self.service.issue(make_csr("ec-P-384", HOST_EC), "ucm/tomcat"), 422, "purpose.key-type")
        self.assert_problem(self.service.issue(make_csr("rsa-2048", HOST), "ucm/tomcat-ECDSA"), 422, "purpose.key-type")

    def test_a_server_without_san_gets_its_host_name_as_san(self):
        leaf = self.service.issued(make_csr(subject="/CN=pg1.example.com"), "ucce/host")
        self.assertEqual(leaf.alt_names(), {der.tlv(0x82, b"pg1.example.com")})

    def test_a_client_without_san_gets_none(self):
        self.assertEqual(self.service.issued(make_csr(subject=PHONE), "phone/LSC").alt_names(), set())

    def test_san_of_every_kind_is_kept(self):
        csr = make_csr(sans=["cucm1.example.com", "IP:192.0.2.7", "IP:2001:db8::7"])
        leaf = self.service.issued(csr, "ucm/tomcat")
        self.assertEqual(leaf.alt_names(), san_octets(csr))
        self.assertEqual(len(leaf.alt_names()), 3)

    def test_a_wildcard_is_refused(self):
        self.assert_problem(self.service.issue(make_csr(sans=["*.example.com"]), "ucm/tomcat"), 422, "name.wildcard")

    def test_days_shorten_the_life_and_cannot_exceed_the_profile(self):
        leaf = self.service.issued(make_csr(), "ucm/tomcat", days=30)
        # RFC 5280 4.1.2.5: both ends are part of the validity.
        self.assertEqual(seconds_of(leaf.not_after) - seconds_of(leaf.not_before) + 1, 30 * 86400)
        self.assert_problem(self.service.issue(make_csr(), "ucm/tomcat", days=36500), 422)
        self.assert_problem(self.service.issue(make_csr(), "ucm/tomcat", days=0), 400)

    def test_pem_and_der_requests_give_the_same(self):
        csr = make_csr(sans=["cucm1.example.com"])
        old_armour = csr.pem.replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST")
        with_text = "Certificate Request:\r\n    Data:\r\n" + csr.pem.replace("\n", "\r\n")
        for body in (csr.der, csr.pem.encode(), old_armour.encode(), with_text.encode()):
            with self.subTest(body=body[:40]):
                leaf = der.Certificate(pem_to_der(self.assert_status(self.service.issue(body, "ucm/tomcat"), 201).text)[0])
                self.assertEqual(leaf.spki, csr.fields.spki)

    def test_an_unknown_profile_is_a_problem_and_an_internal_one_too(self):
        for profile in ("ucm/nonsense", "chancery/issuer", "chancery/ocsp", "chancery/listener"):
            with self.subTest(profile=profile):
                answer = self.service.issue(make_csr(), profile)
                self.assertIn(answer.status, (403, 404, 422), answer)
                self.assert_problem(answer, answer.status)

    def test_the_answer_names_its_resource(self):
        answer = self.service.issue(make_csr(), "ucm/tomcat")
        serial = der.Certificate(pem_to_der(answer.text)[0]).serial_hex
        self.assertEqual(answer.headers["Location"], f"/api/v1/certificates/{serial}")
        shown = self.service.api(f"/certificates/{serial}")
        self.assertEqual(self.assert_status(shown, 200).json()["serial"], serial)

    def test_accept_chooses_the_form(self):
        csr = make_csr(sans=["cucm1.example.com"])
        chain = self.service.issue(csr, "ucm/tomcat", "application/pem-certificate-chain")
        self.assertEqual(len(pem_to_der(chain.text)), 2, "leaf and issuing CA, no root")
        self.assertEqual(chain.text, self.service.api(chain.headers["Location"][7:] + "-chain.pem").text)
        leaf = self.service.issue(csr, "ucm/tomcat", "application/x-pem-file")
        self.assertEqual(len(pem_to_der(leaf.text)), 1)
        alone = self.service.issue(csr, "ucm/tomcat", "application/pkix-cert")
        self.assertEqual(der.Certificate(alone.body).spki, csr.fields.spki)
        bundle = self.service.issue(csr, "ucm/tomcat", "application/pkcs7-mime")
        self.assertIn("BEGIN CERTIFICATE", run("openssl", "pkcs7", "-inform", "DER", "-print_certs", stdin=bundle.body).text)
        self.assertEqual(bundle.type, "application/pkcs7-mime; smime-type=certs-only")
        armoured = self.service.issue(csr, "ucm/tomcat", "application/x-pem-file; p7b")
        self.assertEqual((leaf.type, armoured.type), ("application/x-pem-file",) * 2)
        self.assertTrue(armoured.text.startswith("-----BEGIN PKCS7-----\n"))
        self.assertEqual(run("openssl", "pkcs7", "-print_certs", stdin=armoured.body).text.count("BEGIN CERTIFICATE"), 2)
        document = self.service.issue(csr, "ucm/tomcat", "application/json").json()
        for member in ("serial", "issuer", "profile", "subject", "sans", "not_before", "not_after", "pem", "chain", "findings"):
            self.assertIn(member, document)
        self.assertEqual((document["issuer"], document["profile"], document["sans"]), ("rsa-g1", "ucm/tomcat", ["cucm1.example.com"]))
        self.assert_problem(self.service.issue(csr, "ucm/tomcat", "image/png"), 406)

    def test_every_stored_form_is_the_same_certificate(self):
        leaf = self.service.issued(make_csr(), "ucm/tomcat")
        path = f"/certificates/{leaf.serial_hex}"
        self.assertEqual(self.service.api(path + ".der").body, leaf.der)
        self.assertEqual(pem_to_der(self.service.api(path + ".pem").text), [leaf.der])
        self.assertEqual(self.service.api(path + "-chain.pem").text, leaf.chain_pem)
        bundle = self.service.api(path + ".p7b").body
        form = "PEM" if bundle.startswith(b"-----") else "DER"
        printed = run("openssl", "pkcs7", "-inform", form, "-print_certs", stdin=bundle).text
        self.assertIn(leaf.der, pem_to_der(printed[printed.index("-----BEGIN"):]))

    def test_pem_is_strict(self):
        text = self.service.issued(make_csr(), "ucm/tomcat").chain_pem
        self.assertNotIn("\r", text)
        self.assertTrue(text.endswith("-----END CERTIFICATE-----\n"))
        inside = False
        for line in text.splitlines():
            self.assertLessEqual(len(line), 64)
            self.assertTrue(inside or line == "-----BEGIN CERTIFICATE-----", "nothing outside the armour")
            inside = line != "-----END CERTIFICATE-----"

    def test_a_request_in_json(self):
        csr, path = make_csr(), "/certificates?profile=ucm/tomcat"
        headers = {"Content-Type": "application/json"}
        answer = self.assert_status(self.service.api(path, "POST", json.dumps({"csr": csr.pem}).encode(), headers), 201)
        self.assertEqual(der.Certificate(pem_to_der(answer.text)[0]).spki, csr.fields.spki)
        self.assert_problem(self.service.api(path, "POST", b'{"pkcs10": ""}', headers), 400)
        self.assert_status(self.service.api(path, "POST", json.dumps({"csr": csr.pem, "hosts": ["a"], "days": None}).encode(), headers), 201)
        for name, value in (("days", 3), ("profile", "ucm/tomcat")):
            with self.subTest(name):
                problem = self.assert_problem(self.service.api(path, "POST", json.dumps({"csr": csr.pem, name: value}), headers), 400)
                self.assertIn(f'"{name}" is a parameter of the query', problem["detail"])

    def test_a_private_key_beside_the_request_is_refused(self):
        csr, path, before = make_csr(), "/certificates?profile=ucm/tomcat", self.service.serials()
        body = json.dumps({"csr": csr.pem, "key": csr.key.read_text()})  # the form of cfssl genkey
        for headers in ({"Content-Type": "application/json"}, {}):
            problem = self.assert_problem(self.service.api(path, "POST", body, headers), 400)
            self.assertIn("Never send a private key", problem["detail"])
        self.assertEqual(self.service.serials(), before)

    def test_a_request_by_curl_with_and_without_its_line_ends(self):
        csr, admin = make_csr(), self.service.home / "admin"
        base = ("curl", "-sS", "--noproxy", "*", "--cacert", admin / "server-ca.pem", "--cert", admin / "admin.pem", "--key", admin / "admin.key",
                f"https://localhost:{self.service.https_port}/api/v1/certificates?profile=ucm/tomcat")
        for option in ("-d", "--data-binary"):  # the first drops line ends
            with self.subTest(option=option):
                answer = run(*base, option, f"@{new_file(csr.pem)}").text
                self.assertEqual(der.Certificate(pem_to_der(answer)[0]).spki, csr.fields.spki)
        refused = json.loads(run(*base, "-d", f"@{new_file(csr.pem + csr.key.read_text())}").text)
        self.assertEqual(refused["status"], 400)
        self.assertIn("--data-binary", refused["detail"])

    def test_an_idempotency_key_gives_the_same_certificate_again(self):
        headers = {"Content-Type": "application/pkcs10", "Idempotency-Key": "node1-tomcat-2026"}
        path, csr = "/certificates?profile=ucm/tomcat", make_csr()
        first = self.assert_status(self.service.api(path, "POST", csr.der, headers), 201)
        again = self.service.api(path, "POST", csr.der, headers)
        self.assertEqual(again.body, first.body)
        other = make_csr(subject="/CN=cucm2.example.com")
        self.assert_problem(self.service.api(path, "POST", other.der, headers), 422)

    def test_what_is_refused_uses_no_idempotency_key(self):
        headers = {"Content-Type": "application/pkcs10", "Idempotency-Key": "node2-tomcat-2026"}
        path, csr = "/certificates?profile=ucm/tomcat", make_csr(subject="/CN=cucm3.example.com")
        self.assert_problem(self.service.api(path, "POST", b"no request", headers), 400)
        self.assert_problem(self.service.api(path + "&days=5000", "POST", csr.der, headers), 422, "days.too-long")
        self.assert_problem(self.service.api("/certificates?profile=ucm/none", "POST", csr.der, headers), 404)
        mended = self.assert_status(self.service.api(path, "POST", csr.der, headers), 201)
        self.assertEqual(self.service.api(path, "POST", csr.der, headers).body, mended.body)
        answer = self.service.api(path + "&days=5000", "POST", csr.der, headers)
        self.assertEqual(self.assert_problem(answer, 422)["findings"], [], "used now: it is the key that refuses")

    def test_preflight_says_what_would_be_issued_and_stores_nothing(self):
        before = self.service.serials()
        good, bad = make_csr(sans=["cucm1.example.com"]), make_csr(sans=["*.example.com"])
        verdict = self.service.api("/preflight?profile=ucm/tomcat", "POST", good.der).json()
        self.assertTrue(verdict["accepted"], verdict)
        for member in ("profile", "request", "would_issue", "findings"):
            self.assertIn(member, verdict)
        refused = self.assert_status(self.service.api("/preflight?profile=ucm/tomcat", "POST", bad.der), 200).json()
        self.assertFalse(refused["accepted"])
        self.assertIn("name.wildcard", [each["rule"] for each in refused["findings"]])
        self.assertEqual(self.service.serials(), before)

    def test_the_list_pages_and_filters(self):
        wanted = [self.service.issued(make_csr(subject=f"/CN=page{i}.example.com"), "ucce/host").serial_hex for i in range(5)]
        first = self.service.api("/certificates?cn=page*&limit=3")
        page = self.assert_status(first, 200).json()
        self.assertIn('rel="next"', first.headers["Link"])
        rest = self.service.api(f"/certificates?cn=page*&limit=3&after={page['next']}").json()
        self.assertEqual(sorted(each["serial"] for each in page["items"] + rest["items"]), sorted(wanted), "each once")
        self.assertIsNone(rest["next"])
        second = self.service.api(f"/certificates?cn=page*&limit=1&after={page['next']}")
        self.assertEqual(re.findall(r"[?&]([a-z]+)=", second.headers["Link"]), ["cn", "limit", "after"], "what was asked, from there on")
        self.assertIn("after=" + second.json()["next"], second.headers["Link"])
        newest = self.service.api("/certificates?limit=5").json()["items"]
        self.assertEqual([each["serial"] for each in newest], wanted[::-1], "newest first")
        found = self.service.api("/certificates?san=PAGE3.example.com").json()["items"]
        self.assertEqual([each["serial"] for each in found], [wanted[3]])
        self.assertEqual(self.service.api("/certificates?cn=page*&key_type=ec").json()["items"], [])
        self.assert_problem(self.service.api("/certificates?limit=none"), 400)
        self.assert_problem(self.service.api("/certificates?after=nonsense"), 400)

    def test_the_list_knows_the_issuers_and_takes_any_profile(self):
        serial = self.service.issued(make_csr(), "ucm/tomcat").serial_hex
        for given in ("issuer=rsa-g1", "profile=ucm/tomcat"):
            self.assertIn(serial, [each["serial"] for each in self.service.api(f"/certificates?{given}").json()["items"]])
        refused = self.assert_problem(self.service.api("/certificates?issuer=rsa-g7"), 400)
        self.assertIn('"rsa-g7"', refused["detail"])
        done = self.service.chancery("cert", "list", "--issuer", "rsa-g7", check=False)
        self.assertEqual((done.returncode, done.text), (1, ""))
        self.assertIn('"rsa-g7"', done.said)
        self.assertEqual(self.service.api("/certificates?profile=ucm/none").json()["items"], [], "a catalogue may have had it")

    def test_an_address_is_found_in_any_spelling(self):
        serial = self.service.issued(make_csr(subject="/CN=six.example.com", sans=["six.example.com", "IP:2001:db8::6"]), "general/server").serial_hex
        for spelling in ("2001:db8::6", "2001:DB8:0:0:0::6"):
            with self.subTest(spelling=spelling):
                found = self.service.api(f"/certificates?san={spelling}").json()["items"]
                self.assertEqual([each["serial"] for each in found], [serial])

    def test_issuers_and_profiles_are_listed(self):
        issuers = {each["id"] for each in self.service.api("/issuers").json()["items"]}
        self.assertEqual(issuers, {"rsa-root-g1", "rsa-g1", "ec-root-g1", "ec-g1"})
        profiles = {each["id"] for each in self.service.api("/profiles").json()["items"]}
        self.assertEqual({each for each in profiles if not each.startswith("chancery/")}, {*PROFILES, *GENERAL, APPROVED})

    def test_published_certificates_are_those_of_the_home(self):
        for each in ("rsa-root-g1", "rsa-g1", "ec-root-g1", "ec-g1"):
            [certificate] = pem_to_der((self.service.home / f"issuers/{each}.pem").read_text())
            self.assertEqual(self.service.plain(f"/ca/{each}.cer").body, certificate)
            self.assertEqual(pem_to_der(self.service.plain(f"/ca/{each}.pem").text), [certificate])
            run("openssl", "pkcs7", "-in", new_file(self.service.plain(f"/ca/{each}.p7c").body), "-inform", "DER", "-noout")
        self.assert_status(self.service.plain("/ca/nonsense.cer"), 404)

    def test_two_hierarchies_of_their_own_kind(self):
        for each, kind in (("rsa", "rsaEncryption"), ("ec", "id-ecPublicKey")):
            text = run("openssl", "x509", "-in", self.service.ca_file(f"{each}-g1"), "-noout", "-text").text
            self.assertIn(f"Public Key Algorithm: {kind}", text)
            self.assertIn("sha256WithRSAEncryption" if each == "rsa" else "ecdsa-with-SHA384", text)
            self.assertIn("(3072 bit)" if each == "rsa" else "NIST CURVE: P-384", text)


def extension_body(certificate, extension):
    return der.Element(certificate.value(extension)).body


def host_octets(subject, eku):
    """What stands in for a SAN that was not asked for: the CN, when it is a server's."""
    return {der.tlv(0x82, subject.rpartition("CN=")[2].encode())} if "serverAuth" in eku else set()


def san_octets(csr):
    if der.SUBJECT_ALT_NAME not in csr.fields.extensions:
        return set()
    return {each.whole for each in der.Element(csr.fields.extensions[der.SUBJECT_ALT_NAME][1])}


def seconds_of(moment):
    tag, text = moment
    return calendar.timegm(time.strptime(text, "%y%m%d%H%M%SZ" if tag == 0x17 else "%Y%m%d%H%M%SZ"))


if __name__ == "__main__":
    unittest.main()
