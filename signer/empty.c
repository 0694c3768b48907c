/* placeholder */ typedef int empty_signer;
