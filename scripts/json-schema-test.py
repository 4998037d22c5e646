#!/usr/bin/env python3
"""Holds the JSON form of rule files against its published JSON Schema, with the validator of PyPI.

usage: scripts/json-schema-test.py MARTLET

Every rule file of the project that can be parsed: `to-json` gives what the schema allows, `from-json`
the file in its canonical form, and `to-json` of that the same JSON again. Then one mistake at a time
is made at every place of a file that has all there is: whatever the schema refuses, `from-json` has
to refuse too, with the JSON pointer of the place, and whatever the schema allows it may only refuse
as a rule that cannot be parsed. Without the package everything is skipped, loudly.
"""

import concurrent.futures
import copy
import json
import os
import pathlib
import re
import subprocess
import sys

import test_environment

test_environment.enter("json-schema", ["jsonschema==4.26.0"])

import jsonschema

ROOT = test_environment.ROOT
FOLDERS = ["rules", "Tests"]

# All members, comments in every place, a break inside a clause, and bodies in bodies.
FULL = """# At the top.

event login {  # behind a brace
  user: text
  ok: bool
}

rule failed {
  severity high
  # Inside.
  sequence by user within 5m {
    at least 3 fails: login where not ok
  }

  alert "{user}"
}

test "three" for failed {
  at 0s login {
    user: "a name so long that the fields of this event stand on lines of their own", ok: false
  } repeat 3 every 1s
  expect alert at 2s
}
"""


def run(martlet, *arguments, text=b""):
    """The exit code, what it printed and what it said; bytes, so that no line end changes."""
    done = subprocess.run(
        [martlet, *arguments], input=text if isinstance(text, bytes) else text.encode(), capture_output=True)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def round_trip(martlet, validator, file):
    """The number of clauses; None for a file that cannot be parsed; a text that says what is wrong."""
    code, formatted, errors = run(martlet, "fmt", "--stdin", text=file.read_bytes())
    made_code, made, made_errors = run(martlet, "to-json", str(file))
    if code == 2:
        return None if made_code == 2 and made == "" else f"fmt refuses it, to-json exits {made_code}"
    if made_code != 0:
        return f"to-json exits {made_code}: {made_errors}"
    document = json.loads(made)
    for error in validator.iter_errors(document):
        return f"the schema refuses it at {error.json_path}: {error.message}"
    code, back, errors = run(martlet, "from-json", text=made)
    if code != 0 or back != formatted:
        return f"from-json gives another file (exit {code}): {errors}"
    code, again, errors = run(martlet, "to-json", "--stdin", text=back)
    if code != 0 or json.loads(again)["clauses"] != document["clauses"]:
        return f"to-json of it gives another JSON (exit {code}): {errors}"
    return len(document["clauses"])


def places(value, pointer=()):
    yield pointer
    if isinstance(value, dict):
        for name in value:
            yield from places(value[name], (*pointer, name))
    elif isinstance(value, list):
        for index, element in enumerate(value):
            yield from places(element, (*pointer, index))


def changed(document, pointer, change):
    """A copy with the value at the pointer replaced, or removed where `change` gives nothing."""
    whole = [copy.deepcopy(document)]
    owner, last = whole, 0
    for part in pointer:
        owner, last = owner[last], part
    new = change(owner[last])
    if new is REMOVED:
        del owner[last]
    else:
        owner[last] = new
    return whole[0] if whole else None


REMOVED = object()
VALUES = [None, True, False, 0, 1, 2, 1.0, 1.5, -1, "", " ", "#", "# a\n# b", "1", "x", [], {}, [[]], [{}],
          ["x"], {"text": "x"}, [{"comment": "# x"}], [{"text": "x", "comment": "# x"}]]
MEMBERS = {"text": "x", "body": [], "after": "x", "comment": "# x", "space": True, "word": "x", "name": "x",
           "schema": 1, "file": "x", "clauses": [], "extra": 0, "Text": "x", "": 0, "a/b~c": 0}


def mutants(document):
    for pointer in places(document):
        yield pointer, changed(document, pointer, lambda old: REMOVED) if pointer else None
        for value in VALUES:
            yield pointer, changed(document, pointer, lambda old: value)
        yield pointer, changed(document, pointer, lambda old: [old])
        yield pointer, changed(document, pointer, lambda old: {"text": old})
        for name, value in MEMBERS.items():
            def add(old):
                return {**old, name: value} if isinstance(old, dict) and name not in old else old
            yield pointer, changed(document, pointer, add)


def judge(martlet, validator, pointer, mutant):
    """Whether the schema refuses it, and what is wrong with the answer of `from-json`, if anything."""
    text = json.dumps(mutant)
    refused = not validator.is_valid(mutant)
    code, out, errors = run(martlet, "from-json", text=text)
    if refused and (code != 2 or out):
        return refused, f"the schema refuses it, from-json exits {code}: {text}"
    if refused and not names(errors, pointer):
        return refused, f"from-json does not name the place {pointer}: {errors}{text}"
    if not refused and code != 0 and not (code == 2 and "error[" in errors):
        return refused, f"the schema allows it, from-json exits {code}: {errors}{text}"
    return refused, None


def names(errors, pointer):
    """Whether the message points at what was changed: there, above, below or beside it."""
    told = re.search(r"at (?:the top|`(/[^`]*)`): ", errors)
    if not told:
        return False
    told, changed = (told[1] or "").split("/")[1:], [str(part) for part in pointer]
    return told == changed[: len(told)] or told[: len(changed) - 1] == changed[:-1]


def main():
    martlet = os.path.abspath(sys.argv[1])
    os.chdir(ROOT)
    schema = json.loads(run(martlet, "to-json", "--schema")[1])
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    files = sorted(file for folder in FOLDERS for file in pathlib.Path(folder).rglob("*.rules"))
    wrong = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        unparsed = clauses = 0
        for file, found in zip(files, pool.map(lambda file: round_trip(martlet, validator, file), files)):
            if found is None:
                unparsed += 1
                if file.parts[0] == "rules":
                    wrong.append(f"{file}: a shipped rule cannot be parsed")
            elif isinstance(found, str):
                wrong.append(f"{file}: {found}")
            else:
                clauses += found
        print(f"JSON of rules: {len(files)} files with {clauses} clauses go there and back, "
              f"{unparsed} with mistakes of syntax are refused, {len(wrong)} wrong")

        code, made, errors = run(martlet, "to-json", "--stdin", text=FULL)
        assert code == 0, errors
        document = json.loads(made)
        members = {part for pointer in places(document) for part in pointer if isinstance(part, str)}
        known = set(schema["properties"]) | set(schema["$defs"]["clause"]["properties"])
        assert members == known, f"the file to be changed lacks {known - members}"
        seen = {}
        for pointer, mutant in mutants(document):
            seen.setdefault(json.dumps(mutant), (pointer, mutant))
        judged = list(pool.map(lambda made: judge(martlet, validator, *made), seen.values()))
    refused = sum(refused for refused, _ in judged)
    faults = [fault for _, fault in judged if fault]
    print(f"JSON of rules: {len(judged)} changed documents, {refused} refused by the schema, "
          f"{len(judged) - refused} allowed, {len(faults)} judged otherwise by from-json")
    for line in (wrong + faults)[:20]:
        print("  " + line.replace("\n", "\n    "))
    # A schema that refuses hardly anything has shown nothing.
    assert refused > 1000, "hardly a changed document was refused"
    sys.exit(1 if wrong or faults else 0)


main()
