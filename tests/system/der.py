# SPDX-License-Identifier: Apache-2.0
"""Just enough DER for a judge that shares no code with the product: reading certificates and requests field by
field, and writing requests that no tool would make."""
import hashlib

SEQUENCE, SET, INTEGER, BITS, OCTETS, NULL, OID, BOOLEAN = 0x30, 0x31, 0x02, 0x03, 0x04, 0x05, 0x06, 0x01
UTF8, PRINTABLE, IA5 = 0x0C, 0x13, 0x16

KEY_USAGE, BASIC_CONSTRAINTS, EXTENDED_KEY_USAGE = "2.5.29.15", "2.5.29.19", "2.5.29.37"
SUBJECT_ALT_NAME, SUBJECT_KEY_ID, AUTHORITY_KEY_ID = "2.5.29.17", "2.5.29.14", "2.5.29.35"
CRL_POINTS, AUTHORITY_INFO = "2.5.29.31", "1.3.6.1.5.5.7.1.1"
CRL_NUMBER, REASON, INVALIDITY_DATE = "2.5.29.20", "2.5.29.21", "2.5.29.24"
EXTENSION_REQUEST = "1.2.840.113549.1.9.14"
OCSP_METHOD, CA_ISSUERS_METHOD = "1.3.6.1.5.5.7.48.1", "1.3.6.1.5.5.7.48.2"

# bit number of keyUsage, RFC 5280 4.2.1.3
KU_BITS = {
    "digitalSignature": 0, "nonRepudiation": 1, "keyEncipherment": 2, "dataEncipherment": 3, "keyAgreement": 4,
    "keyCertSign": 5, "cRLSign": 6,
}
EKU_OIDS = {
    "serverAuth": "1.3.6.1.5.5.7.3.1", "clientAuth": "1.3.6.1.5.5.7.3.2", "codeSigning": "1.3.6.1.5.5.7.3.3",
    "ipsecEndSystem": "1.3.6.1.5.5.7.3.5", "OCSPSigning": "1.3.6.1.5.5.7.3.9",
}


# ---- writing ----

def tlv(tag, *parts):
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def sequence(*parts):
    return tlv(SEQUENCE, *parts)


def oid(dotted):
    first, second, *rest = map(int, dotted.split("."))
    body = b""
    for arc in [first * 40 + second, *rest]:
        octets = [arc & 0x7F]
        while arc := arc >> 7:
            octets.insert(0, 0x80 | (arc & 0x7F))
        body += bytes(octets)
    return tlv(OID, body)


def name(*pairs):
    """A Name of (dotted OID, string tag, octets), one attribute an RDN."""
    return sequence(*(tlv(SET, sequence(oid(o), tlv(tag, text))) for o, tag, text in pairs))


def common_name(text, tag=UTF8):
    return name(("2.5.4.3", tag, text if isinstance(text, bytes) else text.encode()))


def extension(dotted, value, critical=False):
    return sequence(oid(dotted), tlv(BOOLEAN, b"\xff") if critical else b"", tlv(OCTETS, value))


def key_usage(names):
    bits = 0
    for each in names:
        bits |= 0x8000 >> KU_BITS[each]
    body = bits.to_bytes(2, "big").rstrip(b"\0") or b""
    unused = 0
    while body and not body[-1] >> unused & 1:
        unused += 1
    return tlv(BITS, bytes([unused]), body)


def extended_key_usage(names):
    return sequence(*(oid(EKU_OIDS.get(each, each)) for each in names))


def alt_names(*names):
    """GeneralNames of DNS names (str, bytes) or whole elements as (tag, octets)."""
    parts = [each if isinstance(each, tuple) else (0x82, each if isinstance(each, bytes) else each.encode()) for each in names]
    return sequence(*(tlv(tag, body) for tag, body in parts))


def request_info(subject, spki, extensions=()):
    attribute = sequence(oid(EXTENSION_REQUEST), tlv(SET, sequence(*extensions))) if extensions else b""
    return sequence(tlv(INTEGER, b"\0"), subject, spki, tlv(0xA0, attribute))


# ---- reading ----

class Element:
    """One element: tag, body and whole as octets; [i] is the i-th element inside."""

    def __init__(self, data):
        if len(data) < 2:
            raise ValueError("truncated DER")
        self.tag, length, start = data[0], data[1], 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(data[2:start], "big")
        if len(data) < start + length:
            raise ValueError("truncated DER")
        self.whole = data[: start + length]
        self.body = data[start : start + length]
        self.rest = data[start + length :]

    def __iter__(self):
        data = self.body
        while data:
            element = Element(data)
            yield element
            data = element.rest

    def __getitem__(self, i):
        return list(self)[i]

    def __len__(self):
        return sum(1 for _ in self)


def oid_text(element):
    first, *rest = element.body
    arcs, value = [min(first // 40, 2), first - 40 * min(first // 40, 2)], 0
    for octet in rest:
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(value)
            value = 0
    return ".".join(map(str, arcs))


def read_extensions(element):
    """{dotted OID: (critical, octets of the value)}; refuses a repeated one."""
    found = {}
    for each in element:
        fields = list(each)
        key = oid_text(fields[0])
        if key in found:
            raise ValueError(f"extension {key} twice")
        found[key] = (len(fields) == 3 and fields[1].body == b"\xff", fields[-1].body)
    return found


def read_key_usage(value):
    body = Element(value).body
    bits = int.from_bytes(body[1:3].ljust(2, b"\0"), "big")
    return {each for each, bit in KU_BITS.items() if bits & (0x8000 >> bit)}


class Request:
    """The fields of a PKCS#10."""

    def __init__(self, data):
        self.der = data
        info = Element(data)[0]
        self.subject, self.spki = info[1].whole, info[2].whole
        self.extensions = {}
        for attribute in info[3] if len(info) > 3 else []:
            if oid_text(attribute[0]) == EXTENSION_REQUEST:
                self.extensions = read_extensions(attribute[1][0])


class Certificate:
    """The fields of a certificate, as octets where comparing octets is the point."""

    def __init__(self, data):
        self.der = data
        certificate = Element(data)
        if certificate.rest:
            raise ValueError("octets after the certificate")
        tbs = list(certificate[0])
        self.version = tbs[0].body
        self.serial = tbs[1].body
        self.issuer, self.subject, self.spki = tbs[3].whole, tbs[5].whole, tbs[6].whole
        self.not_before, self.not_after = [(each.tag, each.body.decode()) for each in tbs[4]]
        self.extensions = read_extensions(tbs[-1][0])

    @property
    def serial_hex(self):
        return self.serial.hex()

    @property
    def fingerprint(self):
        return hashlib.sha256(self.der).hexdigest()

    @property
    def key_id(self):
        """RFC 5280 4.2.1.2 (1): SHA-1 of the key bits."""
        return hashlib.sha1(Element(self.spki)[1].body[1:]).digest()

    def value(self, dotted):
        return self.extensions[dotted][1]

    def critical(self):
        return {key for key, (critical, _) in self.extensions.items() if critical}

    def alt_names(self):
        """The set of GeneralName elements, as octets."""
        if SUBJECT_ALT_NAME not in self.extensions:
            return set()
        return {each.whole for each in Element(self.value(SUBJECT_ALT_NAME))}


class Crl:
    """The fields of a certificate list."""

    def __init__(self, data):
        self.der = data
        tbs = list(Element(data)[0])
        self.version, self.issuer = tbs[0].body, tbs[2].whole
        self.this_update, self.next_update = tbs[3].body.decode(), tbs[4].body.decode()
        self.extensions = read_extensions(tbs[-1][0])
        # {serial in hex: {extension OID: value}} in the list's order
        self.entries = {}
        if tbs[5].tag == SEQUENCE:
            for entry in tbs[5]:
                fields = list(entry)
                extensions = read_extensions(fields[2]) if len(fields) > 2 else {}
                self.entries[fields[0].body.hex()] = {key: value for key, (_, value) in extensions.items()}

    @property
    def number(self):
        return int.from_bytes(Element(self.extensions[CRL_NUMBER][1]).body, "big")
