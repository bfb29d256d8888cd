# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""What the documents quote is what the program says."""
import functools
import pathlib
import re

import pytest
import yaml

from stand import ROOT

# Things to type or to look up, not words of the program.
NOT_QUOTED = re.compile(r"[A-Z0-9_]+|SEEK_SIGNAL_\w+|…_FILE|[a-z]\w*(\.\w+)+|[-/\w]*|(redis|rediss|http|https|unix):.*|CONFIG SET .*|seek-signal .*|ssh .*|"
                        r"redis\.log|[a-z]+ -.*")

# A message that tells the end of a state, in the column of what to do.
SENTENCE = re.compile(r"(?:[A-Z][a-z]+|SEEK) (?:[\w;,'’-]+ ){2,}[\w;,'’-]+")


@functools.lru_cache
def said():
    """All texts of the program, with those put together that C puts together."""
    texts = []
    for folder, pattern in (("service", "*.c"), ("lib", "*.c"), ("service", "*.lua"), ("service", "*.html"), ("service", "*.js")):
        for path in sorted((pathlib.Path(ROOT) / folder).rglob(pattern)):
            text = re.sub(r'"\s*\n\s*"', "", path.read_text())
            texts.append(re.sub(r'" SETTING_PREFIX "|SETTING_PREFIX\s*"', "SEEK_SIGNAL_", text).replace('\\"', '"'))
    return "\n".join(texts)


def quotations():
    """Table cells of troubleshooting.md: the first ones, messages among the second ones, and sentences among the others."""
    text = (pathlib.Path(ROOT) / "docs" / "troubleshooting.md").read_text()
    for line in text.splitlines():
        if line.startswith("| ") and not line.startswith("| ---"):
            cells = line.split(" | ")
            for quoted in re.findall(r"`([^`]+)`", " ".join(cells[:2])):
                if not NOT_QUOTED.fullmatch(quoted):
                    yield quoted
            yield from filter(SENTENCE.fullmatch, re.findall(r"`([^`]+)`", " ".join(cells[2:])))


@pytest.mark.parametrize("quoted", sorted(set(quotations())))
def it_quotes_what_the_program_says(quoted):
    for piece in filter(None, (piece.strip(" ;:,") for piece in quoted.split("…"))):
        assert piece in said(), f"nobody says: {piece}"


# --- and the other way round: what an operator can meet has a row ---------------------------------------------------------

REASONS = ["service/store/refusal.c", "service/store/preflight.c", "service/store/inspection.c", "service/store/confirmation.c", "service/store/link.c",
           "service/store/script_call.c", "service/private_redis",
           "lib/net/redis_client.c", "lib/net/redis_greeting.c", "lib/net/redis_sentinel.c", "lib/net/redis_reader.c", "lib/net/tls.c", "lib/net/dialer.c",
           "lib/net/name_lookup.c", "service/config/config.c", "service/config/config_listeners.c", "service/config/config_proxy.c", "service/config/config_reading.c",
           "service/config/config_tracing.c", "service/config/setting_guess.c", "service/config/setting_source.c", "service/config/setting_value.c",
           "service/spool/spool.c", "service/inbound/spool_batch.c", "service/inbound/batch_calls.c", "service/spool/spool_drain.c", "service/spool/spool_record.c",
           "service/command/check.c", "service/command/check_redis.c",
           "service/command/check_report.c", "service/command/dead.c", "service/command/question.c", "service/outbound/issuer_answer.c",
           "lib/base/journal.c", "lib/base/journal_directory.c", "lib/base/private_directory.c", "lib/base/secret.c",
           "lib/net/redis_url.c", "lib/net/listener.c", "lib/net/http_url.c", "lib/net/http_easy.c", "lib/net/http_sending.c", "lib/net/tls_server.c"]
NO_REASONS = {
    "%s is demanded, but %s": "in front of a reason",
    "something that the script does not return": "behind one",
    "(that of this process)": "the same", "(the old key of the count)": "the same",
    "cannot be used with replica": "Redis's words, which are looked for", "The user executing the script": "the same", "ACL failure in script": "the same",
    "to run the '": "the same", "ERR max number of clients": "the same",
    "room for all answers": "a static assertion", "as Redis gets them": "the same",
    "Redis is not connected": "of a caller's order, before anything is sent",
    "The private Redis runs again": "good news", "The spool can be written again": "the same",
    "The spool can be read again": "the same", "all can be used": "the same",
    "Everything that was spooled is in Redis": "the same", "Redis accepts the calls again that it refused": "the same",
    "Redis gives as much durability as before": "the same", "Redis is connected and fit": "the same", "The shard takes everything again": "the same",
    "A shard is on its way to another node of the cluster, and takes nothing until it is there": "the row names its event",
    "Redis gives less durability than before, and events are still accepted. Look at its settings, or set DURABILITY to the level that you need":
        "the row has its beginning",
    "; it may be stored all the same": "behind one", "A newer seek-token had arrived in the meantime": "the same",
    "%s gave one, valid for %lld s": "the same", "with this access token": "the same", "private Redis of the running service reached": "the same",
    "the certificate in %s is valid until %s": "the same",
    '%s%s; an acknowledged event is durable at the level \"%s\"%s%s': "the same", "would be sent again": "the same",
    "nothing to send again": "the same", "%s sent again, the last one at %s\\n": "the same",
    "note  proxy         SEEK is reached through the proxy %s": "the same",
    "Forget all%s dead applications for good?": "a question", "Send all%s dead applications again?": "the same",
    "(N from 1 to 16)": "behind one", "; its content type is": "the same", "(this text repeats the client secret)": "in the place of one",
    "nodes of a cluster": "in one", "libcurl writes that much": "a static assertion",
}
WORDS_LEAST, BEGINNING = 4, 40  # a sentence; what of it a row has at least


def paths(*names):
    for name in names:
        path = pathlib.Path(ROOT) / name
        yield from sorted(path.rglob("*.c")) if path.is_dir() else [path]


def code_of(path):
    return re.sub(r"/\*.*?\*/", "", re.sub(r'"\s*\n\s*"', "", path.read_text()), flags=re.S)


def reasons():
    for path in paths(*REASONS):
        for text in re.findall(r'"((?:[^"\\\n]|\\.)*)"', code_of(path)):
            text = text.replace('\\"', '"').strip()
            if len(text.split()) >= WORDS_LEAST and text not in NO_REASONS:
                yield text


# Whatever its length, which a command says instead of its answer.
SAID_INSTEAD = re.compile(r'(?:error_set\(\s*&?\w+(?:->\w+)?,\s*ERROR_\w+,|print_format\(\s*stderr,|fputs\()\s*"((?:[^"\\\n]|\\.)*)"(?!, stream)')
NOT_INSTEAD = {
    " [y/N] ": "behind a question", "nothing was changed\\n": "the answer to it", "no dead applications\\n": "an answer",
    "a page of tail does not fit": "which no setting can bring about",
}


def said_instead():
    for path in paths("service/command", "service/main.c"):
        for text in SAID_INSTEAD.findall(code_of(path)):
            text = re.sub(r"^move: (--from: )?", "", text.replace('\\"', '"'))
            if re.search(r"[a-z]{2}", re.sub(r"%[-.*0-9]*(?:zu|lld|ld|s|u|d|c|o)", "", text)) and text not in NOT_INSTEAD:
                yield text


def is_in_a_row(text, document):
    pieces = [piece.strip(" ;:,.\"") for piece in re.split(r"%%|%[-.*0-9]*(?:zu|lld|ld|s|u|d|c|o|$)|`|\\n", text)]
    return max(pieces, key=len)[:BEGINNING] in document


def troubleshooting():
    return (pathlib.Path(ROOT) / "docs" / "troubleshooting.md").read_text()


@pytest.mark.parametrize("text", sorted(set(reasons())))
def it_has_a_row_for_the_reason(text):
    assert is_in_a_row(text, troubleshooting()), f"docs/troubleshooting.md has no row for: {text}"


@pytest.mark.parametrize("text", sorted(set(said_instead())))
def it_has_a_row_for_what_a_command_says_instead(text):
    assert is_in_a_row(text, troubleshooting()), f"docs/troubleshooting.md has no row for: {text}"


def alarms():
    """Events of lines that warn, or tell of an error."""
    for path in paths("service", "lib"):
        if "sandbox" not in path.parts:
            yield from re.findall(r'log_(?:warn|error)\(\s*"([a-z_]+)"', code_of(path))


@pytest.mark.parametrize("event", sorted(set(alarms())))
def it_has_a_row_for_the_line_of_the_log(event):
    assert f"`{event}`" in troubleshooting(), f"docs/troubleshooting.md does not name {event}"


def it_looks_at_enough():
    assert len(set(reasons())) > 140 and len(set(alarms())) > 35 and len(set(said_instead())) > 20
    assert is_in_a_row("the name %s cannot be resolved: %s", "`the name … cannot be resolved: …`")
    assert not is_in_a_row("the name %s is odd to us: %s", "`the name … cannot be resolved: …`")


def it_quotes_enough():
    assert len(set(quotations())) > 40


def it_names_the_statuses_that_a_post_is_answered_with():
    """README's table: each status is in openapi.yaml, but for those of a proxy in between, which are not."""
    contract = yaml.safe_load((pathlib.Path(ROOT) / "openapi.yaml").read_text())
    answered = {status for status in contract["paths"]["/v1/events"]["post"]["responses"] if status.isdigit()}
    table = (pathlib.Path(ROOT) / "README.md").read_text().split("| answer | means | do |\n")[1].split("\n\n")[0]
    ours, others = set(), set()
    for line in table.splitlines()[1:]:
        (others if "a proxy in between" in line else ours).update(re.findall(r"\b[2-5]\d\d\b", line.split(" | ")[0]))
    assert ours == {"202", "200", "409", "503"} <= answered
    assert others and not others & answered
    assert all(status in ours or status.startswith("4") for status in answered), "a status that no row has"


def it_repeats_the_same_statuses_with_each_retry_helper():
    texts = [(pathlib.Path(ROOT) / name).read_text() for name in ("docs/clients.md", "tests/peers/clients/node_helpers.mjs")]
    assert [re.findall(r"\[(408[^]]*)\]", text) for text in texts] == [["408, 429, 500, 502, 503, 504"] * n for n in (3, 1)]


def it_gives_each_sample_a_port_of_its_own():
    """Somebody follows the documents one after the other: the sandbox still runs when the receiver is started."""
    everything = (pathlib.Path(ROOT) / "docs/samples/everything.sh").read_text()
    ports = dict(re.findall(r"(\w+)_PORT:=(\d+)", everything))
    assert len(set(ports.values())) == len(ports) == 5
    for name, program in (("RECEIVER", r"receiver\.py"), ("RECEIVER", r"SEEK_SIGNAL_NOTIFY_URL=http://127\.0\.0\.1:"),
                          ("SANDBOX", r"SEEK_SIGNAL_TOKEN_URL=http://127\.0\.0\.1:")):
        told = {port for path in (pathlib.Path(ROOT) / "docs").glob("*.md") for port in re.findall(program + r" ?(\d+)", path.read_text())}
        assert told == {ports[name]}, program


# --- what needs no key ---------------------------------------------------------------------------------------------------

KEYLESS = {"/livez": "the probes", "/readyz": "the probes", "/startupz": "the probes", "/": "the page"}  # others stand there as they are


def keyless_routes():
    return re.findall(r'\{"GET", +"(\S+)", +RIGHT_NONE,', (pathlib.Path(ROOT) / "service" / "inbound" / "api.c").read_text())


@pytest.mark.parametrize("name, sentence", [
    ("security.md", r"a caller needs a key or a certificate, except for (.*?) \|"), ("security.md", r"a page can read what needs no key: (.*?)\.\s"),
    ("security.md", r"with a key set that it does not know \| (.*?) \|"), ("tls.md", r"\n- ([^\n]*?) need no certificate, as they need no key")])
def it_lists_what_needs_no_key(name, sentence):
    (found,) = re.findall(sentence, (pathlib.Path(ROOT) / "docs" / name).read_text(), re.S)
    told = found.lower()
    names = {KEYLESS.get(path, f"`{path}`") for path in keyless_routes()}
    assert len(names) == 5 and {name for name in names if name not in told} == set()
    assert set(re.findall(r"`(/\S*)`", told)) == {name.strip("`") for name in names if name.startswith("`")}


def it_needs_no_key_where_the_contract_says_so():
    contract = yaml.safe_load((pathlib.Path(ROOT) / "openapi.yaml").read_text())
    open_paths = {path for path, item in contract["paths"].items() if item.get("get", {}).get("security") in ([], [{}])}
    assert open_paths == set(keyless_routes())
