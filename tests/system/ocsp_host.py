#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A responder on a host of its own: deploy/ocsp-host.xml beside a CA."""
import pathlib
import shutil
import tempfile

from harness import ROOT, WORK, Service, free_ports, replace_file, run

ISSUERS = ("rsa-root-g1", "rsa-g1", "ec-root-g1", "ec-g1")


class Host(Service):
    """What an administrator does on the other machine, with the commands of docs/operations.md, 12."""

    def __init__(self, max_age="4h"):  # no init: this home is made by hand
        self.directory = pathlib.Path(tempfile.mkdtemp(dir=WORK))
        self.home, self.log = self.directory / "home", self.directory / "log"
        self.http_port, self.https_port = free_ports(1)[0], None
        self.process, self.restores_signals = None, True
        for each in ("keys", "issuers", "store"):
            (self.home / each).mkdir(parents=True, mode=0o700)
        settings = (ROOT / "deploy/ocsp-host.xml").read_text()
        for old, new in (("127.0.0.1:8080", f"127.0.0.1:{self.http_port}"), ('every="30s"', 'every="1s"'), ('max-age="4h"', f'max-age="{max_age}"')):
            assert old in settings, old
            settings = settings.replace(old, new)
        (self.home / "chancery.xml").write_text(settings)
        for each in ISSUERS:
            key = self.home / f"keys/{each}-ocsp.key"
            kind = ("RSA", "rsa_keygen_bits:2048") if each.startswith("rsa") else ("EC", "ec_paramgen_curve:P-256")
            run("openssl", "genpkey", "-algorithm", kind[0], "-pkeyopt", kind[1], "-out", key)
            key.chmod(0o600)
            run("openssl", "pkey", "-in", key, "-pubout", "-out", self.home / f"issuers/{each}-ocsp.pub")

    def public(self, issuer):
        return self.home / f"issuers/{issuer}-ocsp.pub"


def pair(ocsp='<ocsp validity="24h" signer-validity="14d"/>', **options):
    """A CA that runs and knows the host, and the host, which has no snapshot yet."""
    ca, host = Service(start=False), Host(**options)
    settings = ca.home / "chancery.xml"
    text = settings.read_text().replace('overlap="72h"/>', 'overlap="72h"/>\n    <responder host="dmz1"/>')
    replace_file(settings, text.replace('<ocsp validity="24h" signer-validity="14d"/>', ocsp))
    for each in ISSUERS:
        shutil.copy(host.public(each), ca.home / f"issuers/{each}-dmz1-ocsp.pub")
    ca.start()
    return ca, host
