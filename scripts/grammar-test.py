#!/usr/bin/env python3
"""Colours every shipped rule with the grammars of `grammar/` and fails at a token without a colour.

usage: scripts/grammar-test.py

The TextMate grammar (which is also that of the VS Code extension), the Pygments lexer and the Vim
syntax; and the tree-sitter grammar where its command line is installed. What cannot be tried is
said and counted.
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import test_environment

test_environment.enter("grammar", ["pygments==2.19.2", "textmate-grammar-python==0.6.1"])

import logging

GRAMMAR = test_environment.ROOT / "grammar"
FILES = sorted((test_environment.ROOT / "rules").rglob("*.rules"))


def pygments():
    sys.path.insert(0, str(GRAMMAR / "pygments"))
    from martlet_lexer import MartletLexer
    from pygments.token import Error

    lexer = MartletLexer(stripnl=False, ensurenl=False)
    seen, unknown = 0, []
    for file in FILES:
        text = file.read_text(encoding="utf-8")
        tokens = list(lexer.get_tokens(text))
        assert "".join(value for _, value in tokens) == text, f"{file}: text was lost"
        seen += len(tokens)
        unknown += [f"{file}: {value!r}" for kind, value in tokens if kind is Error]
    return seen, unknown


def textmate():
    logging.disable(logging.CRITICAL)
    from textmate_grammar.parsers.base import LanguageParser

    parser = LanguageParser(json.loads((GRAMMAR / "textmate/martlet.tmLanguage.json").read_text()))
    seen, unknown = 0, []
    for file in FILES:
        text = file.read_text(encoding="utf-8")
        for (line, column), content, scopes in parser.parse_string(text).flatten():
            seen += 1
            if len(scopes) == 1 and content.strip():
                unknown.append(f"{file}:{line + 1}:{column + 1}: {content!r}")
    return seen, unknown


VIM = r"""
set nocompatible
syntax on
let s:found = []
let s:seen = 0
for s:file in g:files
  execute 'silent edit ' . fnameescape(s:file)
  syntax sync fromstart
  for s:line in range(1, line('$'))
    let s:text = getline(s:line)
    for s:column in range(1, len(s:text))
      let s:char = s:text[s:column - 1]
      if s:char !~ '[A-Za-z0-9_"#=<>+*/%`]' | continue | endif
      let s:seen += 1
      if &filetype != 'martlet' || synID(s:line, s:column, 1) == 0
        call add(s:found, s:file . ':' . s:line . ':' . s:column . ': ' . s:char)
      endif
    endfor
  endfor
endfor
call writefile([s:seen] + s:found, g:output)
quitall!
"""


def vim():
    if not shutil.which("vim"):
        return None, "there is no vim"
    with tempfile.TemporaryDirectory() as folder:
        script, output = pathlib.Path(folder, "test.vim"), pathlib.Path(folder, "output")
        names = json.dumps([str(file) for file in FILES])
        script.write_text(f"let g:files = {names}\nlet g:output = {json.dumps(str(output))}\n{VIM}")
        subprocess.run(
            ["vim", "-u", "NONE", "-i", "NONE", "-n", "-es", "--cmd", f"set rtp^={GRAMMAR / 'vim'}",
             "--cmd", "filetype on", "-S", str(script)],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
        if not output.exists():
            return None, "this vim has no syntax highlighting"
        lines = output.read_text().splitlines()
    return int(lines[0]), lines[1:]


def tree_sitter():
    if not shutil.which("tree-sitter"):
        return None, "there is no tree-sitter command"
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(GRAMMAR / "tree-sitter", folder, dirs_exist_ok=True)
        made = subprocess.run(["tree-sitter", "generate"], cwd=folder, capture_output=True, text=True)
        if made.returncode != 0:
            return 0, [made.stderr.strip()]
        unknown = []
        for file in FILES:
            done = subprocess.run(
                ["tree-sitter", "parse", "--quiet", str(file)], cwd=folder, capture_output=True, text=True)
            if done.returncode != 0:
                unknown.append(done.stdout.strip() or done.stderr.strip())
        return len(FILES), unknown


def main():
    failed = skipped = 0
    for name, check in [("Pygments", pygments), ("TextMate", textmate), ("Vim", vim), ("tree-sitter", tree_sitter)]:
        seen, unknown = check()
        if seen is None:
            skipped += 1
            print(f"SKIPPED: {name}: {unknown}")
            continue
        # A grammar that saw nothing has shown nothing.
        failed += bool(unknown) or seen == 0
        print(f"{name}: {seen} tokens of {len(FILES)} files, {len(unknown)} unknown")
        for line in unknown[:10]:
            print(f"  {line}")
    print(f"{4 - failed - skipped} of 4 grammars colour everything, {failed} do not, {skipped} skipped")
    sys.exit(1 if failed else 0)


main()
