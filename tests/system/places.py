# SPDX-License-Identifier: Apache-2.0
"""Where lists are carried to, for the tests of `watch`: nginx with WebDAV and OpenSSH's sshd as Debian has them, an S3
endpoint that checks every signature, and an HTTP server that misbehaves when told to. Each listens on loopback, on a
port that was free, keeps its files in a directory of its own, and is stopped by its own id."""
import atexit
import datetime
import hashlib
import hmac
import http.server
import os
import pathlib
import pwd
import subprocess
import tempfile
import threading

from harness import WAIT_S, WORK, free_ports, new_file, run, wait_until


def new_directory():
    return pathlib.Path(tempfile.mkdtemp(dir=WORK))


def private_file(text):
    path = new_file(text)
    os.chmod(path, 0o600)
    return path


def server_certificate():
    """A certificate of its own for localhost: (certificate, key), paths."""
    certificate, key = new_file(b"", ".pem"), private_file("")
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-days", "2",
        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-out", certificate)
    return certificate, key


class Program:
    """A server that runs in the foreground until it is stopped."""

    def launch(self, argv, port):
        with open(self.directory / "output", "ab") as output:
            self.process = subprocess.Popen([str(each) for each in argv], stdout=output, stderr=output)
        atexit.register(self.stop)  # where no cleanup comes to it
        wait_until(lambda: self.process.poll() is not None or is_open(port), f"{argv[0]} listens")
        if self.process.poll() is not None:
            raise AssertionError(f"{argv[0]} ended with {self.process.returncode}:\n{(self.directory / 'output').read_text()}")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=WAIT_S)
        self.process = None


def is_open(port):
    import socket
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Nginx(Program):
    """WebDAV over TLS: with a password, with a token, with a client certificate; everything to read over plain HTTP."""

    def __init__(self):
        self.directory = new_directory()
        self.files = self.directory / "www"
        for each in ("basic", "token", "mutual"):
            (self.files / each).mkdir(parents=True)
        self.http, self.https, self.mutual = free_ports(3)
        self.certificate, key = server_certificate()
        self.client_certificate, self.client_key = server_certificate()
        self.password, self.token = "correct horse", "t0ken"
        digest = run("openssl", "passwd", "-apr1", self.password).text.strip()
        (self.directory / "users").write_text(f"crl:{digest}\n")
        user = "user root;" if os.geteuid() == 0 else ""
        put = "dav_methods PUT MOVE DELETE; client_max_body_size 64m;"
        tls = f"ssl_certificate {self.certificate}; ssl_certificate_key {key};"
        temps = "".join(f"{each}_temp_path {self.directory}/{each};" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        self.config = self.directory / "nginx.conf"
        self.config.write_text(f"""
            {user} daemon off; worker_processes 1; pid {self.directory}/pid; error_log {self.directory}/error.log;
            events {{ worker_connections 64; }}
            http {{
              {temps} access_log {self.directory}/access.log; root {self.files};
              server {{ listen 127.0.0.1:{self.http}; }}
              server {{
                listen 127.0.0.1:{self.https} ssl; {tls}
                location /basic/ {{ {put} auth_basic crl; auth_basic_user_file {self.directory}/users; }}
                location /token/ {{ {put} if ($http_authorization != "Bearer {self.token}") {{ return 401; }} }}
              }}
              server {{
                listen 127.0.0.1:{self.mutual} ssl; {tls} ssl_client_certificate {self.client_certificate}; ssl_verify_client on;
                location /mutual/ {{ {put} }}
              }}
            }}""")
        self.start()

    def start(self):
        self.launch(["nginx", "-p", self.directory, "-e", self.directory / "error.log", "-c", self.config], self.http)

    def requests(self):
        return (self.directory / "access.log").read_text().splitlines()


def user_name():
    """Of who runs the tests, by the uid as sshd sees it; USER may say another. None: he has no account, and no sshd lets him in."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return None


def is_locked(user):
    """By a password that begins with "!", as of root where sudo is used. Without PAM, sshd then takes no key either; users can neither
    read this nor does their sshd."""
    if os.geteuid() != 0:
        return False
    lines = pathlib.Path("/etc/shadow").read_text().splitlines()
    return any(line.startswith(f"{user}:!") for line in lines)


NO_SSHD = None if user_name() else "uid without an account: no sshd lets it in"


class Sshd(Program):
    """SFTP for the user who runs the tests, by a key made for it."""

    def __init__(self):
        self.directory = new_directory()
        self.files = self.directory / "files"
        self.files.mkdir()
        (self.port,) = free_ports(1)
        self.user = user_name()
        self.host_key, self.key = self.directory / "host", self.directory / "user"
        for each in (self.host_key, self.key):
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", each)
        (self.directory / "authorized").write_text(self.key.with_suffix(".pub").read_text())
        self.known_hosts = self.known(self.host_key)
        self.config = self.directory / "config"
        self.config.write_text(f"""
ListenAddress 127.0.0.1
Port {self.port}
HostKey {self.host_key}
AuthorizedKeysFile {self.directory}/authorized
PidFile {self.directory}/pid
StrictModes no
UsePAM {'yes' if is_locked(self.user) else 'no'}
PasswordAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
""")
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)  # as the unit of the package does
        self.start()

    def start(self):
        self.launch(["/usr/sbin/sshd", "-D", "-e", "-f", self.config], self.port)

    def known(self, key):
        """A known_hosts file that knows this key alone for our port."""
        return new_file(f"[127.0.0.1]:{self.port} {pathlib.Path(f'{key}.pub').read_text()}")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in {"Content-Length": len(body), **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def handle(self):
        try:
            super().handle()
        except OSError:
            pass  # the client gave up


class Served:
    """A threaded HTTP server of Python's, with itself in every handler as .place."""

    def __init__(self, handler):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (handler,), {"place": self}))
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


# ---- S3 ----

class Bucket(Served):
    """PUT and GET of objects under /bucket/, each with a SigV4 signature that must be right in every detail; anybody may
    read under /public/."""
    KEY_ID, SECRET, REGION = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "eu-central-1"

    def __init__(self):
        self.objects, self.types, self.refusals, self.puts = {}, {}, [], 0
        super().__init__(BucketHandler)


def hmac_sha256(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class BucketHandler(Handler):
    def refusal(self, body):
        """Why the request is not to be trusted; None when it is. AWS General Reference, "Signature Version 4"."""
        head = self.headers
        scheme, _, rest = head.get("Authorization", "").partition(" ")
        try:
            parts = dict(each.strip().split("=", 1) for each in rest.split(","))
            key_id, day, region, service, end = parts["Credential"].split("/")
            names = parts["SignedHeaders"].split(";")
        except (ValueError, KeyError):
            return "Authorization is not of the form"
        stamp, content = head.get("x-amz-date", ""), head.get("x-amz-content-sha256", "")
        if scheme != "AWS4-HMAC-SHA256" or (key_id, region, service, end) != (Bucket.KEY_ID, Bucket.REGION, "s3", "aws4_request"):
            return "wrong scope"
        if "?" in self.path or any(len(head.get_all(name, [])) != 1 for name in names):
            return "a signed header is missing or there twice"
        wanted = {"host", *(name.lower() for name in head if name.lower().startswith("x-amz-"))} | ({"content-type"} & {n.lower() for n in head})
        if names != sorted(wanted):
            return f"signed are {names}, must be {sorted(wanted)}"
        at = datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
        if not stamp.startswith(day) or abs((datetime.datetime.now(datetime.timezone.utc) - at).total_seconds()) > 900:
            return "RequestTimeTooSkewed"
        if content != hashlib.sha256(body).hexdigest():
            return "XAmzContentSHA256Mismatch"
        lines = "".join(f"{name}:{' '.join(head[name].split())}\n" for name in names)
        canonical = "\n".join([self.command, self.path, "", lines, ";".join(names), content])
        to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, f"{day}/{region}/s3/aws4_request", hashlib.sha256(canonical.encode()).hexdigest()])
        key = b"AWS4" + Bucket.SECRET.encode()
        for each in (day, region, "s3", "aws4_request"):
            key = hmac_sha256(key, each)
        good = hmac.compare_digest(hmac_sha256(key, to_sign).hex(), parts["Signature"])
        return None if good else "SignatureDoesNotMatch"

    def checked(self):
        body = self.body()
        if why := self.refusal(body):
            self.place.refusals.append(why)
            self.answer(403, why.encode())
            return None
        return body

    def do_GET(self):
        name = self.path.rsplit("/", 1)[-1]
        if not self.path.startswith("/public/") and self.checked() is None:
            return
        if name in self.place.objects:
            self.answer(200, self.place.objects[name])
        else:
            self.answer(404, b"NoSuchKey")

    def do_PUT(self):
        if (body := self.checked()) is not None:
            name = self.path.rsplit("/", 1)[-1]
            self.place.objects[name], self.place.types[name] = body, self.headers["Content-Type"]
            self.place.puts += 1
            self.answer(200)


# ---- one that misbehaves ----

class Origin(Served):
    """A WebDAV server of files in memory. `mode` says how it answers what `afflicted` (methods) ask: "well", "hang",
    "close", "500", "cut", "redirect". `shown` is what GET gives instead, by name."""

    def __init__(self):
        self.files, self.shown, self.mode, self.afflicted, self.log = {}, {}, "well", ("GET", "PUT", "MOVE"), []
        self.elsewhere = "ftp://127.0.0.1/"
        self.is_over = threading.Event()
        super().__init__(OriginHandler)

    def stop(self):
        self.is_over.set()
        super().stop()


class OriginHandler(Handler):
    def misbehaves(self):
        """True when the request has had what it gets."""
        place, mode = self.place, self.place.mode
        place.log.append((self.command, self.path))
        if mode == "well" or self.command not in place.afflicted:
            return False
        self.close_connection = True
        if mode == "hang":
            place.is_over.wait(WAIT_S)
        elif mode == "500":
            self.answer(500, b"<h1>no</h1>", Connection="close")
        elif mode == "redirect":
            self.answer(302, b"", Location=place.elsewhere + self.path.lstrip("/"), Connection="close")
        elif mode == "cut":
            self.send_response(200)
            body = place.files.get(self.path, b"x" * 100)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2])
        return True

    def do_GET(self):
        if self.misbehaves():
            return
        body = self.place.shown.get(self.path.rsplit("/", 1)[-1], self.place.files.get(self.path))
        self.answer(404) if body is None else self.answer(200, body)

    def do_PUT(self):
        if self.misbehaves():
            return
        self.place.files[self.path] = self.body()
        self.answer(201)

    def do_MOVE(self):
        if self.misbehaves():
            return
        to = "/" + self.headers["Destination"].split("/", 3)[3]
        self.place.files[to] = self.place.files.pop(self.path)
        self.answer(201)
