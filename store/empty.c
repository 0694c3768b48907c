/* placeholder */ typedef int empty_store;
