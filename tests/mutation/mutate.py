# SPDX-License-Identifier: GPL-2.0-or-later
"""mutate.py DIRECTORY [PATTERN]: runs the tests of the policy against every mutation of it. Called by run.sh; see there.
With a PATTERN only against those whose change matches it."""
import collections
import difflib
import pathlib
import re
import sys
import time
from typing import NamedTuple

from bench import Bench
from functions import Function, functions_of
from mutations import Mutation, Mutator

SOURCES = ("src/core/policy.cc", "src/core/reason.cc", "src/core/controller_view.cc")
TESTS = ("tests/unit/policy_test.cc", "tests/unit/choice_test.cc", "tests/unit/reason_test.cc",
         "tests/unit/controller_view_test.cc")
HEADERS = ("options", "policy", "reason", "controller_view")
EXPLAINED = pathlib.Path("tests/mutation/equivalent.txt")


class Mutant(NamedTuple):
    source: str
    function: Function
    mutation: Mutation
    text: str
    change: str  # "- old line", "+ new line"
    key: str     # the name in equivalent.txt: the file, and the change


def all_mutants():
    headers = "\n".join(pathlib.Path(f"include/slurm_adopt/{name}.h").read_text() for name in HEADERS)
    mutants, seen = [], collections.Counter()
    for source in SOURCES:
        text = pathlib.Path(source).read_text()
        functions = functions_of(text)
        for mutation in Mutator(text, headers).all():
            function = next((each for each in functions if each.body < mutation.start < each.start + len(each.text)), None)
            if function is None:
                continue  # outside of the functions, or in a head: a parameter's name
            mutated = text[:mutation.start] + mutation.text + text[mutation.end:]
            lines = difflib.unified_diff(text.splitlines(), mutated.splitlines(), n=0, lineterm="")
            change = "\n".join(f"{line[0]} {line[1:].strip()}" for line in lines
                               if line[0] in "+-" and not line.startswith(("+++", "---")))
            key = f"{source}\n{change}"
            seen[key] += 1
            if seen[key] > 1:  # the same line twice in the file
                key = f"{source} ({seen[key]})\n{change}"
            mutants.append(Mutant(source, function, mutation, mutated, change, key))
    return mutants


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


def report(mutants, outcomes, began, part):
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
    entries, wrong = {key: reason for key, reason in explained().items() if re.search(part, key)}, 0
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
    part = sys.argv[2] if len(sys.argv) > 2 else ""
    mutants = [mutant for mutant in all_mutants() if re.search(part, mutant.key)]
    bench = Bench(pathlib.Path(sys.argv[1]), SOURCES, TESTS, mutants)
    return report(mutants, bench.outcomes(), began, part)


if __name__ == "__main__":
    sys.exit(main())
