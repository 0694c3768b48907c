#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each role gives up what it does not need: read in /proc, where no role can say otherwise."""
import os
import pathlib
import re
import unittest

from harness import ROLES, ROOT, UNDER, Service, ServiceTest, make_csr, of_another, run

IS_TRACED = b"libasan" in pathlib.Path(os.environ.get("CHANCERY", "build/chancery")).read_bytes()  # the sanitizers trace their process


def status(pid):
    """{name: value} of /proc/PID/status."""
    return dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())


def filters(seen):
    """How many seccomp filters a process has. A container gives one to whatever runs in it, this test too. Linux before 5.9 does not
    count them: there it says whether there is one."""
    return int(seen["Seccomp_filters"]) if "Seccomp_filters" in seen else seen["Seccomp"].strip() == "2"


def processes(service):
    return [(role, pid) for role, pids in service.roles().items() for pid in pids]


def secret_of(path):
    """Octets that only a holder of the private key has: a prime of RSA, the scalar of EC."""
    text = run("openssl", "pkey", "-in", path, "-noout", "-text").text
    name = "prime1" if "prime1:" in text else "priv"
    digits = re.search(name + r":\n((?:\s+[0-9a-f:]+\n)+)", text)[1]
    return bytes.fromhex(re.sub(r"[\s:]", "", digits)).lstrip(b"\0")


def memory(pid):
    """Every octet that the process has mapped and its tracer can read."""
    with of_another(lambda each: open(each, encoding="ascii", errors="replace"), f"/proc/{pid}/maps") as maps, \
            of_another(lambda each: open(each, "rb", 0), f"/proc/{pid}/mem") as mem:
        for line in maps:
            span, access = line.split()[:2]
            begin, end = (int(each, 16) for each in span.split("-"))
            if "r" not in access or end - begin > 1 << 28 or "[v" in line:
                continue  # address space that nothing was written to: a map of the store
            mem.seek(begin)
            try:
                yield mem.read(end - begin)
            except OSError:
                continue


class Confine(ServiceTest):
    def test_every_process_of_every_role_is_confined(self):
        found = processes(self.service)
        self.assertEqual({role for role, _ in found}, set(ROLES))
        for role, pid in found:
            with self.subTest(role=role, pid=pid):
                seen = status(pid)
                self.assertEqual(seen["Seccomp"].strip(), "2")
                if "Seccomp_filters" in seen:
                    self.assertGreater(filters(seen), filters(status("self")))
                self.assertEqual(seen["NoNewPrivs"].strip(), "1")
                self.assertEqual(int(pathlib.Path(f"/proc/{pid}/limits").read_text().split("Max core file size")[1].split()[0]), 0)
                if os.getuid() == 0:  # of root's, watch may do one thing: CAP_DAC_OVERRIDE, for what the administrator names
                    for name in ("CapEff", "CapPrm", "CapInh"):
                        self.assertEqual(int(seen[name], 16), 2 if role == "watch" and name != "CapInh" else 0, name)

    def test_started_as_root_each_role_has_an_account_of_its_own(self):
        if os.getuid() != 0:
            self.skipTest("not started as root")
        uids = {}
        for role, pid in processes(self.service):
            seen = status(pid)
            self.assertEqual(len(set(seen["Uid"].split())), 1)
            self.assertEqual(len(set(seen["Gid"].split())), 1)
            self.assertEqual(len(seen["Groups"].split()), 1)
            uids.setdefault(role, set()).add(int(seen["Uid"].split()[0]))
        self.assertTrue(all(len(each) == 1 for each in uids.values()), uids)
        flat = [uid for each in uids.values() for uid in each]
        self.assertEqual(len(set(flat)), len(ROLES), uids)
        self.assertNotIn(0, flat)

    @unittest.skipIf(IS_TRACED, "the sanitizers keep their process dumpable")
    def test_no_role_is_dumpable(self):
        for role, pid in processes(self.service):
            self.assertEqual(os.stat(f"/proc/{pid}/fd").st_uid, 0, role)

    def test_health_shows_it(self):
        checks = {each["name"]: each for each in self.service.https("/readyz").json()["checks"]}
        for role in ROLES:
            check = checks[f"confinement:{role}"]
            self.assertEqual(check["status"], "ok")
            [pid, *_] = self.service.roles()[role]
            self.assertIn(f"uid {status(pid)['Uid'].split()[0]}, no new privileges, seccomp, ", check["detail"])
        self.assertIn("confinement:signer", self.service.chancery("health").text)

    def test_files_belong_to_who_writes_them(self):
        if os.getuid() != 0:
            self.skipTest("not started as root")
        owner = {role: int(status(pids[0])["Uid"].split()[0]) for role, pids in self.service.roles().items()}
        for name, role, mode in (("store", "ca", 0o750), ("store/data.mdb", "ca", 0o640), ("store/lock.mdb", "ca", 0o660),
                                 ("store/writer.lock", "ca", 0o600), ("public/crl", "crl", 0o755), ("listener", "api", 0o700), ("watch", "watch", 0o700)):
            seen = (self.service.home / name).stat()
            self.assertEqual((seen.st_uid, seen.st_mode & 0o7777), (owner[role], mode), name)
        for path in [self.service.home / "chancery.xml", *(self.service.home / "keys").iterdir()]:
            self.assertEqual(path.stat().st_uid, 0, path)

    def test_a_home_that_was_never_started_is_for_its_owner_alone(self):
        home = Service(start=False).home
        for name, mode in (("store", 0o700), ("store/data.mdb", 0o600), ("store/lock.mdb", 0o600), ("store/writer.lock", 0o600), ("keys", 0o700), ("admin", 0o700)):
            seen = (home / name).stat()
            self.assertEqual((seen.st_uid, seen.st_mode & 0o7777), (os.getuid(), mode), name)
        self.assertFalse((home / "watch").exists())

    def test_a_list_put_back_by_root_does_not_stop_the_next_one(self):
        """The role may not give it a second name, and replaces it all the same."""
        path = self.service.home / "public/crl/ec-g1.crl"
        self.service.publish("ec-g1")
        older = path.read_bytes()
        fresh = path.with_name(".fresh")
        fresh.write_bytes(older)
        fresh.replace(path)
        self.assertEqual(path.stat().st_uid, os.getuid())
        self.service.publish("ec-g1")
        newer = path.read_bytes()
        self.assertNotEqual(newer, older)
        self.service.publish("ec-g1")
        self.assertEqual(path.with_name("ec-g1.previous.crl").read_bytes(), newer)

    def test_a_private_key_is_in_the_memory_of_its_signer_alone(self):
        secrets = {path.stem: secret_of(path) for path in (self.service.home / "keys").glob("*.key")}
        self.assertGreaterEqual(len(secrets), 10)
        self.service.issued(make_csr("ec-P-256", "/CN=memory-EC.example.com"), "ucm/tomcat-ECDSA")  # every role has worked
        holders = {name: set() for name in secrets}
        for role, pid in [*processes(self.service), ("serve", self.service.process.pid)]:
            for piece in memory(pid):
                for name, secret in secrets.items():
                    if secret in piece or secret[::-1] in piece:  # OpenSSL keeps numbers with the lowest octet first
                        holders[name].add(role)
        for name, roles in holders.items():
            wanted = "api" if name.startswith("https-") else "ocsp-signer" if name.endswith("-ocsp") else "signer"
            self.assertEqual(roles, {wanted}, name)


def with_level(level):
    """A home whose service is to be confined as far as that."""
    service = Service(start=False)
    service.confine(level)
    return service


class Levels(unittest.TestCase):
    def start(self, level):
        service = with_level(level)
        service.start()
        self.addCleanup(lambda: self.assertEqual(service.stop(), 0, service.tail()))
        return service

    def test_basic_is_all_but_the_filters(self):
        service = self.start("basic")
        for role, pid in processes(service):
            seen = status(pid)
            self.assertEqual((filters(seen), seen["NoNewPrivs"].strip()), (filters(status("self")), "1"), role)
            self.assertNotEqual(seen["Uid"].split()[0], "0", role)
        shown = "seccomp" if filters(status("self")) else "no seccomp"  # the kernel says so, and not whose filter it is
        self.assertIn(f" privileges, {shown}, no Landlock", service.chancery("health", check=False).text)

    def test_off_is_nothing_of_it(self):
        service = self.start("off")
        for role, pid in processes(service):
            seen, ours = status(pid), status("self")
            self.assertEqual((filters(seen), seen["NoNewPrivs"]), (filters(ours), ours["NoNewPrivs"]), role)
            self.assertEqual(int(seen["Uid"].split()[0]), os.getuid(), role)

    def test_a_level_that_is_none_is_refused(self):
        service = with_level("somewhat")
        done = service.chancery("config", "check", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("permitted: full, basic, off", done.said)


DROP_IN = re.search(r"```ini\n(.*?)```", (ROOT / "docs/operations.md").read_text(), re.S)
CAPABILITIES = {"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_KILL", "CAP_SETGID", "CAP_SETUID"}


def holding(names):
    """The command that leaves root no other capabilities than these."""
    return ["setpriv", "--bounding-set=-all," + ",".join("+" + each.removeprefix("CAP_").lower() for each in sorted(names))]


@unittest.skipUnless(os.geteuid() == 0 and not UNDER, "needs root, to be less of it")
class FewCapabilities(unittest.TestCase):
    """Root that has few capabilities: it has what it takes for roles with users of their own, or says what is missing."""

    @classmethod
    def setUpClass(cls):
        cls.home = Service(start=False)

    def service(self, names):
        service = self.home.copy()
        service.under = holding(names)
        self.addCleanup(service.kill)
        return service

    def refused(self, without):
        """What the service says that does not start for want of a capability."""
        service = self.service(CAPABILITIES - {without})
        with self.assertRaisesRegex(AssertionError, "serve ended with 1") as seen:
            service.start()
        self.assertEqual(service.roles(), {})
        return str(seen.exception)

    def test_those_that_operations_names_give_each_role_a_user(self):
        documented = re.search("^CapabilityBoundingSet=(.*)", DROP_IN[1], re.M)[1]
        self.assertEqual(set(documented.split()), CAPABILITIES)
        service = self.service(CAPABILITIES)
        service.start()
        for _ in range(2):
            self.assertEqual(bin(int(status(service.process.pid)["CapEff"], 16)).count("1"), len(CAPABILITIES))
            uids = {role: status(pid)["Uid"].split()[0] for role, pid in processes(service)}
            self.assertEqual(len(set(uids.values())), len(ROLES), uids)
            self.assertNotIn("0", uids.values())
            self.assertEqual(service.chancery("health", check=False).returncode, 0)
            self.assertEqual(service.stop(), 0, service.tail())
            service.start()
        self.assertEqual(service.stop(), 0, service.tail())

    def test_without_another_user_it_is_a_warning(self):
        for without in ("CAP_SETUID", "CAP_SETGID"):
            with self.subTest(without=without):
                service = self.service(CAPABILITIES - {without})
                service.start()
                self.assertEqual({status(pid)["Uid"].split()[0] for _, pid in processes(service)}, {"0"})
                health = service.chancery("health", check=False)
                self.assertEqual(health.returncode, 2, health.said)
                for role in ROLES:
                    self.assertRegex(health.text, rf"confinement:{role} +warning +it runs as root")
                self.assertEqual(service.stop(), 0, service.tail())

    def test_what_is_missing_otherwise_is_told_before_a_role_starts(self):
        self.assertIn("CAP_KILL is missing", self.refused("CAP_KILL"))
        self.assertIn("store/data.mdb: Permission denied: CAP_DAC_OVERRIDE is missing", self.refused("CAP_DAC_OVERRIDE"))
        self.assertIn("Operation not permitted", self.refused("CAP_CHOWN"))
        self.assertIn("Operation not permitted", self.refused("CAP_FOWNER"))


if __name__ == "__main__":
    unittest.main()
