#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""deploy/install-packages on a machine that is busy, or has a mirror that fails: it is tried again, with an end, and starts no service,
also when it is killed or is not alone. apt-get, sudo and sleep only say that they were called."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from harness import ROOT, WAIT_S, WORK, wait_until

TRIES = 5
ABSENT = "chancery-test-absent"  # no package has the name


class Machine:
    """A checkout whose list is one package, and what stands before apt-get."""

    def __init__(self, package, apt="exit 0"):
        self.root = pathlib.Path(tempfile.mkdtemp(dir=WORK))
        (self.root / "deploy").mkdir()
        (self.root / "first").mkdir()
        shutil.copy(ROOT / "deploy/install-packages", self.root / "deploy")
        self.need(package)
        self.calls, self.policy = self.root / "calls", self.root / "policy-rc.d"
        self.program("apt-get", f'echo "apt-get $*" >>{self.calls}\n{apt}')
        self.program("sleep", f'echo "sleep $*" >>{self.calls}')
        self.program("sudo", 'exec "$@"')

    def need(self, package):
        (self.root / "deploy/packages").write_text(f"build {package} of the test\n")

    def program(self, name, text):
        path = self.root / "first" / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def command(self):
        environment = {**os.environ, "PATH": f"{self.root}/first:{os.environ['PATH']}", "POLICY_RC_D": str(self.policy)}
        return {"args": [self.root / "deploy/install-packages", "build"], "env": environment, "text": True}

    def install(self):
        return subprocess.run(**self.command(), capture_output=True, timeout=WAIT_S, check=False)

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

    def killed(self):
        """A machine on which a run has left its policy."""
        machine = Machine(ABSENT)
        machine.program("apt-get", 'case "$*" in *" install"*) kill -9 $PPID ;; esac')
        self.assertEqual(machine.install().returncode, -9)
        self.assertTrue(machine.policy.exists())
        return machine

    def test_the_policy_of_a_run_that_was_killed_goes_with_the_next_one(self):
        machine = self.killed()
        machine.program("apt-get", f'case "$*" in *" install"*) {machine.policy} {ABSENT}.service start; echo $? >{machine.root}/said ;; esac')
        self.assertEqual(machine.install().returncode, 0)
        self.assertEqual((machine.root / "said").read_text(), "101\n", "and holds until then")
        self.assertFalse(machine.policy.exists())

    def test_it_goes_as_well_when_nothing_is_missing_any_more(self):
        machine = self.killed()
        machine.need("dpkg")
        self.assertEqual(machine.install().returncode, 0)
        self.assertFalse(machine.policy.exists())

    def test_who_has_no_right_to_remove_it_is_told(self):
        machine = self.killed()
        machine.need("dpkg")
        for name in ("rm", "sudo"):
            machine.program(name, "exit 1")
        done = machine.install()
        self.assertEqual((done.returncode, done.stderr.count(f"remove {machine.policy}")), (0, 1))

    def test_a_second_run_waits_for_the_first(self):
        machine = Machine(ABSENT)
        gate = machine.root / "gate"
        os.mkfifo(gate)
        machine.program("apt-get", f'echo "apt-get $*" >>{machine.calls}\n[ ! -e {gate} ] || timeout {WAIT_S} cat {gate}\n'
                        f'case "$*" in *" install"*) {machine.policy} {ABSENT}.service start; echo $? >>{machine.root}/said ;; esac')
        with open(machine.root / "log", "w+") as log:
            runs = [subprocess.Popen(**machine.command(), stderr=log)]
            try:
                wait_until(lambda: machine.called("update"), "the first is at it")
                runs.append(subprocess.Popen(**machine.command(), stderr=log))
                wait_until(lambda: "waiting for another run" in (machine.root / "log").read_text() or runs[1].poll() is not None, "the second waits")
                self.assertEqual(len(machine.called("update")), 1)
                machine.need("dpkg")  # nothing is missing for a third, which waits for nobody
                self.assertEqual(machine.install().returncode, 0)
                self.assertTrue(machine.policy.exists())
                machine.need(ABSENT)
                with open(gate, "w"):
                    gate.unlink()
                self.assertEqual([each.wait(WAIT_S) for each in runs], [0, 0])
            finally:
                for each in runs:
                    each.kill()
        self.assertEqual((machine.root / "said").read_text(), "101\n101\n")
        self.assertFalse(machine.policy.exists())


if __name__ == "__main__":
    unittest.main()
