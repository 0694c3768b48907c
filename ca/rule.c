/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule: the one list of rules a request can break. {got} and {want} in a message or fix stand for the
 * finding's own. docs/rules.md says the same for people; a test holds the two together. Names are a promise:
 * scripts match them.
 */
#include <string.h>

#include "ca/ca.h"

#define ASK_AGAIN "Generate the request again "

static const struct rule table[] = {
    /* the request as such: found by the api while it reads the CSR */
    {"csr.version", SEVERITY_REFUSE, "The request is of a version that does not exist.",
     ASK_AGAIN "as PKCS#10 version 1 (RFC 2986)."},
    {"csr.signature", SEVERITY_REFUSE, "The request's own signature does not verify with the key in it.",
     "Send the request exactly as it was generated; if it was, the key that signed it is not the key in it."},
    {"csr.hash", SEVERITY_REFUSE, "The request is signed with {got}, which proves nothing any more.",
     ASK_AGAIN "with SHA-256 or better."},
    {"csr.hash.weak", SEVERITY_NOTE, "The request is signed with {got}; the certificate will not be.",
     "Nothing has to be done: old releases sign requests with SHA-1, and only possession of the key is read "
     "from it."},
    {"csr.hash.pairing", SEVERITY_NOTE,
     "The request is signed with {got}; with such a key the product itself uses {want}.",
     "Nothing has to be done: the certificate is signed with the issuer's own hash."},
    {"csr.hash.not-permitted", SEVERITY_REFUSE,
     "The request is signed with {got}; this profile takes {want}.", ASK_AGAIN "with one of {want}."},
    {"csr.extension.malformed", SEVERITY_REFUSE, "A requested extension cannot be read.",
     "Generate the request again; the extension named is not encoded as its standard says."},
    {"csr.extension.duplicate", SEVERITY_REFUSE, "An extension is requested twice.",
     ASK_AGAIN "with each extension once (RFC 5280 4.2)."},
    {"csr.stale", SEVERITY_WARN,
     "This very request was signed before, on {got}; the product keeps one pending request for each node and "
     "purpose, and may have replaced it since.",
     "Before uploading, make sure the product still holds this request; where it does not (it then prints "
     "\"…csr does not exist\"), generate a new one."},

    /* the key */
    {"purpose.key-type", SEVERITY_REFUSE,
     "The request has a key of kind {got}, and this profile is for {want}.",
     "Choose the profile for this kind of key (EC keys go with the -ECDSA purposes), or generate the request "
     "for the other purpose."},
    {"key.unsupported", SEVERITY_REFUSE, "The request has a key of a kind that is not supported.",
     ASK_AGAIN "with an RSA key or an EC key on P-256, P-384 or P-521."},
    {"key.too-small", SEVERITY_REFUSE, "The RSA key has {got}, which is too few.", ASK_AGAIN "with {want}."},
    {"key.too-large", SEVERITY_REFUSE, "The RSA key has {got}, more than the products accept.",
     "Make another key, with {want}, and have that certified."},
    {"key.size", SEVERITY_REFUSE, "The RSA key has {got}, a size this profile does not take.",
     ASK_AGAIN "with {want}."},
    {"key.advised", SEVERITY_WARN,
     "The RSA key has {got}, and with this purpose not everybody takes more than {want}: some phones fail "
     "with "
     "larger CallManager keys, and Contact Center Express takes none.",
     ASK_AGAIN "with a key of {want}, unless everything that meets it is known to take more."},
    {"key.exponent", SEVERITY_REFUSE,
     "The RSA key's public exponent is {got}, which is not secure or not read by everyone.",
     ASK_AGAIN "with {want}."},
    {"key.small-factor", SEVERITY_REFUSE,
     "The RSA modulus is divisible by {got}: anyone can compute the private key.",
     "Generate a new key with a sound random number generator; this one must not be used anywhere."},
    {"key.close-primes", SEVERITY_REFUSE,
     "The two primes of the RSA key are so close to each other that anyone can find them (Fermat).",
     "Generate a new key with a sound random number generator; this one must not be used anywhere."},
    {"key.roca", SEVERITY_REFUSE,
     "The RSA key has the fingerprint of Infineon's faulty generator (ROCA, CVE-2017-15361).",
     "Generate the key outside the smart card or TPM that made this one, or update its firmware first."},
    {"key.point", SEVERITY_REFUSE, "The EC key is {got}, which is no public key.",
     "Generate a new key; this one cannot come from a sound generator."},
    {"key.ca-size", SEVERITY_WARN,
     "The key of this certificate authority has {got}; in mixed mode some endpoints refuse that.",
     "Make another key for it, with {want}, unless every endpoint is known to take this one."},
    {"key.ca-small", SEVERITY_WARN, "The key of this certificate authority has {got}, too few to be safe.",
     "Have it issued by a certificate authority with a key of {want}."},
    {"key.reused", SEVERITY_WARN, "This key has been certified before for another subject, {got}.",
     "Generate a key of its own for each host and purpose: who breaks into one has all of them."},
    {"key.compromised", SEVERITY_REFUSE,
     "A certificate on this key, {got}, was revoked for keyCompromise: the key is known to others.",
     "Generate a new key; this one must not be used anywhere."},
    {"key.curve", SEVERITY_REFUSE, "The EC key is on a curve this profile does not take.",
     ASK_AGAIN "with {want}."},
    {"key.point.compressed", SEVERITY_REFUSE, "The EC key is {got}, which not every product can read.",
     ASK_AGAIN "with {want}."},

    /* keyUsage and extendedKeyUsage */
    {"usage.key.missing", SEVERITY_REFUSE,
     "The requested keyUsage lacks {want}, which this profile requires.",
     ASK_AGAIN "with {want} added, or with no keyUsage at all: then the profile's own is issued."},
    {"usage.key.forbidden", SEVERITY_REFUSE,
     "The requested keyUsage contains {got}, which this profile does not permit.",
     ASK_AGAIN "without {got}; permitted: {want}."},
    {"usage.ext.missing", SEVERITY_REFUSE,
     "The requested extendedKeyUsage lacks {want}, which this profile requires.",
     ASK_AGAIN "with {want} added, or with no extendedKeyUsage at all: then the profile's own is issued."},
    {"usage.ext.forbidden", SEVERITY_REFUSE,
     "The requested extendedKeyUsage contains {got}, which this profile does not permit.",
     ASK_AGAIN "without {got}; permitted: {want}."},
    {"usage.ext.unknown", SEVERITY_REFUSE,
     "The requested extendedKeyUsage contains {got}, which no profile permits.",
     ASK_AGAIN "without {got}; permitted: {want}."},
    {"usage.data-encipherment", SEVERITY_WARN,
     "dataEncipherment is {got}, and it is {want}: it must be neither added nor removed while "
     "signing.",
     "Generate the request on the product itself, and choose the profile of the purpose it was generated "
     "for."},
    {"usage.rfc8813", SEVERITY_NOTE,
     "RFC 8813 forbids {got} for EC keys; the product's tables ask for it, so it is issued.",
     "Nothing has to be done."},
    {"usage.table", SEVERITY_NOTE, "This profile always issues {want}, whatever is asked for.",
     "Nothing has to be done."},
    {"ca.requested", SEVERITY_REFUSE, "The request asks for the rights of a certificate authority.",
     ASK_AGAIN "without basicConstraints CA:TRUE."},

    /* names */
    {"subject.ou-dropped", SEVERITY_NOTE,
     "This profile issues the subject without its organizationalUnitName; the products accept that.",
     "Nothing has to be done."},
    {"subject.empty", SEVERITY_REFUSE,
     "The subject is empty, which needs a critical subjectAltName (RFC 5280 4.2.1.6), and that breaks the "
     "products.",
     ASK_AGAIN "with a common name in the subject."},
    {"name.issuer", SEVERITY_REFUSE,
     "The subject is {got}, that of an issuer here: of two certificates with one subject the products keep "
     "one.",
     ASK_AGAIN "with the name of the node."},
    {"name.nul", SEVERITY_REFUSE, "A name contains a NUL character.",
     ASK_AGAIN "with names that are what they look like."},
    {"name.cn.missing", SEVERITY_REFUSE, "The request has neither a common name nor a subjectAltName.",
     ASK_AGAIN "with the name of the node."},
    {"name.cn.count", SEVERITY_REFUSE,
     "The subject has {got}, and programs differ in which of them they read.",
     ASK_AGAIN "with {want}; other names of the host belong into the subjectAltName."},
    {"name.cn.length", SEVERITY_REFUSE, "The common name has {got}; a certificate can carry {want}.",
     "Shorten the common name; the full name belongs into the subjectAltName."},
    {"name.cn.comma", SEVERITY_WARN,
     "The common name contains a comma, which breaks the product's own file names.",
     ASK_AGAIN "with a common name without a comma."},
    {"name.wildcard", SEVERITY_REFUSE,
     "The name {got} contains a wildcard; the products refuse those anywhere.", "List every name in full."},
    {"name.ec", SEVERITY_WARN,
     "The common name is {got}; the product expects its host to end in -EC for an ECDSA purpose.",
     "Generate the request for the ECDSA purpose on the product, which names it {want}."},
    {"name.ms", SEVERITY_WARN,
     "The common name is {got}; for several servers the product expects its host to end in -ms.",
     "If this is a multi-server certificate, generate it as such: the product names it {want}."},
    {"name.capf", SEVERITY_WARN, "The common name is {got}; the product names CAPF {want}.",
     "Generate the request for CAPF on the product itself."},
    {"name.lsc", SEVERITY_WARN, "The subject has {got}; the product asks for {want} in a phone's.",
     "Let CAPF make the request, or name the phone in it as CAPF does."},
    {"name.host", SEVERITY_REFUSE, "The common name is {got}; this profile wants {want}.",
     ASK_AGAIN "with the host's name as common name."},
    {"name.idn", SEVERITY_REFUSE,
     "The name {got} is written in characters that no host name has; certificates carry A-labels.",
     ASK_AGAIN "with {want}."},
    {"name.idn.label", SEVERITY_REFUSE,
     "The name {got} has a label that begins with xn-- and stands for no name (RFC 5890).",
     "Use the A-label that the name's own characters give."},
    {"name.label.reserved", SEVERITY_WARN,
     "The name {got} has a label with hyphens in third and fourth place, which RFC 5890 keeps for encodings; "
     "programs that go by it refuse the name.",
     "Rename the host if programs cannot connect."},
    {"name.not-permitted", SEVERITY_REFUSE, "This profile is not for {got}; it permits {want}.",
     "Ask for names that are permitted, or have the site's catalogue permit this one."},
    {"san.empty", SEVERITY_REFUSE, "The request has a subjectAltName without a name in it.",
     ASK_AGAIN "with names in the subjectAltName, or without the extension."},
    {"san.from-cn", SEVERITY_NOTE,
     "The request has no subjectAltName; the certificate gets one that holds the common name, {got}.",
     "Nothing has to be done."},
    {"san.required", SEVERITY_REFUSE, "The request has no subjectAltName, and this profile wants one.",
     ASK_AGAIN "with the host's names in the subjectAltName."},
    {"san.missing", SEVERITY_WARN,
     "The request has no subjectAltName, and its common name is no host name: clients will find no name to "
     "compare.",
     ASK_AGAIN "with the host's name as common name or in the subjectAltName."},
    {"san.count", SEVERITY_REFUSE, "The subjectAltName has more names than a certificate may carry.",
     "Split the names over several certificates."},
    {"san.type", SEVERITY_REFUSE,
     "The subjectAltName contains {got}, a kind of name this profile does not permit.",
     ASK_AGAIN "with names of these kinds alone: {want}; on Expressway's page for requests, domains and chat "
               "aliases have a format, and DNS is the one to choose."},
    {"san.syntax", SEVERITY_REFUSE, "The subjectAltName contains {got}, which is no host name.",
     "Use letters, digits and hyphens in labels of 1 to 63 characters, 253 in all, without a dot at the end; "
     "names in other scripts as xn--."},
    {"san.underscore", SEVERITY_WARN,
     "The name {got} contains an underscore, which is no host name; some clients refuse it.",
     "Rename the host if clients cannot connect."},
    {"san.ip", SEVERITY_REFUSE, "The subjectAltName contains the IP address {got}, which cannot be issued.",
     ASK_AGAIN "with {want}."},
    {"san.ip.as-name", SEVERITY_WARN,
     "The address {got} is written as a host name, where clients do not look for addresses.",
     ASK_AGAIN "with the address as iPAddress in the subjectAltName."},
    {"san.duplicate", SEVERITY_NOTE, "The subjectAltName names {got} more than once; it is kept as it is.",
     "Nothing has to be done."},
    {"profile.multi-server", SEVERITY_WARN,
     "The request is for several hosts, {got}, and this profile is for one node.",
     "Choose a profile for several servers, or generate the request for one node."},

    /* the rest */
    {"days.too-long", SEVERITY_REFUSE, "A validity of {got} is asked for; this profile permits {want}.",
     "Ask for fewer days, or for none: then the profile's own validity is issued."},
    {"days.cut", SEVERITY_WARN, "The certificate gets {got}, not {want}: its issuer ends then.",
     "Renew it before that day, or have the issuer renewed first."},
    {"extension.ignored", SEVERITY_NOTE, "The request asks for {got}, which is not issued.",
     "Nothing has to be done."},
    {"challenge.ignored", SEVERITY_NOTE, "The request carries a challenge password, which is not used.",
     "Nothing has to be done."},

    /* the last look at what would be signed: lint.c */
    {"lint.structure", SEVERITY_REFUSE, "The certificate would be no certificate of version 3: {got}.",
     "This is a fault of the service: report it with the request."},
    {"lint.serial", SEVERITY_REFUSE, "The serial number would be {got} (RFC 5280 4.1.2.2).",
     "This is a fault of the service: report it with the request."},
    {"lint.time", SEVERITY_REFUSE, "The validity would be {got} (RFC 5280 4.1.2.5).",
     "Check the clock and the validity of the issuer; the profile's days must end before it does."},
    {"lint.issuer", SEVERITY_REFUSE, "The certificate would have no issuer (RFC 5280 4.1.2.4).",
     "Give the issuer a name."},
    {"lint.subject", SEVERITY_REFUSE, "The subject is {got} (RFC 5280 4.1.2.6); expected: {want}.",
     ASK_AGAIN "with a proper subject."},
    {"lint.string-type", SEVERITY_REFUSE,
     "The subject has {got}, which RFC 5280 4.1.2.4 does not permit; expected: {want}.",
     ASK_AGAIN "with the subject in PrintableString or UTF8String."},
    {"lint.name-length", SEVERITY_REFUSE, "The subject has {got}; RFC 5280 A.1 permits {want}.",
     ASK_AGAIN "with a shorter value."},
    {"lint.duplicate", SEVERITY_REFUSE, "The extension {got} would be there twice (RFC 5280 4.2).",
     "This is a fault of the service: report it with the request."},
    {"lint.criticality", SEVERITY_REFUSE, "The extension {got} would be {want} (RFC 5280 4.2.1).",
     "This is a fault of the service: report it with the request."},
    {"lint.ca", SEVERITY_REFUSE, "The certificate would be {got}, which needs {want} (RFC 5280 4.2.1.9).",
     "Correct the profile: keyCertSign and CA:TRUE go together."},
    {"lint.key-usage", SEVERITY_REFUSE, "The keyUsage would be {got} with such a key; permitted: {want}.",
     "Correct the profile (RFC 5280 4.2.1.3, RFC 8813), or ask for a keyUsage that the key can serve."},
    {"lint.ext-key-usage", SEVERITY_REFUSE,
     "The extendedKeyUsage {got} would be there without a keyUsage it can be used with: {want}.",
     "Correct the profile: the two usages have to agree (RFC 5280 4.2.1.12)."},
    {"lint.san", SEVERITY_REFUSE, "The subjectAltName would have {got} (RFC 5280 4.2.1.6).",
     ASK_AGAIN "with proper names in the subjectAltName."},
    {"lint.key-id", SEVERITY_REFUSE, "The certificate would lack {got} (RFC 5280 4.2.1.1 and 4.2.1.2).",
     "This is a fault of the service: report it with the request."},

    /* a certificate that some CA issued, held against its request: upload.c */
    {"format", SEVERITY_REFUSE,
     "The certificate's file is not as the products read it: {got}. The product prints: Certificate is not "
     "in PEM format, or: Error occurred while reading the certificate.",
     "Write it anew as one certificate in PEM: openssl x509 -in FILE -out leaf.pem. Expected: {want}."},
    {"format.chain", SEVERITY_WARN, "The file holds {got}; the products take the certificate alone.",
     "Upload those above it into the trust store first, then a file with {want}: openssl x509 -in FILE -out "
     "leaf.pem."},
    {"key.mismatch", SEVERITY_REFUSE,
     "The certificate is for another key than the request. The product prints: CSR public key and "
     "Certificate public key do not match.",
     "Have the certificate issued for this very request, or find the request it was issued for."},
    {"san.mismatch", SEVERITY_REFUSE,
     "The names differ. The product prints: CSR SAN and Certificate SAN does not match. Certificate against "
     "request: {got}.",
     "Have it issued again with exactly the subjectAltName of the request: {want}."},
    {"subject.mismatch", SEVERITY_REFUSE,
     "The certificate's subject is {got}, and the request's is {want}; no change but a left out OU is known "
     "to be accepted.",
     "Have it issued again with the subject of the request, unchanged."},
    {"subject.encoding", SEVERITY_WARN,
     "The certificate's subject says the same as the request's in another order or encoding: {got}.",
     "If the product refuses it, have it issued with the subject copied from the request octet for octet."},
    {"subject.ou", SEVERITY_NOTE,
     "The certificate leaves out {got}, which the request has; the products accept that.",
     "Nothing has to be done."},
    {"chain.missing", SEVERITY_WARN,
     "The certificate of the issuer {got} was not given. Unless it is in the trust store before the "
     "certificate is uploaded, the product prints: CA certificate is not available in the trust-store.",
     "Get {want} and upload it first, the root before those below it."},
    {"chain.key-type", SEVERITY_REFUSE,
     "The EC certificate is signed by an RSA certificate authority ({got}); such a certificate is not "
     "presented to clients.",
     "Have it issued by a certificate authority whose chain has EC keys all the way up."},
    {"certificate.hash", SEVERITY_REFUSE,
     "A signature on the way to the root is made with {got}, which the products do not take for proof.",
     "Have it issued again by a certificate authority that signs with {want}."},
    {"certificate.hash.weak", SEVERITY_WARN,
     "A signature on the way to the root is made with {got}; products in FIPS mode refuse that, and a "
     "phone's "
     "certificate is to have SHA-256 or better.",
     "Have it issued again by a certificate authority that signs with {want}."},
    {"trust.duplicate-dn", SEVERITY_WARN,
     "Two certificate authorities with different keys have the subject {got}; a trust store keeps one of the "
     "two and drops the older.",
     "Re-key a certificate authority under a new subject (G1, G2, …); until then keep the one that signed "
     "this certificate in the trust store."},
    {"validity.expired", SEVERITY_REFUSE, "The certificate ended at {got}; the products refuse it.",
     "Have it issued again."},
    {"validity.early", SEVERITY_REFUSE, "The certificate is not valid before {got}.",
     "Wait until then, or set the clock that is wrong."},
    {"time.format", SEVERITY_REFUSE,
     "The certificate's validity is encoded as {got}, which RFC 5280 does not permit.",
     "Have it issued by a certificate authority that writes {want}."},
    {"extension.critical", SEVERITY_REFUSE,
     "The extension {got} is critical, with which TLS between the products fails with a handshake error.",
     "Have it issued again with no critical extension but {want}."},
    {"usage.key.mismatch", SEVERITY_REFUSE,
     "The certificate's keyUsage is {got}, and by the request it is {want}.",
     "Have it issued again with exactly the keyUsage of the request."},
    {"usage.key.lost", SEVERITY_REFUSE, "The certificate's keyUsage lacks {want}, which the product needs.",
     "Have it issued again with {want}."},
    {"usage.ext.lost", SEVERITY_REFUSE,
     "The certificate's extendedKeyUsage lacks {want}, which the product needs.",
     "Have it issued by a certificate authority that keeps {want}; public ones leave clientAuth out, private "
     "ones need not."},
    {"usage.ext.mismatch", SEVERITY_WARN,
     "The certificate's extendedKeyUsage is {got}, and by the request it is {want}.",
     "Have it issued again with exactly the extendedKeyUsage of the request."},
    {"eku.client", SEVERITY_REFUSE,
     "Without clientAuth Expressway before X15.4 refuses a server certificate, and this has {got}.",
     "Ask for clientAuth beside serverAuth, and have both issued; public certificate authorities leave it "
     "out, "
     "private ones need not."},
    {"cc.eku", SEVERITY_WARN,
     "The certificate has no extendedKeyUsage; in Common Criteria mode the products close the connection of "
     "such a peer.",
     "Have it issued again with {want}."},
    {"capf.not-a-ca", SEVERITY_REFUSE,
     "A CAPF certificate has to be a certificate authority's, and this one has {got}; from 14SU2 on TLS "
     "fails with it.",
     "Have it issued as a subordinate certificate authority: {want}."},
    {"ca.unexpected", SEVERITY_REFUSE,
     "The certificate is one of a certificate authority, which this purpose is not.",
     "Have it issued without basicConstraints CA:TRUE."},
    {"lsc.usage", SEVERITY_REFUSE, "Without the keyUsage {want} the secure registration of a phone fails.",
     "Ask for {want}, and have it issued."},
};
#define RULE_COUNT (sizeof table / sizeof *table)

const struct rule *rule_at(size_t i)
{
    return i < RULE_COUNT ? &table[i] : NULL;
}

const struct rule *rule_find(const char *name)
{
    for (size_t i = 0; i < RULE_COUNT; i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}
