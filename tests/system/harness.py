# SPDX-License-Identifier: Apache-2.0
"""What every system test needs: a home and a running service, requests made by openssl, an HTTP client that is not
ours, and the independent programs that judge. Every wait is bounded; every process ends by its own id."""
import atexit
import base64
import calendar
import copy
import http.client
import json
import os
import pathlib
import random
import re
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

import der

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHANCERY = os.environ.get("CHANCERY", str(ROOT / "build/chancery"))
DATA = ROOT / "tests/data"
WAIT_S = int(os.environ.get("WAIT_S", "60"))  # for anything at all: a sanitizer build on a busy machine is slow
UNDER = shlex.split(os.environ.get("SERVE_UNDER", ""))  # a program that runs `serve` and its roles: valgrind
PRELOADED = {"LD_PRELOAD": os.environ["SERVE_PRELOAD"]} if "SERVE_PRELOAD" in os.environ else {}  # what that needs

# The service is on this machine, and openssl and curl would ask a proxy for it.
for each in [name for name in os.environ if name.lower() in ("http_proxy", "https_proxy", "all_proxy")]:
    del os.environ[each]

# nginx, sshd, mkfs: the PATH of an ordinary user has not where Debian keeps them.
os.environ["PATH"] = os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin") + ":/usr/sbin:/sbin"

# Who ends a test by SIGTERM (`timeout`, a job that is cancelled) ends what it started as well: as ^C does. A SystemExit unittest would
# take for the failure of one test, and go on.
signal.signal(signal.SIGTERM, signal.default_int_handler)

WORK = pathlib.Path(tempfile.mkdtemp(prefix="chancery-test-"))
WORK.chmod(0o711)  # roles have accounts of their own; what a configuration names in here they must reach
atexit.register(shutil.rmtree, WORK, ignore_errors=True)


def asan_options(more):
    """An environment with options for AddressSanitizer besides those that are set; another build does not look at them."""
    return {"ASAN_OPTIONS": ":".join(filter(None, (os.environ.get("ASAN_OPTIONS"), more)))}


# AddressSanitizer holds freed memory back to find its later use: a test that measures memory leaves that out.
ASAN_LITTLE = "quarantine_size_mb=1:thread_local_quarantine_size_kb=64"
ASAN_NOT_FIRST = "verify_asan_link_order=0"  # beside a library that is loaded before


def run(*argv, stdin=None, check=True, env=None, account=None):
    """Runs a program, as another user when `account` says so; its outputs as text. A failure is an error that shows what the program said."""
    done = subprocess.run(
        [str(each) for each in argv], input=stdin, capture_output=True, timeout=WAIT_S, check=False,
        env={**os.environ, **(env or {})}, **(account or {}),
    )
    done.text = done.stdout.decode(errors="replace")
    done.said = done.text + done.stderr.decode(errors="replace")
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, argv))} ended with {done.returncode}:\n{done.said}")
    return done


def wait_until(claim, what):
    """Gives the first true value of claim()."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        if value := claim():
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {WAIT_S} s: {what}")


def has_ended(pid):
    """A process loses its memory, and so its command line, some time before its files, which its last thread closes."""
    try:
        threads = [each.read_text() for each in pathlib.Path(f"/proc/{pid}/task").glob("*/stat")]
    except (FileNotFoundError, ProcessLookupError):
        return False  # one that has just ended: look again
    return all(each.rpartition(")")[2].split()[0] in "ZX" for each in threads)


TAKEN = []  # the names of this process's ports; they go with it


def take_port(port):
    """Takes the port for this process; False when it or a test that runs beside it has it already. What is taken is the name of an
    abstract socket: one process has it at a time, of those that share our ports (network_namespaces(7))."""
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0chancery-test-port-{port}")
    except OSError:
        name.close()
        return False
    TAKEN.append(name)
    return True


def is_listened_on(port):
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return True
    return False


def free_ports(count):
    """Ports that nothing listens on, and that no other test is given while this process lives: the server that is to have one starts
    later. They lie below the range from which the kernel takes one for a client or for port 0."""
    end = max(int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0]), 20480)
    ports = []
    while len(ports) < count:
        port = random.SystemRandom().randrange(10240, end)
        if take_port(port) and not is_listened_on(port):
            ports.append(port)
    return ports


def new_file(content, suffix=""):
    handle, path = tempfile.mkstemp(dir=WORK, suffix=suffix)
    with os.fdopen(handle, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
    return path


def replace_file(path, text):
    """As an editor saves: a reader sees the old file or the new one."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(path)


def utc_s(text, form):
    """Unix seconds of a time in UTC that has the form, wherever the test runs."""
    return calendar.timegm(time.strptime(text, form))


ROLES = ["signer", "ocsp-signer", "ca", "crl", "ocsp", "api", "watch"]


def set_limit(pid, name, soft, hard=""):
    """A resource limit of a running role, "fsize" or the like: set as the role's own user, who may; root may not everywhere."""
    who = os.stat(f"/proc/{pid}")
    subprocess.run(["prlimit", f"--pid={pid}", f"--{name}={soft}:{hard}"], check=True, timeout=WAIT_S, user=who.st_uid, group=who.st_gid)


# ---- what a machine may not permit: the test that needs it is skipped, and says why ----

def of_another(look, path):
    """look(path), a file of /proc about a process that is not dumpable or another user's. It takes the right to trace it, which an
    ordinary user has not, and the root of most containers neither."""
    try:
        return look(path)
    except PermissionError:
        raise unittest.SkipTest(f"{path} is shown only to who may trace the process") from None


def no_mount(*options):
    """Why mount(8) cannot do this, by trying it; None: it can. A container's root lacks the right, or the devices."""
    place = tempfile.mkdtemp(dir=WORK)
    done = run("mount", *options, place, check=False)
    if done.returncode != 0:
        return done.said.splitlines()[0]
    run("umount", "-l", place)
    return None


# ---- keys and requests, by openssl ----

def pem_to_der(pem):
    """The DER of each PEM block, in order."""
    if isinstance(pem, bytes):
        pem = pem.decode()
    blocks = [block.split("-----END ")[0] for block in pem.split("-----BEGIN ")[1:]]
    return [base64.b64decode(block.split("-----", 1)[1]) for block in blocks]


def der_to_pem(data, label):
    text = base64.b64encode(data).decode()
    lines = [text[i : i + 64] for i in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def key(kind, name="shared"):
    """The path of a private key, "rsa-2048", "ec-P-256", "ed25519"; made once under each name."""
    path = WORK / f"{kind}-{name}.key"
    if not path.exists():
        algorithm, _, size = kind.partition("-")
        options = {
            "rsa": ["-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{size}"],
            "ec": ["-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{size}"],
            "explicit": ["-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{size}", "-pkeyopt", "ec_param_enc:explicit"],
            "ed25519": ["-algorithm", "ED25519"],
        }[algorithm]
        run("openssl", "genpkey", *options, "-out", path)
    return path


def public_key(path):
    """SubjectPublicKeyInfo DER."""
    return run("openssl", "pkey", "-in", path, "-pubout", "-outform", "DER").stdout


# The weakest hash that docs/products.md, 3 permits with the key.
DIGESTS = {"ec-P-384": "sha384", "ec-P-521": "sha512"}


class Csr:
    def __init__(self, data, key_path):
        self.der, self.key = data, key_path
        self.pem = der_to_pem(data, "CERTIFICATE REQUEST")
        self.fields = der.Request(data)


def signed_request(info, kind, digest=None, tamper=False):
    """A PKCS#10 around a CertificationRequestInfo that openssl would not make itself; openssl signs it."""
    digest = digest or DIGESTS.get(kind, "sha256")
    algorithm = {
        ("rsa", "sha1"): "1.2.840.113549.1.1.5", ("rsa", "sha256"): "1.2.840.113549.1.1.11",
        ("ec", "sha256"): "1.2.840.10045.4.3.2", ("ec", "sha384"): "1.2.840.10045.4.3.3", ("ec", "sha512"): "1.2.840.10045.4.3.4",
    }[kind.split("-")[0], digest]
    signature = run("openssl", "dgst", f"-{digest}", "-sign", key(kind), stdin=info).stdout
    if tamper:
        signature = signature[:-1] + bytes([signature[-1] ^ 1])
    parameters = der.tlv(der.NULL) if kind.startswith("rsa") else b""
    return der.sequence(info, der.sequence(der.oid(algorithm), parameters), der.tlv(der.BITS, b"\0", signature))


def make_csr(kind="rsa-2048", subject="/C=PL/O=Example/CN=cucm1.example.com", sans=(), ku=None, eku=None, digest=None, name="shared"):
    """A CSR by `openssl req`; ku and eku None: none asked for. Names of sans are DNS names unless they say "IP:" or the like."""
    lines = ["[req]", "distinguished_name=dn", "prompt=no", "[dn]", "CN=unused", "[ext]"]
    if sans:
        lines.append("subjectAltName=" + ",".join(each if ":" in each else "DNS:" + each for each in sans))
    if ku:
        lines.append("keyUsage=" + ",".join(ku))
    if eku:
        lines.append("extendedKeyUsage=" + ",".join(der.EKU_OIDS.get(each, each) for each in eku))
    config = new_file("\n".join(lines) + "\n", ".cnf")
    wanted = ["-reqexts", "ext"] if sans or ku or eku else []
    private = key(kind, name)
    hash_option = [] if kind == "ed25519" else ["-" + (digest or DIGESTS.get(kind, "sha256"))]
    done = run("openssl", "req", "-new", "-config", config, "-key", private, "-subj", subject, "-utf8", *hash_option,
               *wanted, "-outform", "DER")
    return Csr(done.stdout, private)


def self_signed(subject):
    """A certificate of no CA of ours, and its key: paths."""
    certificate, private = new_file(b"", ".pem"), new_file(b"", ".key")
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", private, "-subj", subject,
        "-addext", "extendedKeyUsage=clientAuth", "-out", certificate)
    return certificate, private


# ---- the service ----

class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode()

    @property
    def type(self):
        return self.headers.get("Content-Type", "")

    def __repr__(self):
        return f"{self.status} {self.type}: {self.body[:2000]!r}"


def exchange(connection, method, path, body, headers):
    try:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


class Service:
    """A home in a directory of its own, and `serve` on it on ports that were free."""

    program = CHANCERY
    account = {}  # of the service and its commands: subprocess's user, group and extra_groups
    under = UNDER
    environment = PRELOADED  # of `serve` alone, besides what the test has: what is preloaded

    def __init__(self, *init_options, start=True):
        self.directory = pathlib.Path(tempfile.mkdtemp(dir=WORK))
        if self.account:
            os.chown(self.directory, self.account["user"], self.account["group"])
        self.home = self.directory / "home"
        self.log = self.directory / "log"
        self.http_port, self.https_port = free_ports(2)
        self.process = None
        self.restores_signals = True  # False: SIGXFSZ stays ignored, so that a file that cannot grow is an error and no signal
        atexit.register(self.kill)
        self.public_url = f"http://localhost:{self.http_port}"
        self.chancery("init", "--name", "Test", "--host", "localhost", "--http", f"127.0.0.1:{self.http_port}",
                      "--https", f"127.0.0.1:{self.https_port}", *init_options)
        if level := os.environ.get("CONFINE"):
            self.confine(level)
        if start:
            self.start()

    def confine(self, level):
        """Confinement from the next start on: full, basic or off."""
        path = self.home / "chancery.xml"
        path.write_text(re.sub(r'<confine level="\w+"', f'<confine level="{level}"', path.read_text()))

    def copy(self):
        """A service that does not run, on a copy of this home: quicker than an init of its own."""
        twin = copy.copy(self)
        twin.directory = pathlib.Path(tempfile.mkdtemp(dir=WORK))
        twin.home = twin.directory / "home"
        shutil.copytree(self.home, twin.home)
        return twin

    def chancery(self, *arguments, stdin=None, check=True):
        """The command line on this home."""
        return run(self.program, *arguments, "--home", self.home, stdin=stdin, check=check, account=self.account)

    def start(self, *options):
        ready = self.directory / "ready"
        ready.unlink(missing_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*self.under, self.program, "serve", "--home", self.home, "--ready-file", ready, *options], stdout=log, stderr=log, start_new_session=True, **self.account,
                restore_signals=self.restores_signals, env={**os.environ, **self.environment})
        wait_until(lambda: self.process.poll() is not None or ready.exists() and ready.read_text().endswith("\n"), "the service is ready")
        if self.process.poll() is not None:
            raise AssertionError(f"serve ended with {self.process.returncode}:\n{self.tail()}")
        self.ready = json.loads(ready.read_text())

    def stop(self, signo=signal.SIGTERM):
        """Ends the service; its exit code."""
        self.process.send_signal(signo)
        return self.process.wait(timeout=WAIT_S)

    def kill(self):
        """Ends whatever is left of the service, at once, and waits until it has let go of its sockets."""
        left = self.role_pids()
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(timeout=WAIT_S)
        left.update(self.role_pids())
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        wait_until(lambda: all(map(has_ended, left)), "its roles have ended")

    def role_pids(self):
        return {pid for pids in self.roles().values() for pid in pids}

    def roles(self):
        """{role name: [pid]} of this home's running role processes, by their command line `chancery role NAME --home HOME`."""
        found = {}
        for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue  # it ended meanwhile
            if "role" in words and str(self.home) in words:
                found.setdefault(words[words.index("role") + 1], []).append(int(path.parent.name))
        return found

    def restart(self):
        code = self.stop()
        if code != 0:
            raise AssertionError(f"SIGTERM: serve ended with {code}:\n{self.tail()}")
        self.start()

    def tail(self):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-60:]) + "\n"

    # ---- clients ----

    def plain(self, path, method="GET", body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=WAIT_S)
        return exchange(connection, method, path, body, headers)

    def tls(self, certificate="admin", key_path=None):
        """A context that trusts the service; certificate None: no client certificate."""
        context = ssl.create_default_context(cafile=str(self.home / "admin/server-ca.pem"))
        if certificate == "admin":
            certificate, key_path = self.home / "admin/admin.pem", self.home / "admin/admin.key"
        if certificate:
            context.load_cert_chain(certificate, key_path)
        return context

    def https(self, path, method="GET", body=None, headers=None, tls=None):
        connection = http.client.HTTPSConnection("127.0.0.1", self.https_port, timeout=WAIT_S, context=tls or self.tls())
        return exchange(connection, method, path, body, headers)

    def api(self, path, method="GET", body=None, headers=None, tls=None):
        return self.https("/api/v1" + path, method, body, headers, tls)

    def issue(self, csr, profile, accept=None, **query):
        """POST /certificates: `csr` a Csr or octets."""
        parameters = "&".join(f"{each}={value}" for each, value in {"profile": profile, **query}.items())
        headers = {"Content-Type": "application/pkcs10", **({"Accept": accept} if accept else {})}
        return self.api(f"/certificates?{parameters}", "POST", csr.der if isinstance(csr, Csr) else csr, headers)

    def issued(self, csr, profile, **query):
        """Issues, and the leaf as a Certificate with its chain in .chain_pem; anything but 201 is a failure."""
        answer = self.issue(csr, profile, **query)
        if answer.status != 201:
            raise AssertionError(f"{profile}: {answer}")
        leaf = der.Certificate(pem_to_der(answer.text)[0])
        leaf.chain_pem = answer.text
        return leaf

    def revoke(self, serial, reason, invalidity=None):
        body = {"reason": reason, **({"invalidity_date": invalidity} if invalidity else {})}
        return self.api(f"/certificates/{serial}/revocation", "PUT", json.dumps(body), {"Content-Type": "application/json"})

    def unhold(self, serial):
        return self.api(f"/certificates/{serial}/revocation", "DELETE")

    def publish(self, issuer):
        answer = self.api(f"/issuers/{issuer}/crl", "POST")
        if answer.status != 200:
            raise AssertionError(f"publish {issuer}: {answer}")

    def crl(self, issuer):
        return der.Crl(self.plain(f"/crl/{issuer}.crl").body)

    def serials(self):
        """Every serial the service lists, by pages."""
        found, after = [], ""
        while after is not None:
            page = self.api("/certificates?limit=1000" + (f"&after={after}" if after else "")).json()
            found += [each["serial"] for each in page["items"]]
            after = page["next"]
        return found

    # ---- files for the judges ----

    def ca_file(self, *ids):
        """A PEM file of the named issuers' certificates, as published."""
        return new_file("".join(self.plain(f"/ca/{each}.pem").text for each in ids), ".pem")

    def crl_file(self, *ids):
        return new_file("".join(self.plain(f"/crl/{each}.pem").text for each in ids), ".pem")


class ServiceTest(unittest.TestCase):
    """One service for all tests of a class; the log's end is shown with a failure, and the service must end cleanly."""

    @classmethod
    def setUpClass(cls):
        cls.service = Service()

    @classmethod
    def tearDownClass(cls):
        code = cls.service.stop()
        if code != 0:
            raise AssertionError(f"SIGTERM: serve ended with {code}:\n{cls.service.tail()}")

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            sys.stderr.write(f"-- the service's log at the end of {self.id()}:\n{self.service.tail()}")

    def assert_status(self, answer, status):
        self.assertEqual(answer.status, status, answer)
        return answer

    def assert_problem(self, answer, status, rule=None):
        """RFC 9457 problem details with what docs/interface.md promises; with `rule`, a refusing finding of that name."""
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.type.split(";")[0], "application/problem+json", answer)
        problem = answer.json()
        self.assertEqual(problem["status"], status)
        for member in ("type", "title", "detail", "request_id"):
            self.assertTrue(problem.get(member), f"{member} in {problem}")
        if rule:
            refused = [each["rule"] for each in problem["findings"] if each["severity"] == "refuse"]
            self.assertIn(rule, refused, problem)
        return problem

    def issuer_of(self, leaf):
        """The id of the issuer: the one issuing CA whose subject is the leaf's issuer."""
        for each in ("rsa-g1", "ec-g1"):
            if der.Certificate(self.service.plain(f"/ca/{each}.cer").body).subject == leaf.issuer:
                return each
        self.fail("the leaf has no issuer of ours")

    def assert_chain(self, leaf):
        """openssl and gnutls both accept leaf and chain up to the root of the leaf's hierarchy."""
        root = self.issuer_of(leaf).replace("-g1", "-root-g1")
        chain, trust = new_file(leaf.chain_pem, ".pem"), self.service.ca_file(root)
        run("openssl", "verify", "-x509_strict", "-purpose", "any", "-CAfile", trust, "-untrusted", chain, chain)
        said = run("certtool", "--verify", "--load-ca-certificate", trust, "--infile", chain).said
        self.assertIn("The certificate is trusted", said)
