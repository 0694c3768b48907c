#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""deploy/install-packages on a machine that is busy, or has a mirror that fails: it is tried again, with an end, and starts no service.
apt-get, sudo and sleep only say that they were called."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from harness import ROOT, WAIT_S, WORK

TRIES = 5
ABSENT = "chancery-test-absent"  # no package has the name


class Machine:
    """A checkout whose list is one package, and what stands before apt-get."""

    def __init__(self, package, apt="exit 0"):
        self.root = pathlib.Path(tempfile.mkdtemp(dir=WORK))
        (self.root / "deploy").mkdir()
        (self.root / "first").mkdir()
        shutil.copy(ROOT / "deploy/install-packages", self.root / "deploy")
        (self.root / "deploy/packages").write_text(f"build {package} of the test\n")
        self.calls, self.policy = self.root / "calls", self.root / "policy-rc.d"
        self.program("apt-get", f'echo "apt-get $*" >>{self.calls}\n{apt}')
        self.program("sleep", f'echo "sleep $*" >>{self.calls}')
        self.program("sudo", 'exec "$@"')

    def program(self, name, text):
        path = self.root / "first" / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def install(self):
        environment = {**os.environ, "PATH": f"{self.root}/first:{os.environ['PATH']}", "POLICY_RC_D": str(self.policy)}
        return subprocess.run([self.root / "deploy/install-packages", "build"], env=environment, capture_output=True, text=True, timeout=WAIT_S, check=False)

    def called(self, word):
        lines = self.calls.read_text().splitlines() if self.calls.exists() else []
        return [line for line in lines if word in line.split()]


class Install(unittest.TestCase):
    def test_what_is_there_is_left_alone(self):
        machine = Machine("dpkg")
        self.assertEqual(machine.install().returncode, 0)
        self.assertFalse(machine.calls.exists())

    def test_what_is_missing_is_installed(self):
        machine = Machine(ABSENT)
        self.assertEqual(machine.install().returncode, 0)
        self.assertEqual((len(machine.called("update")), len(machine.called("install")), machine.called("sleep")), (1, 1, []))
        self.assertIn(ABSENT, machine.called("install")[0].split())
        for call in machine.called("apt-get"):
            self.assertRegex(call, r"Acquire::Retries=\d+ .*DPkg::Lock::Timeout=\d+ ")

    def test_lists_that_are_locked_and_a_mirror_that_fails_are_tried_again(self):
        for step in ("update", "install"):
            with self.subTest(step=step):
                machine = Machine(ABSENT)
                machine.program("apt-get", f'echo "apt-get $*" >>{machine.calls}\n'
                                f'case "$*" in *" {step}"*) [ "$(grep -c " {step}" {machine.calls})" -gt 2 ] || exit 100 ;; esac')
                self.assertEqual(machine.install().returncode, 0)
                self.assertEqual((len(machine.called(step)), len(machine.called("sleep"))), (3, 2))

    def test_it_ends_when_nothing_helps(self):
        machine = Machine(ABSENT, "exit 100")
        done = machine.install()
        self.assertEqual(done.returncode, 1)
        self.assertIn(ABSENT, done.stderr.splitlines()[-1])
        self.assertEqual(len(machine.called("update")), TRIES)

    def test_no_service_is_started_while_it_installs(self):
        for code in (0, 100):
            machine = Machine(ABSENT)
            machine.program("apt-get", f'case "$*" in *" install"*) {machine.policy} {ABSENT}.service start; echo $? >{machine.root}/said; exit {code} ;; esac')
            self.assertEqual(machine.install().returncode, min(code, 1))
            self.assertEqual((machine.root / "said").read_text(), "101\n", "it is forbidden, invoke-rc.d(8)")
            self.assertFalse(machine.policy.exists(), "for this time alone")

    def test_a_service_that_runs_may_be_started_again(self):
        machine = Machine(ABSENT)
        machine.program("systemctl", f'[ "$*" = "--quiet is-active {ABSENT}.service" ]')
        machine.program("apt-get", f'case "$*" in *" install"*) {machine.policy} {ABSENT}.service restart; echo $? >{machine.root}/said ;; esac')
        self.assertEqual(machine.install().returncode, 0)
        self.assertEqual((machine.root / "said").read_text(), "0\n")

    def test_a_policy_that_the_machine_has_stays(self):
        machine = Machine(ABSENT)
        machine.policy.write_text("of the machine\n")
        self.assertEqual(machine.install().returncode, 0)
        self.assertEqual(machine.policy.read_text(), "of the machine\n")


if __name__ == "__main__":
    unittest.main()
