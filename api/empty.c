/* placeholder */ typedef int empty_api;
