#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where does the processor time of a certificate go? bench_issue with 16 clients, each role watched by perf meanwhile.

usage: where.py [--kinds ec-256,ec-384,rsa-2048,rsa-3072] [--seconds N]      CHANCERY=build/chancery; needs linux-perf

A part is the share of a role's samples that have a function on their stack, times what the role used for one certificate.
"rest" is what no named function has: messages between processes, system calls, waiting. Sampling slows what it
watches: the sums are a little above those of bench_issue alone.
"""
import argparse
import os
import pathlib
import re
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHANCERY = pathlib.Path(os.environ.get("CHANCERY", ROOT / "build/chancery")).resolve()
# role: (what people call it, function, functions within it that are rows of their own)
PARTS = {
    "signer": (("signature", "key_sign", ()), ("check of what is signed", "check_certificate", ())),
    "api": (("signature of the request", "verify", ()), ("the rest of reading the request", "csr_parse", ("verify",)),
            ("login", "login_check", ()), ("the answer: certificate and chain as PEM", "reply_issued", ())),
    "ca": (("rules and certificate", "decide_issue", ()), ("access", "access_check", ()), ("rows", "group_record", ("txn_commit",)),
           ("commit: pages and fdatasync", "txn_commit", ())),
}


def is_below(pid, above):
    """Did that process start this one, or the one that did?"""
    while pid > 1 and pid != above:
        try:
            pid = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return False
    return pid == above


def processes(role, above):
    """Those that bench_issue started, by its id."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue  # it ended meanwhile
        if len(words) > 4 and words[1:3] == ["role", role] and is_below(int(path.parent.name), above):
            found.append(int(path.parent.name))
    return found


def used(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def await_load(bench):
    """Until the clients have begun: the requests are made and the limit is measured before."""
    last = None
    while bench.poll() is None:
        pids = processes("ca", bench.pid)
        now = used(pids[0]) if pids else None
        if last is not None and now is not None and now - last > 2:
            return
        last = now
        time.sleep(0.5)
    raise AssertionError("bench_issue ended before its clients began")


def shares(data):
    """{function: part of all samples that have it on their stack}"""
    said = subprocess.run(["perf", "report", "-i", data, "--children", "--sort", "sym", "-g", "none", "--stdio"],
                          capture_output=True, text=True, check=True).stdout
    found = {}
    for line in said.splitlines():
        row = re.match(r"\s*([\d.]+)%\s+[\d.]+%\s+\[[.k]\]\s+(\w+)", line)
        if row:
            found[row[2]] = max(found.get(row[2], 0), float(row[1]) / 100)
    return found


def measure(kind, seconds, directory):
    bench = subprocess.Popen([CHANCERY.with_name("bench_issue"), CHANCERY, "--cpu", "--seconds", str(2 * seconds), "--rounds", "1",
                              "--clients", "16", "--kinds", kind], stdout=subprocess.PIPE, text=True)
    await_load(bench)
    recorders = []
    for role in PARTS:
        data = pathlib.Path(directory) / f"{kind}.{role}"
        pids = ",".join(map(str, processes(role, bench.pid)))
        recorders.append(subprocess.Popen(["perf", "record", "-q", "--call-graph", "dwarf,8192", "-F", "499", "-p", pids, "-o", data,
                                           "sleep", str(seconds)], stderr=subprocess.DEVNULL))
    for each in recorders:
        if each.wait() != 0:
            raise AssertionError("perf record failed")
    said = bench.communicate()[0]
    if bench.returncode != 0:
        raise AssertionError(said)
    of_roles = {role: float(re.search(rf"\b{role} (\d+)", said)[1]) for role in PARTS}
    limit = float(re.search(r"limit\s+(\d+) us", said)[1])
    parts = {}
    for role, rows in PARTS.items():
        found = shares(pathlib.Path(directory) / f"{kind}.{role}")
        rest = of_roles[role]
        for name, function, inner in rows:
            us = of_roles[role] * (found.get(function, 0) - sum(found.get(each, 0) for each in inner))
            parts[role, name] = us
            rest -= us
        parts[role, "rest"] = rest
    return parts, limit, sum(of_roles.values())


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--kinds", default="ec-256,ec-384,rsa-2048,rsa-3072")
    p.add_argument("--seconds", type=int, default=4)
    o = p.parse_args()
    kinds = o.kinds.split(",")
    with tempfile.TemporaryDirectory(prefix="chancery-where-") as directory:
        all_of = {kind: measure(kind, o.seconds, directory) for kind in kinds}
    print("| role | part | " + " | ".join(kinds) + " |\n|---|---|" + "---:|" * len(kinds))
    for role, name in all_of[kinds[0]][0]:
        print(f"| {role} | {name} | " + " | ".join(f"{all_of[kind][0][role, name]:.0f}" for kind in kinds) + " |")
    print("| | all | " + " | ".join(f"{all_of[kind][2]:.0f}" for kind in kinds) + " |")
    print("| | limit | " + " | ".join(f"{all_of[kind][1]:.0f}" for kind in kinds) + " |")


if __name__ == "__main__":
    main()
