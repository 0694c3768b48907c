#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The service of an ordinary user: does everything still go, fully confined, and who may call on its control socket?"""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import unittest

from harness import CHANCERY, WORK, Service, ServiceTest, make_csr, new_file, replace_file, run, wait_until

USER, GROUP = 61234, 61234
OPERATOR, STRANGER = 61235, 61236  # in the same group: the socket's mode lets them connect


class OfUser(Service):
    account = {"user": USER, "group": GROUP, "extra_groups": []}
    program = WORK / "chancery"  # he may not come to the checkout: below a home, below /root


def why_not():
    """Why the program cannot be run as the user; None: it can."""
    if os.geteuid() != 0:
        return "needs root to become somebody else"
    shutil.copy(CHANCERY, OfUser.program)
    OfUser.program.chmod(0o755)
    try:
        run(OfUser.program, "--version", account=OfUser.account)
    except PermissionError:
        return f"only root may run what is in {WORK}"
    return None


REFUSED = why_not()


@unittest.skipIf(REFUSED, REFUSED)
class User(ServiceTest):
    @classmethod
    def setUpClass(cls):
        cls.service = OfUser(start=False)
        path = cls.service.home / "chancery.xml"
        replace_file(path, path.read_text().replace("  <store ", f'  <login><peer uid="{OPERATOR}" role="operator"/></login>\n  <store ', 1))
        os.chown(path, USER, GROUP)
        cls.service.directory.chmod(0o711)
        cls.service.home.chmod(0o710)
        cls.service.start()

    def chancery(self, user, *arguments, check=True):
        account = {"user": user, "group": GROUP, "extra_groups": []}
        return run(OfUser.program, *arguments, "--home", self.service.home, check=check, account=account)

    def test_its_own_user_is_an_administrator(self):
        self.assertEqual(self.chancery(USER, "cert", "list").returncode, 0)
        self.chancery(USER, "token", "create", "--name", "a", "--role", "viewer")
        self.chancery(USER, "crl", "publish", "--issuer", "ec-g1")
        csr = new_file(make_csr("ec-P-256", subject="/CN=a.example.com", sans=["DNS:a.example.com"]).pem, ".csr")
        os.chmod(csr, 0o644)
        self.chancery(USER, "csr", "sign", csr, "--profile", "general/server")

    def test_who_the_configuration_names_has_its_role(self):
        self.assertEqual(self.chancery(OPERATOR, "cert", "list").returncode, 0)
        self.assertEqual(self.chancery(OPERATOR, "crl", "publish", "--issuer", "ec-g1").returncode, 0)  # as no viewer may
        self.assertEqual(self.chancery(OPERATOR, "token", "create", "--name", "b", "--role", "viewer", check=False).returncode, 6)

    def test_anybody_else_is_refused_and_the_service_goes_on(self):
        self.assertEqual(self.chancery(STRANGER, "cert", "list", check=False).returncode, 6)
        self.assertEqual(self.chancery(USER, "health").returncode, 0)

    def test_every_role_is_confined(self):
        health = self.chancery(USER, "health", "--output", "json").text
        self.assertEqual(health.count("no new privileges, seccomp, "), 7, health)

    def make_operator(self, role, before):
        """The operator gets another role by a reload."""
        path = self.service.home / "chancery.xml"
        replace_file(path, path.read_text().replace(f'role="{before}"', f'role="{role}"'))
        os.chown(path, USER, GROUP)
        self.service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: role in self.chancery(OPERATOR, "permit", "list", check=False).said, "the role is another")

    def test_a_reload_is_taken(self):
        self.addCleanup(self.make_operator, "operator", "viewer")
        self.make_operator("viewer", "operator")
        self.assertEqual(self.chancery(OPERATOR, "crl", "publish", "--issuer", "ec-g1", check=False).returncode, 6)


IN_NAMESPACE = [sys.executable, str(pathlib.Path(__file__).with_name("user_namespace.py")), str(USER)]
OVERFLOW = pathlib.Path("/proc/sys/kernel/overflowuid").read_text().strip()


def namespaces_work():
    return os.geteuid() == 0 and subprocess.run([*IN_NAMESPACE, "/bin/true"], stderr=subprocess.DEVNULL, check=False).returncode == 0


@unittest.skipIf(REFUSED, REFUSED)
@unittest.skipUnless(namespaces_work(), "no user namespace can be made here")
class Namespace(ServiceTest):
    """All whom it lacks have one number there, the overflow uid: the configuration's operators have that, and nobody may be it."""

    @classmethod
    def setUpClass(cls):
        cls.service = OfUser(start=False)
        path = cls.service.home / "chancery.xml"
        peers = "".join(f'<peer uid="{uid}" role="operator"/>' for uid in (OPERATOR, OVERFLOW)) + f'<peer gid="{GROUP}" role="viewer"/>'
        replace_file(path, path.read_text().replace("  <store ", f"  <login>{peers}</login>\n  <store ", 1))
        os.chown(path, USER, GROUP)
        cls.service.directory.chmod(0o711)
        cls.service.home.chmod(0o710)
        cls.service.account, cls.service.under = {}, [*IN_NAMESPACE, *cls.service.under]
        cls.service.start()

    def chancery(self, user, *arguments, group=GROUP):
        account = {"user": user, "group": group, "extra_groups": []}
        return run(OfUser.program, *arguments, "--home", self.service.home, check=False, account=account)

    def publish(self, user, **how):
        return self.chancery(user, "crl", "publish", "--issuer", "ec-g1", **how)

    def test_root_and_its_own_user_are_administrators(self):
        for user in (0, USER):
            self.assertEqual(self.publish(user).returncode, 0, user)

    def test_whom_it_lacks_is_known_by_a_group_that_it_has_or_not_at_all(self):
        self.assertEqual(self.chancery(OPERATOR, "cert", "list").returncode, 0)
        self.assertEqual(self.publish(OPERATOR).returncode, 6)
        socket = self.service.home / "control.sock"
        self.addCleanup(socket.chmod, socket.stat().st_mode)
        self.addCleanup(self.service.home.chmod, 0o710)
        socket.chmod(0o666)
        self.service.home.chmod(0o711)
        for user in (OPERATOR, STRANGER):
            refused = self.chancery(user, "cert", "list", group=STRANGER)
            self.assertEqual(refused.returncode, 6, refused.said)
            self.assertIn("user namespace", refused.said)

    def test_the_start_tells_of_peers_that_nobody_can_be(self):
        log = self.service.log.read_text()
        for uid in (OPERATOR, OVERFLOW):
            self.assertIn(f'nobody is <peer uid=\\"{uid}\\"> in the user namespace', log)
        self.assertNotIn(f'nobody is <peer gid=\\"{GROUP}\\">', log)


if __name__ == "__main__":
    unittest.main()
