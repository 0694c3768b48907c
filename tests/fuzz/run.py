#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the fuzzers, as many at a time as there are processors, each for as long as asked, in processor time.

usage: run.py [--seconds N] [--slice N] [--resume] [--table] BUILD-DIRECTORY TARGET...

A target runs in slices, and whichever has had least runs next. What each slice used, executed and covered is added up
beside the program (fuzz_X.spent). With --resume what is there counts as had, so that a run goes on where an earlier one
was stopped: an hour for each of many targets is longer than a machine of two processors may be free. What a fuzzer
learnt stays in fuzz_X.corpus. --table prints what has been added up, as rows of a table, and runs nothing. Ends with 1 when one found something.
"""
import argparse
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
UNIT_S = 10  # an input that takes longer is a fault: the slowest in the seeds takes milliseconds
MEMORY_MB = 2048
# Where a format's words stand: what compares them is a library's, so that a fuzzer cannot learn them by itself.
SCHEMAS = {"config": ["ca/chancery.xsd", "ca/profiles.xsd"]}
ENOUGH = 0.99  # of what is asked for: libFuzzer stops by the clock, and what is left then is not worth a start


class Target:
    def __init__(self, build, name, counts_all):
        self.name, self.program = name, build / f"fuzz_{name}"
        self.seeds = ROOT / "tests/fuzz/seeds" / name
        self.corpus, self.log = build / f"fuzz_{name}.corpus", build / f"fuzz_{name}.log"
        self.ledger = build / f"fuzz_{name}.spent"
        self.spent = {"seconds": 0.0, "inputs": 0, "covered": 0, "edges": 0}
        self.is_running = self.has_failed = False

        if self.ledger.exists():
            self.spent = json.loads(self.ledger.read_text())
        self.before = dict(self.spent, seconds=0.0, inputs=0) if counts_all else dict(self.spent)

    def had(self):
        """Seconds that count for this run."""
        return self.spent["seconds"] - self.before["seconds"]

    def dictionary(self):
        """libFuzzer's option for the words of a format; none for most."""
        words, path = set(), self.program.with_suffix(".dict")
        if self.name not in SCHEMAS:
            return []
        for schema in SCHEMAS[self.name]:
            words |= set(re.findall(r'(?:name|value)="([\w.-]+)"', (ROOT / schema).read_text()))
        path.write_text("".join(f'"{w}"\n' for w in sorted(words)))
        return [f"-dict={path}"]

    def run(self, seconds):
        """A slice. True: nothing was found. One that found something does not count: --resume comes back to it."""
        self.corpus.mkdir(exist_ok=True)
        with self.log.open("w") as log:
            child = subprocess.Popen([self.program, f"-max_total_time={max(1, int(seconds))}", f"-timeout={UNIT_S}",
                                      f"-rss_limit_mb={MEMORY_MB}", "-print_final_stats=1", f"-artifact_prefix={self.program}.",
                                      *self.dictionary(), self.corpus, self.seeds], stdout=log, stderr=subprocess.STDOUT, cwd=ROOT)
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            return False
        self.count(used)
        return True

    def count(self, used):
        text = self.log.read_text(errors="replace")
        inputs = re.search(r"number_of_executed_units: (\d+)", text)
        covered = re.findall(r"cov: (\d+)", text)
        edges = re.search(r"(\d+) inline 8-bit counters", text)
        self.spent["seconds"] += used.ru_utime + used.ru_stime
        self.spent["inputs"] += int(inputs[1]) if inputs else 0
        self.spent["covered"] = max([self.spent["covered"], *map(int, covered)])
        self.spent["edges"] = int(edges[1]) if edges else self.spent["edges"]
        self.ledger.write_text(json.dumps(self.spent) + "\n")

    def line(self):
        s, inputs = self.spent, self.spent["inputs"] - self.before["inputs"]
        return f"{self.name:<14} {inputs:>11} inputs in {self.had():.0f} s, {s['covered']:>5} of {s['edges']} edges"


class Round:
    def __init__(self, targets, seconds, piece):
        self.targets, self.seconds, self.piece, self.lock = targets, seconds, piece, threading.Lock()

    def is_over(self, target):
        return target.had() >= ENOUGH * self.seconds

    def next(self):
        """Whichever has had least, of those that nobody runs; None: nothing is left for this worker."""
        with self.lock:
            open_ones = [t for t in self.targets if not (t.is_running or t.has_failed or self.is_over(t))]
            if not open_ones:
                return None
            target = min(open_ones, key=Target.had)
            target.is_running = True
            return target

    def work(self):
        while (target := self.next()) is not None:
            if not target.run(min(self.piece, self.seconds - target.had())):
                target.has_failed = True
                print("\n".join(target.log.read_text(errors="replace").splitlines()[-60:]))
                print(f"{target.name}: FAILED, the input is {target.program}.crash-* or the like", flush=True)
            elif self.is_over(target):
                print(f"{target.line()}, no fault", flush=True)
            target.is_running = False

    def run(self):
        """True: each has had its time, and nothing was found. One that could not be run has not had it."""
        workers = [threading.Thread(target=self.work) for _ in range(os.cpu_count() or 1)]
        for w in workers:
            w.start()
        for w in workers:
            w.join()
        return all(self.is_over(t) and not t.has_failed for t in self.targets)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seconds", type=int, default=3600)
    p.add_argument("--slice", type=int, default=300)
    p.add_argument("--resume", action="store_true")
    p.add_argument("--table", action="store_true")
    p.add_argument("build", type=pathlib.Path)
    p.add_argument("target", nargs="*")
    o = p.parse_args()
    names = o.target or sorted(f.name.removesuffix("_fuzz.c") for f in (ROOT / "tests/fuzz").glob("*_fuzz.c"))
    targets = [Target(o.build.resolve(), n, o.resume) for n in names]
    if o.table:
        for t in targets:
            s = t.spent
            print(f"| `{t.name}` | {s['seconds']:,.0f} | {s['inputs']:,} | {s['covered']} | {s['edges']} |")
        return 0
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return 0 if Round(targets, o.seconds, o.slice).run() else 1


if __name__ == "__main__":
    sys.exit(main())
