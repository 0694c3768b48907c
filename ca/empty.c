/* placeholder */ typedef int empty_ca;
