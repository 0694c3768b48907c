#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Requests of Windows hosts: those of IIS ask for usages that nobody can choose, and those of keytool for none. Is each
answered with what it takes, and does keytool itself take the answer?"""
import unittest

import der
from harness import WORK, ServiceTest, der_to_pem, key, make_csr, new_file, pem_to_der, public_key, run, signed_request

MICROSOFT = "1.3.6.1.4.1.311."
IIS_KU = ["digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment"]


def attribute(dotted, value):
    return der.sequence(der.oid(dotted), der.tlv(der.SET, value))


def iis_request(subject=der.common_name("aw1.example.com"), usages=IIS_KU, purposes=("serverAuth",)):
    """As the wizard of IIS makes it: no subjectAltName, a critical keyUsage, S/MIME capabilities, and attributes of Windows."""
    capabilities = der.sequence(der.sequence(der.oid("1.2.840.113549.3.7")))
    extensions = der.sequence(der.extension(der.KEY_USAGE, der.key_usage(usages), critical=True),
                              der.extension(der.EXTENDED_KEY_USAGE, der.extended_key_usage(purposes)),
                              der.extension("1.2.840.113549.1.9.15", capabilities),
                              der.extension("2.5.29.14", der.tlv(der.OCTETS, bytes(20))))
    provider = der.sequence(der.tlv(der.INTEGER, b"\1"), der.tlv(0x1E, "Microsoft RSA SChannel".encode("utf-16-be")), der.tlv(der.BITS, b"\0"))
    client = der.sequence(der.tlv(der.INTEGER, b"\5"), der.tlv(der.UTF8, b"AW1"), der.tlv(der.UTF8, b"AW1\\Administrator"), der.tlv(der.UTF8, b"InetMgr.exe"))
    attributes = (attribute(MICROSOFT + "13.2.3", der.tlv(0x16, b"10.0.20348.2")), attribute(MICROSOFT + "21.20", client),
                  attribute(MICROSOFT + "13.2.2", provider), attribute(der.EXTENSION_REQUEST, extensions))
    info = der.sequence(der.tlv(der.INTEGER, b"\0"), subject, public_key(key("rsa-2048")), der.tlv(0xA0, *attributes))
    return der_to_pem(signed_request(info, "rsa-2048", "sha256"), "NEW CERTIFICATE REQUEST").encode()


def usages(leaf):
    purposes = [der.oid_text(each) for each in der.Element(leaf.value(der.EXTENDED_KEY_USAGE))]
    return der.read_key_usage(leaf.value(der.KEY_USAGE)), [name for each in purposes for name, oid in der.EKU_OIDS.items() if oid == each]


class Iis(ServiceTest):
    def test_what_the_wizard_asks_for_is_issued_exactly(self):
        answer = self.assert_status(self.service.issue(iis_request(), "ucce/web", "application/json"), 201).json()
        leaf = der.Certificate(pem_to_der(answer["pem"])[0])
        self.assertEqual(usages(leaf), (set(IIS_KU), ["serverAuth"]))
        self.assertEqual(answer["sans"], ["aw1.example.com"])
        self.assertEqual({each["severity"] for each in answer["findings"]}, {"note"}, answer["findings"])
        self.assertIn("extension.ignored", [each["rule"] for each in answer["findings"]])
        leaf.chain_pem = answer["pem"] + "".join(answer["chain"])
        self.assert_chain(leaf)

    def test_the_hosts_own_purpose_refuses_it(self):
        problem = self.assert_problem(self.service.issue(iis_request(), "ucce/host"), 422, "usage.ext.missing")
        self.assertIn("usage.key.forbidden", [each["rule"] for each in problem["findings"]])

    def test_what_no_web_server_needs_is_refused(self):
        self.assert_problem(self.service.issue(iis_request(purposes=("serverAuth", "codeSigning")), "ucce/web"), 422, "usage.ext.forbidden")
        self.assert_problem(self.service.issue(iis_request(usages=[*IIS_KU, "keyCertSign"]), "ucce/web"), 422, "usage.key.forbidden")
        self.assert_problem(self.service.issue(iis_request(purposes=("clientAuth",)), "ucce/web"), 422, "usage.ext.missing")

    def test_the_plan_completes_the_request_where_it_was_made(self):
        plan = self.service.api("/preflight?profile=ucce/web", "POST", iis_request()).json()["upload"]
        self.assertEqual([each["action"] for each in plan[:3]], ["upload"] * 3)
        self.assertIn("Root", plan[0]["what"])
        self.assertIn("Complete Certificate Request", plan[2]["text"])


class Keytool(ServiceTest):
    """A keystore as Customer Voice Portal has one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.made = 0

    def keytool(self, *arguments, check=True):
        return run("keytool", *arguments, "-storetype", "JCEKS", "-keystore", self.keystore, "-storepass", "changeit", "-noprompt", check=check)

    def requested(self, *options):
        """A new keystore with a key, and its request."""
        type(self).made += 1
        self.keystore = WORK / f"cvp{self.made}.keystore"
        self.keytool("-genkeypair", "-alias", "callserver_certificate", "-keyalg", "RSA", "-keysize", "2048", "-keypass", "changeit",
                     "-dname", "CN=cvp1.example.com, O=Example, C=PL")
        return self.keytool("-certreq", "-alias", "callserver_certificate", "-keypass", "changeit", *options).stdout

    def import_file(self, alias, file, check=True):
        return self.keytool("-importcert", "-trustcacerts", "-alias", alias, "-file", file, check=check)

    def test_the_answer_is_installed_as_the_reply_it_is(self):
        csr = self.requested()
        self.assertIn(b"BEGIN NEW CERTIFICATE REQUEST", csr)
        leaf = self.service.issued(csr, "cvp/server")
        self.assertEqual(usages(leaf), ({"digitalSignature", "keyEncipherment"}, ["serverAuth", "clientAuth"]))
        self.assertEqual(leaf.alt_names(), {der.tlv(0x82, b"cvp1.example.com")})
        answer = new_file(der_to_pem(leaf.der, "CERTIFICATE"), ".pem")
        refused = self.import_file("callserver_certificate", answer, check=False)
        self.assertNotEqual(refused.returncode, 0, "not before those above it")
        for issuer in ("rsa-root-g1", "rsa-g1"):
            self.import_file(issuer, self.service.home / f"issuers/{issuer}.pem")
        self.assertIn("Certificate reply was installed", self.import_file("callserver_certificate", answer).said)
        shown = self.keytool("-list", "-v", "-alias", "callserver_certificate").text
        self.assertIn("Certificate chain length: 3", shown)

    def test_a_request_that_asks_for_names_gets_those(self):
        leaf = self.service.issued(self.requested("-ext", "san=dns:cvp1.example.com,dns:cvp1"), "cvp/server")
        self.assertEqual(leaf.alt_names(), {der.tlv(0x82, b"cvp1.example.com"), der.tlv(0x82, b"cvp1")})

    def test_an_ec_key_is_refused_by_name(self):
        self.assert_problem(self.service.issue(make_csr("ec-P-256"), "cvp/server"), 422, "purpose.key-type")

    def test_the_plan_imports_root_first_and_the_reply_last(self):
        plan = self.service.api("/preflight?profile=cvp/server", "POST", self.requested()).json()["upload"]
        uploads = [each for each in plan if each["action"] == "upload"]
        self.assertEqual([("Root" in each["what"], "Issuing" in each["what"]) for each in uploads], [(True, False), (False, True), (False, False)])
        self.assertTrue(all("keytool -importcert" in each["text"] for each in uploads), uploads)


if __name__ == "__main__":
    unittest.main()
