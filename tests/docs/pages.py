#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What is written in the pages is there: links and their anchors, paths, texts of the log; and each block of commands says which
test runs it, or why none does.

usage: pages.py [DIRECTORY]     the tree, by default the one that this file is in. Exit code 1 where something is wrong; each
                                mistake is a line PAGE:LINE: what, and what to do
"""
import re
import subprocess
import sys
from pathlib import Path

tree = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2]).resolve()
mistakes = []


def mistake(page, number, text):
    mistakes.append(f"{page}:{number}: {text}")


def files_of_tree():
    listed = subprocess.run(["git", "-C", tree, "ls-files", "-z", "--cached", "--others", "--exclude-standard"], check=True,
                            capture_output=True, text=True).stdout
    return {name for name in listed.split("\0") if name and (tree / name).exists()}


files = files_of_tree()
# doc/bench has the parts that doc/bench.md is made of.
pages = sorted(name for name in files if name.endswith(".md") and not name.startswith(("tests/", "doc/bench/")))
lines_of = {page: (tree / page).read_text().splitlines() for page in pages}
paths = files | {str(parent) for name in files for parent in Path(name).parents}


# --- text and blocks -------------------------------------------------------------------------------------------------------

def blocks(page):
    """(number of the first line, language, the last line before the block that is not empty, lines)"""
    language = None
    before = ""
    for number, line in enumerate(lines_of[page], 1):
        fence = re.match(r" *```(\w*)", line)
        if fence and language is None:
            language, start, text = fence[1], number, []
        elif fence:
            yield start, language, before, text
            language, before = None, ""
        elif language is not None:
            text.append(line.strip())
        elif line.strip():
            before = line.strip()


def prose(page):
    """The lines outside of blocks."""
    inside = False
    for number, line in enumerate(lines_of[page], 1):
        if re.match(r" *```", line):
            inside = not inside
        elif not inside:
            yield number, line


# --- commands --------------------------------------------------------------------------------------------------------------

how_to_mark = ("write on the line before it <!-- run by: PATH_OF_THE_TEST -->, or <!-- not run: the reason -->; a block that is to be "
               "typed in a fresh system: <!-- run by: tests/docs/quick_start.sh, enabled --> (see that file)")
shells = {"sh", "bash", "console", "shell"}


def commands(text):
    """Program and first word of each command of a block, without what is around it."""
    joined = re.sub(r"\\\n", " ", "\n".join(text))
    for line in joined.split("\n"):
        line = re.sub(r"(^|\s)#.*", "", line)
        for command in re.split(r"&&|\|\||[|;]", re.sub(r"'[^']*'|\"[^\"]*\"", "''", line)):
            words = [word for word in command.split() if "=" not in word or word.startswith("-")]
            while words and words[0] in ("sudo", "env", "-u", "nice"):
                words = words[2:] if words[0] == "-u" else words[1:]
            if words:
                second = next((word for word in words[1:] if re.fullmatch(r"--?[a-z][a-z-]*|[a-z][a-z-]*", word)), "")
                yield words[0].split("/")[-1], second


def check_run_by(page, number, tests, text):
    for test in re.split(r", (?=\S*/)", tests):
        path, _, step = test.partition(", ")
        if path not in files:
            mistake(page, number, f"says run by {path}, which is no file of the tree")
            continue
        source = (tree / path).read_text()
        if Path(page).name in source:  # it takes the commands from the page
            if step and not re.search(rf'type_page ({re.escape(page)}|"\$1") \S+ {step}\b', source):
                mistake(page, number, f"{path} has no 'type_page {page} $self {step}'")
            continue
        for program, word in commands(text):
            program = program.removesuffix("-get")  # apt
            if not re.search(rf"{re.escape(program)}\b[^\n]*{re.escape(word)}", source):
                mistake(page, number, f"says run by {path}, which has no '{program} {word}'; {how_to_mark}")


def check_blocks(page):
    for number, language, before, text in blocks(page):
        if language not in shells:
            continue
        marked = re.fullmatch(r"<!-- (run by|not run|run): (.+) -->", before)
        if not marked:
            mistake(page, number, f"a block of commands that does not say who runs it: {how_to_mark}")
        elif marked[1] == "run by":
            check_run_by(page, number, marked[2], text)
        elif marked[1] == "run":  # by the test of the pages beside it
            test = Path(page).parent / "tests/readme.sh"
            if str(test) not in files or not re.search(rf"\b{re.escape(marked[2])}\b", (tree / test).read_text()):
                mistake(page, number, f"{test} runs no block '{marked[2]}'")
        elif len(marked[2]) < 10:
            mistake(page, number, "'not run' wants a reason")


# --- links and paths -------------------------------------------------------------------------------------------------------

def anchors(page):
    found = set()
    for _, line in prose(page):
        heading = re.match(r"#+ (.*)", line)
        if heading:
            text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading[1]).lower()
            anchor = re.sub(r"[^\w\- ]", "", text).strip().replace(" ", "-")
            found.add(anchor if anchor not in found else anchor + "-1")
    return found


def check_links(page):
    for number, line in prose(page):
        for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", line)):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            path = (tree / page).parent / name if name else tree / page
            if not path.exists():
                mistake(page, number, f"links to {target}, which is not there")
            elif anchor and path.suffix == ".md" and anchor not in anchors(str(path.resolve().relative_to(tree))):
                mistake(page, number, f"links to {target}: that page has no such heading")


roots = {name.split("/")[0] for name in files if "/" in name}
elsewhere = re.compile(r"[*<>{}%$ ]|^build|\.\.\.")  # patterns, and what a build makes


def check_paths(page):
    for number, line in prose(page):
        for name in re.findall(r"`([\w.\-]+/[^`]*)`", line):
            first, *_ = re.split(r" |:\d", name)
            if elsewhere.search(first) or first.split("/")[0] not in roots:
                continue
            if first.rstrip("/") not in paths and str(Path(page).parent / first.rstrip("/")) not in paths:
                mistake(page, number, f"names `{first}`, which is not in the tree")


# --- troubleshooting: the texts of the log ---------------------------------------------------------------------------------

def check_log_texts(page):
    """Each `text` of several words of the sections about the log is in the sources of what writes the log, or is a command."""
    source = " ".join((tree / name).read_text() for name in sorted(files)
                      if re.match(r"(pam|src)/.*\.cc$|include/", name))
    source = re.sub(r'"\s*"', "", source)
    inside = False
    seen = 0
    for number, line in prose(page):
        if line.startswith("## "):
            inside = line == "## What the log says"
        if not inside or line.startswith("#"):
            continue
        for text in re.findall(r"`([^`]+)`", line):
            parts = [part.strip() for part in re.split(r"'?\.\.\.'?", text) if len(part.split()) > 1]
            for part in parts:
                if re.match(r"(sudo|slurm-adopt|scontrol|man) ", part) or part == "No such file or directory":
                    continue
                seen += 1
                # Around a value the source has its own quotes.
                if part not in source and not all(piece.strip() in source for piece in re.split(r"'", part) if piece.strip()):
                    mistake(page, number, f"quotes '{part}', which nothing in src/ and pam/ says")
    if seen < 10:
        mistake(page, 1, "has too few texts of the log: was its heading 'What the log says' changed?")


def check_demo():
    """The picture shows what the demo says now."""
    picture = (tree / "doc/demo.svg").read_text()
    for title in re.findall(r"title ['\"]([^'\"$]+)", (tree / "contrib/demo.sh").read_text()):
        if re.match(r"\d\. ", title) and title.strip() not in picture:
            mistake("doc/demo.svg", 1, f"does not show '{title}': sudo contrib/demo.sh | awk -f contrib/demo-picture.awk >doc/demo.svg")


def main():
    for page in pages:
        check_blocks(page)
        check_links(page)
        if page not in ("CHANGELOG.md",):
            check_paths(page)
    check_log_texts("doc/troubleshooting.md")
    check_demo()
    for line in mistakes:
        print(line)
    print(f"{len(pages)} pages, {len(mistakes)} mistakes")
    return bool(mistakes)


sys.exit(main())
