# SPDX-License-Identifier: Apache-2.0
"""A service whose clock is told to jump, by libfaketime."""
import glob
import pathlib

from harness import ASAN_NOT_FIRST, Service, asan_options, new_file, replace_file


class FakedService(Service):
    """The whole service believes what a file says of the time; pauses and deadlines keep the real clock. It is not started. While its
    time is wrong its certificates are not valid for a client of today: the control socket and the log are what is left."""

    def __init__(self):
        super().__init__(start=False)
        (library,) = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
        self.time = pathlib.Path(new_file("+0"))
        self.environment = {"LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": str(self.time), "FAKETIME_NO_CACHE": "1",
                            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1", **asan_options(ASAN_NOT_FIRST)}
        # libfaketime reads its file at each look at the clock, which no confined role may.
        self.confine("off")

    def jump(self, offset):
        replace_file(self.time, offset)
