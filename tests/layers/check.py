#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the architecture of a source tree: which room includes which, and who owns a third-party header.

usage: check.py ROOT. Prints each fault as `file:line: what` and exits 1 when there is one.
Rules: the rooms and doors of docs/architecture.md. The tests may include anything.
"""
import pathlib
import re
import sys

# A room and the rooms it may include: base <- store <- {ca, crl, ocsp} <- api; signer, cli and watch know base alone.
EDGES = {
    "base": set(),
    "store": {"base"},
    "signer": {"base"},
    "cli": {"base"},
    "watch": {"base"},
    "ca": {"store", "base"},
    "crl": {"store", "base"},
    "ocsp": {"store", "base"},
    "api": {"base", "store", "signer", "cli", "watch", "ca", "crl", "ocsp"},
}

# A third-party header (a name, or a prefix that ends in /) and the one file that may include it, or a tuple of those few.
OWNERS = {
    "lmdb.h": "store/lmdb_inner.h",
    "xxhash.h": "store/checksum.c",
    "uv.h": "base/loop.c",
    "llhttp.h": "base/http.c",
    "openssl/ssl.h": "base/tls.c",
    "libxml/": "base/xml.c",
    "jansson.h": "base/json.c",
    "curl/": ("base/curl.c", "base/curl_inner.h", "base/fetch.c", "base/fetch_path.c", "base/transfer.c"),  # small exchanges, their paths, and files as a stream; what these have in common
    "idn2.h": "base/idn.c",
    "seccomp.h": "base/confine_calls.c",
    "linux/landlock.h": "base/confine_paths.c",
    "archive.h": "base/archive.c",
    "archive_entry.h": "base/archive.c",
    "setjmp.h": "api/store_command.c",  # C's own, and for one place: out of LMDB when its file was cut off
}

# Where X.509 is parsed, something is hashed or a key is used: other headers of OpenSSL are for these alone, and this is why.
OPENSSL_FILES = {
    "api/certificate_file.c": "takes certificates out of PKCS#7",
    "api/certificate_parse.c": "parses certificates of strangers",
    "api/certificate_signed.c": "verifies who signed certificates of strangers",
    "api/csr.c": "parses requests",
    "api/csr.h": "parses requests",
    "api/csr_body.c": "base64",
    "api/csr_extensions.c": "parses requests",
    "api/csr_proof.c": "verifies the proof of possession",
    "api/foreign.c": "verifies client certificates of configured CAs",
    "api/foreign_end.c": "reads when certificates and CRLs of configured CAs end",
    "api/foreign_end.h": "reads when certificates and CRLs of configured CAs end",
    "api/listener.c": "makes the listener's keys",
    "api/pem.c": "armour",
    "api/veil.c": "encrypts cursors that would show what a scope hides",
    "api/x509.c": "shows names and certificates",
    "ca/weak_key.c": "arithmetic on RSA moduli",
    "base/hash.c": "hashes and random octets",
    "base/openssl.c": "its words for a failure",
    "base/seal.c": "checks seals of the audit",
    "base/tls.c": "keys of the listener",
    "cli/answers.c": "base64",
    "cli/ocsp_query.c": "asks and verifies as any OCSP client does",
    "ocsp/request.c": "parses requests beyond the canonical shape",
    "signer/key.c": "loads, makes and uses private keys",
    "signer/p12.c": "packs a private key",
    "watch/trust.c": "verifies the signatures of CRLs",
}

# What C, POSIX and Linux bring; anything else between < and > is third-party and needs an owner.
SYSTEM = re.compile(
    r"(sys|linux|net|netinet|arpa)/[a-z0-9_]+\.h"
    r"|(assert|ctype|dirent|endian|errno|fcntl|fnmatch|getopt|glob|grp|inttypes|limits|locale|math|netdb|poll|pthread|pwd|sched"
    r"|signal|spawn|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|string|strings|syslog|termios"
    r"|time|unistd|wchar)\.h"
)
# A header whose first comment says "private to a.c, b.c and c.c" is for these files of its folder, and for no others.
FILE_NAME = r"\w+\.[ch](?: \([^)]*\))?"
PRIVATE = re.compile(rf"[Pp]rivate to ({FILE_NAME}(?:(?:,| and|, and) {FILE_NAME})*)")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
LINK = re.compile(r"target_link_libraries\s*\(\s*(\w+)\s+([^)]*)\)")


def sources(root):
    for room in EDGES:
        for path in sorted((root / room).rglob("*.[ch]")):
            yield room, path.relative_to(root).as_posix(), path


def includes(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if match := INCLUDE.match(line):
            yield number, match[1] == "<", match[2]


def private_files(path):
    """The names that the first comment after the SPDX line says a header is private to, or None."""
    comment = re.search(r"/\*(?! SPDX)(.*?)\*/", path.read_text(encoding="utf-8"), re.DOTALL)
    match = PRIVATE.search(" ".join(comment[1].replace("\n *", "\n").split())) if comment else None
    return re.findall(r"\w+\.[ch]", re.sub(r"\([^)]*\)", "", match[1])) if match else None


def check_private(file, path):
    """A file that includes a header which is private to some files is one of them."""
    names = private_files(path)
    if names is None or (pathlib.Path(file).parent.name == path.parent.name and pathlib.Path(file).name in names):
        return None
    return f"{path.parent.name}/{path.name} is private to {', '.join(names)}"


def check_own(room, file, header, root):
    """An include of ours: written from the root, along a permitted edge, of a door, by a file that it is for."""
    target = header.split("/")[0]
    if target not in EDGES or not (root / header).is_file():
        return f'"{header}" is no header of ours, written from the root'
    if fault := check_private(file, root / header):
        return fault
    if target == room:
        return None
    if target not in EDGES[room]:
        return f"{room} must not include {target} ({header})"
    if target != "base" and header != f"{target}/{target}.h":
        return f"{header} is private to {target}; its door is {target}/{target}.h"
    return None


def owner_of(header):
    for name, owner in OWNERS.items():
        if header == name or (name.endswith("/") and header.startswith(name)):
            return owner
    return None


def check_foreign(file, header):
    """An include between angle brackets: the system's, or a third-party header in its owner's hands."""
    if SYSTEM.fullmatch(header):
        return None
    owner = owner_of(header)
    if owner:
        owners = owner if isinstance(owner, tuple) else (owner,)
        return None if file in owners else f"<{header}> belongs to {' and '.join(owners)}"
    if header.startswith("openssl/"):
        return None if file in OPENSSL_FILES else f"<{header}> in a file that is not listed for OpenSSL"
    return f"<{header}> has no owner"


def find_cycle(graph):
    """A cycle among rooms as a list, or None."""
    done = set()

    def walk(room, path):
        if room in path:
            return path[path.index(room):] + [room]
        if room in done:
            return None
        for target in sorted(graph.get(room, ())):
            if cycle := walk(target, path + [room]):
                return cycle
        done.add(room)
        return None

    for room in sorted(graph):
        if cycle := walk(room, []):
            return cycle
    return None


def linked_rooms(root, room):
    """The rooms of target_link_libraries(room ...) in its CMakeLists.txt, and where that line is."""
    path = root / room / "CMakeLists.txt"
    if not path.is_file():
        return set(), 0
    text = re.sub(r"#.*", "", path.read_text(encoding="utf-8"))
    rooms, line = set(), 0
    for match in LINK.finditer(text):
        if match[1] == room:
            rooms |= set(match[2].split()) & set(EDGES)
            line = text.count("\n", 0, match.start()) + 1
    return rooms, line


def check_links(root, used):
    """The edge list a room declares is permitted, and holds every edge its includes use."""
    for room in EDGES:
        linked, line = linked_rooms(root, room)
        where = f"{room}/CMakeLists.txt:{line}"
        for target in sorted(linked - EDGES[room] - {room}):
            yield f"{where}: {room} must not link {target}"
        for target in sorted(used.get(room, set()) - linked):
            yield f"{where}: {room} includes {target} and does not link it"


def check_tree(root):
    faults, used = [], {}
    for room, file, path in sources(root):
        for line, is_angle, header in includes(path):
            fault = check_foreign(file, header) if is_angle else check_own(room, file, header, root)
            if fault:
                faults.append(f"{file}:{line}: {fault}")
            target = header.split("/")[0]
            if not is_angle and target in EDGES and target != room:
                used.setdefault(room, set()).add(target)
    if cycle := find_cycle(used):
        faults.append("rooms include each other in a cycle: " + " -> ".join(cycle))
    faults.extend(check_links(root, used))
    return faults


def main():
    root = pathlib.Path(sys.argv[1])
    if not any(True for _ in sources(root)):
        sys.exit(f"{root}: no source found")
    faults = check_tree(root)
    print("\n".join(faults) if faults else "every include is along an edge; every third-party header is with its owner")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
