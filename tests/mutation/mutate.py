# SPDX-License-Identifier: GPL-2.0-or-later
"""mutate.py DIRECTORY: runs the tests of the policy against every mutation of it. Called by run.sh; see there."""
import collections
import concurrent.futures
import difflib
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
from typing import NamedTuple

from mutations import Mutation, Mutator

SOURCES = ("src/core/policy.cc", "src/core/reason.cc")
TESTS = ("tests/unit/policy_test.cc", "tests/unit/reason_test.cc")
HEADERS = ("options", "policy", "reason")
EXPLAINED = pathlib.Path("tests/mutation/equivalent.txt")
TIME_LIMIT = 10  # seconds; all of these tests together take less than a tenth of one
COMPILER = os.environ.get("CXX", "g++")
FLAGS = ["-std=c++20", "-w", "-fPIC", "-Iinclude", "-Itests"]


class Mutant(NamedTuple):
    source: str
    mutation: Mutation
    text: str
    change: str  # "- old line", "+ new line"
    key: str     # the name in equivalent.txt: the file, and the change


class Outcome(NamedTuple):
    state: str  # refused, killed, same, survived
    by: str = ""


def run(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, errors="replace",
                          check=False, **options)


def must(*command):
    done = run(*command)
    if done.returncode != 0:
        sys.exit(f"mutate.py: {' '.join(map(str, command))}\n{done.stdout}{done.stderr}")


def all_mutants():
    headers = "\n".join(pathlib.Path(f"include/slurm_adopt/{name}.h").read_text() for name in HEADERS)
    mutants, seen = [], collections.Counter()
    for source in SOURCES:
        text = pathlib.Path(source).read_text()
        for mutation in Mutator(text, headers).all():
            mutated = text[:mutation.start] + mutation.text + text[mutation.end:]
            lines = difflib.unified_diff(text.splitlines(), mutated.splitlines(), n=0, lineterm="")
            change = "\n".join(f"{line[0]} {line[1:].strip()}" for line in lines
                               if line[0] in "+-" and not line.startswith(("+++", "---")))
            key = f"{source}\n{change}"
            seen[key] += 1
            if seen[key] > 1:  # the same line twice in the file
                key = f"{source} ({seen[key]})\n{change}"
            mutants.append(Mutant(source, mutation, mutated, change, key))
    return mutants


class Bench:
    """The tests as one program, and the policy as a shared library that each mutant brings a version of."""

    def __init__(self, top):
        self.top = top
        self.program = top / "tests"
        self.prefix = ["-include", top / "common.h"]
        self.directories = threading.local()
        (top / "common.h").write_text('#include "slurm_adopt/policy.h"\n#include <algorithm>\n#include <numeric>\n')
        must(COMPILER, *FLAGS, "-O0", "-x", "c++-header", top / "common.h", "-o", top / "common.h.gch")
        objects = [top / f"test{number}.o" for number in range(len(TESTS))]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda pair: must(COMPILER, *FLAGS, "-O0", "-c", pair[0], "-o", pair[1]), zip(TESTS, objects)))
        for source in SOURCES:
            must(COMPILER, *FLAGS, "-O0", *self.prefix, "-c", source, "-o", self.object_of(source))
            self.optimized(source, self.object_of(source, "-O2"))
        self.link(top, None, None)
        must(COMPILER, *objects, "-L", top, "-lpolicy", "-lgtest", "-lgtest_main", "-o", self.program)
        outcome = self.run_tests(top)
        if outcome.state != "survived":
            sys.exit(f"mutate.py: the tests fail without any mutation: {outcome.by}")

    def object_of(self, source, level="-O0"):
        return self.top / (pathlib.Path(source).stem + level + ".o")

    def link(self, directory, source, mutated_object):
        objects = [mutated_object if each == source else self.object_of(each) for each in SOURCES]
        must(COMPILER, "-shared", "-nostdlib", *objects, "-o", directory / "libpolicy.so")

    def run_tests(self, directory):
        environment = {"LD_LIBRARY_PATH": str(directory), "PATH": os.environ["PATH"]}
        try:
            done = run(self.program, "--gtest_brief=1", "--gtest_fail_fast", env=environment, timeout=TIME_LIMIT)
        except subprocess.TimeoutExpired:
            return Outcome("killed", "the time limit")
        if done.returncode == 0:
            return Outcome("survived")
        failed = re.search(r"^\[  FAILED  \] (\w+\.\w+)", done.stdout, re.MULTILINE)
        if failed:
            return Outcome("killed", failed.group(1))
        if done.returncode < 0:
            return Outcome("killed", f"signal {-done.returncode}")
        sys.stderr.write(done.stdout + done.stderr)  # the bench itself is broken: that is no kill
        os._exit(2)

    def directory(self):
        if not hasattr(self.directories, "mine"):
            self.directories.mine = self.top / f"worker{threading.get_ident()}"
            self.directories.mine.mkdir()
        return self.directories.mine

    def judge(self, mutant):
        directory = self.directory()
        source, built = directory / pathlib.Path(mutant.source).name, directory / "mutant.o"
        source.write_text(mutant.text)
        if run(COMPILER, *FLAGS, "-O0", *self.prefix, "-c", source, "-o", built).returncode != 0:
            return Outcome("refused")
        self.link(directory, mutant.source, built)
        outcome = self.run_tests(directory)
        if outcome.state == "survived" and self.same_code(mutant.source, source, built):
            return Outcome("same")
        return outcome

    def same_code(self, original, source, built):
        """Whether the optimizer makes the same machine code and data of both: then no test can tell them apart."""
        self.optimized(source, built)
        return built.read_bytes() == self.object_of(original, "-O2").read_bytes()

    def optimized(self, source, built):
        must(COMPILER, *FLAGS, "-O2", "-c", source, "-o", built)
        must("strip", "--strip-unneeded", built)


def explained():
    """equivalent.txt: blocks of a file's name, the lines of the change, and "because ..."; no block is read twice."""
    entries = {}
    if not EXPLAINED.exists():
        return entries
    lines = [line for line in EXPLAINED.read_text().splitlines() if not line.startswith("#")]
    for block in re.split(r"\n\s*\n", "\n".join(lines).strip()):
        if not block:
            continue
        key, _, reason = block.partition("\nbecause ")
        if not reason or key in entries:
            sys.exit(f"mutate.py: {EXPLAINED}: no reason, or there twice:\n{block}")
        entries[key] = reason
    return entries


def where(mutant):
    original = pathlib.Path(mutant.source).read_text()
    return f"{mutant.source}:{original.count(chr(10), 0, mutant.mutation.start) + 1}"


def report(mutants, outcomes, began):
    kinds = collections.defaultdict(collections.Counter)
    killers = collections.Counter()
    for mutant, outcome in zip(mutants, outcomes):
        kinds[mutant.mutation.kind][outcome.state] += 1
        if outcome.state == "killed":
            killers[outcome.by] += 1
    print(f"{'mutation':<18}{'made':>6}{'refused':>9}{'same code':>11}{'killed':>8}{'survived':>10}")
    total = collections.Counter()
    for kind, counts in [*sorted(kinds.items()), ("all", total)]:
        print(f"{kind:<18}{sum(counts.values()):>6}{counts['refused']:>9}{counts['same']:>11}{counts['killed']:>8}"
              f"{counts['survived']:>10}")
        if counts is not total:
            total.update(counts)
    print("\nkilled by")
    for test, count in killers.most_common():
        print(f"{count:6} {test}")
    entries, wrong = explained(), 0
    for mutant, outcome in zip(mutants, outcomes):
        if outcome.state != "survived":
            continue
        reason = entries.pop(mutant.key, None)
        wrong += reason is None
        print(f"\n{'SURVIVED' if reason is None else 'survived, explained'}: {where(mutant)}: {mutant.mutation.kind}\n{mutant.change}")
        if reason:
            print(f"because {reason}")
    for key in entries:
        wrong += 1
        print(f"\nNO SURVIVOR ANY MORE, still in {EXPLAINED}:\n{key}")
    of = total["killed"] + total["survived"]
    print(f"\nscore: {total['killed']} of {of} killed = {100.0 * total['killed'] / of:.1f} %, "
          f"{total['survived']} survived, {wrong} of them or of {EXPLAINED.name} not explained; {time.monotonic() - began:.0f} s")
    return 1 if wrong or total["killed"] == 0 else 0


def main():
    began = time.monotonic()
    bench = Bench(pathlib.Path(sys.argv[1]))
    mutants = all_mutants()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = list(pool.map(bench.judge, mutants))
    return report(mutants, outcomes, began)


if __name__ == "__main__":
    sys.exit(main())
