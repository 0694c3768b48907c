#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""user_namespace.py USER PROGRAM ARGUMENT...: runs it as that user, whose number is its group's as well, in a user namespace that has these and root
alone, which is what systemd's PrivateUsers=yes makes. By root. The process stays the one that was started."""
import ctypes
import os
import sys

CLONE_NEWUSER = 0x10000000


def enter(user):
    """The maps are written from outside: one from inside could hold no more than one user."""
    inside, is_inside = os.pipe()
    mapped, is_mapped = os.pipe()
    parent = os.getpid()
    if os.fork() == 0:
        os.close(is_inside)  # the parent's is the last one: where it may not unshare, that is an end of file
        if os.read(inside, 1) == b"":
            os._exit(1)
        for name in ("uid_map", "gid_map"):
            with open(f"/proc/{parent}/{name}", "w", encoding="ascii") as file:
                file.write(f"0 0 1\n{user} {user} 1\n")
        os.write(is_mapped, b".")
        os._exit(0)
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER) != 0:
        sys.exit(f"unshare: {os.strerror(ctypes.get_errno())}")
    os.write(is_inside, b".")
    os.close(is_mapped)  # the child's own is the last one: its failure is an end of file
    done = os.read(mapped, 1)
    os.wait()
    if done == b"":
        sys.exit("the maps could not be written")
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)


if __name__ == "__main__":
    enter(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])
