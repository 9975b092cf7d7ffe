# SPDX-License-Identifier: GPL-2.0-or-later
"""Every single-token mutation of one source file. What does not compile is not told apart here: the compiler does it."""
from typing import NamedTuple

from tokens import enumerators, locals_of_one_type, members_of_one_type, tokenize

RELATIONS = ("==", "!=", "<", ">", "<=", ">=")
SWAPS = {"&&": ("||",), "||": ("&&",), "+": ("-",), "-": ("+",), "++": ("--",), "--": ("++",), "+=": ("-=",), "-=": ("+=",)}
WORDS = {"true": ("false",), "false": ("true",), "break": ("continue",), "continue": ("break",),
         "any_of": ("all_of", "none_of"), "all_of": ("any_of", "none_of"), "none_of": ("any_of", "all_of")}
OPENING = {"(": ")", "[": "]", "{": "}"}
CLOSING = set(OPENING.values())
# Of an enum with more values than this each is swapped for its neighbours, the zero value, and what the file names besides.
SMALL_ENUM = 8


class Mutation(NamedTuple):
    kind: str
    start: int
    end: int
    text: str  # what stands there instead


class Mutator:
    def __init__(self, source, headers):
        self.source = source
        self.tokens = tokenize(source)
        self.enums = enumerators(headers)
        self.members = members_of_one_type(headers)
        self.locals = locals_of_one_type(source)
        self.found = []

    def all(self):
        """Each mutation once, in the order of the source. What comes out as the same text is the same mutation."""
        for at, token in enumerate(self.tokens):
            self.operators(at, token)
            self.values(at, token)
            self.negations(at, token)
            self.conditions(at, token)
            self.statements(at, token)
        results = {}
        for each in self.found:
            results.setdefault(self.source[:each.start] + each.text + self.source[each.end:], each)
        results.pop(self.source, None)
        return sorted(results.values(), key=lambda each: (each.start, each.end, each.text))

    def text(self, at):
        return self.tokens[at].text if 0 <= at < len(self.tokens) else ""

    def replace(self, kind, first, last, text):
        self.found.append(Mutation(kind, self.tokens[first].start, self.tokens[last].end, text))

    def closing(self, at):
        """The index of the bracket that closes the one at `at`."""
        depth = 0
        for i in range(at, len(self.tokens)):
            depth += (self.text(i) in OPENING) - (self.text(i) in CLOSING)
            if depth == 0:
                return i
        raise ValueError("unbalanced brackets")

    def operators(self, at, token):
        if token.kind != "mark":
            return
        if token.text in ("==", "!=", "<=", ">=") or (token.text in "<>" and token.spaced):
            for other in RELATIONS:
                self.replace("relation", at, at, other)
        if token.text in SWAPS and (token.spaced or token.text in ("++", "--")):
            for other in SWAPS[token.text]:
                self.replace("operator", at, at, other)

    def values(self, at, token):
        if token.kind == "number" and token.text.isdigit():
            number = int(token.text)
            for other in {0, 1, number + 1, max(number - 1, 0)}:
                self.replace("constant", at, at, str(other))
        for other in WORDS.get(token.text, ()):
            self.replace("constant" if token.text in ("true", "false") else "word", at, at, other)
        if token.kind == "word" and self.text(at - 1) != "::":
            of = self.members if self.text(at - 1) in (".", "->") else self.locals
            for other in sorted(of.get(token.text, ())):
                self.replace("name of one type", at, at, other)
        if self.text(at - 1) == "::" and self.text(at - 2) in self.enums:
            enum = self.text(at - 2)
            # Another label of a switch over all values would be there twice: it does not compile.
            if self.text(at - 3) == "case":
                return
            for other in self.other_values(enum, token.text):
                self.replace("enumerator", at, at, other)

    def other_values(self, enum, value):
        values = self.enums[enum]
        if len(values) > SMALL_ENUM:
            here = values.index(value)
            chosen = {values[0], values[here - 1], values[(here + 1) % len(values)]}
            chosen.update(self.text(i) for i in range(2, len(self.tokens))
                          if self.text(i - 2) == enum and self.text(i - 1) == "::" and self.text(i - 3) != "case")
            values = [each for each in values if each in chosen]
        return [each for each in values if each != value]

    def negations(self, at, token):
        if token.text == "!":
            self.replace("negation", at, at, "")
        # Of our enumerators there is no negation.
        begins = (token.kind in ("word", "number") and token.text not in self.enums) or token.text == "("
        before = self.text(at - 1)
        if begins and token.text != "return" and (before in ("(", "&&", "||", "return", "=", "?", ",", "{", "!")
                                                   or (before == ":" and self.text(at - 2) != ")")):
            self.found.append(Mutation("negation", token.start, token.start, "!"))

    def conditions(self, at, token):
        if token.text in ("if", "while") and self.text(at + 1) == "(":
            self.force(at + 2, self.closing(at + 1) - 1)
        if token.text in ("&&", "||") and token.spaced:
            self.force(self.left_end(at, ("&&", "||")), at - 1)
            self.force(at + 1, self.right_end(at, ("&&", "||")))
        if token.text == "?":
            self.force(self.left_end(at, ()), at - 1)

    def force(self, first, last):
        for value in ("true", "false"):
            self.replace("forced condition", first, last, value)

    def left_end(self, at, stops):
        """Where the operand to the left of the operator at `at` begins."""
        depth = 0
        for i in range(at - 1, -1, -1):
            depth += (self.text(i) in CLOSING) - (self.text(i) in OPENING)
            if depth < 0 or (depth == 0 and self.text(i) in ("return", "=", ";", ",", "?", ":", "{", "}", *stops)):
                return i + 1
        return 0

    def right_end(self, at, stops):
        depth = 0
        for i in range(at + 1, len(self.tokens)):
            depth += (self.text(i) in OPENING) - (self.text(i) in CLOSING)
            if depth < 0 or (depth == 0 and self.text(i) in (";", ",", "?", ":", *stops)):
                return i - 1
        return len(self.tokens) - 1

    def statements(self, at, token):
        if token.text == "case":
            self.replace("deletion", at, self.right_end(at, ()) + 1, "")
        if token.text == "return":
            end = self.statement_end(at)
            for value in ("{}", "true", "false"):
                self.replace("returned value", at + 1, end - 1, value)
        if token.kind == "word" and self.begins_statement(at) and token.text not in ("case", "namespace", "using", "else"):
            end = self.statement_end(at)
            if end is not None:
                self.replace("deletion", at, end, ";")
        if token.text == "if" and self.text(self.after_if(at)) == "else":
            self.replace("deletion", self.after_if(at), self.after_if(at), "")

    def begins_statement(self, at):
        before = self.text(at - 1)
        if before == ")":  # of an if or a for, and not of a call
            return self.text(at) in ("return", "break", "continue", "if", "for") or self.tokens[at].kind == "word"
        return before in (";", "{", "}", ":", "else")

    def after_if(self, at):
        body = self.closing(at + 1) + 1
        if self.text(body) == "{":
            return self.closing(body) + 1
        end = self.statement_end(body)
        return len(self.tokens) if end is None else end + 1

    def statement_end(self, at):
        """The semicolon of the statement that begins at `at`; none where it is no statement."""
        depth = 0
        for i in range(at, len(self.tokens)):
            depth += (self.text(i) in OPENING) - (self.text(i) in CLOSING)
            if depth < 0:
                return None
            if depth == 0 and self.text(i) == ";":
                return i
        return None
