/* SPDX-License-Identifier: Apache-2.0 */
/* Java's own judge: java OcspCheck.java ROOT.pem CHAIN.pem [URL], leaf first. Prints "good" when PKIX accepts the path
 * with every certificate below the root asked about by OCSP and nothing else; otherwise the reason, and ends with 1. */
import java.io.FileInputStream;
import java.net.URI;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

public class OcspCheck {
    static List<X509Certificate> read(String path) throws Exception {
        List<X509Certificate> found = new ArrayList<>();
        try (FileInputStream in = new FileInputStream(path)) {
            for (Certificate each : CertificateFactory.getInstance("X.509").generateCertificates(in))
                found.add((X509Certificate) each);
        }
        return found;
    }

    public static void main(String[] arguments) throws Exception {
        X509Certificate root = read(arguments[0]).get(0);
        List<X509Certificate> path = read(arguments[1]);
        path.removeIf(each -> each.equals(root));
        CertPathValidator validator = CertPathValidator.getInstance("PKIX");
        PKIXRevocationChecker checker = (PKIXRevocationChecker) validator.getRevocationChecker();
        checker.setOptions(EnumSet.of(PKIXRevocationChecker.Option.NO_FALLBACK));
        if (arguments.length > 2)
            checker.setOcspResponder(URI.create(arguments[2]));
        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(root, null)));
        parameters.addCertPathChecker(checker);
        CertPath certificates = CertificateFactory.getInstance("X.509").generateCertPath(path);
        try {
            validator.validate(certificates, parameters);
            System.out.println("good");
        } catch (CertPathValidatorException e) {
            System.out.println(e.getReason() + ": " + e.getMessage());
            System.exit(1);
        }
    }
}
