#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Do the documents name what is there? The libraries that the program needs, held against the packages that are said to bring them;
its commands, routes, events of the log and tables."""
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
            self.assertTrue(re.search(rf"(?m)^\|.*(?<![\w-]){re.escape(package)}(?![\w-]).*\|", part), line)


class Interface(unittest.TestCase):
    def setUp(self):
        self.text = document("interface.md")

    def is_there(self, command):
        """Is there a row of a table that begins with the command?"""
        return re.search(rf"(?m)^\| `{re.escape(command)}[ `]", self.text) is not None

    def test_every_command_has_a_row(self):
        commands = [re.match(r"  (\S+(?: [a-z]\S*)?)", line)[1] for line in said(CHANCERY, "--help").splitlines() if re.match(r"  [a-z]", line)]
        self.assertIn("token create", commands)
        self.assertIn("health", commands)
        self.assertGreater(len(commands), 30)
        self.assertEqual([each for each in commands if not self.is_there(each)], [])
        self.assertFalse(self.is_there("token crea"))

    def test_every_row_of_commands_is_a_command(self):
        usage = said(CHANCERY, "--help")
        rows = re.findall(r"(?m)^\| `([a-z]+(?: [a-z]+)?)[ `]", section(self.text, "2. The program"))
        self.assertIn("token create", rows)
        self.assertEqual([each for each in rows if not re.search(rf"(?m)^  {each}( |$)", usage)], [])

    def test_every_route_is_named(self):
        routes = [line.split()[1] for line in said(str(pathlib.Path(CHANCERY).with_name("list_routes"))).splitlines()]
        self.assertIn("/api/v1/permits", routes)
        paths = {route: re.escape(re.sub(r"\.(der|pem)$", "", route)).replace(r"\{\*\}", "[A-Z]+/[A-Z]+").replace(r"\{\}", "[A-Z]+")
                 for route in routes}
        self.assertEqual([route for route, path in paths.items() if not re.search(rf"{path}(?![\w/])", self.text)], [])


class Log(unittest.TestCase):
    """The events of the log, which an administrator filters by and looks up."""

    ROOMS = ("base", "store", "signer", "ca", "crl", "ocsp", "cli", "watch", "api")
    SAID = re.compile(r'(?:\blog_(?:info|warn|error)\(\s*|\bline\("\w+", |\btell_fault\([^;]*?, |\bkept_open\(s, )"([a-z-]+)"')

    ALARM = "`alarm` "  # begins a row whose other words are codes of alarms
    RAISED = re.compile(r'\b(?:alarm|bell)_raise\([^;"]*?(?:"([a-z.-]+)"|\b(ALARM|CODE|BARRED|OLD|REFUSED|BEHIND|[A-Z]+_ALARM)),')

    def rows(self):
        return re.findall(r"(?m)^\| (`[^|]*)\|", section(document("operations.md"), "10. The log"))

    def raised(self):
        """The codes of alarms, also those that a #define of the file or of a header names."""
        codes, headers = set(), "".join(path.read_text() for room in self.ROOMS for path in (ROOT / room).rglob("*.h"))
        for path in (path for room in self.ROOMS for path in (ROOT / room).rglob("*.c")):
            text = path.read_text()
            for code, name in self.RAISED.findall(text):
                codes.add(code or re.search(rf'#define {name} "([a-z.-]+)"', text + headers)[1])
        return codes

    def test_every_alarm_of_the_table_is_raised_and_every_other_is_told_somewhere(self):
        raised = self.raised()
        self.assertLessEqual({"permits.unread", "confinement", "certificate.ending", "crl.late", "clock.ahead", "target.failing"}, raised)
        rows = [row.removeprefix(self.ALARM) for row in self.rows() if re.match(self.ALARM + "`", row)]
        named = {each for row in rows for each in re.findall(r"`([a-z.-]+)`", row)}
        self.assertLessEqual({"permits.unread", "confinement"}, named)
        self.assertEqual(sorted(named - raised), [], "in docs/operations.md, 10, and raised by nothing")
        text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md"))
        self.assertEqual(sorted(each for each in raised if f"`{each}`" not in text), [], "in no document")

    def test_every_event_is_in_operations_and_none_that_is_not_said(self):
        said_ = {event for room in self.ROOMS for path in (ROOT / room).rglob("*.c") for event in self.SAID.findall(path.read_text())}
        self.assertLessEqual({"ready", "alarm", "end", "key", "ocsp-as-of"}, said_)
        named = {each for row in self.rows() for each in re.findall(r"`([a-z-]+)`", row) if not re.match(self.ALARM + "`", row)}
        self.assertEqual(sorted(said_ - named), [], "not in docs/operations.md, 10")
        self.assertEqual(sorted(named - said_), [], "in docs/operations.md, 10, and said by nothing")


class Tables(unittest.TestCase):
    def test_every_table_of_the_store_has_a_row_in_architecture(self):
        tables = re.findall(r'\[TABLE_\w+\] = "(\w+)"', (ROOT / "store/damage.c").read_text())
        self.assertIn("cert", tables)
        rows = re.findall(r"(?m)^\| (`[^|]*)\|", section(document("architecture.md"), "The store"))
        named = [each for row in rows for each in re.findall(r"`(\w+)`", row)]
        self.assertEqual(sorted(tables), sorted(named))


if __name__ == "__main__":
    unittest.main()
