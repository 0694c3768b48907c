#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A clock that jumps by years: alarms that nobody asked for, no harm to what is published and carried, and all of it over when the
clock is right. Takes two minutes: what ends is looked at once a minute."""
import unittest

from faketime import FakedService
from harness import ServiceTest, wait_until
from places import new_directory
from watched import QUICK, files_in, published, set_watch


class Clock(ServiceTest):
    @classmethod
    def setUpClass(cls):
        cls.directory = new_directory()
        cls.service = FakedService()
        set_watch(cls.service, f'<target id="near" type="directory" url="file:{cls.directory}"/>', **QUICK)
        cls.service.start()

    def jump(self, offset):
        """Sets the service's clock; gives where the log stood."""
        mark = len(self.service.log.read_text())
        self.service.jump(offset)
        return mark

    def await_log(self, mark, *words):
        """What is looked at once a minute may take longer than other waits."""
        for _ in range(3):
            try:
                wait_until(lambda: any(all(word in line for word in words) for line in self.service.log.read_text()[mark:].splitlines()), "")
                return
            except AssertionError:
                pass
        raise AssertionError(f"the log does not say {words}:\n{self.service.tail()}")

    def test_years_ahead_and_back(self):
        wait_until(lambda: len(published(self.service)) >= 8 and files_in(self.directory) == published(self.service), "the target has all")
        before = published(self.service)
        mark = self.jump("+3600d")
        self.await_log(mark, "error watch alarm", "readback.stale near")
        self.await_log(mark, "error watch alarm", "crl.overdue rsa-g1")
        self.await_log(mark, "warn ca alarm", "certificate.ending issuer rsa-g1: ends ")
        self.assertEqual((published(self.service), files_in(self.directory)), (before, before), "nothing was published or carried")
        mark = self.jump("+0")
        self.await_log(mark, "info watch alarm-over", "readback.stale near")
        self.await_log(mark, "info watch alarm-over", "crl.overdue rsa-g1")
        self.await_log(mark, "info ca alarm-over", "certificate.ending issuer rsa-g1")
        self.assertEqual(files_in(self.directory), published(self.service))
        self.assertNotIn("target.failing", self.service.log.read_text())


if __name__ == "__main__":
    unittest.main()
