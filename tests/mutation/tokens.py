# SPDX-License-Identifier: GPL-2.0-or-later
"""C++ source as tokens, and what of our headers the mutations need: enumerators, and which names are of one type."""
import re
from typing import NamedTuple

TOKEN = re.compile(
    r"""(?P<skip>//[^\n]*|/\*.*?\*/|^[ \t]*\#[^\n]*|\s+)"""
    r"""|(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
    r"""|(?P<word>[A-Za-z_]\w*)|(?P<number>\d[\w.]*)"""
    r"""|(?P<mark><=>|->|::|&&|\|\||==|!=|<=|>=|<<|\+\+|--|\+=|-=|.)""",
    re.DOTALL | re.MULTILINE | re.VERBOSE)


class Token(NamedTuple):
    kind: str  # string, word, number, mark
    text: str
    start: int
    end: int
    spaced: bool  # space on both sides: a binary operator, as clang-format writes it, and no template's bracket


def tokenize(source):
    """All but comments, white space and preprocessor lines."""
    return [Token(match.lastgroup, match.group(), match.start(), match.end(),
                  source[match.start() - 1:match.start()].isspace() and source[match.end():match.end() + 1].isspace())
            for match in TOKEN.finditer(source) if match.lastgroup != "skip"]


def without_comments(source):
    return re.sub(r"//[^\n]*", "", source)


def enumerators(headers):
    """Of each enum class the names of its values, in order."""
    found = {}
    for match in re.finditer(r"enum class (\w+)[^{;]*\{(.*?)\}", without_comments(headers), re.DOTALL):
        found[match.group(1)] = [entry.split("=")[0].strip() for entry in match.group(2).split(",") if entry.strip()]
    return found


def members_of_one_type(headers):
    """For each name of a data member the other members of the same struct and type."""
    others = {}
    for struct in re.finditer(r"struct \w+ \{(.*?)\n\};", without_comments(headers), re.DOTALL):
        by_type = {}
        for member in re.finditer(r"^\s+([\w:<>]+) (\w+)(?: = [^;]*|\{[^;]*)?;", struct.group(1), re.MULTILINE):
            by_type.setdefault(member.group(1), []).append(member.group(2))
        for names in by_type.values():
            for name in names:
                others.setdefault(name, set()).update(set(names) - {name})
    return others


def locals_of_one_type(source):
    """The same for parameters and local variables of one file. A name that is not in scope does not compile."""
    by_type = {}
    for match in re.finditer(r"\b(bool|std::size_t|Action|Reason|std::string_view) (\w+)\b(?!\()", without_comments(source)):
        by_type.setdefault(match.group(1), set()).add(match.group(2))
    others = {}
    for names in by_type.values():
        for name in names:
            others.setdefault(name, set()).update(names - {name})
    return others
