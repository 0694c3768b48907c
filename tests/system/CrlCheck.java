/* SPDX-License-Identifier: Apache-2.0 */
/* Java's own judge of CRLs: java CrlCheck.java ROOT.pem CHAIN.pem CRLS.pem, leaf first. Every list must be signed by one
 * of the chain or the root. Prints "good" when PKIX accepts the path by these lists (and, with the property
 * com.sun.security.enableCRLDP, those that it fetches itself); otherwise the reason, and ends with 1. With one more argument, prints for each list its entries: number of entries, then serial and
 * reason of each. */
import java.io.FileInputStream;
import java.io.InputStream;
import java.security.SignatureException;
import java.security.InvalidKeyException;
import java.security.cert.CRL;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CRL;
import java.security.cert.X509CRLEntry;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

public class CrlCheck {
    static List<X509Certificate> certificates(String path) throws Exception {
        List<X509Certificate> found = new ArrayList<>();
        try (InputStream in = new FileInputStream(path)) {
            for (Certificate each : CertificateFactory.getInstance("X.509").generateCertificates(in))
                found.add((X509Certificate) each);
        }
        return found;
    }

    static boolean isSigned(X509CRL crl, X509Certificate by) throws Exception {
        try {
            crl.verify(by.getPublicKey());
            return true;
        } catch (SignatureException | InvalidKeyException e) {
            return false;
        }
    }

    static void print(X509CRL crl) {
        var entries = crl.getRevokedCertificates();
        System.out.println("entries " + (entries == null ? 0 : entries.size()));
        if (entries != null)
            for (X509CRLEntry each : entries)
                System.out.println(each.getSerialNumber().toString(16) + " " + each.getRevocationReason());
    }

    public static void main(String[] arguments) throws Exception {
        X509Certificate root = certificates(arguments[0]).get(0);
        List<X509Certificate> path = certificates(arguments[1]);
        List<X509CRL> crls = new ArrayList<>();
        try (InputStream in = new FileInputStream(arguments[2])) {
            for (CRL each : CertificateFactory.getInstance("X.509").generateCRLs(in))
                crls.add((X509CRL) each);
        }
        path.removeIf(each -> each.equals(root));
        for (X509CRL crl : crls) {
            boolean signed = isSigned(crl, root);
            for (X509Certificate each : path)
                signed = signed || isSigned(crl, each);
            if (!signed)
                throw new SignatureException("a list that nobody signed");
            if (arguments.length > 3)
                print(crl);
        }
        CertPathValidator validator = CertPathValidator.getInstance("PKIX");
        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(root, null)));
        parameters.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(crls)));
        try {
            validator.validate(CertificateFactory.getInstance("X.509").generateCertPath(path), parameters);
            System.out.println("good");
        } catch (CertPathValidatorException e) {
            System.out.println(e.getReason() + ": " + e.getMessage());
            System.exit(1);
        }
    }
}
