# SPDX-License-Identifier: Apache-2.0
"""watched: a service that carries its lists to targets, and what its tests ask of it and of the targets."""
import re
import signal
import unittest

from harness import Service, ServiceTest, replace_file, wait_until
from places import NO_SSHD, Nginx, Sshd, private_file


def set_watch(service, inside, **options):
    """Writes the targets into the configuration; a service that runs reads them at once."""
    path = service.home / "chancery.xml"
    values = {"check": "1h", "retry": "1s", "retry-max": "2s", **options}
    text = re.sub(r"  <watch .*</watch>\n", "", path.read_text(), flags=re.S)
    head = " ".join(f'{name}="{value}"' for name, value in values.items())
    replace_file(path, text.replace("</chancery>", f"  <watch {head}>{inside}</watch>\n</chancery>"))
    if service.process and service.process.poll() is None:
        mark = service.log.read_text().count("target(s)")
        service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: service.log.read_text().count("target(s)") > mark, "the targets are read again")


def published(service):
    """{name: octets} of what is published."""
    directory = service.home / "public/crl"
    return {each.name: each.read_bytes() for each in directory.iterdir()
            if each.suffix in (".crl", ".pem") and ".previous." not in each.name}


def files_in(directory):
    """{name: octets} of the files there; a directory in it is none."""
    return {each.name: each.read_bytes() for each in directory.iterdir() if each.is_file()}


def figure(service, family, target):
    """A figure of a target in /metrics; None while it is not there."""
    found = re.search(rf'^chancery_{family}{{target="{target}"}} (-?\d+)$', service.https("/metrics").text, re.M)
    return int(found[1]) if found else None


def checks(service):
    """{name: (status, detail)} of /readyz."""
    return {each["name"]: (each["status"], each["detail"]) for each in service.https("/readyz").json()["checks"]}


QUICK = {"check": "1s", "retry": "1s", "retry-max": "1s"}


class WatchTest(ServiceTest):
    def alarm(self, code, target, *words):
        """Waits until the alarm stands and says all of the words; gives (status, detail)."""
        def found():
            check = checks(self.service).get(f"{code}:{target}")
            return check if check and all(each in check[1] for each in words) else None
        try:
            return wait_until(found, "")
        except AssertionError:
            standing = checks(self.service)
            raise AssertionError(f"no alarm {code}:{target} with {words}; there is {standing}") from None

    def no_alarm(self, *codes):
        """Waits until none of these stands, of any target."""
        wait_until(lambda: not [each for each in checks(self.service) if each.startswith(codes or ("target.", "readback.", "watch."))],
                   f"{codes or 'every alarm'} is over")

    def publish_anew(self):
        """A new list of rsa-g1, as octets."""
        self.service.publish("rsa-g1")
        return published(self.service)["rsa-g1.crl"]


@unittest.skipIf(NO_SSHD, NO_SSHD)
class PeersTest(WatchTest):
    """A service without targets, an nginx and an sshd."""

    @classmethod
    def setUpClass(cls):
        cls.nginx = Nginx()
        cls.addClassCleanup(cls.nginx.stop)
        cls.sshd = Sshd()
        cls.addClassCleanup(cls.sshd.stop)
        cls.service = Service()

    def sftp(self, known_hosts=None, key=None):
        s = self.sshd
        return (f'<target id="sftp" type="sftp" url="sftp://127.0.0.1:{s.port}{s.files}" user="{s.user}" key="file:{key or s.key}" '
                f'known-hosts="file:{known_hosts or s.known_hosts}"/>')

    def dav(self, ca=None, secret=None):
        n = self.nginx
        return (f'<target id="dav" type="webdav" url="https://localhost:{n.https}/basic" user="crl" '
                f'secret="file:{secret or private_file(n.password)}" ca="file:{ca or n.certificate}"/>')
