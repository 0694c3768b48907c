# SPDX-License-Identifier: Apache-2.0
"""An issuer that was taken out of chancery.xml: is it told while its certificates live, is nothing shown that is not there, and does all
else go on?"""
import json
import re
import unittest

from harness import WORK, Service, ServiceTest, make_csr


class Dropped(ServiceTest):
    """ec-g1 has a successor, a valid, a revoked and a held certificate, and no element any more."""

    @classmethod
    def setUpClass(cls):
        cls.service = Service()
        cls.leaves = [cls.service.issued(make_csr("ec-P-256", f"/CN=cucm{n}-EC.example.com"), "ucm/tomcat-ECDSA") for n in range(3)]
        cls.service.revoke(cls.leaves[1].serial_hex, "superseded")
        cls.service.revoke(cls.leaves[2].serial_hex, "certificateHold")
        cls.stop()
        cls.service.chancery("ca", "renew", "ec-g1")
        cls.service.start()
        cls.live = cls.living()
        cls.stop()
        path = cls.service.home / "chancery.xml"
        path.write_text(re.sub(r'  <issuer id="ec-g1".*?</issuer>\n', "", path.read_text(), flags=re.S))
        cls.checked = cls.service.chancery("config", "check", check=False)
        cls.service.start()
        cls.new = cls.service.issued(make_csr("ec-P-256", "/CN=cucm9-EC.example.com"), "ucm/tomcat-ECDSA")

    @classmethod
    def stop(cls):
        if cls.service.stop() != 0:
            raise AssertionError(cls.service.tail())

    @classmethod
    def living(cls):
        """What docs/operations.md, 14 says that the operator looks at."""
        text = cls.service.chancery("cert", "list", "--issuer", "ec-g1", "--expires-within", "36500d", "--output", "json").text
        return {(each["serial"], each["profile"]) for each in json.loads(text)["items"]}

    def test_the_operator_sees_what_lives_of_it(self):
        self.assertEqual({serial for serial, profile in self.live if profile == "ucm/tomcat-ECDSA"}, {each.serial_hex for each in self.leaves})
        self.assertIn("chancery/ocsp", {profile for _, profile in self.live})

    def test_it_is_told(self):
        self.assertEqual(self.checked.returncode, 1)
        self.assertIn("issuer ec-g1 is in the store and not in chancery.xml: certificates of it", self.checked.said)
        self.assertIn("issuer ec-g1 is in the store and not in chancery.xml", self.service.log.read_text())

    def test_the_page_and_the_figures_leave_it_out(self):
        page, figures = self.service.plain("/").text, self.service.https("/metrics").text
        self.assertIn("/ca/ec-g2.cer", page)
        self.assertNotIn("ec-g1.c", page)
        self.assertIn('chancery_crl_next_update_seconds{issuer="ec-g2"}', figures)
        self.assertNotIn('issuer="ec-g1"', figures)
        self.assert_status(self.service.plain("/ca/ec-g1.cer"), 404)

    def test_the_interface_says_that_it_is_not_configured(self):
        listed = {each["id"]: each["configured"] for each in self.service.api("/issuers").json()["items"]}
        self.assertEqual({each for each in listed if not listed[each]}, {"ec-g1"})
        self.assertEqual(self.service.api("/issuers/ec-g1").json()["configured"], False)

    def test_an_export_leaves_it_out(self):
        done = self.service.chancery("ocsp", "export", WORK / "dropped", "--output", "json", check=False)
        self.assertEqual(done.returncode, 0, done.said)
        said = json.loads(done.text)
        self.assertEqual(said["failed"], 0)
        serials = {json.loads(line)["serial"] for line in (WORK / "dropped/manifest.jsonl").read_text().splitlines()}
        self.assertIn(self.new.serial_hex, serials)
        self.assertEqual(serials & {each.serial_hex for each in self.leaves}, set())


if __name__ == "__main__":
    unittest.main()
