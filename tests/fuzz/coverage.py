#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What of the code the fuzzers reach with all they have learnt: clang's regions, in the functions that were entered.

usage: coverage.py [--lines] BUILD-DIRECTORY CORPORA-DIRECTORY TARGET...

The build is one with -fprofile-instr-generate -fcoverage-mapping; the corpora are those of run.py, beside the seeds. Prints
a row of a table for each target; with --lines also, for each source file, the lines that were not reached and the
functions that were not entered. Code of a library that is not ours counts when its source is built with ours.
"""
import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CODE = 0  # the kind of a region that is code, as llvm-cov's export has it
OWN = 0  # the index of a function's own file; the others are those of macros


def export(build, corpora, target):
    """Runs what is there once more and gives llvm-cov's account of it."""
    program, seeds = build / f"fuzz_{target}", ROOT / "tests/fuzz/seeds" / target
    learnt = [d for d in (corpora / f"fuzz_{target}.corpus", seeds) if d.is_dir()]
    with tempfile.TemporaryDirectory() as directory:
        raw, profile = pathlib.Path(directory, "raw"), pathlib.Path(directory, "profile")
        done = subprocess.run([program, "-runs=0", *learnt], check=False, capture_output=True, text=True, cwd=ROOT,
                              errors="replace", env={**os.environ, "LLVM_PROFILE_FILE": str(raw)})
        if done.returncode != 0:
            sys.exit(f"{target} fails on what it has learnt:\n{done.stderr[-2000:]}")
        subprocess.run(["llvm-profdata", "merge", "-sparse", raw, "-o", profile], check=True)
        done = subprocess.run(["llvm-cov", "export", program, f"-instr-profile={profile}"], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)["data"][0]["functions"]


class File:
    def __init__(self):
        self.reached = self.regions = 0
        self.missed, self.not_entered = set(), set()

    def add(self, function):
        if function["count"] == 0:
            self.not_entered.add(function["name"].split(":")[-1])
            return
        for line, _, _, _, count, file, _, kind in function["regions"]:
            if kind == CODE and file == OWN:
                self.regions += 1
                self.reached += count > 0
                if count == 0:
                    self.missed.add(line)


def files_of(functions):
    """The code under test, by file: neither a fuzzer's own, nor what was put into a function from a header."""
    files = collections.defaultdict(File)
    for f in functions:
        name = os.path.relpath(os.path.realpath(f["filenames"][0]), ROOT)
        if not name.startswith("tests/") and name.endswith(".c"):
            files[name].add(f)
    return {n: f for n, f in files.items() if f.regions > 0}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--lines", action="store_true")
    p.add_argument("build", type=pathlib.Path)
    p.add_argument("corpora", type=pathlib.Path)
    p.add_argument("target", nargs="+")
    o = p.parse_args()
    for target in o.target:
        files = files_of(export(o.build.resolve(), o.corpora.resolve(), target))
        reached, regions = sum(f.reached for f in files.values()), sum(f.regions for f in files.values())
        print(f"| `{target}` | {reached:,} | {regions:,} | {reached / max(regions, 1):.0%} |", flush=True)
        for name, f in sorted(files.items()) if o.lines else ():
            print(f"  {name} {f.reached} of {f.regions}")
            print(f"    not reached: {' '.join(map(str, sorted(f.missed))) or 'none'}")
            print(f"    not entered: {' '.join(sorted(f.not_entered)) or 'none'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
