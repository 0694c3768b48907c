# SPDX-License-Identifier: Apache-2.0
"""A service whose calls fail when they are told to: the other side of failing.c."""
import contextlib
import errno
import mmap
import os
import pathlib
import struct
import tempfile

from harness import WAIT_S, Service, wait_until

MODULE = os.environ.get("FAILING_MODULE", "")
CALLS = {"write": 1, "sync": 2, "open": 3, "rename": 4, "allocate": 5, "log": 6}
ERRORS = {"allocate": errno.ENOMEM}  # of the others: EIO


class FailingService(Service):
    """Starts with the module preloaded; nothing fails until arm()."""

    def __init__(self, start=True):
        if not pathlib.Path(MODULE).is_file():
            raise AssertionError("FAILING_MODULE: the preload is built with the tests")
        handle, self.control_path = tempfile.mkstemp(prefix="chancery-failing-")
        os.fchmod(handle, 0o666)  # a role may be somebody else
        os.truncate(handle, mmap.PAGESIZE)
        self.control = mmap.mmap(handle, mmap.PAGESIZE)
        os.close(handle)
        self.environment = {"LD_PRELOAD": MODULE, "FAILING": self.control_path}
        super().__init__(start=start)

    def forget(self):
        pathlib.Path(self.control_path).unlink(missing_ok=True)

    def arm(self, role, call, after=1, is_lasting=False, error=None):
        """The `after`-th call of that kind in the role fails; with is_lasting all later ones too."""
        self.disarm()
        error = error or ERRORS.get(call, errno.EIO)
        self.control[:36] = struct.pack("=16sIIIiI", role.encode(), 0, error, is_lasting, after, 0)
        self.control[16:20] = struct.pack("=I", CALLS[call])

    def disarm(self):
        """How many calls failed."""
        self.control[16:20] = struct.pack("=I", 0)
        return struct.unpack("=I", self.control[32:36])[0]

    @contextlib.contextmanager
    def armed(self, *arguments, **options):
        self.arm(*arguments, **options)
        try:
            yield
        finally:
            self.disarm()

    def has_ended(self):
        """The exit code of a service that is ending or has ended; None: it lives. It is ending when a role is gone."""
        if len(self.roles()) == self.role_count and self.process.poll() is None:
            return None
        code = self.process.wait(timeout=WAIT_S)
        wait_until(lambda: not self.roles(), "no process is left")
        return code
