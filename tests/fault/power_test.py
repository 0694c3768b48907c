#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Power cuts. A kill leaves the kernel's pages; a power cut leaves what reached the disk. So the home lies on a file
system of its own, in an image on another that can clone files: mid-load the image is cloned in one step, the service and
its file system are thrown away, and the clone is mounted in their place. POWER_ROUNDS says how often.

A last test runs the same with every sync made void, and must find something lost: else these tests could not fail."""
import os
import pathlib
import random
import statistics
import subprocess
import sys
import time
import unittest

import crash
from harness import WAIT_S, WORK, Service, no_mount, run, wait_until

ROUNDS = int(os.environ.get("POWER_ROUNDS", "5"))
NOSYNC = os.environ.get("NOSYNC", "")
OUTER_MIB, INNER_MIB = 900, 192


OUTER = WORK / "outer.img"


def make_outer():
    OUTER.touch()
    os.truncate(OUTER, OUTER_MIB << 20)
    run("mkfs.xfs", "-q", "-m", "reflink=1", OUTER)


make_outer()
REFUSED = no_mount("-o", "loop", OUTER)


@unittest.skipIf(REFUSED, REFUSED)
class Power(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.image = WORK / "outer/home.img"
        cls.image.parent.mkdir()
        run("mount", "-o", "loop", OUTER, cls.image.parent)
        cls.addClassCleanup(run, "umount", cls.image.parent)

    def setUp(self):
        self.service = Service(start=False)
        kept = self.service.home.with_name("kept")
        self.service.home.rename(kept)
        self.service.home.mkdir()
        self.image.unlink(missing_ok=True)
        self.image.touch()
        os.truncate(self.image, INNER_MIB << 20)
        run("mkfs.ext4", "-q", self.image)
        self.mount()
        run("cp", "-a", f"{kept}/.", self.service.home)
        run("sync", "-f", self.service.home)

    def tearDown(self):
        self.service.kill()
        self.unmount()

    def unmount(self):
        """An ended process has no command line any more a moment before its files are closed."""
        wait_until(lambda: not self.service.roles(), "no process is left")
        wait_until(lambda: run("umount", self.service.home, check=False).returncode == 0, "no file is open")

    def mount(self):
        run("mount", "-o", "loop", self.image, self.service.home)

    def cut(self, load):
        """The power goes: gives what was acknowledged before."""
        clone = self.image.with_name("clone.img")
        before = time.monotonic()
        run("cp", "--reflink=always", self.image, clone)
        acknowledged = load.acknowledged(before)
        load.stopping.set()
        load.end(self.service.kill)
        load.stop()
        self.unmount()
        clone.replace(self.image)
        self.mount()
        return acknowledged

    def round(self, everything):
        load = crash.Load(self.service)
        load.start(least=random.randint(10, 40))
        time.sleep(random.uniform(0, 1))
        acknowledged = self.cut(load)
        everything |= set(load.issued)
        return acknowledged, load.faults

    def test_what_was_acknowledged_survives_every_cut(self):
        seed = int(os.environ.get("POWER_SEED", random.randrange(1 << 30)))
        random.seed(seed)
        everything, back, acts = set(), [], 0
        self.service.start()
        for number in range(ROUNDS):
            with self.subTest(round=number, seed=seed):
                acknowledged, faults = self.round(everything)
                acts += len(acknowledged[0]) + len(acknowledged[1])
                began = time.monotonic()
                self.service.start()
                back.append(time.monotonic() - began)
                crash.check(self, self.service, acknowledged, everything, faults)
        print(f"{ROUNDS} power cuts, {acts} acknowledged acts, none lost; back in service after "
              f"{statistics.median(back):.2f} s (median), {max(back):.2f} s (worst)", file=sys.stderr)

    def found(self):
        """What a cut without syncs lost; "it does not start" is as good an answer."""
        acknowledged, faults = self.round(set())
        self.assertEqual(faults, [])
        try:
            self.service.start()
            issued, revoked, _ = acknowledged
            faults = crash.lost(self.service, issued, revoked)
            checked = self.service.chancery("store", "check", check=False)
            return faults + ([] if checked.returncode == 0 else [checked.said])
        except AssertionError as error:
            return [str(error)]

    def test_a_disk_that_does_not_keep_its_promise_is_noticed(self):
        self.assertTrue(pathlib.Path(NOSYNC).is_file(), "the preload is built with the tests")
        self.service.environment = {"LD_PRELOAD": NOSYNC}
        self.service.start()
        found = self.found()
        self.assertTrue(found, "nothing was lost, so this harness sees no missing sync")
        print(f"without syncs: {len(found)} faults, first: {found[0].splitlines()[0][:120]}", file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
