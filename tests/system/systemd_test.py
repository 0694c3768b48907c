#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a service manager sees: the protocol of sd_notify(3), sockets by sd_listen_fds(3), credentials, the unit files."""
import json
import os
import pathlib
import re
import signal
import socket
import stat
import subprocess
import tempfile
import time
import unittest

from harness import CHANCERY, ROLES, ROOT, WAIT_S, WORK, Service, of_another, run, wait_until

UNITS = ROOT / "deploy/systemd"
EXPOSURE_MAX = 1.5


class Manager:
    """Starts a service as systemd would, and hears what it says."""

    def __init__(self, service, sockets=(), names=None, environment=None, pid="$$"):
        self.service, self.said = service, []
        self.path = pathlib.Path(tempfile.mkdtemp(dir=WORK)) / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.socket.setblocking(False)
        moves = [f"{20 + i}<&{each.fileno()}" for i, each in enumerate(sockets)]  # out of each other's way first
        moves += [f"{3 + i}<&{20 + i} {20 + i}<&-" for i in range(len(sockets))]
        listen = f"export LISTEN_PID={pid} LISTEN_FDS={len(sockets)}; " if sockets else ""
        ready = service.directory / "ready"
        ready.unlink(missing_ok=True)
        with open(service.log, "ab") as log:
            service.process = subprocess.Popen(
                ["bash", "-c", f'{listen}exec "$@" {" ".join(moves)}', "bash", CHANCERY, "serve", "--home", service.home, "--ready-file", ready],
                stdout=log, stderr=log, start_new_session=True, pass_fds=[each.fileno() for each in sockets],
                env={**os.environ, "NOTIFY_SOCKET": str(self.path), **({"LISTEN_FDNAMES": names} if names else {}), **(environment or {})})

    def hear(self):
        """Everything that was said so far, as {name: value} a datagram."""
        while True:
            try:
                text = self.socket.recv(4096).decode()
            except BlockingIOError:
                return self.said
            self.said.append(dict(line.split("=", 1) for line in text.split("\n")))

    def wait(self, name, after=0):
        """The index of the first datagram with `name`, from `after` on."""
        def find():
            ended = self.service.process.poll() is not None
            found = [i for i, each in enumerate(self.hear()) if i >= after and name in each]
            if not found and ended:
                raise AssertionError(f"ended with {self.service.process.returncode} and no {name}:\n{self.service.tail()}")
            return [found[0]] if found else None
        return wait_until(find, name)[0]

    def close(self):
        self.service.kill()
        self.socket.close()


def exposure(path):
    said = run("systemd-analyze", "security", "--offline=true", path, check=False).said
    return float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)[1])


def expand(word):
    """The system calls of a name or of an @group."""
    if not word.startswith("@"):
        return {word}
    lines = [line.strip() for line in run("systemd-analyze", "syscall-filter", word).text.splitlines()[1:]]
    return {call for line in lines if line and not line.startswith("#") for call in expand(line)}


def permitted(path):
    """The system calls that the unit's filter lets through; its lines in order."""
    calls = set()
    for line in path.read_text().splitlines():
        if match := re.match(r"SystemCallFilter=(~?)(.*)", line):
            found = {call for word in match[2].split() for call in expand(word)}
            calls = calls - found if match[1] else calls | found
    return calls


def listener(port):
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", port))
    made.listen(64)
    return made


class Systemd(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = Service(start=False)

    def manage(self, **options):
        manager = Manager(self.service, **options)
        self.addCleanup(manager.close)
        return manager

    def refused(self, **options):
        """The line of a start that must fail with exit code 1."""
        before = len(self.service.log.read_text()) if self.service.log.exists() else 0
        self.assertEqual(self.manage(**options).service.process.wait(timeout=WAIT_S), 1)
        return self.service.log.read_text()[before:]

    def unanswered(self):
        return self.service.log.read_text().count("a role does not answer")

    def test_ready_reloading_and_stopping_are_told(self):
        manager = self.manage()
        ready = manager.wait("READY")
        self.assertEqual(self.service.plain("/").status, 200)
        begun_us = time.monotonic_ns() // 1000
        self.service.process.send_signal(signal.SIGHUP)
        reloading = manager.wait("RELOADING")
        told_us = int(manager.said[reloading]["MONOTONIC_USEC"])
        self.assertTrue(begun_us <= told_us <= time.monotonic_ns() // 1000)
        self.assertEqual(manager.wait("READY", ready + 1), reloading + 1)
        self.assertEqual(self.service.stop(), 0)
        self.assertEqual([list(each)[0] for each in manager.hear()], ["READY", "RELOADING", "READY", "STOPPING"])

    def test_no_role_inherits_the_managers_socket(self):
        manager = self.manage(environment={"WATCHDOG_USEC": "100000000"})
        manager.wait("READY")
        for pids in self.service.roles().values():
            for pid in pids:
                said = of_another(pathlib.Path.read_bytes, pathlib.Path(f"/proc/{pid}/environ"))
                self.assertNotIn(b"NOTIFY_SOCKET", said)
                self.assertNotIn(b"WATCHDOG", said)
        self.assertEqual(self.service.stop(), 0)

    def test_the_watchdog_is_fed_until_a_role_hangs(self):
        for role in ("ocsp", "api"):
            with self.subTest(role=role):
                manager = self.manage(environment={"WATCHDOG_USEC": "1000000"})
                first = manager.wait("WATCHDOG")
                manager.wait("WATCHDOG", first + 1)
                pids = self.service.roles()[role]
                for pid in pids:
                    os.kill(pid, signal.SIGSTOP)
                before, beats = self.unanswered(), len(manager.hear())
                wait_until(lambda: self.unanswered() > before, "the hanging role is noticed")
                self.assertLessEqual(len(manager.hear()), beats + 1, "a beat while a role hangs")
                stopped = len(manager.said)
                for pid in pids:
                    os.kill(pid, signal.SIGCONT)
                manager.wait("WATCHDOG", stopped)
                self.assertEqual(self.service.stop(), 0)

    def test_a_watchdog_of_another_process_is_not_fed(self):
        manager = self.manage(environment={"WATCHDOG_USEC": "200000", "WATCHDOG_PID": "1"})
        manager.wait("READY")
        self.assertEqual(self.service.stop(), 0)
        self.assertNotIn("WATCHDOG", {name for each in manager.hear() for name in each})

    def test_sockets_are_taken_by_name(self):
        # Their ports are others than those of the configuration: the names count.
        http, https = listener(0), listener(0)
        self.addCleanup(http.close)
        self.addCleanup(https.close)
        manager = self.manage(sockets=[https, http], names="https:http")
        manager.wait("READY")
        ready = json.loads((self.service.directory / "ready").read_text())
        self.assertEqual(ready["http"], "127.0.0.1:%d" % http.getsockname()[1])
        self.assertEqual(ready["https"], "127.0.0.1:%d" % https.getsockname()[1])
        self.assertIn("200", run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"http://{ready['http']}/").text)
        self.assertEqual(self.service.stop(), 0)
        # The listener is the manager's and goes on: a connection now waits for the next start.
        waiting = socket.create_connection(http.getsockname(), timeout=WAIT_S)
        self.addCleanup(waiting.close)
        waiting.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        self.manage(sockets=[https, http], names="https:http").wait("READY")
        self.assertTrue(waiting.recv(100).startswith(b"HTTP/1.1 200"))
        self.assertEqual(self.service.stop(), 0)

    def test_sockets_are_taken_by_address(self):
        http = listener(self.service.http_port)
        control = socket.socket(socket.AF_UNIX)
        self.addCleanup(http.close)
        self.addCleanup(control.close)
        path = self.service.home / "control.sock"
        control.bind(str(path))
        control.listen(16)
        manager = self.manage(sockets=[control, http], names="chancery.socket:chancery.socket")
        manager.wait("READY")
        self.assertIn("ok", self.service.chancery("health").text)
        self.assertEqual(self.service.stop(), 0)
        self.assertTrue(stat.S_ISSOCK(path.lstat().st_mode), "the manager's control socket must stay")
        path.unlink()

    def test_what_is_no_listener_of_ours_is_refused(self):
        http, again, pair = listener(0), listener(0), socket.socketpair()
        unbound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for each in (http, again, *pair, unbound):
            self.addCleanup(each.close)
        self.assertIn("neither named", self.refused(sockets=[http], names="ftp"))
        self.assertIn("second of its kind", self.refused(sockets=[http, again], names="http:http"))
        self.assertIn("no socket that listens", self.refused(sockets=[pair[0]], names="http"))
        self.assertIn("no socket that listens", self.refused(sockets=[unbound], names="http"))
        self.assertIn("neither named", self.refused(sockets=[http], names="control"))
        self.assertIn("gives 4 sockets", self.refused(sockets=[http, http, http, http]))

    def test_sockets_meant_for_another_process_are_left_alone(self):
        http = listener(0)
        self.addCleanup(http.close)
        self.manage(sockets=[http], names="http", pid="1").wait("READY")
        self.assertEqual(self.service.plain("/").status, 200)  # at its own address
        self.assertEqual(self.service.stop(), 0)

    def test_keys_come_as_credentials(self):
        service = self.service.copy()
        self.addCleanup(service.kill)
        document = (service.home / "chancery.xml").read_text()
        keys = re.findall(r'"file:(keys/[^"]+)"', document)
        self.assertTrue(keys)
        directory = pathlib.Path(tempfile.mkdtemp(dir=WORK))
        for each in keys:
            name = each.split("/")[-1]
            (service.home / each).rename(directory / name)
            (directory / name).chmod(0o400)
            document = document.replace(f'"file:{each}"', f'"credential:{name}"')
        (service.home / "chancery.xml").write_text(document)
        os.environ["CREDENTIALS_DIRECTORY"] = str(directory)
        try:
            service.start()
        finally:
            del os.environ["CREDENTIALS_DIRECTORY"]
        self.assertEqual(service.plain("/").status, 200)
        self.assertEqual(service.stop(), 0)
        with self.assertRaisesRegex(AssertionError, "ended with 1"):
            service.start()  # without its credentials


class Units(unittest.TestCase):
    def test_exposure(self):
        for name in ("chancery.service", "chancery-ocsp.service"):
            with self.subTest(unit=name):
                self.assertLessEqual(exposure(UNITS / name), EXPOSURE_MAX)

    def test_local_users_keep_their_numbers(self):
        """Those of <peer>, on the control socket: docs/operations.md, section 2; user_test.py has what is without."""
        self.assertEqual(re.findall(r"^PrivateUsers=(.*)$", (UNITS / "chancery.service").read_text(), re.M), ["no"])

    def test_the_filter_lets_through_what_the_roles_need(self):
        """A call that a role may make and the unit forbids would end the role only where it runs under systemd."""
        own = set(re.findall(r'\{"(\w+)", (?:ANY|\d)', (ROOT / "api/confined.c").read_text()))
        self.assertIn("epoll_wait", own)
        starting = {"execve", "clone", "memfd_create", "signalfd4", "bind", "socket", "prlimit64", "seccomp", "landlock_restrict_self", "prctl"}
        for name in ("chancery.service", "chancery-ocsp.service"):
            calls = permitted(UNITS / name)
            self.assertEqual((own | starting) - calls, set())
            self.assertEqual({"mount", "ptrace", "setuid", "chroot", "init_module"} & calls, set())

    def with_drop_in(self):
        """The unit with the drop-in of docs/operations.md behind it, as systemd reads them."""
        [drop_in] = re.findall(r"```ini\n(\[Service\]\n.*?)```", (ROOT / "docs/operations.md").read_text(), re.S)
        path = pathlib.Path(tempfile.mkdtemp(dir=WORK)) / "chancery.service"
        path.write_text((UNITS / "chancery.service").read_text().replace("[Install]\n", f"{drop_in}\n[Install]\n"))
        return path

    def test_the_drop_in_for_a_user_for_each_role_permits_what_it_takes(self):
        path = self.with_drop_in()
        taking = {"setgroups", "setresgid", "setresuid", "capset", "fchown"}
        self.assertEqual(taking - permitted(path), set())
        self.assertEqual(taking & permitted(UNITS / "chancery.service"), {"setresgid"})  # the others are missing without it
        self.assertEqual({"mount", "ptrace", "chroot", "init_module"} & permitted(path), set())
        said = r"\(systemd (\d+)\) the unit\s+has an exposure of ([0-9.]+), with the drop-in ([0-9.]+)"
        version, bare, more = re.search(said, (ROOT / "docs/operations.md").read_text()).groups()
        if run("systemd-analyze", "--version").text.startswith(f"systemd {version} "):
            self.assertEqual((float(bare), float(more)), (exposure(UNITS / "chancery.service"), exposure(path)))

    def test_exposure_is_seen_to_rise(self):
        text = (UNITS / "chancery.service").read_text().replace("CapabilityBoundingSet=\n", "").replace("ProtectSystem=strict\n", "")
        worse = pathlib.Path(tempfile.mkdtemp(dir=WORK)) / "chancery.service"
        worse.write_text(text)
        self.assertGreater(exposure(worse), EXPOSURE_MAX)

    def test_systemd_understands_every_line(self):
        """On copies that name a program that is there; every warning is one about a line of ours."""
        directory = pathlib.Path(tempfile.mkdtemp(dir=WORK))
        for path in UNITS.iterdir():
            (directory / path.name).write_text(path.read_text().replace("/usr/local/bin/chancery", "/bin/true"))
        for path in sorted(directory.iterdir()):
            with self.subTest(unit=path.name):
                said = run("systemd-analyze", "verify", "--man=no", path, check=False, env={"SYSTEMD_UNIT_PATH": f"{directory}:"}).said
                self.assertEqual([line for line in said.splitlines() if "chancery" in line], [])
        (directory / "chancery.service").write_text((directory / "chancery.service").read_text().replace("ProtectClock=", "ProtectClocks="))
        said = run("systemd-analyze", "verify", "--man=no", directory / "chancery.service", check=False).said
        self.assertIn("ProtectClocks", said)

    def test_users_are_made(self):
        root = pathlib.Path(tempfile.mkdtemp(dir=WORK))
        (root / "etc").mkdir()
        run("systemd-sysusers", f"--root={root}", ROOT / "deploy/sysusers.d/chancery.conf")
        users = {line.split(":")[0] for line in (root / "etc/passwd").read_text().splitlines()}
        self.assertEqual(users, {"chancery", "chancery-host"} | {f"chancery-{each}" for each in ROLES})
        groups = {line.split(":")[0] for line in (root / "etc/group").read_text().splitlines()}
        self.assertIn("chancery", groups)

    @unittest.skipUnless(os.geteuid() == 0, "root alone makes directories for others")
    def test_directories_are_made(self):
        root = pathlib.Path(tempfile.mkdtemp(dir=WORK))
        (root / "etc").mkdir()
        run("systemd-sysusers", f"--root={root}", ROOT / "deploy/sysusers.d/chancery.conf")
        run("systemd-tmpfiles", f"--root={root}", "--create", ROOT / "deploy/tmpfiles.d/chancery.conf")
        self.assertEqual(stat.S_IMODE((root / "var/lib/chancery").stat().st_mode), 0o755)


if __name__ == "__main__":
    unittest.main()
