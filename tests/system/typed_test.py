# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Every command in the documents is typed here as it stands there, and works.

A block is one bash script against a service, a Redis and a sandbox that run already. What differs from a reader's machine is
in SUBSTITUTIONS; what cannot be run here is in ELSEWHERE, with the reason and with who runs it instead. A command that is
in neither and fails, fails the test; so does a row of these tables that nothing needs.
"""
import json
import os
import re
import subprocess

import pytest

import contract
import documents
from stand import ROOT, SANDBOX, SERVICE, TOKEN, Stand, call, event, eventually

# Command (a regular expression, from its beginning) → why not here, and the file (and what is in it) that runs it.
ELSEWHERE = [
    (r"\./quickstart", "builds, for a minute", ".ci/run", "./quickstart --once"),
    (r"tests/run|\.ci/run", "runs this test", ".ci/run", "tests/run"),
    (r"tests/[a-z]+/run", "a test by itself, for minutes", None, None),
    (r"\./cmake/install-packages build run test check", "installs", ".ci/run", "./cmake/install-packages build run test check"),
    (r"\./cmake/install-packages .* package$", "installs", "tests/debian/run", "install-packages .*package"),
    (r"cmake --workflow --preset (dev|tsan)|cmake --preset analyze", "builds, for minutes", ".ci/run", "build analyze"),
    (r"cmake --workflow --preset release", "builds, for minutes", "tests/debian/run", "cmake --workflow --preset release"),
    (r"dpkg --add-architecture arm64|cmake --preset arm64|ctest --preset arm64|\(cd build/arm64", "installs and builds, for minutes",
     "tests/debian/run", "ctest --preset arm64"),
    (r"cmake --preset release .* cpack", "builds the package", "tests/debian/run", "cmake --preset release .*cpack"),
    (r"curl --cacert cert.pem", "the service of this test speaks no TLS", "tests/system/listener_tls_test.py", '"curl --cacert'),
    (r"docker/make-secrets", "writes into the source; a copy of it is run", "tests/system/compose_secrets_test.py", '"make-secrets"'),
    (r"docker (build|run|compose -f docker/compose.yaml up)", "needs a Docker daemon", "tests/image/run", '"$builder" build'),
    (r"docker compose -f docker/compose.cluster.yaml (up|kill)", "needs a Docker daemon", "tests/image/compose_cluster_test.py", '"kill", "node-2"'),
    (r"docker (exec|compose .* exec)", "needs a Docker daemon", "tests/image/compose_test.py", '"seek-signal", *arguments'),
    (r"dpkg-deb -x \./NEW\.deb", "unpacks the package", "tests/release/release_test.py", '"dpkg-deb", "--extract"'),
    (r"redis-cli --cluster create", "makes a cluster", "docker/compose.cluster.yaml", "redis-cli --cluster create"),
    (r"apt-get install \./build/release", "changes the machine", "tests/debian/run", "apt-get install"),
    (r"editor /etc|install -m 600 /dev/stdin", "types into a file of the machine", "tests/image/package_test.py",
     "/etc/seek-signal/client-secret"),
    (r"\(set -a; \. /etc/seek-signal/environment", "reads files of the package", "tests/release/release_test.py", "set -a"),
    (r"(echo|sed -i) .*/etc/seek-signal/environment$", "changes a file of the package", "tests/system/move_private_test.py", "How they stand there"),
    (r"bash docs/samples/everything", "takes the usual ports", "tests/debian/run", "everything"),
    (r"(python3|php) docs/samples/|sqlite3 ats-sweep.db", "a database of the reader's", "tests/samples/run", "docs/samples/outbox.py"),
    (r"seek-signal move( --from|$)", "needs another Redis", "tests/system/move_test.py", '"move", "--from"'),
    (r"seek-signal tail", "follows without an end", "tests/system/tail_test.py", '"tail"'),
    (r"cmake/set-version", "changes the source", "tests/release/version_test.py", "set_version"),
    (r"cmake/release", "builds the package", "tests/release/release_test.py", "cmake/release"),
    (r"systemctl", "needs systemd", "tests/image/package_test.py", "systemctl start seek-signal"),
    (r"systemd-analyze security", "about the unit of the package", "tests/system/package_unit_test.py", "systemd-analyze security"),
    (r"journalctl", "needs systemd", "tests/image/package_test.py", "journalctl"),
    (r"kubectl exec", "needs a cluster; that it names what is there is checked", "tests/watch/kubernetes_test.py", "kubectl exec"),
    (r"podman kube play", "needs images and podman", "tests/image/pods.py", '"kube", "play"'),
    (r"kubectl apply -k", "needs a cluster; what it would send is checked", "tests/watch/kubernetes_test.py", "kustomize"),
    (r"kubectl create secret", "needs a cluster; what it would send is checked", "tests/watch/kubernetes_test.py", "kubectl create secret"),
    (r"helm install", "Debian has no helm; the templates are rendered", "tests/watch/kubernetes_test.py", "render_chart"),
    (r"ssh -L", "needs another machine", None, None),
    (r"kill -9$|ulimit -n", "no command to type: names what happens, or a limit", None, None),
]

# What an answer looks like: command → pattern of its standard output.
ANSWERS = [
    (r"seek-signal status$", r"^SEEK +no outage"),
    (r"seek-signal status A-1001$", r"^A-1001 is dead: SEEK refused its signal\."),
    (r"seek-signal check", r"ok +SEEK "),
    (r"seek-signal dead list --code DAMAGED", r"A-1003 .* DAMAGED "),
    (r"seek-signal dead replay --code DAMAGED", r"^1 is sent again"),
    (r"seek-signal dead list --format csv", r"^\"A-1001\",dead,"),
    (r"seek-signal dead list(?! --code DAMAGED| --format)", r"A-1001 .* FORBIDDEN "),
    (r"seek-signal dead forget .*--dry-run", r"^0 would be forgotten$"),
    (r"seek-signal dead replay .*--dry-run", r"^2 would be sent again$"),
    (r"seek-signal dead replay (?!.*dry-run|--code DAMAGED)", r"^2 are sent again"),
    (r"seek-signal --help", r"REDIS_URL"),
    (r"seek-signal$", r'"event":"ready"'),
    (r"seek-sandbox", r"^ready http=127\.0\.0\.1:\d+"),
    (r"redis-cli HGET", r"No hirer relationship"),
    (r"jq ", r'"event": "signal_dead",\n +"message": .*\n +"application": "A-1001"'),
    (r"openssl rand", r"^[0-9a-f]{64}$"),
    (r"openssl x509", r"Subject: CN = a-reader$"),
    (r"sed .*alerts\.yml", r"runbook_url: https://.*/alerts\.md#seeksignaldown$"),
    (r"curl .*/sandbox/signals", r'"seekToken":'),
    (r"curl .*-X POST .*/sandbox/faults", r'"kind":'),
    (r"curl .*/sandbox/settings", r'"latencyMs":200'),
]

# Programs that run until they are told to end are told so once they are ready.
SERVE = """
{known}
: >"$0.out"
"$real" "$@" >>"$0.out" 2>&1 & child=$!
for ((i = 0; i < 600; i++)); do grep -q '{ready}' "$0.out" && break; kill -0 $child || break; sleep 0.05; done
kill -TERM $child; wait $child; status=$?; cat "$0.out"; exit $status
"""
COMMAND = """#!/bin/bash
real={real}
[ -n "$1" ] && [[ "$1" != --listen ]] && [[ "$1" != --tls-* && "$1" != --h2-* ]] && exec "$real" "$@"
"""


class Reader:
    """Somebody with a shell, our programs in PATH, and the stand at the usual addresses."""

    def __init__(self):
        self.stand = Stand()
        self.redis = self.stand.redis()
        self.sandbox = self.stand.sandbox()
        self.service = self.stand.service(self.sandbox, redis_url=self.redis.url).start()
        self.home = self.service.log_path.parent / "home"
        self.home.mkdir()
        (self.home / "secret").write_text("any\n")
        (self.home / "docker").symlink_to(ROOT / "docker")
        self.program("seek-signal", COMMAND.format(real=SERVICE) + SERVE.format(
            known="export SEEK_SIGNAL_LISTEN=127.0.0.1:0 SEEK_SIGNAL_OPS_LISTEN=127.0.0.1:0", ready='"event":"ready"'))
        self.program("seek-sandbox", COMMAND.format(real=SANDBOX) + SERVE.format(
            known='[[ "$1" == --listen ]] || set -- --listen 127.0.0.1:0 "$@"', ready="^ready "))
        self.program("jq", f'#!/bin/sh\nexec /usr/bin/jq "$@" <{self.service.log_path}\n')  # what the journal would give
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-passout", "pass:a-phrase",
                        "-subj", "/CN=a-reader", "-keyout", "reader.key", "-out", "reader.pem"], check=True, capture_output=True, cwd=self.home)
        self.program("redis-cli", f'#!/bin/sh\nexec /usr/bin/redis-cli -s {self.redis.socket} "$@"\n')
        self.substitutions = {  # in a document → here
            "127.0.0.1:8787": self.service.address, "127.0.0.1:8788": self.service.ops,
            "127.0.0.1:8790": self.sandbox.address, "127.0.0.1:8443": "127.0.0.1:0", "127.0.0.1:8444": "127.0.0.1:0",
            "-in FILE -text": "-in reader.pem -text", "-in FILE -out KEY": "-in reader.key -out KEY -passin pass:a-phrase && grep -v ENCRYPTED KEY",
            "CLIENT_ID=…": "CLIENT_ID=client-1", "/run/secrets/seek": str(self.home / "secret"),
        }

    def program(self, name, text):
        (self.home / name).write_text(text)
        (self.home / name).chmod(0o755)

    def environment(self):
        settings = {"listen": self.service.address, "ops_listen": self.service.ops}
        return self.service.environment() | {
            "PATH": f"{self.home}:{os.environ['PATH']}", **{f"SEEK_SIGNAL_{k.upper()}": v for k, v in settings.items()}}

    def prepare(self, block):
        """Two dead ones for an operator's commands, and one that is damaged if it is about that; nothing for who posts the first
        event."""
        self.sandbox.clear_faults()
        self.sandbox.settings(latencyMs=0, latencyJitterMs=0, success=True)
        self.service.post("/v1/resume", {})
        for name in ("A-1001", "A-1002", "A-1003"):
            self.service.call("DELETE", f"/v1/applications/{name}")
        if "DAMAGED" in block.text:
            self.service.call("POST", "/v1/pause", {})
            self.service.must_post(event("A-1003", f"{TOKEN}-A-1003"))
            self.redis.cli("HDEL", "seek-signal:{0}:app:A-1003", "p")
            self.service.call("POST", "/v1/resume", {})
            self.service.must_become("A-1003", "dead")
        if "seek-signal" in block.text or block.text.startswith("jq "):
            self.sandbox.fault(kind="forbidden", count=2)
            for name in ("A-1001", "A-1002"):
                self.service.must_post(event(name, f"{TOKEN}-{name}"))
                self.service.must_become(name, "dead")

    def type(self, command):
        for theirs, ours in self.substitutions.items():
            command = command.replace(theirs, ours)
        return command

    def run(self, commands):
        """In one shell, since one command sets what the next one uses. → [(exit status, output)]"""
        mark = "-- end of command, exit status "
        script = "".join(f"{self.type(c)}\nprintf '\\n%s%s\\n' '{mark}' $?\n" for c in commands)
        environment = self.environment()
        if any("CLIENT_SECRET" in c for c in commands):
            environment.pop("SEEK_SIGNAL_CLIENT_SECRET")  # the reader gives one, perhaps as a file
        done = subprocess.run(["bash"], input=script, capture_output=True, text=True, timeout=60, cwd=self.home, env=environment)
        found = re.findall(rf"(.*?)\n{re.escape(mark)}(\d+)\n", done.stdout, re.S)
        assert len(found) == len(commands), done.stdout + done.stderr
        return [(int(status), output.strip() + "\n" + done.stderr) for output, status in found]


@pytest.fixture(scope="module")
def reader():
    reader = Reader()
    yield reader
    reader.service.must_stop()
    reader.stand.close()


def is_run_elsewhere(command):
    return any(re.match(row[0], documents.without_comment(command)) for row in ELSEWHERE)


def all_blocks():
    return [*documents.blocks(), *documents.one_liners()]


def typed_here():
    """Each block once; the same one-liner in two places is one."""
    seen = {}
    for block in all_blocks():
        if any(not is_run_elsewhere(c) for c in block.commands()):
            seen.setdefault(block.text, block)
    return seen.values()


@pytest.mark.parametrize("block", [pytest.param(b, id=b.place) for b in typed_here()])
def it_works_as_it_stands_there(block, reader):
    reader.prepare(block)
    commands = [c for c in block.commands() if not is_run_elsewhere(c)]
    for command, (status, output) in zip(commands, reader.run(commands)):
        assert status == 0, f"{command}\nexit status {status}\n{output}"
        for pattern, answer in ANSWERS:
            if re.match(pattern, documents.without_comment(re.sub(r"^(\w+=\S+ )+", "", documents.without_comment(command)))):
                assert re.search(answer, output, re.M), f"{command}\n{output}"
    if block.shown is not None:
        must_look_like(json.loads(block.shown), json.loads(output.splitlines()[0]), block.place, exactly=True)


def it_takes_a_setting_that_is_shown_alone(reader):
    """As far as it can: the machines that it names are not there."""
    alone = [c for block in documents.blocks() for c in block.commands() if re.fullmatch(r"SEEK_SIGNAL_\w+=\S+", c)]
    assert alone
    for command in alone:
        ((_, output),) = reader.run([f"{command} seek-signal check"])
        assert re.search(r"^ok +settings", output, re.M) and "SEEK_SIGNAL_" not in output, output


def must_look_like(shown, seen, where, exactly=False):
    """The same members and types; texts too when `exactly`, where … stands for anything. Numbers vary."""
    if isinstance(shown, dict):
        assert sorted(shown) == sorted(seen), where
        for name, value in shown.items():
            must_look_like(value, seen[name], f"{where}: {name}", exactly)
    elif isinstance(shown, list):
        for value in shown:
            must_look_like(value, seen[0], where, exactly)
    elif exactly and isinstance(shown, str):
        assert re.fullmatch(re.escape(shown).replace("…", ".*"), seen), where
    elif shown is not None:
        assert isinstance(seen, type(shown)), where


def it_answers_an_error_as_the_document_shows(reader):
    (shown,) = (json.loads(text) for language, text, _, _ in documents.fences("docs/errors.md") if language == "json")
    must_look_like(shown, reader.service.must_post(event("A-1", "93WyyF1h6eaeb58c%3D"), shown["status"]), "docs/errors.md", True)


def without_figures(text):
    """Times and moments vary; Redis's clock may be right to the millisecond."""
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "MOMENT", text)
    text = re.sub(r"\d+ (ms|s|min|h|days?)( \d+ (s|min|h))?\b", "TIME", text)
    return re.sub(r"^ +its clock is .*\n", "", re.sub(r"version [\d.]+", "version", text), flags=re.M)


def it_says_its_status_as_the_document_shows():
    (shown,) = (text for _, text, _, _ in documents.fences("docs/operating.md") if text.startswith("Working. "))
    stand = Stand()
    sandbox = stand.sandbox()
    service = stand.service(sandbox, redis_url=stand.redis().url).start()
    service.must_post(event("A-1"))
    service.must_become("A-1", "delivered")
    sandbox.fault(kind="forbidden", count=2)
    for name in ("A-2", "A-3"):
        service.must_post(event(name, f"{TOKEN}-{name}"))
        service.must_become(name, "dead")
    eventually(lambda: without_figures(service.run("status", listen=service.address).stdout) == without_figures(shown), "it looks like that")
    service.must_stop()
    stand.close()


def it_keeps_a_ledger_as_the_document_shows(reader):
    shown = [json.loads(text) for language, text, _, _ in documents.fences("docs/sandbox.md") if language == "json"][-1]
    reader.service.must_post(event("A-7", "ledger"))
    eventually(lambda: reader.sandbox.signals("ledger"), "it is delivered")
    ledger = reader.sandbox.control("GET", "/ledger?after=0&limit=1000")
    (seen,) = (c for c in ledger["calls"] if c["seekToken"] == "ledger")
    must_look_like(shown, ledger | {"calls": [seen]}, "docs/sandbox.md")


def it_names_only_calls_that_exist(reader):
    for place, method, path in documents.calls():
        path = re.sub(r"\{id\}|A-1001", "A-1", path)
        if path.startswith("/sandbox"):
            assert call(reader.sandbox.address, "OPTIONS", path.split("?")[0]).status != 404, f"{place}: {method} {path}"
        elif path not in ("/graphql", "/oauth/token"):  # SEEK's
            assert contract.find(method, path), f"{place}: {method} {path}"


def it_names_only_scripts_that_exist():
    for block in all_blocks():
        for script in re.findall(r"(?:^|\s)((?:\./|tests/|\.ci/)[\w./-]*\w)(?=\s|$)", block.text):
            assert os.access(ROOT / script, os.X_OK) or not script.endswith(("run", "quickstart")), f"{block.place}: {script}"


def it_excuses_no_command_without_need():
    every = [documents.without_comment(c) for block in all_blocks() for c in block.commands()]
    for pattern, _, by, words in ELSEWHERE:
        assert any(re.match(pattern, command) for command in every), f"no document has {pattern}"
        assert by is None or words in (ROOT / by).read_text(), f"{by} does not run {words}"
    here = [re.sub(r"^(\w+=\S+ )+", "", command) for command in every if not is_run_elsewhere(command)]
    for pattern, _ in ANSWERS:
        assert any(re.match(pattern, command) for command in here), f"no document has {pattern}"
    assert len(here) > 40


def it_leaves_no_block_unread():
    """A block is a command (sh), an answer (json), or one of these, which no shell reads."""
    others = [text for name in documents.READ for language, text, _, _ in documents.fences(name) if language not in ("sh", "json")]
    # A drawing, three outputs, two lines for Redis (tests/watch, redis_user_test.py), an addition to the unit (package_unit_test.py), and one to
    # Prometheus's settings (tests/watch).
    known = ("candidate ──link-out", "ready http=", "ok    notifications", "Working. 2 applications", "ACL SETUSER", "LoadCredential=",
             "job_name: seek-signal")
    for text in others:
        assert any(words in text for words in known + tuple("─│►")), text
