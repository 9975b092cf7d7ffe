# SPDX-License-Identifier: GPL-2.0-or-later
"""A source file as its functions, so that many versions of each can stand in one program: choose_17() is choose() as
mutant 17 has it, and choose_0() the one of the source."""
import re
from typing import NamedTuple

from tokens import tokenize


class Function(NamedTuple):
    name: str
    text: str
    start: int   # in the source
    body: int    # where its first brace is, in the source
    public: bool  # not in an unnamed namespace

    @property
    def head(self):
        return self.text[:self.body - self.start].rstrip()

    def arguments(self):
        return ", ".join(re.findall(r"(\w+)(?=[,)])", self.head[self.head.index("("):]))


def functions_of(source):
    tokens = tokenize(source)
    found, scopes, at = [], [], 0
    while at < len(tokens):
        if tokens[at].text == "namespace":
            named = tokens[at + 1].text != "{"
            scopes.append(named)
            at += 3 if named else 2
        elif tokens[at].text == "}":
            scopes.pop()
            at += 1
        else:
            start, name = at, None
            while tokens[at].text != "{":
                if tokens[at].text == "(" and name is None:
                    name = tokens[at - 1].text
                at += 1
            body, depth = at, 0
            while True:
                depth += (tokens[at].text == "{") - (tokens[at].text == "}")
                at += 1
                if depth == 0:
                    break
            begin, end = tokens[start].start, tokens[at - 1].end
            found.append(Function(name, source[begin:end], begin, tokens[body].start, all(scopes)))
    return found


def calls_in(text, names):
    return {token.text for token in tokenize(text) if token.text in names}


def with_callers(name, functions):
    """The function and those of the file that call it, also through others."""
    names = {each.name for each in functions}
    affected = {name}
    while True:
        more = {each.name for each in functions if calls_in(each.text, names) & affected} - affected
        if not more:
            return affected
        affected |= more


def renamed(text, numbers):
    """The text with each function of `numbers` called by its name and number."""
    result, copied = [], 0
    tokens = tokenize(text)
    for at, token in enumerate(tokens):
        if token.text in numbers and at + 1 < len(tokens) and tokens[at + 1].text == "(" and tokens[at - 1].text not in (".", "->"):
            result += [text[copied:token.end], f"_{numbers[token.text]}"]
            copied = token.end
    return "".join(result) + text[copied:]


def versions(functions, mutated, text, number):
    """What mutant `number` needs of its own, where `mutated` has become `text`."""
    affected = with_callers(mutated.name, functions)
    numbers = {each.name: number if each.name in affected else 0 for each in functions}
    return "\n".join(renamed(text if each.name == mutated.name else each.text, numbers) for each in functions if each.name in affected)


def declaration(function, number):
    return renamed(function.head, {function.name: number}) + ";\n"


def dispatcher(function, numbers):
    """The function by its own name: the version of the mutant that $MUTANT names, the source's for all others."""
    cases = "".join(f"    case {number}: return {function.name}_{number}({function.arguments()});\n" for number in numbers)
    return (f"{function.head}\n{{\n    switch (mutant) {{\n{cases}    }}\n"
            f"    return {function.name}_0({function.arguments()});\n}}\n")
