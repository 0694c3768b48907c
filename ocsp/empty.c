/* placeholder */ typedef int empty_ocsp;
