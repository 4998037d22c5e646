#!/usr/bin/env python3
"""Drives `martlet lsp` with a real client, and measures how soon it answers.

usage: scripts/lsp-test.py MARTLET [--latency]

The client is that of pytest-lsp (pygls): every answer has to be what the protocol's types allow.
It comes with the capabilities of Visual Studio Code, then with those of Neovim. `--latency` measures
completion and diagnostics on a file of 2,000 lines instead, and fails above 50 ms at the 95th
percentile; it is meant for a release build. Without the package everything is skipped, loudly.
"""

import asyncio
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import test_environment

test_environment.enter("lsp", ["pytest-lsp==1.0.0"])

from lsprotocol import types
from pytest_lsp import client_capabilities, make_test_lsp_client

SCHEMA = """event shop.login {
  user: text
  src_ip: ip
  result: "ok" | "fail"
}

event shop.payout {
  user: text
  account: text
}
"""

RULE = """import "schema.rules"

# 🐦 grüße
rule takeover {
  severity high
  sequence by user within 5m {
    at least 3 failed: shop.login where result == "fail"
    then success: shop.login where result == "ok" and src_ip != failed.last.src_ip
    then payout: shop.payout
  }
  alert "🐦 {user} failed {failed.count} times, paid to {payout.account}"
}

test "three and out" for takeover {
  at 0s shop.login { user: "u", src_ip: "10.0.0.1", result: "fail" } repeat 3 every 1s
  at 5s shop.login { user: "u", src_ip: "10.0.0.2", result: "ok" }
  at 8s shop.payout { user: "u", account: "X" }
  expect alert at 8s with failed.count == 3
}

test "this one fails" for takeover {
  at 0s shop.login { user: "u", src_ip: "10.0.0.1", result: "fail" }
  expect alert at 8s
}
"""


class Session:
    """One server with one workspace."""

    def __init__(self, martlet, root, spec):
        self.martlet, self.root, self.spec = martlet, root, spec
        self.client = make_test_lsp_client()
        self.texts = {}
        self.watched = []
        # What the editor is asked to watch.
        self.client.feature(types.CLIENT_REGISTER_CAPABILITY)(
            lambda parameters: self.watched.extend(r.method for r in parameters.registrations))

    async def start(self):
        await self.client.start_io(self.martlet, "lsp")
        folder = types.WorkspaceFolder(uri=self.root.as_uri(), name="ws")
        return await self.client.initialize_session(
            types.InitializeParams(
                process_id=None, root_uri=self.root.as_uri(), workspace_folders=[folder],
                capabilities=client_capabilities(self.spec)))

    def uri(self, name):
        return (self.root / "rules" / name).as_uri()

    def open(self, name, text):
        self.texts[name] = text
        self.client.text_document_did_open(
            types.DidOpenTextDocumentParams(
                types.TextDocumentItem(self.uri(name), "martlet", 1, text)))

    async def diagnostics(self):
        params = await asyncio.wait_for(
            self.client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS), 10)
        return params

    def at(self, name, marked):
        """The position that `|` marks in a piece of the text, in UTF-16 units."""
        before, after = marked.split("|", 1)
        text = self.texts[name]
        offset = text.index(before + after) + len(before)
        line = text.count("\n", 0, offset)
        start = text.rfind("\n", 0, offset) + 1
        return types.Position(line, len(text[start:offset].encode("utf-16-le")) // 2)

    def place(self, name, marked):
        return {"text_document": types.TextDocumentIdentifier(self.uri(name)), "position": self.at(name, marked)}

    def document(self, name):
        return {"text_document": types.TextDocumentIdentifier(self.uri(name))}


CHECKED = []


def check(what, holds, found=None):
    CHECKED.append(what)
    if not holds:
        print(f"FAILED: {what}: {found!r}")
        raise SystemExit(1)


async def features(martlet, spec):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder).resolve()
        (root / "rules").mkdir()
        (root / "rules/schema.rules").write_text(SCHEMA)
        (root / "rules/takeover.rules").write_text(RULE)
        session = Session(martlet, root, spec)
        started = await session.start()
        client, name = session.client, "takeover.rules"
        # The client offers what its editor offers; positions below are UTF-16 units.
        utf8 = started.capabilities.position_encoding == types.PositionEncodingKind.Utf8
        check(f"{spec}: the server says who it is", started.server_info.name == "martlet")

        session.open(name, RULE.replace("account}", "acount}"))
        told = await session.diagnostics()
        check("a mistake is told", [d.code for d in told.diagnostics] == ["E0301"] and told.uri == session.uri(name), told)
        fault = told.diagnostics[0]
        actions = await client.text_document_code_action_async(
            types.CodeActionParams(range=fault.range, context=types.CodeActionContext(told.diagnostics), **session.document(name)))
        edit = actions[0].edit.changes[session.uri(name)][0]
        check("a fix is offered", edit.new_text == "account", actions)
        # The fix as an incremental change: behind an emoji, so that columns matter.
        client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(version=2, uri=session.uri(name)),
                [types.TextDocumentContentChangePartial(edit.range, edit.new_text)]))
        session.texts[name] = RULE
        told = await session.diagnostics()
        check("the fix mends the file", not told.diagnostics, told)

        found = await client.text_document_completion_async(types.CompletionParams(**session.place(name, "failed.|last")))
        labels = [item.label for item in found.items]
        check("completion behind a dot", labels[:3] == ["count", "first", "last"] and "src_ip" in labels, labels)
        hover = await client.text_document_hover_async(types.HoverParams(**session.place(name, "rule take|over")))
        check("hover explains a rule", "Waits for" in hover.contents.value and "bound:" in hover.contents.value)
        target = await client.text_document_definition_async(types.DefinitionParams(**session.place(name, "re|sult == \"fail\"")))
        check("definition in another file", target[0].uri == session.uri("schema.rules") and target[0].range.start.line == 3, target)
        places = await client.text_document_references_async(
            types.ReferenceParams(context=types.ReferenceContext(True), **session.place(name, "then pay|out:")))
        check("references", len(places) == 2, places)
        message = await client.text_document_references_async(
            types.ReferenceParams(context=types.ReferenceContext(True), **session.place(name, "then suc|cess:")))
        check("references of what nobody reads", len(message) == 1, message)
        if not utf8:
            braces = [p for p in places if p.range.start.line == 10]
            check("columns behind an emoji", braces[0].range.start == session.at(name, "{|payout.account"), braces)
        edits = await client.text_document_rename_async(types.RenameParams(new_name="missed", **session.place(name, "failed|.last")))
        check("rename", len(edits.changes[session.uri(name)]) == 4, edits)
        try:
            await client.text_document_rename_async(types.RenameParams(new_name="success", **session.place(name, "failed|.last")))
            check("a rename that breaks is refused", False)
        except Exception as refused:
            check("a rename that breaks is refused", "defined twice" in str(refused), refused)
        symbols = await client.text_document_document_symbol_async(types.DocumentSymbolParams(**session.document(name)))
        check("symbols", [s.name for s in symbols] == ["takeover", "three and out", "this one fails"], symbols)
        found = await client.workspace_symbol_async(types.WorkspaceSymbolParams("shoplog"))
        check("workspace symbols", [s.name for s in found] == ["shop.login"], found)
        edits = await client.text_document_formatting_async(
            types.DocumentFormattingParams(options=types.FormattingOptions(2, True), **session.document(name)))
        check("formatting of what is formatted", not edits, edits)
        tokens = await client.text_document_semantic_tokens_full_async(types.SemanticTokensParams(**session.document(name)))
        check("semantic tokens", len(tokens.data) > 100 and len(tokens.data) % 5 == 0)
        whole = types.Range(types.Position(0, 0), types.Position(100, 0))
        hints = await client.text_document_inlay_hint_async(types.InlayHintParams(range=whole, **session.document(name)))
        check("inlay hints", [h.label for h in hints] == ["keeps at most 8.0 GB"] or "keeps at most" in hints[0].label, hints)
        folds = await client.text_document_folding_range_async(types.FoldingRangeParams(**session.document(name)))
        check("folding", len(folds) == 4, folds)
        lenses = await client.text_document_code_lens_async(types.CodeLensParams(**session.document(name)))
        check("code lenses", [lens.command.title for lens in lenses] == ["run 2 tests", "run test", "run test"], lenses)
        results = []
        for lens in lenses:
            answer = await client.workspace_execute_command_async(
                types.ExecuteCommandParams(lens.command.command, arguments=lens.command.arguments))
            results.append((answer["passed"], answer["text"].splitlines()[0]))
        expected = [(False, "1 passed, 1 failed"), (True, "1 passed, 0 failed"), (False, "0 passed, 1 failed")]
        check("tests run", results == expected, results)
        check("their results are shown", [m.message.splitlines()[0] for m in client.messages] == [t for _, t in expected], client.messages)
        wanted = client_capabilities(spec).workspace.did_change_watched_files
        asked = session.watched == [types.WORKSPACE_DID_CHANGE_WATCHED_FILES]
        check("rule files are watched where the editor can", asked == bool(wanted and wanted.dynamic_registration))
        await client.shutdown_session()


async def protocol(martlet):
    """What no good client does."""
    def run(data):
        done = subprocess.run([martlet, "lsp"], input=data, capture_output=True, timeout=30)
        return done.returncode, done.stdout, done.stderr.decode()

    def message(text):
        data = text.encode()
        return b"Content-Length: %d\r\n\r\n%s" % (len(data), data)

    code, _, error = run(b"")
    check("an editor that goes away", code == 1 and "went away" in error, (code, error))
    code, _, error = run(b"hello there\r\n\r\n")
    check("no stream of messages", code == 1 and "not a stream of messages" in error, (code, error))
    code, output, _ = run(message("{") + message('{"jsonrpc":"2.0","method":"exit"}'))
    check("no JSON is answered", code == 1 and b"-32700" in output, (code, output))
    stop = message('{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}') \
        + message('{"jsonrpc":"2.0","id":2,"method":"shutdown"}') + message('{"jsonrpc":"2.0","method":"exit"}')
    code, output, error = run(stop)
    check("a good end", code == 0 and error == "", (code, error))
    noise = random.Random(1)
    for _ in range(50):
        cut = bytearray(stop)
        for _ in range(noise.randrange(1, 6)):
            cut[noise.randrange(len(cut))] = noise.randrange(256)
        code, _, error = run(bytes(cut))
        check("damaged bytes end the server by its own decision", code in (0, 1), (bytes(cut), code, error))


def large_file(lines=2_000):
    """Rules with their tests, as many as fill so many lines."""
    text, count = SCHEMA, 0
    body = RULE[RULE.index("rule takeover"):]
    while text.count("\n") < lines:
        text += "\n" + body.replace("takeover", f"takeover_{count}")
        count += 1
    return "\n".join(text.split("\n")[:lines]) + "\n}\n", count


def processor_seconds(session):
    """What the server has used; unlike a waiting time it does not grow with the load of the machine."""
    fields = pathlib.Path(f"/proc/{session.client._server.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def latency(martlet):
    text, rules = large_file()
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder).resolve()
        (root / "rules").mkdir()
        session = Session(martlet, root, "visual_studio_code")
        await session.start()
        client, name = session.client, "large.rules"
        session.open(name, text)
        await session.diagnostics()
        line = text[: text.index("rule takeover_40 {")].count("\n") + 3
        column = len("    at least 3 failed: shop.login where ")
        told, completed = [], []
        used = processor_seconds(session)
        for step in range(200):
            # One key stroke: the condition begins with another letter, which makes a mistake or ends it.
            start = types.Position(line, column)
            end = types.Position(line, column + step % 2)
            began = time.perf_counter()
            client.text_document_did_change(
                types.DidChangeTextDocumentParams(
                    types.VersionedTextDocumentIdentifier(version=step + 2, uri=session.uri(name)),
                    [types.TextDocumentContentChangePartial(types.Range(start, end), "" if step % 2 else "x")]))
            await session.diagnostics()
            told.append(time.perf_counter() - began)
            # Completion for a text that nothing has compiled yet.
            client.text_document_did_change(
                types.DidChangeTextDocumentParams(
                    types.VersionedTextDocumentIdentifier(version=step + 3, uri=session.uri(name)),
                    [types.TextDocumentContentChangePartial(types.Range(types.Position(0, 0), types.Position(0, 0)), "")]))
            began = time.perf_counter()
            found = await client.text_document_completion_async(
                types.CompletionParams(types.TextDocumentIdentifier(session.uri(name)), start))
            completed.append(time.perf_counter() - began)
            check("completion finds the field", "result" in [item.label for item in found.items])
        used = (processor_seconds(session) - used) / (2 * len(told))
        await client.shutdown_session()
    slow = False
    print(f"{len(text.splitlines())} lines, {rules} rules, one file, each figure from {len(told)} key strokes, through the client:")
    for what, times in [("diagnostics", told), ("completion", completed)]:
        times.sort()
        median, high = times[len(times) // 2], times[len(times) * 95 // 100]
        slow |= high > 0.050
        print(f"  {what:12} p50 {median * 1000:5.1f} ms   p95 {high * 1000:5.1f} ms   max {times[-1] * 1000:5.1f} ms")
    print(f"  the server used {used * 1000:.1f} ms of processor time for each change and its answers")
    if slow:
        print("FAILED: above 50 ms at the 95th percentile")
    sys.exit(1 if slow else 0)


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--latency"]
    if len(arguments) != 1:
        sys.exit(__doc__)
    martlet = str(pathlib.Path(arguments[0]).resolve())
    if "--latency" in sys.argv:
        asyncio.run(latency(martlet))
    for spec in ["visual_studio_code", "neovim"]:
        asyncio.run(features(martlet, spec))
    asyncio.run(protocol(martlet))
    print(f"lsp: {len(CHECKED)} checks with a real client, all good")


main()
