#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the other system tests rely on: does it leave nothing behind, and come into nobody's way?"""
import os
import pathlib
import socket
import subprocess
import sys
import unittest
import unittest.mock

import exposition
import harness
from harness import WAIT_S, WORK, Service, wait_until

STARTS = """
import unittest
from harness import Service, wait_until
class Started(unittest.TestCase):
    def test_it_waits(self):
        print(Service().home, flush=True)
        wait_until(lambda: False, "the end")
unittest.main()
"""


def other(text):
    """Another test program, as ctest starts one."""
    return subprocess.Popen([sys.executable, "-c", text], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                            env={**os.environ, "PYTHONPATH": str(pathlib.Path(__file__).parent)})


class Ended(unittest.TestCase):
    def test_a_test_that_is_ended_leaves_nothing(self):
        program = other(STARTS)
        service = Service.__new__(Service)
        service.process, service.home = None, pathlib.Path(program.stdout.readline().strip())
        self.addCleanup(service.kill)
        wait_until(lambda: len(service.roles()) == len(harness.ROLES), "the service runs")
        program.terminate()
        program.communicate(timeout=WAIT_S)
        self.assertNotEqual(program.returncode, 0)
        self.assertEqual(service.roles(), {})
        self.assertFalse(service.home.exists())


class Exposition(unittest.TestCase):
    """What reads /metrics for the tests takes what is in the format and nothing else."""
    HEAD = "# HELP t Times.\n# TYPE t histogram\n"
    BUCKETS = 't_bucket{le="5"} 2\nt_bucket{le="+Inf"} 3\n'
    GOOD = HEAD + BUCKETS + "t_sum 20\nt_count 3\n# HELP n Numbers.\n# TYPE n counter\nn{a=\"x\",b=\"\\\"\"} 1\nn 2\n"

    def test_what_is_in_the_format_is_read(self):
        families = exposition.read(self.GOOD)
        self.assertEqual({each.name: each.kind for each in families.values()}, {"t": "histogram", "n": "counter"})
        self.assertEqual(families["t"].samples["t_count", ()], 3)

    def test_what_is_not_is_refused(self):
        for old, new in (("t_count 3", "t_count 2"), ("} 2", "} 4"), ("+Inf", "9"), ('le="5"', 'le="5",a="b"'), ("t_sum 20\n", ""), (self.BUCKETS, ""),
                         ("# TYPE t histogram\n", ""), ("# TYPE n counter\n", "# TYPE n number\n"), ("n 2\n", "n 2"), ("n 2\n", "n 2\nn 2\n"),
                         ("n 2\n", "n 2\n# TYPE n counter\n"), ("n 2\n", "n 2\nt_sum 20\n"), ("n 2\n", "n -2\n"), ("n 2\n", "n two\n"),
                         ("n 2\n", 'n{a="x} 2\n'), ("n 2\n", f"n 2\n{self.HEAD}"), ("# HELP t Times.\n", "")):
            with self.subTest(old=old, new=new):
                self.assertIn(old, self.GOOD)
                with self.assertRaises(exposition.Wrong):
                    exposition.read(self.GOOD.replace(old, new))


class Ports(unittest.TestCase):
    """A port is drawn once, before its server is there."""

    def draw(self, ports):
        """What free_ports finds when chance offers these, one after the other."""
        with unittest.mock.patch("random.SystemRandom") as chance:
            chance.return_value.randrange.side_effect = ports
            return harness.free_ports(1)

    def test_none_is_given_twice(self):
        for port in harness.free_ports(2):
            with self.assertRaises(StopIteration):
                self.draw([port])

    def test_none_is_given_to_two_programs_at_once(self):
        program = other("import harness; print(harness.free_ports(1)[0], flush=True); input()")
        theirs = int(program.stdout.readline())
        with self.assertRaises(StopIteration):
            self.draw([theirs])
        program.communicate("\n", timeout=WAIT_S)
        self.assertEqual(self.draw([theirs]), [theirs], "it is given back")

    def test_none_is_given_that_somebody_listens_on(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            with self.assertRaises(StopIteration):
                self.draw([taken.getsockname()[1]])


if __name__ == "__main__":
    unittest.main()
