#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Do the documents name what is there? The libraries that the program needs, held against the packages that are said to bring them."""
import os
import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHANCERY = os.environ.get("CHANCERY", str(ROOT / "build/chancery"))


def said(*argv):
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60).stdout


def document(name):
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def section(text, title):
    """What stands below a title of the second level, up to the next."""
    return re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)[1]


class Libraries(unittest.TestCase):
    def owners(self, library):
        """The packages that bring a library."""
        return {line.split(":")[0] for line in said("dpkg", "-S", f"*/{library}").splitlines()}

    def test_the_group_run_brings_what_the_program_needs_and_nothing_else(self):
        libraries = re.findall(r"NEEDED +(\S+)", said("objdump", "-p", CHANCERY))
        self.assertIn("libc.so.6", libraries)
        packages = {line.split()[1] for line in (ROOT / "deploy/packages").read_text().splitlines() if line.startswith("run ")}
        used = set()
        for library in libraries:
            found = self.owners(library) & packages
            self.assertNotEqual(found, set(), f"no package of the group run brings {library}")
            used |= found
        self.assertEqual(packages - used, set(), "needed by nothing")

    def test_every_package_stands_in_dependencies_in_the_part_of_its_group(self):
        text = document("dependencies.md")
        for line in (ROOT / "deploy/packages").read_text().splitlines():
            if line.startswith("#"):
                continue
            group, package = line.split()
            part = section(text, "To run") if group == "run" else text
            self.assertRegex(part, rf"(?m)^\|.*(?<![\w-]){re.escape(package)}(?![\w-]).*\|", line)


if __name__ == "__main__":
    unittest.main()
