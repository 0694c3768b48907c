#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What does an OCSP answer cost, beside nginx handing out a file of the same size?

usage: ocsp.py [--rounds N] [--seconds S] [--connections N] [--key rsa|ec] [--json]
       ocsp.py --certificates N [--key rsa|ec] [--json]     how long a start takes with so many in the store

Every server runs on the first core and wrk on the second; rounds go through all jobs in turn, and what is
printed are medians. The ratios are against nginx in the same rounds, for the nonce against `openssl speed`: by
requests a second, and by processor time an answer, which other work on the machine disturbs less. A nonce is
answered by two processes, both on the first core. Two other responders are held against ours on the same core:
cfssl ocspserve, which hands out the very answer that ours signed, and the one of `openssl ocsp`, which signs each
with a key of the same kind and takes one request a connection. Needs wrk, nginx and golang-cfssl.
"""
import argparse
import base64
import json
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
import harness  # noqa: E402
import peers  # noqa: E402
from harness import Service, free_ports, make_csr, new_file, run, wait_until  # noqa: E402

SERVER_CORE, LOAD_CORE = 0, 1
POST = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/ocsp-request"
local function octets(hex) return (hex:gsub("..", function(x) return string.char(tonumber(x, 16)) end)) end
local head, tail = octets("%s"), octets("%s")
"""
POST_SAME = POST + "wrk.body = head .. tail\n"
# The last eight octets of a nonce count up, so that no two requests are alike.
POST_NONCE = POST + """
local n = 0
function request()
  n = n + 1
  return wrk.format("POST", nil, nil, head .. string.format("%%08x", n) .. tail)
end
"""


def pin(pids, core=SERVER_CORE):
    for pid in pids:
        for task in os.listdir(f"/proc/{pid}/task"):
            os.sched_setaffinity(int(task), {core})


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class Peer:
    """A server that is not ours, on the server's core, until it is ended by its own id."""

    def __init__(self, port, *argv, ready=None):
        self.port = port
        said = pathlib.Path(new_file(b""))
        with said.open("wb") as out:
            self.process = subprocess.Popen(["taskset", "-c", str(SERVER_CORE), *map(str, argv)], stdout=out, stderr=out)
        is_ready = (lambda: ready in said.read_text()) if ready else (lambda: answers(port))
        wait_until(lambda: self.process.poll() is not None or is_ready(), f"{argv[0]} answers")
        if self.process.poll() is not None:
            raise AssertionError(f"{' '.join(map(str, argv))} ended with {self.process.returncode}")

    def end(self):
        self.process.terminate()
        self.process.wait(timeout=harness.WAIT_S)


def start_nginx(answer):
    port, = free_ports(1)
    home = pathlib.Path(tempfile.mkdtemp(dir=harness.WORK))
    (home / "files").mkdir()
    (home / "files/answer").write_bytes(answer)
    (home / "conf").write_text(f"""
daemon off; master_process off; worker_processes 1; pid {home}/pid; error_log {home}/error;
events {{ worker_connections 2048; }}
http {{
  access_log off; sendfile on; tcp_nodelay on; keepalive_requests 1000000000; keepalive_timeout 60;
  open_file_cache max=100 inactive=1h; open_file_cache_valid 1h;
  client_body_temp_path {home}/body; proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/fcgi;
  uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
  types {{ }} default_type application/ocsp-response;
  server {{ listen 127.0.0.1:{port}; root {home}/files; expires 60s; }}
}}
""")
    return Peer(port, "nginx", "-e", f"{home}/error", "-c", home / "conf")


def start_cfssl(answer):
    """Its file holds answers in base64, one a line, found by their serial."""
    port, = free_ports(1)
    responses = new_file(base64.b64encode(answer) + b"\n")
    return Peer(port, "cfssl", "ocspserve", "-port", port, "-responses", responses, "-loglevel", 4)


def start_openssl(options, issuer, serial):
    port, = free_ports(1)
    home = tempfile.mkdtemp(dir=harness.WORK)
    key = ("ec", "P-256") if options.key == "ec" else ("rsa", "2048")
    return Peer(port, *peers.openssl_ocsp_command(home, port, issuer, serial, key), ready="waiting for")


def one_by_one(pids, port, path, request, seconds):
    """A nonce, answered, and the next: what wrk cannot do with `openssl ocsp`. A connection each."""
    head = f"POST {path} HTTP/1.0\r\nContent-Type: application/ocsp-request\r\nContent-Length: {len(request)}\r\n\r\n".encode()
    before, end, times = cpu_s(pids), time.monotonic() + seconds, []
    while (begun := time.monotonic()) < end:
        with socket.create_connection(("127.0.0.1", port), harness.WAIT_S) as s:
            s.sendall(head + request[:-4] + len(times).to_bytes(4, "big"))
            answer = b"".join(iter(lambda: s.recv(65536), b""))
        if b" 200 " not in answer[:20]:
            raise AssertionError(answer[:200])
        times.append(time.monotonic() - begun)
    return {"rate": len(times) / seconds, "cpu_us": (cpu_s(pids) - before) * 1e6 / len(times), "p99_us": sorted(times)[len(times) * 99 // 100] * 1e6}


def check_good(url, request):
    """Whatever is measured answers that the certificate is good."""
    asked = urllib.request.Request(url, request, {"Content-Type": "application/ocsp-request"})
    with urllib.request.urlopen(asked, timeout=harness.WAIT_S) as answer:
        said = run("openssl", "ocsp", "-respin", new_file(answer.read()), "-text", "-noverify").text
    if "Cert Status: good" not in said:
        raise AssertionError(f"{url}: {said}")


def cpu_s(pids):
    """Processor time that these processes have used."""
    total = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def wrk(pids, url, script, options, close=False):
    argv = ["taskset", "-c", str(LOAD_CORE), "wrk", "-t1", f"-c{options.connections}", f"-d{options.seconds}s", "--latency"]
    argv += ["-s", script] if script else []
    argv += ["-H", "Connection: close"] if close else []
    before = cpu_s(pids)
    said = subprocess.run([*argv, url], capture_output=True, text=True, check=True, timeout=harness.WAIT_S + options.seconds).stdout
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    if bad or "Requests/sec" not in said:
        raise AssertionError(f"{url}:\n{said}")
    p99, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)\b", said).groups()
    return {"rate": float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1]),
            "cpu_us": (cpu_s(pids) - before) * 1e6 / int(re.search(r"(\d+) requests in", said)[1]),
            "p99_us": float(p99) * {"us": 1, "ms": 1000, "s": 1000000}[unit]}


SIGNATURES = {"ec": ("P-256 signatures", "ecdsap256"), "rsa": ("RSA 2048 signatures", "rsa2048")}


def signatures(algorithm):
    """Signatures a second of processor time on the server's core."""
    said = run("taskset", "-c", SERVER_CORE, "openssl", "speed", "-seconds", "1", "-mr", algorithm).said
    rate = float(re.search(r"\+F[24]:\d+:\d+:([\d.]+):", said)[1])
    return {"rate": rate, "cpu_us": 1e6 / rate, "p99_us": 0}


def resident_kib(pid, kind):
    """What a process alone has in memory, and what it has mapped of the store, which the kernel can take back."""
    return int(re.search(rf"{kind}:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


def start(options):
    """From `serve` to the first answer, with as many certificates in the store."""
    service = Service(start=False)
    fill = pathlib.Path(harness.CHANCERY).with_name("store_fill")
    filled = json.loads(subprocess.run([fill, service.home, str(options.certificates)], capture_output=True, text=True, check=True).stdout)
    serial = filled["valid"][f"{options.key}-g1"]
    begun = time.monotonic()
    service.start()
    ready = time.monotonic()
    path = new_file(b"")
    run("openssl", "ocsp", "-issuer", service.ca_file(f"{options.key}-g1"), "-serial", "0x" + serial, "-no_nonce", "-reqout", path)
    asked = time.monotonic()
    answer = service.plain("/ocsp", "POST", pathlib.Path(path).read_bytes(), {"Content-Type": "application/ocsp-request"}).body
    answered = time.monotonic()
    said = run("openssl", "ocsp", "-respin", new_file(answer), "-text", "-noverify").text
    if "Cert Status: good" not in said:
        raise AssertionError(said)
    pid, = service.roles()["ocsp"]
    result = {"certificates": options.certificates, "ready_s": ready - begun, "first_answer_s": answered - asked,
              "memory_kib": resident_kib(pid, "RssAnon"), "store_mapped_kib": resident_kib(pid, "RssFile") + resident_kib(pid, "RssShmem")}
    service.stop()
    return result


class Bench:
    def __init__(self, options):
        self.options = options
        self.service = Service(start=False)
        self.configure()
        self.service.start()
        csr = make_csr() if options.key == "rsa" else make_csr("ec-P-384", "/CN=node1-EC.example.com")
        leaf = self.service.issued(csr, "ucm/tomcat" if options.key == "rsa" else "ucm/tomcat-ECDSA")
        self.leaf = new_file(leaf.chain_pem, ".pem")
        self.issuer = self.service.ca_file(f"{options.key}-g1")
        self.plain, self.nonce = self.request("-no_nonce"), self.request("-nonce")
        self.answer = self.service.plain("/ocsp", "POST", self.plain, {"Content-Type": "application/ocsp-request"}).body
        self.url = f"http://127.0.0.1:{self.service.http_port}/ocsp"
        self.get = self.url + "/" + urllib.parse.quote(base64.b64encode(self.plain).decode(), safe="")
        roles = self.service.roles()
        self.pids = roles["ocsp"] + roles["ocsp-signer"]
        pin(self.pids)
        serial = run("openssl", "x509", "-in", self.leaf, "-noout", "-serial").text.strip().rpartition("=")[2]
        self.peers = [start_nginx(self.answer), start_cfssl(self.answer), start_openssl(options, self.issuer, serial)]
        self.file = f"http://127.0.0.1:{self.peers[0].port}/answer"
        self.cfssl = f"http://127.0.0.1:{self.peers[1].port}/"
        for url in self.url, self.cfssl, f"http://127.0.0.1:{self.peers[2].port}/":
            check_good(url, self.plain)
        self.jobs = self.own_jobs()

    def configure(self):
        """One address asks for everything here: its budget is lifted."""
        path = self.service.home / "chancery.xml"
        harness.replace_file(path, path.read_text().replace("<ocsp ", '<ocsp live-rate="none" ', 1))

    def figures(self):
        return {name: int(value) for name, value in re.findall(r"^chancery_(ocsp_\S+) (\d+)$", self.service.https("/metrics").text, re.M)}

    def request(self, option):
        path = new_file(b"")
        run("openssl", "ocsp", "-issuer", self.issuer, option, "-cert", self.leaf, "-reqout", path)
        return pathlib.Path(path).read_bytes()

    def own_jobs(self):
        same = new_file(POST_SAME % (self.plain.hex(), ""), ".lua")
        nonce = new_file(POST_NONCE % (self.nonce[:-8].hex(), ""), ".lua")
        theirs = {url: [peer.process.pid] for url, peer in zip((self.file, self.cfssl), self.peers)}

        def load(url, script, **how):
            return lambda: wrk(theirs.get(url, self.pids), url, script, self.options, **how)

        limit, algorithm = SIGNATURES[self.options.key]
        return [
            # name, what it is held against, run
            ("nginx, a file", None, load(self.file, None)),
            ("GET, reused answer", "nginx, a file", load(self.get, None)),
            ("POST, reused answer", "nginx, a file", load(self.url, same)),
            ("nginx, a connection each", None, load(self.file, None, close=True)),
            ("GET, a connection each", "nginx, a connection each", load(self.get, None, close=True)),
            (limit, None, lambda: signatures(algorithm)),
            ("POST, nonce", limit, load(self.url, nonce)),
            ("POST, nonce, one by one", None, lambda: one_by_one(self.pids, self.service.http_port, "/ocsp", self.nonce, self.options.seconds)),
            ("cfssl ocspserve, POST", "POST, reused answer", load(self.cfssl, same)),
            ("openssl ocsp, one by one", "POST, nonce, one by one",
             lambda: one_by_one([self.peers[2].process.pid], self.peers[2].port, "/", self.nonce, self.options.seconds)),
        ]

    def run(self):
        results = {name: [] for name, _, _ in self.jobs}
        for _ in range(self.options.rounds):
            for name, _, job in self.jobs:
                results[name].append(job())
        errors = {name: count for name, count in self.figures().items() if name.startswith("ocsp_errors_total") and count}
        if errors:
            raise AssertionError(f"not every answer was one: {errors}")
        rows = []
        for name, against, _ in self.jobs:
            row = {"job": name, "requests_per_s": statistics.median(each["rate"] for each in results[name]),
                   "p99_us": statistics.median(each["p99_us"] for each in results[name]),
                   "cpu_us": statistics.median(each["cpu_us"] for each in results[name]), "against": against}
            if against:
                pairs = list(zip(results[name], results[against]))
                row["ratio"] = statistics.median(ours["rate"] / theirs["rate"] for ours, theirs in pairs)
                row["cpu_ratio"] = statistics.median(theirs["cpu_us"] / ours["cpu_us"] for ours, theirs in pairs)
            rows.append(row)
        return {"answer_octets": len(self.answer), "connections": self.options.connections, "rounds": self.options.rounds,
                "seconds": self.options.seconds, "key": self.options.key, "rows": rows}

    def end(self):
        for peer in self.peers:
            peer.end()
        self.service.stop()


def show(result):
    print(f"answer of {result['answer_octets']} octets ({result['key']}), {result['connections']} connections, "
          f"medians of {result['rounds']} rounds of {result['seconds']} s, server and load on a core each\n")
    print(f"| {'job':28} | requests/s | p99 µs | CPU µs | by rate | by CPU | against |\n|{'-' * 30}|-----------:|-------:|-------:|--------:|-------:|---|")
    for row in result["rows"]:
        by_rate, by_cpu = (f"{row[name]:.2f}" if name in row else "" for name in ("ratio", "cpu_ratio"))
        p99 = f"{row['p99_us']:,.0f}" if row["p99_us"] else ""
        print(f"| {row['job']:28} | {row['requests_per_s']:10,.0f} | {p99:>6} | {row['cpu_us']:6.1f} | {by_rate:>7} | {by_cpu:>6} | {row['against'] or ''} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--key", choices=("rsa", "ec"), default="ec")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--certificates", type=int, default=0)
    options = parser.parse_args()
    if options.certificates:
        result = start(options)
        print(json.dumps(result, indent=1) if options.json else
              f"{result['certificates']:,} certificates: ready in {result['ready_s']:.2f} s, the first answer {result['first_answer_s'] * 1000:.1f} ms after; "
              f"the process has {result['memory_kib'] / 1024:.1f} MiB, and {result['store_mapped_kib'] / 1024:.1f} MiB of files mapped")
        return
    bench = Bench(options)
    try:
        result = bench.run()
    finally:
        bench.end()
    if bench.options.json:
        print(json.dumps(result, indent=1))
    else:
        show(result)


if __name__ == "__main__":
    main()
