#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGKILL under load, over and over: one role, or all of them, at any moment. CRASH_ROUNDS says how often."""
import os
import random
import signal
import statistics
import sys
import time
import unittest

import crash
from harness import WAIT_S, ServiceTest, wait_until

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "20"))
ROLES = ("signer", "ocsp-signer", "ca", "crl", "ocsp", "api")


class Crash(ServiceTest):
    def kill(self, role):
        if role == "all":
            return self.service.kill()
        try:
            os.kill(random.choice(self.service.roles()[role]), signal.SIGKILL)
        except (KeyError, ProcessLookupError):
            pass  # it went with another

    def round(self, role):
        load = crash.Load(self.service)
        load.start(least=random.randint(3, 30))
        time.sleep(random.uniform(0, 0.3))
        load.end(lambda: self.kill(role))
        load.stop()
        self.service.process.wait(timeout=WAIT_S)
        wait_until(lambda: not self.service.roles(), "no process is left")
        began = time.monotonic()
        self.service.start()
        self.back.append(time.monotonic() - began)
        self.acknowledged += len(load.issued) + len(load.revoked)
        self.everything |= set(load.issued)
        crash.check(self, self.service, load.acknowledged(), self.everything, load.faults)

    def test_what_was_acknowledged_survives_every_kill(self):
        seed = int(os.environ.get("CRASH_SEED", random.randrange(1 << 30)))
        random.seed(seed)
        self.back, self.acknowledged, self.everything = [], 0, set()
        for number in range(ROUNDS):
            role = random.choice(("all", *ROLES))
            with self.subTest(round=number, role=role, seed=seed):
                self.round(role)
        print(f"{ROUNDS} kills, {self.acknowledged} acknowledged acts, none lost; back in service after "
              f"{statistics.median(self.back):.2f} s (median), {max(self.back):.2f} s (worst)", file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
