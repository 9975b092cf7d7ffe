#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: rules.py POLICY TABLE     asks the policy each line of the table, and says ok or not ok.

allows       SOURCE TARGET CLASS PERMISSION   also if only by an attribute
refuses      SOURCE TARGET CLASS PERMISSION   in no state of the booleans
only-if      BOOLEAN SOURCE TARGET CLASS PERMISSION   allowed, but only if this boolean is on
off          BOOLEAN                          its state when it is loaded
becomes      SOURCE EXECUTABLE DOMAIN         the domain that running a file with this type leads to
capabilities DOMAIN [CAPABILITY]...           all that are allowed whatever the booleans
files        DOMAIN [TYPE]...                 all types of plain files that it may write to, but for its own /proc entries
"""
import sys

import setools


class Policy:
    """The rules are gone through once: setools' own queries take a second each."""

    def __init__(self, path, domains):
        self.policy = setools.SELinuxPolicy(path)
        self.names = {}
        of_interest = {name for domain in domains for name in self.names_of(domain)}
        self.allowed = {}
        self.transitions = []
        for rule in self.policy.terules():
            source = str(rule.source)
            if source not in of_interest:
                continue
            kind = str(rule.ruletype)
            if kind == "allow":
                self.allowed.setdefault((source, str(rule.tclass)), []).append(rule)
            elif kind == "type_transition" and str(rule.tclass) == "process":
                self.transitions.append(rule)

    def names_of(self, name):
        """The type itself, and its attributes."""
        if name not in self.names:
            found = self.policy.lookup_type(name)
            self.names[name] = {name} | {str(attribute) for attribute in found.attributes()}
        return self.names[name]

    def rules_of(self, source, tclass, perms):
        return [rule for name in self.names_of(source) for rule in self.allowed.get((name, tclass), [])
                if perms == [None] or any(perm in rule.perms for perm in perms)]

    def rules(self, source, target, tclass, perm):
        targets = self.names_of(target) | ({"self"} if source == target else set())
        return [rule for rule in self.rules_of(source, tclass, [perm]) if str(rule.target) in targets]

    @staticmethod
    def condition(rule):
        try:
            return str(rule.conditional)
        except AttributeError:
            return ""

    def allows(self, *what):
        return bool(self.rules(*what))

    def refuses(self, *what):
        return not self.allows(*what)

    def only_if(self, boolean, *what):
        rules = self.rules(*what)
        return bool(rules) and all(boolean in self.condition(rule) and rule.conditional_block for rule in rules)

    def off(self, boolean):
        return not self.policy.lookup_boolean(boolean).state

    def becomes(self, source, executable, domain):
        found = {str(rule.default) for rule in self.transitions
                 if str(rule.source) in self.names_of(source) and str(rule.target) == executable}
        return self.same(found, [domain]) and self.allows(source, executable, "file", "execute") and \
            self.allows(source, domain, "process", "transition") and self.allows(domain, executable, "file", "entrypoint")

    def capabilities(self, domain, *wanted):
        rules = self.rules(domain, domain, "capability", None)
        return self.same({str(perm) for rule in rules if not self.condition(rule) for perm in rule.perms}, wanted)

    def files(self, domain, *wanted):
        rules = self.rules_of(domain, "file", ["write", "append", "create"])
        return self.same({str(part) for rule in rules for part in rule.target.expand()} - {domain}, wanted)

    @staticmethod
    def same(found, wanted):
        if found != set(wanted):
            print("#  found:", *sorted(found))
        return found == set(wanted)


def main():
    with open(sys.argv[2], encoding="ascii") as table:
        lines = [words for words in (line.split("#")[0].split() for line in table) if words]
    policy = Policy(sys.argv[1], {word for words in lines for word in words[1:3] if word.endswith("_t")})
    failed = 0
    for words in lines:
        good = getattr(policy, words[0].replace("-", "_"))(*words[1:])
        print("ok -" if good else "not ok -", *words)
        failed += not good
    sys.exit(failed != 0)


main()
