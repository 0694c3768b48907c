#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does a name server that never answers hold up a target alone, and neither a reload nor the end of the service?"""
import errno
import os
import random
import socket
import subprocess
import unittest

from harness import UNDER, Service, new_file, wait_until
from watch_test import QUICK, WatchTest, published, set_watch
from places import new_directory

# Of this process alone: another run of these tests may be beside it.
ADDRESS = "127." + ".".join(str(random.SystemRandom().randrange(1, 255)) for _ in range(3))


def can_mount():
    return os.geteuid() == 0 and subprocess.run(["unshare", "-m", "mount", "--bind", "/dev/null", "/etc/resolv.conf"], check=False, capture_output=True).returncode == 0


def is_taken():
    """A name server of this machine has port 53 of every address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        try:
            one.bind((ADDRESS, 53))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


@unittest.skipIf(is_taken(), is_taken.__doc__)
@unittest.skipUnless(can_mount(), "a name server of its own needs root and a mount")
class Mute(WatchTest):
    @classmethod
    def setUpClass(cls):
        cls.names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        cls.addClassCleanup(cls.names.close)
        cls.names.bind((ADDRESS, 53))
        cls.names.setblocking(False)
        resolver = new_file(f"nameserver {ADDRESS}\noptions timeout:30 attempts:5\n")
        under = ["unshare", "-m", "sh", "-c", f'mount --bind {resolver} /etc/resolv.conf && exec "$@"', "sh"]
        UNDER[:0] = under
        cls.addClassCleanup(UNDER.__delitem__, slice(len(under)))
        cls.service = Service()

    def is_asked(self):
        """A question came since the last call."""
        found = False
        while True:
            try:
                found = bool(self.names.recv(4096)) or found
            except BlockingIOError:
                return found

    def test_it_holds_up_its_own_target_alone(self):
        directory = new_directory()
        targets = f"""<target id="far" type="webdav" url="http://upload.example.net/crl"/>
            <target id="near" type="directory" url="file:{directory}"/>"""
        set_watch(self.service, targets, **QUICK)
        wait_until(self.is_asked, "the name is looked up")
        wait_until(lambda: len(list(directory.glob("*.crl"))) == len([each for each in published(self.service) if each.endswith(".crl")]), "the other has all")
        set_watch(self.service, targets, **QUICK)
        wait_until(self.is_asked, "the name is looked up again")
        self.assertEqual(self.service.stop(), 0, self.service.tail())
        self.assertNotIn("did not end in time", self.service.log.read_text())


if __name__ == "__main__":
    unittest.main()
