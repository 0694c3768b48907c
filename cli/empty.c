/* placeholder */ typedef int empty_cli;
