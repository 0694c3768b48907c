#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What does a start cost among many certificates, what memory do the roles take, and what does a backup cost?

usage: start.py [--json] [--rounds N] [--backups N] [HOME...]      homes that store_fill filled, none of them in service
       start.py [--json] [--rounds N] [--backups N] --sizes 1000,100000,1000000      makes and removes its own

A start: from exec until the ready file is there, and until the first answer to a client (OCSP, of a certificate
in the middle of the store's, whose page nobody has read; a page of the list over HTTPS). Memory: what each
role has of its own (RssAnon), workers added up; the store's pages, which all share and the kernel takes back,
are beside it. A backup against a copy of the same file with fsync, by turns;
both take as much disk as the store while they are measured: --backups 0 leaves them out.
"""
import argparse
import atexit
import http.client
import json
import os
import pathlib
import re
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHANCERY = pathlib.Path(os.environ.get("CHANCERY", ROOT / "build/chancery")).resolve()
FILL = CHANCERY.with_name("store_fill")
WAIT_S = 120


def run(*argv):
    done = subprocess.run([str(each) for each in argv], capture_output=True)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, argv))}: {done.stderr.decode()}")
    return done.stdout


def make_home(count, directory):
    home = pathlib.Path(directory) / f"home{count}"
    run(CHANCERY, "init", "--home", home, "--quiet", "--host", "localhost", "--http", "127.0.0.1:0", "--https", "127.0.0.1:0")
    run(FILL, home, count)
    return home


class Served:
    """`serve` on a home; its end is waited for."""

    def __init__(self, home, directory):
        self.home = home
        ready = pathlib.Path(directory) / "ready"
        ready.unlink(missing_ok=True)
        begun = time.monotonic()
        with open(pathlib.Path(directory) / "log", "ab") as log:
            self.process = subprocess.Popen([str(CHANCERY), "serve", "--home", str(home), "--ready-file", str(ready)], stdout=log, stderr=log)
        atexit.register(self.kill)
        while not (ready.exists() and ready.read_text().endswith("\n")):
            if self.process.poll() is not None or time.monotonic() - begun > WAIT_S:
                raise AssertionError(f"serve ended or is not ready: {(pathlib.Path(directory) / 'log').read_text()[-2000:]}")
            time.sleep(0.001)
        self.ready_s = time.monotonic() - begun
        where = json.loads(ready.read_text())
        self.http, self.https = where["http"], where["https"]

    def ask(self, request):
        begun = time.monotonic()
        self.answer(request)
        return time.monotonic() - begun

    def answer(self, request):
        connection = http.client.HTTPConnection(self.http, timeout=WAIT_S)
        connection.request("POST", "/ocsp", request, {"Content-Type": "application/ocsp-request"})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200 or len(body) < 200:
            raise AssertionError(f"OCSP: {answer.status}, {len(body)} octets")
        return body

    def page(self, connection):
        begun = time.monotonic()
        connection.request("GET", "/api/v1/certificates?limit=100")
        answer = connection.getresponse()
        items = json.loads(answer.read())["items"]
        if answer.status != 200 or len(items) != 100:
            raise AssertionError(f"list: {answer.status}, {len(items)} items")
        return time.monotonic() - begun

    def list_connection(self):
        tls = ssl.create_default_context(cafile=str(self.home / "admin/server-ca.pem"))
        tls.load_cert_chain(self.home / "admin/admin.pem", self.home / "admin/admin.key")
        tls.check_hostname = False
        connection = http.client.HTTPSConnection(self.https, timeout=WAIT_S, context=tls)
        connection.connect()
        return connection

    def memory_mib(self):
        """{role: (own, mapped files)}"""
        found = {}
        for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes().decode(errors="replace").split("\0")
                status = (path.parent / "status").read_text()
            except OSError:
                continue  # it ended meanwhile
            if str(self.home) not in words or int(path.parent.name) == os.getpid():
                continue
            role = words[words.index("role") + 1] if "role" in words else "supervisor"
            own, mapped = (int(re.search(rf"{kind}:\s+(\d+)", status)[1]) / 1024 for kind in ("RssAnon", "RssFile"))
            before = found.get(role, (0, 0))
            found[role] = (before[0] + own, before[1] + mapped)
        return found

    def kill(self):
        """Whatever happened: nothing outlives the bench."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def end(self):
        self.process.terminate()
        if self.process.wait(timeout=WAIT_S) != 0:
            raise AssertionError("serve did not end cleanly")


def ocsp_request(home, serial, directory):
    path = pathlib.Path(directory) / "request"
    run("openssl", "ocsp", "-issuer", home / "issuers/ec-g1.pem", "-serial", "0x" + serial, "-no_nonce", "-reqout", path)
    return path.read_bytes()


def some_serial(served):
    """A certificate of the EC issuer that was not issued lately."""
    connection = served.list_connection()
    connection.request("GET", "/api/v1/certificates?issuer=ec-g1&cn=node3*&limit=100")
    return json.loads(connection.getresponse().read())["items"][-1]["serial"]


def copy_file(source, target):
    """What anybody would pay: the octets once, on the disk."""
    begun = time.monotonic()
    with open(source, "rb") as read, open(target, "wb") as write:
        shutil.copyfileobj(read, write, 1 << 20)
        write.flush()
        os.fsync(write.fileno())
    return time.monotonic() - begun


def backup(served, directory):
    """Hot: the service goes on."""
    place, copy = pathlib.Path(directory) / "backup", pathlib.Path(directory) / "copy"
    begun = time.monotonic()
    run(CHANCERY, "store", "backup", place, "--home", served.home, "--quiet")
    took = time.monotonic() - begun
    plain = copy_file(served.home / "store/data.mdb", copy)
    shutil.rmtree(place)
    copy.unlink()
    return took, plain


def median(values):
    return statistics.median(values) if values else None


def measure(home, options):
    home = pathlib.Path(home).resolve()
    with tempfile.TemporaryDirectory(dir=home.parent) as directory:
        served = Served(home, directory)
        serial = some_serial(served)
        request = ocsp_request(home, serial, directory)
        served.end()
        starts, answers, lists = [], [], []
        for _ in range(options.rounds):
            served = Served(home, directory)
            starts.append(served.ready_s)
            answers.append(served.ask(request))
            connection = served.list_connection()
            lists.append(statistics.median(served.page(connection) for _ in range(51)))
            connection.close()
            memory = served.memory_mib()
            if len(starts) < options.rounds:
                served.end()
        backups = [backup(served, directory) for _ in range(min(options.rounds, options.backups))]
        served.end()
    return {"bench": "start", "home": home.name, "store_mib": (home / "store/data.mdb").stat().st_size >> 20,
            "ready_ms": statistics.median(starts) * 1000, "first_answer_ms": statistics.median(answers) * 1000,
            "list_page_ms": statistics.median(lists) * 1000,
            "backup_s": median([took for took, _ in backups]), "copy_s": median([plain for _, plain in backups]),
            "backup_ratio": median([took / plain for took, plain in backups]),
            "memory_mib": {role: round(own, 1) for role, (own, _) in sorted(memory.items())},
            "mapped_mib": round(max(mapped for _, mapped in memory.values()), 1)}


def show(rows):
    print("| home | store MiB | ready ms | first OCSP answer ms | list page, HTTPS ms | backup s | copy s | ratio |\n|---|---:|---:|---:|---:|---:|---:|---:|")
    for row in rows:
        print(f"| {row['home']} | {row['store_mib']:,} | {row['ready_ms']:.0f} | {row['first_answer_ms']:.1f} | {row['list_page_ms']:.2f} | "
              + " | ".join("" if row[each] is None else f"{row[each]:.2f}" for each in ("backup_s", "copy_s", "backup_ratio")) + " |")
    roles = sorted({role for row in rows for role in row["memory_mib"]})
    print("\nMiB of its own by role\n\n| home | " + " | ".join(roles) + " |\n|---|" + "---:|" * len(roles))
    for row in rows:
        print(f"| {row['home']} | " + " | ".join(f"{row['memory_mib'].get(role, 0):.1f}" for role in roles) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("homes", nargs="*")
    parser.add_argument("--sizes", default="")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--backups", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chancery-bench-") as directory:
        homes = options.homes + [make_home(int(size), directory) for size in options.sizes.split(",") if size]
        rows = [measure(home, options) for home in homes]
    for row in rows:
        if options.json:
            print(json.dumps(row))
    if not options.json:
        show(rows)


if __name__ == "__main__":
    main()
