/* placeholder */ typedef int empty_crl;
