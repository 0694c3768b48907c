/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upload_plan: where the certificates of a purpose go, in order, and what has to be restarted then. Knowledge
 * about products, not policy, hence no part of the catalogue: a site adds purposes, Cisco adds trust stores.
 * No row restarts CallManager and TVS together: phones verify each with the other, and ITLRecovery is the
 * third (see docs/rules.md).
 */
#include <string.h>

#include "ca/ca.h"

#define VOS_TRUST                                                                                            \
    "OS Administration, Security, Certificate Management, Upload; on the publisher, which copies it to the " \
    "other nodes"
#define VOS_LEAF                                                                                             \
    "the same page, on the node that made the request (multi-server: on the publisher, for all nodes)"
#define VOS_RESTART "utils service restart, on every node that has the new certificate, one after another"
#define CCX_RESTART "utils system restart, outside of calls, one node after another"
#define IIS_TRUST                                                                                            \
    "Windows: Trusted Root Certification Authorities (the root), Intermediate Certification Authorities "    \
    "(those below it)"
#define IIS_TRUST_HOW                                                                                        \
    "certlm.msc, the store of the computer, Import; on this machine and on every one that connects to it"
#define IIS_LEAF                                                                                             \
    "IIS Manager, Server Certificates, Complete Certificate Request, on the machine that made the request; " \
    "then choose it in the site's https binding, and bind it to the Diagnostic Framework with "              \
    "DiagFwCertMgr, which takes its SHA-1 thumbprint"
#define IIS_RESTART "IIS Manager, Restart; one side after the other"
#define PHONES                                                                                               \
    "Renew CallManager, TVS and ITLRecovery in separate windows, never together: phones verify each with "   \
    "the others, and with two of them new at once every phone unregisters and loses its trust."
#define ITL_FIRST                                                                                            \
    "After the restarts reset the phones and see that they have the new ITL file, before the next of these " \
    "certificates "                                                                                          \
    "is touched."
#define MIXED_MODE "In mixed mode, run: utils ctl update CTLFile, before the services are restarted."

static const struct upload_plan rows[] = {
    {"ucm/CallManager",
     {"CallManager-trust"},
     VOS_TRUST,
     "CallManager",
     VOS_LEAF,
     {"Cisco CallManager", "Cisco CTIManager", "Cisco TFTP"},
     VOS_RESTART,
     {PHONES, ITL_FIRST, MIXED_MODE}},
    {"ucm/CallManager-ECDSA",
     {"CallManager-trust"},
     VOS_TRUST,
     "CallManager-ECDSA",
     VOS_LEAF,
     {"Cisco CallManager", "Cisco CTIManager", "Cisco TFTP"},
     VOS_RESTART,
     {PHONES, ITL_FIRST, MIXED_MODE}},
    {"ucm/TVS",
     {"TVS-trust"},
     VOS_TRUST,
     "TVS",
     VOS_LEAF,
     {"Cisco Trust Verification Service"},
     VOS_RESTART,
     {PHONES, ITL_FIRST}},
    {"ucm/CAPF",
     {"CAPF-trust", "CallManager-trust"},
     VOS_TRUST,
     "CAPF",
     "the same page, on the publisher",
     {"Cisco Certificate Authority Proxy Function", "Cisco TFTP"},
     "utils service restart, on the publisher",
     {PHONES, MIXED_MODE,
      "Certificates of phones (LSC) that the old CAPF key signed stay valid; renew them "
      "afterwards, a device pool at a time."}},
    {"ucm/ipsec",
     {"ipsec-trust"},
     VOS_TRUST,
     "ipsec",
     VOS_LEAF,
     {"Cisco DRF Local", "Cisco DRF Master"},
     "utils service restart; the master on the publisher alone",
     {0}},
    {"ucm/tomcat-ECDSA",
     {"tomcat-trust"},
     VOS_TRUST,
     "tomcat-ECDSA",
     VOS_LEAF,
     {"Cisco Tomcat"},
     VOS_RESTART,
     {0}},
    {"ucm/", {"tomcat-trust"}, VOS_TRUST, "tomcat", VOS_LEAF, {"Cisco Tomcat"}, VOS_RESTART, {0}},

    {"imp/cup-xmpp-s2s-ECDSA",
     {"cup-xmpp-trust"},
     VOS_TRUST,
     "cup-xmpp-s2s-ECDSA",
     VOS_LEAF,
     {"Cisco XCP Router", "Cisco XCP XMPP Federation Connection Manager"},
     VOS_RESTART,
     {0}},
    {"imp/cup-xmpp-s2s",
     {"cup-xmpp-trust"},
     VOS_TRUST,
     "cup-xmpp-s2s",
     VOS_LEAF,
     {"Cisco XCP Router", "Cisco XCP XMPP Federation Connection Manager"},
     VOS_RESTART,
     {0}},
    {"imp/cup-xmpp-ECDSA",
     {"cup-xmpp-trust"},
     VOS_TRUST,
     "cup-xmpp-ECDSA",
     VOS_LEAF,
     {"Cisco XCP Router"},
     VOS_RESTART,
     {"Restarting the XCP Router ends every chat session of the node."}},
    {"imp/cup-xmpp",
     {"cup-xmpp-trust"},
     VOS_TRUST,
     "cup-xmpp",
     VOS_LEAF,
     {"Cisco XCP Router"},
     VOS_RESTART,
     {"Restarting the XCP Router ends every chat session of the node."}},
    {"imp/cup-ECDSA",
     {"cup-trust"},
     VOS_TRUST,
     "cup-ECDSA",
     VOS_LEAF,
     {"Cisco SIP Proxy", "Cisco Presence Engine"},
     VOS_RESTART,
     {0}},
    {"imp/cup",
     {"cup-trust"},
     VOS_TRUST,
     "cup",
     VOS_LEAF,
     {"Cisco SIP Proxy", "Cisco Presence Engine"},
     VOS_RESTART,
     {0}},
    {"imp/ipsec", {"ipsec-trust"}, VOS_TRUST, "ipsec", VOS_LEAF, {"Cisco DRF Local"}, VOS_RESTART, {0}},
    {"imp/tomcat-ECDSA",
     {"tomcat-trust"},
     VOS_TRUST,
     "tomcat-ECDSA",
     VOS_LEAF,
     {"Cisco Tomcat", "Cisco Intercluster Sync Agent"},
     VOS_RESTART,
     {0}},
    {"imp/",
     {"tomcat-trust"},
     VOS_TRUST,
     "tomcat",
     VOS_LEAF,
     {"Cisco Tomcat", "Cisco Intercluster Sync Agent"},
     VOS_RESTART,
     {0}},

    {"vos/tomcat-ECDSA",
     {"tomcat-trust"},
     VOS_TRUST,
     "tomcat-ECDSA",
     VOS_LEAF,
     {"Cisco Tomcat"},
     VOS_RESTART,
     {"Finesse: restart Cisco Finesse Tomcat as well."}},
    {"vos/",
     {"tomcat-trust"},
     VOS_TRUST,
     "tomcat",
     VOS_LEAF,
     {"Cisco Tomcat"},
     VOS_RESTART,
     {"Finesse: restart Cisco Finesse Tomcat as well."}},

    {"uccx/tomcat-ECDSA",
     {"tomcat-trust"},
     VOS_TRUST,
     "tomcat-ECDSA",
     VOS_LEAF,
     {"the node"},
     CCX_RESTART,
     {0}},
    {"uccx/", {"tomcat-trust"}, VOS_TRUST, "tomcat", VOS_LEAF, {"the node"}, CCX_RESTART, {0}},

    {"ucce/web-ECDSA",
     {IIS_TRUST},
     IIS_TRUST_HOW,
     "IIS, Server Certificates (ECDSA)",
     IIS_LEAF,
     {"the web site in IIS"},
     IIS_RESTART,
     {0}},
    {"ucce/web",
     {IIS_TRUST},
     IIS_TRUST_HOW,
     "IIS, Server Certificates",
     IIS_LEAF,
     {"the web site in IIS"},
     IIS_RESTART,
     {0}},
    {"ucce/host-ECDSA",
     {"Windows: Trusted Root Certification Authorities"},
     "CiscoCertUtil /install FILE, on this machine and on every one that connects to it",
     "icm\\ssl\\ecdsa\\host.pem",
     "copy it there on the machine that made the request",
     {"the Unified ICM services of the machine"},
     "Unified CCE Service Control, one side after the other",
     {0}},
    {"ucce/",
     {"Windows: Trusted Root Certification Authorities"},
     "CiscoCertUtil /install FILE, on this machine and on every one that connects to it",
     "icm\\ssl\\rsa\\host.pem",
     "copy it there on the machine that made the request",
     {"the Unified ICM services of the machine"},
     "Unified CCE Service Control, one side after the other",
     {0}},

    {"cvp/",
     {"CVP: .keystore"},
     "keytool -importcert -trustcacerts, each under an alias of its own, on the machine that made the "
     "request",
     "CVP: .keystore, under the alias of the request's key",
     "keytool -importcert -trustcacerts with that alias; it answers that the certificate reply was installed",
     {"the CVP services of the machine"},
     "services.msc, outside of calls, one machine after another",
     {"Copy .keystore first. An answer under another alias is taken for one more trusted certificate, and "
      "the "
      "key keeps its old one."}},

    {"phone/",
     {"CAPF-trust", "CallManager-trust"},
     VOS_TRUST,
     NULL,
     "CAPF installs it on the phone (offline: the .der in the flat .tgz that is given back to CAPF)",
     {0},
     "",
     {0}},

    {"expressway/",
     {"Trusted CA certificate"},
     "Maintenance, Security, Trusted CA certificate, Append; on every peer",
     "Server certificate",
     "Maintenance, Security, Server certificate; on the peer that made the request",
     {"Expressway"},
     "Maintenance, Restart options; one peer of the cluster after another",
     {0}},

    {"",
     {"the trust store of whoever connects"},
     "as that software wants it",
     "server or client certificate",
     "install it with the issuing CA's certificate behind it, without the root",
     {0},
     "",
     {0}},
};
#define ROW_COUNT (sizeof rows / sizeof *rows)

const struct upload_plan *upload_plan_find(const char *profile_id)
{
    for (size_t i = 0; i + 1 < ROW_COUNT; i++) {
        size_t len = strlen(rows[i].profile);
        bool is_group = rows[i].profile[len - 1] == '/';

        if (is_group ? strncmp(rows[i].profile, profile_id, len) == 0
                     : strcmp(rows[i].profile, profile_id) == 0)
            return &rows[i];
    }
    return &rows[ROW_COUNT - 1];
}
