# SPDX-License-Identifier: Apache-2.0
"""What /metrics says, read strictly: the Prometheus text format 0.0.4 as we write it, each family with HELP and TYPE before its samples.
Shares no code with the product."""
import math
import re

KINDS = ("counter", "gauge", "histogram")
NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (-?[0-9]+)")


class Wrong(AssertionError):
    """It is not in the format."""


class Family:
    """The samples of one name, in order: (name, labels as they stand there) and a number."""

    def __init__(self, name, help_text):
        self.name, self.help, self.kind, self.samples = name, help_text, None, {}

    def add(self, name, labels, value):
        suffix = name.removeprefix(self.name) if name.startswith(self.name) else None
        if self.kind is None or suffix not in (("_bucket", "_sum", "_count") if self.kind == "histogram" else ("",)):
            raise Wrong(f"{name} among the samples of {self.name}")
        key = name, tuple(sorted(re.findall(LABEL, labels or "")))
        if key in self.samples:
            raise Wrong(f"{name}{{{labels}}} twice")
        self.samples[key] = int(value)

    def check(self):
        if self.kind is None:
            raise Wrong(f"{self.name} has no TYPE")
        if self.kind == "counter" and min(self.samples.values(), default=0) < 0:
            raise Wrong(f"{self.name} counts below 0")
        if self.kind == "histogram":
            self.check_histogram()

    def check_histogram(self):
        """Of one series, as ours are: each bucket has what the lower ones have, the last one everything."""
        buckets = [(labels, value) for (name, labels), value in self.samples.items() if name == self.name + "_bucket"]
        rest = [key for key in self.samples if key[0] != self.name + "_bucket"]
        if rest != [(self.name + "_sum", ()), (self.name + "_count", ())] or not buckets:
            raise Wrong(f"{self.name} is not buckets, a sum and a count")
        bounds = []
        for labels, _ in buckets:
            found = re.fullmatch(r'le="(\d+|\+Inf)"', ",".join(labels))
            if not found:
                raise Wrong(f"a bucket of {self.name} has the labels {labels}")
            bounds.append(float(found[1]))
        values = [value for _, value in buckets]
        if bounds != sorted(set(bounds)) or bounds[-1] != math.inf:
            raise Wrong(f"{self.name} has buckets up to {bounds}")
        if values != sorted(values) or values[0] < 0 or values[-1] != self.samples[self.name + "_count", ()]:
            raise Wrong(f"{self.name} counts {values}")


def read(text):
    """The families by name. Wrong for anything that is not in the format."""
    families, family = {}, None
    if not text.endswith("\n"):
        raise Wrong("the last line has no end")
    for line in text[:-1].split("\n"):
        if found := re.fullmatch(rf"# HELP ({NAME}) (.+)", line):
            if found[1] in families:
                raise Wrong(f"{found[1]} begins twice")
            family = families[found[1]] = Family(found[1], found[2])
        elif found := re.fullmatch(rf"# TYPE ({NAME}) (\w+)", line):
            if family is None or found[1] != family.name or family.kind is not None or family.samples or found[2] not in KINDS:
                raise Wrong(line)
            family.kind = found[2]
        elif (found := SAMPLE.fullmatch(line)) and family is not None:
            family.add(*found.groups())
        else:
            raise Wrong(f"no line of the format: {line}")
    for each in families.values():
        each.check()
    return families
