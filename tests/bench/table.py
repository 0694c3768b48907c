#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every bench in a short form, as one table: each job beside its limit, measured in the same run.

usage: deploy/bench [--json] [--long] [--certificates N] [--key ec|rsa] [JOB...]     jobs: issue ocsp crl revoke list start peers
       --only issue,ocsp does as well what `issue ocsp` does; without either all of them

--long: more rounds of longer runs, and starts with 100,000 certificates besides. --json: each bench's own figures,
a line each, then the rows of the table. Nothing is judged: the aim stands beside the ratio. Some minutes.
"""
import argparse
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile

import peers
import start

HERE = pathlib.Path(__file__).resolve().parent
CHANCERY = start.CHANCERY
JOBS = ("issue", "ocsp", "crl", "revoke", "list", "start", "peers")
KINDS = {"ec-256": ("P-256", 0.5), "ec-384": ("P-384", 0.8), "rsa-2048": ("RSA-2048", 0.8), "rsa-3072": ("RSA-3072", 0.8)}


class Table:
    def __init__(self, options):
        self.options, self.rows = options, []
        self.issued = {}  # a second, to 16 clients, by the kind of key: what other programs stand beside

    def say(self, text):
        print(text, file=sys.stderr, flush=True)

    def figures(self, each):
        if self.options.json:
            print(json.dumps(each), flush=True)

    def row(self, job, ours, limit, ratio, aim):
        """`ratio` as the aim has it: of the limit for rates, against the limit for times; None where one of the two was not measured."""
        self.rows.append({"bench": "table", "job": job, "ours": ours, "limit": limit, "ratio": round(ratio, 2) if ratio else None, "aim": aim})


def program(name):
    return str(CHANCERY.with_name(name))


def lines(*argv):
    done = subprocess.run(argv, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(argv)}: {done.stderr[-2000:]}")
    return done.stdout


def issue(t):
    seconds, rounds = ("4", "5") if t.options.long else ("1.5", "3")
    for line in lines(program("bench_issue"), str(CHANCERY), "--json", "--seconds", seconds, "--rounds", rounds, "--clients", "1,16,64" if t.options.long else "16").splitlines():
        each = json.loads(line)
        t.figures(each)
        name, aim = KINDS[each["kind"]]
        if each["clients"] == 16:
            t.issued[each["kind"]] = each["per_second"]
        t.row(f"issue {name}, {each['clients']} clients", f"{each['per_second']:,.0f}/s", f"{each['limit']:,.0f}/s", each["ratio"],
              f"≥ {aim}" if each["clients"] == 16 else "")
        t.row("  by processor time, all roles", f"{each['cpu_us']:,.0f} µs", f"{each['limit_cpu_us']:,.0f} µs", each["cpu_ratio"], "")


def ocsp(t):
    rounds, seconds = ("5", "2") if t.options.long else ("3", "1")
    said = json.loads(lines(sys.executable, str(HERE / "ocsp.py"), "--json", "--rounds", rounds, "--seconds", seconds, "--key", t.options.key))
    t.figures({"bench": "ocsp", **said})
    by_name = {row["job"]: row for row in said["rows"]}
    for name, aim in (("GET, reused answer", 0.9), ("POST, reused answer", 0.9), ("POST, nonce", 0.7)):
        ours = by_name[name]
        limit = by_name[ours["against"]]
        t.row(f"OCSP, {name}", f"{ours['cpu_us']:.1f} µs", f"{limit['cpu_us']:.1f} µs, {ours['against']}", ours["cpu_ratio"], f"≥ {aim}")


def crl(t):
    count = str(t.options.certificates)
    rounds = "7" if t.options.long else "3"
    said = json.loads(lines(program("bench_crl"), "--json", "--rounds", rounds, "--openssl-max", count if t.options.long else "0", count))
    t.figures({"bench": "crl", **said})
    size = said["sizes"][-1]
    t.row(f"CRL of {size['entries']:,} revoked", f"{size['publish_ms']:.0f} ms", f"{size['bare_ms']:.0f} ms, rows and hash", size["publish_ms"] / size["bare_ms"], "≤ 2")
    t.row("  by processor time, the publisher's", f"{size['publish_cpu_ms']:.0f} ms", f"{size['bare_cpu_ms']:.0f} ms", size["publish_cpu_ms"] / size["bare_cpu_ms"], "")


def revoke(t):
    count = str(t.options.certificates)
    said = json.loads(lines(program("bench_revoke"), "--json", "--rounds", "10" if t.options.long else "3", count))
    t.figures({"bench": "revoke", **said})
    few, none, many = said["few"], said["none"], said["many"]
    name = f"one revocation among {said['entries']:,} revoked"
    t.row(name, f"{many['us']:.0f} µs", f"{none['us']:.0f} µs, as many, none revoked", many["us"] / none["us"], "≤ 2")
    t.row("  by processor time", f"{many['cpu_us']:.0f} µs", f"{none['cpu_us']:.0f} µs", many["cpu_us"] / none["cpu_us"], "≤ 2")
    t.row("  by processor time, beside a fresh store", f"{many['cpu_us']:.0f} µs", f"{few['cpu_us']:.0f} µs", many["cpu_us"] / few["cpu_us"], "≤ 2")
    t.row("  pages written, beside a fresh store", f"{many['pages']:.1f}", f"{few['pages']:.1f}", many["pages"] / few["pages"], "≤ 2")


def pages(t, few, many):
    for line in lines(program("bench_list"), "--json", str(few), str(many)).splitlines():
        each = json.loads(line)
        t.figures(each)
        t.row(f"list page: {each['page']}", f"{each['large_us']:.0f} µs", f"{each['small_us']:.0f} µs among {each['small']:,}", each["ratio"], "≤ 2")


def starts(t, homes):
    """Each beside the first, which has the fewest."""
    few = None
    for home in homes:
        each = start.measure(home, argparse.Namespace(rounds=5 if t.options.long else 2, backups=3 if t.options.long else 1))
        t.figures(each)
        name = f"{int(home.name.removeprefix('home')):,}"
        each["among"], each["memory"] = name, sum(each["memory_mib"].values())
        few = few or each
        if each is not few:
            t.row(f"start among {name}", f"{each['ready_ms']:.0f} ms", f"{few['ready_ms']:.0f} ms among {few['among']}", each["ready_ms"] / few["ready_ms"], "")
            t.row("  its first answer", f"{each['first_answer_ms']:.1f} ms", f"{few['first_answer_ms']:.1f} ms",
                  each["first_answer_ms"] / few["first_answer_ms"], "")
            t.row("  memory of all roles", f"{each['memory']:.0f} MiB", f"{few['memory']:.0f} MiB", each["memory"] / few["memory"], "")
        t.row(f"backup of {name}", f"{each['backup_s']:.2f} s", f"{each['copy_s']:.2f} s, a copy of the file", each["backup_ratio"], "")


def beside(t, job, ours, rate):
    """Ours, where it was measured in this run, to another program's."""
    t.row(job, f"{ours:,.0f}/s" if ours else "", f"{rate:,.0f}/s", ours / rate if ours else None, "")


def others(t, directory):
    """What stands beside: no limit, other programs."""
    seconds, batch = (5, 500) if t.options.long else (2, 100)
    for kind, (name, _) in KINDS.items():
        ca = peers.Ca(directory, kind)
        for peer, how, rate in (("cfssl serve", "HTTP, no store", peers.cfssl_serve(ca, seconds, 16)), ("openssl ca", "a batch", peers.openssl_ca(ca, batch))):
            if rate:
                t.figures({"bench": "peer", "job": "issue", "kind": kind, "peer": f"{peer}, {how}", "per_second": rate})
                beside(t, f"issue {name}, ours to {peer}'s ({how})", t.issued.get(kind), rate)
    responders(t, directory, seconds)


def responders(t, directory, seconds):
    home = start.make_home(4, directory)
    request_file = pathlib.Path(directory) / "request"
    served = start.Served(home, directory)
    try:
        serial = start.some_serial(served)
        request = start.ocsp_request(home, serial, directory)
        answer = served.answer(request)
        url = f"http://{served.http}/ocsp"
        by_ab = peers.ab(url, request_file, seconds, 16)
        by_wrk = peers.wrk(url, seconds, 64, peers.post(directory, request)) if shutil.which("wrk") else None
    finally:
        served.end()
    rate = peers.cfssl_ocspserve(directory, request, answer, seconds, 64)
    if rate:
        t.figures({"bench": "peer", "job": "ocsp", "peer": "cfssl ocspserve", "per_second": rate, "ours_per_second": by_wrk})
        beside(t, "OCSP, ours to cfssl ocspserve's (wrk, all cores)", by_wrk, rate)
    rate = peers.openssl_ocsp(directory, home / "issuers/ec-g1.pem", serial, request_file, seconds, 16)
    if rate:
        t.figures({"bench": "peer", "job": "ocsp", "peer": "openssl ocsp", "per_second": rate, "ours_per_second": by_ab})
        beside(t, "OCSP, ours to openssl ocsp's (ab, a connection each)", by_ab, rate)


def show(t):
    print(f"{platform.machine()}, {os.cpu_count()} cores, {lines('openssl', 'version').split(' (')[0].strip()}; {t.options.certificates:,} certificates where there are many\n")
    wide = max(len(row["job"]) for row in t.rows)
    print(f"| {'job':{wide}} | {'ours':>32} | {'limit':>38} | ratio | aim   |\n|{'-' * (wide + 2)}|{'-' * 33}:|{'-' * 39}:|------:|-------|")
    for row in t.rows:
        ratio = f"{row['ratio']:.2f}" if row["ratio"] else ""
        print(f"| {row['job']:{wide}} | {row['ours']:>32} | {row['limit']:>38} | {ratio:>5} | {row['aim']:5} |")


def measure(t, only, directory):
    if "issue" in only:
        t.say("issue")
        issue(t)
    if "ocsp" in only:
        t.say("ocsp")
        ocsp(t)
    if "crl" in only:
        t.say("crl")
        crl(t)
    if "revoke" in only:
        t.say("revoke")
        revoke(t)
    if "list" in only or "start" in only:
        sizes = [1000, *([100000] if t.options.long else []), t.options.certificates]
        t.say(f"filling {', '.join(f'{size:,}' for size in sizes)}")
        homes = [start.make_home(size, directory) for size in sizes]
        if "list" in only:
            t.say("list")
            pages(t, homes[0], homes[-1])
        if "start" in only:
            t.say("start")
            starts(t, homes)
    if "peers" in only:
        t.say("peers")
        others(t, directory)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--certificates", type=int, default=1000000)
    parser.add_argument("--key", choices=("ec", "rsa"), default="ec", help="of the OCSP signer")
    parser.add_argument("--only", metavar="JOB,JOB")
    parser.add_argument("jobs", nargs="*", metavar="JOB")
    options = parser.parse_intermixed_args()
    only = options.jobs + (options.only.split(",") if options.only is not None else []) or JOBS
    if not set(only) <= set(JOBS) or options.certificates < 10000:
        parser.error(f"the jobs are {', '.join(JOBS)}; --certificates at least 10000")
    t = Table(options)
    with tempfile.TemporaryDirectory(prefix="chancery-bench-", dir=os.environ.get("TMPDIR")) as directory:
        measure(t, only, directory)
    if options.json:
        for row in t.rows:
            print(json.dumps(row))
    else:
        show(t)


if __name__ == "__main__":
    main()
