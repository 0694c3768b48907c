# SPDX-License-Identifier: Apache-2.0
"""Other programs at the same jobs, from Debian's packages, on all cores as the service is: cfssl and openssl.

Each function gives requests (or signatures) a second, and None where the program is not installed.
"""
import base64
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

WAIT_S = 30


def run(*argv, **more):
    done = subprocess.run([str(each) for each in argv], capture_output=True, **more)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, argv))}: {done.stderr.decode()[-2000:]}")
    return done.stdout.decode()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A program that listens, until the block ends; ended by its own id, with the processes that it started."""

    def __init__(self, port, *argv, **more):
        self.port, self.argv, self.more = port, [str(each) for each in argv], more

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def __enter__(self):
        self.process = subprocess.Popen(self.argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, **self.more)
        end = time.monotonic() + WAIT_S
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > end:
                self.__exit__()
                raise AssertionError(f"{' '.join(self.argv)} does not listen")
            time.sleep(0.02)
        return self

    def end(self):
        if os.getpgid(self.process.pid) == self.process.pid:
            os.killpg(self.process.pid, signal.SIGTERM)  # openssl ocsp heads a group, and waits for its children before it looks
        else:
            self.process.terminate()

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.end()
        self.process.wait(timeout=WAIT_S)


def wrk(url, seconds, connections, script=None):
    said = run("wrk", "-t1", f"-c{connections}", f"-d{seconds}s", *(["-s", script] if script else []), url)
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    if bad:
        raise AssertionError(f"{url}: {bad[1]} answers were errors")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])


def ab(url, request, seconds, connections):
    """POST, a connection each. ab counts answers of another length than the first as failed: those of ECDSA differ."""
    if not shutil.which("ab"):
        return None
    said = run("ab", "-q", "-t", seconds, "-n", 10000000, "-c", connections, "-p", request, "-T", "application/ocsp-request", url)
    bad = re.search(r"Connect: (\d+), Receive: (\d+), Length: \d+, Exceptions: (\d+)", said)
    if "Non-2xx" in said or bad and any(map(int, bad.groups())):
        raise AssertionError(f"{url}: {said}")
    return float(re.search(r"Requests per second:\s+([\d.]+)", said)[1])


# As the service's issuers sign.
CA_KEYS = {"ec-256": ("ec", "secp384r1"), "ec-384": ("ec", "secp384r1"), "rsa-2048": ("rsa", "3072"), "rsa-3072": ("rsa", "3072")}
LEAF_KEYS = {"ec-256": ("ec", "prime256v1"), "ec-384": ("ec", "secp384r1"), "rsa-2048": ("rsa", "2048"), "rsa-3072": ("rsa", "3072")}


def key_options(key):
    kind, size = key
    return ["-newkey", "ec", "-pkeyopt", f"ec_paramgen_curve:{size}"] if kind == "ec" else ["-newkey", f"rsa:{size}"]


class Ca:
    """A CA of the same keys as the service's, and a request for it."""

    def __init__(self, directory, kind):
        self.at = pathlib.Path(directory) / f"peer-{kind}"
        self.at.mkdir()
        run("openssl", "req", "-x509", *key_options(CA_KEYS[kind]), "-nodes", "-keyout", self.at / "ca.key", "-out", self.at / "ca.pem",
            "-subj", "/CN=Peer CA", "-days", "30", "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        run("openssl", "req", "-new", *key_options(LEAF_KEYS[kind]), "-nodes", "-keyout", self.at / "leaf.key", "-out", self.at / "leaf.csr",
            "-subj", "/CN=node1.example.com", "-addext", "subjectAltName=DNS:node1.example.com")


def cfssl_serve(ca, seconds, clients):
    """Plain HTTP, no store: nothing is remembered of what was issued."""
    if not shutil.which("cfssl") or not shutil.which("wrk"):
        return None
    port, script = free_port(), ca.at / "sign.lua"
    request = (ca.at / "leaf.csr").read_text().replace("\n", "\\\\n")
    script.write_text(f"""wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{{"certificate_request": "{request}"}}'
""")
    with Server(port, "cfssl", "serve", "-address", "127.0.0.1", "-port", port, "-ca", ca.at / "ca.pem", "-ca-key", ca.at / "ca.key", "-loglevel", "5"):
        return wrk(f"http://127.0.0.1:{port}/api/v1/cfssl/sign", seconds, clients, script)


def openssl_ca(ca, count):
    """A batch of requests in one process, its text database written once at the end."""
    config = ca.at / "ca.cnf"
    config.write_text(f"""[ca]
default_ca = d
[d]
dir = {ca.at}
database = {ca.at}/index.txt
new_certs_dir = {ca.at}
serial = {ca.at}/serial
certificate = {ca.at}/ca.pem
private_key = {ca.at}/ca.key
default_md = sha256
default_days = 30
policy = p
unique_subject = no
copy_extensions = copy
[p]
commonName = supplied
""")
    (ca.at / "index.txt").write_text("")
    (ca.at / "serial").write_text("01\n")
    begun = time.monotonic()
    run("openssl", "ca", "-config", config, "-batch", "-notext", "-infiles", *[ca.at / "leaf.csr"] * count)
    return count / (time.monotonic() - begun)


def cfssl_ocspserve(directory, request, answer, seconds, connections):
    """Answers made beforehand, from a file, kept in memory; without ours: what another service said."""
    if not shutil.which("cfssl") or not shutil.which("wrk"):
        return None
    port, file = free_port(), pathlib.Path(directory) / "responses"
    file.write_text(base64.b64encode(answer).decode() + "\n")
    with Server(port, "cfssl", "ocspserve", "-address", "127.0.0.1", "-port", port, "-responses", file, "-loglevel", "5"):
        return wrk(f"http://127.0.0.1:{port}/", seconds, connections, post(directory, request))


def openssl_ocsp_command(directory, port, issuer, serial, key=("ec", "P-256")):
    """Signs each answer. Its index is that of `openssl ca`; it does not ask whether its signer is the issuer's, so one made
    here will do. A connection that asks nothing leaves it reading for ever: wrk, which begins with one, cannot load it."""
    at = pathlib.Path(directory)
    run("openssl", "req", "-x509", *key_options(key), "-nodes", "-subj", "/CN=OCSP", "-keyout", at / "signer.key", "-out", at / "signer.pem")
    (at / "index").write_text(f"V\t491231235959Z\t\t{serial}\tunknown\t/CN=node1\n")
    return ("openssl", "ocsp", "-port", port, "-index", at / "index", "-CA", issuer, "-rsigner", at / "signer.pem",
            "-rkey", at / "signer.key", "-ndays", "1", "-ignore_err")


def openssl_ocsp(directory, issuer, serial, request, seconds, connections):
    """In a process a core, asked by ab."""
    if not shutil.which("ab"):
        return None  # before anything is made for it
    port = free_port()
    with Server(port, *openssl_ocsp_command(directory, port, issuer, serial), "-multi", os.cpu_count()):
        return ab(f"http://127.0.0.1:{port}/", request, seconds, connections)


def post(directory, request):
    """By POST: cfssl redirects a GET whose base64 has `//` in it."""
    script = pathlib.Path(directory) / "post.lua"
    script.write_text(f"""wrk.method = "POST"
wrk.headers["Content-Type"] = "application/ocsp-request"
wrk.body = ("{request.hex()}"):gsub("..", function(x) return string.char(tonumber(x, 16)) end)
""")
    return script
