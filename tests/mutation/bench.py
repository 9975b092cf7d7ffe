# SPDX-License-Identifier: GPL-2.0-or-later
"""The tests and all mutants in one program: compiling is most of the time, and the headers are most of compiling."""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
from typing import NamedTuple

from functions import declaration, dispatcher, functions_of, renamed, versions, with_callers

TIME_LIMIT = 10  # seconds; all of these tests together take less than a tenth of one
BATCH = 24       # mutants in one run of the compiler
JOBS = int(os.environ.get("JOBS") or os.cpu_count())
COMPILER = os.environ.get("CXX", "g++")
# A value of nothing, an element that is not there, and a function that ends without a value are no luck but an end of the program.
FLAGS = ["-std=c++20", "-w", "-D_GLIBCXX_ASSERTIONS", "-fsanitize=return", "-fsanitize-undefined-trap-on-error", "-Iinclude", "-Itests"]


class Outcome(NamedTuple):
    state: str  # refused (by the compiler), killed, same (machine code), survived
    by: str = ""


def run(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, errors="replace",
                          check=False, **options)


def must(*command):
    done = run(*command)
    if done.returncode != 0:
        sys.exit(f"mutate.py: {' '.join(map(str, command))}\n{done.stdout}{done.stderr}")


def in_parallel(work, items):
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        return list(pool.map(work, items))


class Bench:
    def __init__(self, top, sources, tests, mutants):
        self.top = top
        self.mutants = mutants  # by number, from 1
        self.functions = {source: functions_of(pathlib.Path(source).read_text()) for source in sources}
        self.refused = set()
        texts = {source: pathlib.Path(source).read_text() for source in sources}
        self.optimized_sources = {source: self.optimized(text, pathlib.Path(source).stem) for source, text in texts.items()}
        self.write_header()
        must(COMPILER, *FLAGS, "-O0", "-x", "c++-header", top / "common.h", "-o", top / "common.h.gch")
        numbers = list(range(1, len(mutants) + 1))
        batches = [numbers[at:at + BATCH] for at in range(0, len(numbers), BATCH)]
        objects = in_parallel(lambda work: work(), [
            *(lambda each=each, at=at: self.compile(pathlib.Path(each), f"test{at}") for at, each in enumerate(tests)),
            *(lambda each=each: self.compile_batch(each) for each in batches)])
        (top / "original.cc").write_text(self.originals())
        objects += [self.compile(top / "original.cc", "original")]
        must(COMPILER, *objects, "-lgtest", "-lgtest_main", "-o", top / "tests")
        outcome = self.run_tests(0)
        if outcome.state != "survived":
            sys.exit(f"mutate.py: the tests fail without any mutation: {outcome.by}")

    def write_header(self):
        lines = ['#include "slurm_adopt/policy.h"', '#include "slurm_adopt/controller_view.h"', "#include <algorithm>", "#include <cstdlib>", "#include <numeric>",
                 "namespace slurm_adopt {"]
        lines += [declaration(function, 0) for functions in self.functions.values() for function in functions]
        (self.top / "common.h").write_text("\n".join(lines) + "}\n")

    def compile(self, source, name):
        built = self.top / f"{name}.o"
        must(COMPILER, *FLAGS, "-O0", "-include", self.top / "common.h", "-c", source, "-o", built)
        return built

    def originals(self):
        """The source's own versions, and the functions by their own names."""
        text = ["namespace slurm_adopt {", 'static const int mutant = std::atoi(std::getenv("MUTANT"));']
        for source, functions in self.functions.items():
            numbers_0 = {each.name: 0 for each in functions}
            text += [renamed(each.text, numbers_0) for each in functions]
            for function in (each for each in functions if each.public):
                numbers = [number for number, mutant in enumerate(self.mutants, 1) if number not in self.refused
                           and mutant.source == source and function.name in with_callers(mutant.function.name, functions)]
                text += [declaration(function, number) for number in numbers] + [dispatcher(function, numbers)]
        return "\n".join(text) + "}\n"

    def compile_batch(self, numbers):
        """Leaves out those that the compiler names, until the rest compiles."""
        source, built = self.top / f"batch{numbers[0]}.cc", self.top / f"batch{numbers[0]}.o"
        left = list(numbers)
        while True:
            parts = [f'#line 1 "mutant{number}"\n{self.version(number)}\n' for number in left]
            source.write_text("namespace slurm_adopt {\n" + "".join(parts) + "}\n")
            done = run(COMPILER, *FLAGS, "-O0", "-fmax-errors=0", "-include", self.top / "common.h", "-c", source, "-o", built)
            if done.returncode == 0:
                return built
            named = {int(number) for number in
                     re.findall(r"mutant(\d+):\d+:\d+:(?: error:|   required from)", done.stderr)} & set(left)
            if not named:
                sys.exit(f"mutate.py: {source} does not compile, and nobody knows why:\n{done.stderr}")
            self.refused |= named
            left = [number for number in left if number not in named]

    def version(self, number):
        mutant = self.mutants[number - 1]
        function, mutation = mutant.function, mutant.mutation
        text = (function.text[:mutation.start - function.start] + mutation.text +
                function.text[mutation.end - function.start:])
        return versions(self.functions[mutant.source], function, text, number)

    def run_tests(self, number):
        try:
            done = run(self.top / "tests", "--gtest_brief=1", "--gtest_fail_fast",
                       env={**os.environ, "MUTANT": str(number)}, timeout=TIME_LIMIT)
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

    def judge(self, number):
        if number in self.refused:
            return Outcome("refused")
        outcome = self.run_tests(number)
        if outcome.state == "survived" and self.same_code(number):
            return Outcome("same")
        if outcome.state == "survived":
            print(f"survived: {self.mutants[number - 1].key}", file=sys.stderr)
        return outcome

    def same_code(self, number):
        """Whether the optimizer makes the same machine code and data of both: then no test can tell them apart."""
        mutant = self.mutants[number - 1]
        return self.optimized(mutant.text, f"mutant{number}") == self.optimized_sources[mutant.source]

    def optimized(self, text, name):
        directory = self.top / name
        directory.mkdir()
        source, built = directory / "policy.cc", directory / "policy.o"
        source.write_text(text)
        must(COMPILER, *FLAGS, "-O2", "-c", source, "-o", built)
        must("strip", "--strip-unneeded", built)
        return built.read_bytes()

    def outcomes(self):
        return in_parallel(self.judge, range(1, len(self.mutants) + 1))
