# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The commands of the binary, as a person uses them."""
import email.utils
import json
import pathlib
import re
import signal
import time

import pytest

from fake_seek import FakeSeek
from stand import CLIENT_SECRET, ROOT, event, eventually


def it_checks_everything_for_real(stand, redis, sandbox):
    done = stand.service(sandbox, redis_url=redis.url).run("check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fsync" in done.stdout and "abcdefa.12345" in done.stdout
    assert f"Redis         reached at 127.0.0.1:{redis.port}; " in done.stdout, "it names what it tried"


def it_leaves_nothing_behind_in_redis(stand, redis, sandbox):
    """It is run before an upgrade, beside processes of another version, and before the settings are final."""
    check = stand.service(sandbox, redis_url=redis.url)
    assert check.run("check").returncode == 0
    assert redis.cli("KEYS", "*:layout") == redis.cli("KEYS", "*:environment") == redis.cli("KEYS", "*:shards") == ""
    redis.cli("SET", "seek-signal:{0}:layout", "1")
    redis.cli("SET", "seek-signal:{0}:shards", "1")
    assert check.run("check").returncode == 0
    assert redis.cli("GET", "seek-signal:{0}:layout") == "1", "which this version reads, and raises when it serves"
    redis.cli("SET", "seek-signal:{0}:environment", "https://other.example/graphql https://other.example")
    done = check.run("check")
    assert done.returncode == 1 and "belong to another GRAPHQL_URL" in done.stdout + done.stderr, done


def it_reports_every_mistake_of_the_settings_and_exits_2(stand):
    done = stand.service(None, client_id=None, workers="many").run("check", redis_url="ftp://x", max_in_flight="0")
    assert done.returncode == 2
    for name in ("CLIENT_ID", "WORKERS", "REDIS_URL", "MAX_IN_FLIGHT"):
        assert f"SEEK_SIGNAL_{name}" in done.stderr


def lines_of_start(stand, status=2, **settings):
    done = stand.service(None, **settings).run("serve")
    assert done.returncode == status, done
    return [json.loads(line) for line in done.stderr.splitlines()]


def it_tells_mistakes_and_warnings_at_the_start_in_the_form_of_the_log(stand):
    lines = lines_of_start(stand, workers="many", max_in_flight="0", log_level="error")
    assert {(line["level"], line["event"]) for line in lines} == {("error", "start_failed")}
    for name in ("WORKERS", "MAX_IN_FLIGHT"):
        assert len([line for line in lines if f"SEEK_SIGNAL_{name}=" in line["message"]]) == 1
    assert lines_of_start(stand, log_format="yaml"), "JSON is what a pipe gets while the setting itself is the mistake"
    lines = lines_of_start(stand, status=1, redis_url=f"unix://{stand.directory}/none", reddis_url="x", spool_dir="/dev/null/none")
    doubtful = [line for line in lines if line["event"] == "setting_doubtful"]
    assert [line["level"] for line in doubtful] == ["warn"] and "did you mean SEEK_SIGNAL_REDIS_URL" in doubtful[0]["message"]
    text = stand.service(None, workers="many", log_format="text").run("serve").stderr
    assert "ERROR start_failed  SEEK_SIGNAL_WORKERS=many" in text.replace('"', "")
    plain = stand.service(None, workers="many").run("check").stderr
    assert plain.startswith("SEEK_SIGNAL_WORKERS=many: "), "a command talks to a person"


def it_shows_each_thing_that_does_not_work(stand, redis):
    sandbox = stand.sandbox("--client-id", "client-1", "--client-secret", "another")
    done = stand.service(sandbox).run("check", redis_url="redis://127.0.0.1:1")
    assert done.returncode == 1
    lines = {line.split()[1]: line for line in done.stdout.splitlines() if line.startswith(("ok", "FAIL"))}
    assert lines["Redis"].startswith("FAIL") and lines["access"].startswith("FAIL") and lines["SEEK"].startswith("ok")
    assert lines["access"].endswith("are CLIENT_ID and CLIENT_SECRET right?")
    assert CLIENT_SECRET not in done.stdout + done.stderr


def it_fails_while_redis_takes_no_event(stand, redis, sandbox):
    """As /readyz does, and in its words alone: a command has no log."""
    redis.cli("CONFIG", "SET", "maxmemory", "1")
    done = stand.service(sandbox, redis_url=redis.url).run("check")
    assert done.returncode == 1 and done.stderr == ""
    (line,) = [line for line in done.stdout.splitlines() if line.split()[1] == "Redis"]
    assert line.startswith("FAIL") and "maxmemory" in line
    redis.cli("CONFIG", "SET", "maxmemory", "0")
    done = stand.service(sandbox, redis_url=redis.url).run("check")
    assert done.returncode == 0 and done.stderr == "", done


def it_tries_where_the_service_is_to_listen(stand, redis, sandbox):
    check = stand.service(sandbox, redis_url=redis.url, log_format=None)
    running = stand.service(sandbox, name="running", redis_url=redis.url).start()
    for listen, status, line in (
            (running.address, 0, f"ok    LISTEN        {running.address}: this machine has the address; the port is not tried"),
            ("nosuch.invalid:8787", 1, "FAIL  LISTEN        the name in nosuch.invalid:8787 cannot be resolved: "),
            (f"unix:{stand.directory}/none/api", 1, f"FAIL  LISTEN        listening on {stand.directory}/none/api: No such file or directory"),
            ("unix:/run/seek-signal-none/api", 0, "note  LISTEN        unix:/run/seek-signal-none/api: its directory is not there")):
        done = check.run("check", listen=listen, api_key="a-key-that-nobody-guesses")
        assert done.returncode == status and line in done.stdout, done
    done = check.run("check", listen="127.0.0.1:8788", ops_listen="127.0.0.1:8788")
    assert done.returncode == 2 and "SEEK_SIGNAL_OPS_LISTEN=127.0.0.1:8788: it is the address of SEEK_SIGNAL_LISTEN" in done.stderr, done
    running.must_stop()


@pytest.mark.parametrize("ahead_s, words", [(-60, "behind"), (60, "ahead of"), (0, None)])
def it_notes_that_the_clock_of_seek_differs(ahead_s, words, stand, redis):
    seek = FakeSeek(graphql=b'{"data":{"version":"1"}}')
    seek.server.RequestHandlerClass.date_time_string = lambda self, _=None: email.utils.formatdate(time.time() + ahead_s, usegmt=True)
    try:
        service = stand.service(None, redis_url=redis.url, graphql_url=f"http://{seek.address}/graphql", token_url=f"http://{seek.address}/oauth/token")
        done = service.run("check")
    finally:
        seek.close()
    found = re.findall(r"^note  clock +the clock of SEEK is (\d+) s (.*) the clock of this machine: ", done.stdout, re.M)
    assert done.returncode == 0 and (found == [] if words is None else found[0][1] == words and 55 <= int(found[0][0]) <= 65), done


def it_counts_nothing_when_nobody_answers(stand, redis, sandbox):
    for command in (("dead", "replay", "--all"), ("dead", "forget", "--all", "--dry-run")):
        done = stand.service(sandbox, redis_url=redis.url).run(*command, listen="127.0.0.1:1")
        assert done.returncode == 1 and done.stdout == "" and "no answer from" in done.stderr


def it_warns_of_a_log_with_seek_tokens(stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, log_upstream="full").start()
    assert any("every seek-token is written to the log" in line["message"] for line in service.must_log("setting_doubtful"))


def it_says_what_a_playground_answer_means(stand, redis):
    sandbox = stand.sandbox("--playground")
    done = stand.service(sandbox, redis_url=redis.url).run("check", audience="https://test.graphql.seek.com")
    assert done.returncode == 0 and "FORBIDDEN" in done.stdout


def it_probes_a_running_service(service, redis):
    settings = dict(listen=service.address, ops_listen=service.ops)
    assert service.run("health", **settings).returncode == 0
    redis.kill()
    done = service.run("health", **settings)
    assert done.returncode == 1
    assert service.run("health", listen="127.0.0.1:1", ops_listen="127.0.0.1:1").returncode == 1


def it_ends_a_probe_of_a_service_that_stands_still(service):
    service.send(signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert service.run("health", listen=service.address, ops_listen=service.ops).returncode == 1
        assert time.monotonic() - began < 30, "before whoever probes gives up"
    finally:
        service.send(signal.SIGCONT)


def it_shows_the_status_of_service_and_application(service):
    settings = dict(listen=service.address, ops_listen=service.ops)
    service.must_post(event("A/1 ü"))
    done = service.run("status", **settings)
    assert done.returncode == 0 and done.stdout.startswith("Working.\n\nSignals ") and "null" not in done.stdout, done
    done = service.run("status", "A/1 ü", **settings)
    assert done.returncode == 0 and done.stdout.startswith("A/1 ü is "), done
    assert service.run("status", "unknown", **settings).returncode == 1


def it_fits_its_help_on_a_screen(stand):
    done = stand.service().run("--help")
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and len(lines) <= 24 and max(map(len, lines)) <= 120
    everything = stand.service().run("--help", "all").stdout
    assert "RETRY_MAX_AGE_S" in everything and "1209600" in everything


def it_says_of_each_command_what_it_alone_does(stand):
    everything = stand.service().run("--help", "all").stdout
    (paused,) = (line for line in everything.splitlines() if line.startswith("  pause "))
    (listed,) = (line for line in everything.splitlines() if line.startswith("  dead list "))
    assert "stop sending for every process on this Redis" in paused and "forget" not in listed
    short = stand.service().run("--help").stdout
    assert "pause, resume, move " in short and "stop and restart sending" in short


def it_names_every_command_in_the_operators_table(stand):
    text = (pathlib.Path(ROOT) / "docs" / "operating.md").read_text()
    table = "\n".join(line.split(" | ")[0] for line in text.splitlines() if line.startswith("| `seek-signal "))
    everything = stand.service().run("--help", "all").stdout
    commands = re.findall(r"^  ((?:dead )?[a-z]+) ", everything, re.M)
    assert len(commands) > 12
    assert [name for name in commands if name not in ("serve", "version") and f"`seek-signal {name}" not in table] == []


def it_explains_one_command_when_that_is_asked(stand):
    done = stand.service().run("dead", "replay", "--help")
    assert done.returncode == 0 and "dead list" in done.stdout and "REDIS_URL" not in done.stdout
    assert "--per-second" in done.stdout and "default 20" in done.stdout
    assert "REDIS_URL" in stand.service().run("--listen", "unix:/a", "--help").stdout


def it_takes_help_for_an_id_where_an_id_stands(service):
    settings = dict(listen=service.address, ops_listen=service.ops)
    service.must_post(event("help"))
    shown = service.run("status", "help", **settings)
    assert shown.returncode == 0 and "usage" not in shown.stdout, shown
    forgotten = service.run("forget", "help", **settings)
    assert forgotten.returncode == 0 and "usage" not in forgotten.stdout, forgotten
    assert service.get("/v1/applications/help").status == 404


# What the service listens at; getaddrinfo takes a star for every address.
@pytest.mark.parametrize("host", ["*", "0.0.0.0", "127.1"])
def it_reaches_a_service_on_every_address_by(host, service):
    api, ops = (address.replace("127.0.0.1", host) for address in (service.address, service.ops))
    for command in ("status", "health"):
        done = service.run(command, listen=api, ops_listen=ops)
        assert done.returncode == 0, done


def it_takes_any_id_after_two_hyphens(service):
    settings = dict(listen=service.address, ops_listen=service.ops)
    for name in ("--json", "--listen", "-h", "--"):
        service.must_post(event(name))
        for command in (["status", "--json"], ["dead", "show"], ["forget"]):
            done = service.run(*command, "--", name, **settings)
            assert done.returncode == 0 and name in done.stdout, done
        assert service.get(f"/v1/applications/{name}").status == 404
    for command in ("status", "forget", "replay"):
        done = service.run(command, "", **settings)
        assert done.returncode == 2 and "the application's id is empty" in done.stderr, done


@pytest.mark.parametrize("words, said", [
    (["help"], "usage:"), (["help", "all"], "RETRY_MAX_AGE_S"), (["-h"], "usage:"), (["forget", "-h"], "seek-signal forget"),
    (["dead", "-h"], "seek-signal dead list"), (["dead", "--help"], "seek-signal dead list"), (["unknown", "--help"], "usage:"),
    (["help", "dead"], "seek-signal dead list"), (["--help", "forget"], "seek-signal forget"), (["help", "unknown"], "usage:")])
def it_explains_itself_for(stand, words, said):
    done = stand.service().run(*words)
    assert done.returncode == 0 and said in done.stdout, done


def it_does_nothing_for_a_help_that_comes_late(stand):
    for words in (["forget", "A-1", "--help"], ["dead", "forget", "--all", "-h"], ["check", "help"]):
        done = stand.service().run(*words)
        assert done.returncode == 2 and done.stdout == "", done


def it_shows_the_commands_that_a_mistyped_one_may_have_meant(stand):
    for words in (["dead", "lst"], ["dead", "lst", "--json"]):
        done = stand.service().run(*words)
        assert done.returncode == 2 and done.stderr.startswith("lst: unknown command after dead: did you mean `seek-signal dead list`?\n"), done
        assert "seek-signal dead replay" in done.stderr
    for words, said in ((["dead", "ls"], "ls: unknown command after dead: see `seek-signal --help`\n"),
                        (["staus", "A-1"], "staus: unknown command: did you mean `seek-signal status`?\n"),
                        (["ded", "list"], "ded: unknown command: did you mean `seek-signal dead list`?\n"),
                        (["nothing"], "nothing: unknown command: see `seek-signal --help`\n")):
        done = stand.service().run(*words)
        assert done.returncode == 2 and done.stderr.startswith(said), done


def it_shows_request_ids_one_below_the_other(service):
    service.must_post(event("A-1"))
    ids = service.must_become("A-1", "delivered")["requestIds"]
    shown = service.run("status", "A-1", listen=service.address).stdout.splitlines()
    assert [line.split()[-1] for line in shown if line.endswith(tuple(ids))] == ids
    assert "[" not in "".join(shown)


def it_shows_each_attempt_as_a_line(service, sandbox):
    sandbox.fault(on="graphql", kind="forbidden", count=1)
    service.must_post(event("A-1", "token-1"))
    service.must_become("A-1", "dead")
    shown = service.run("status", "A-1", listen=service.address).stdout
    assert re.search(r"^Attempts +1, the newest first:\n +1 +\d+ m?s ago, [\d-]+ [\d:]+ UTC +refused, FORBIDDEN$", shown, re.M), shown


def it_says_the_state_first_and_what_to_do(service, sandbox):
    sandbox.fault(on="graphql", kind="forbidden", count=1)
    service.must_post(event("A-1", "token-1"))
    service.must_become("A-1", "dead")
    one = service.run("status", "A-1", listen=service.address).stdout.splitlines()
    assert one[0] == "A-1 is dead: SEEK refused its signal."
    assert one[1].startswith("  FORBIDDEN: ") and "`seek-signal replay A-1`" in one[2] and one[3] == ""

    def first():
        return service.run("status", listen=service.address).stdout.splitlines()

    assert eventually(lambda: first()[:2] if "dead" in first()[0] else None, "the dead one is counted") == [
        "Working. 1 application is dead.",
        "  Next: `seek-signal dead list` shows them, in SEEK's words. Remove the cause, then `seek-signal dead replay`."]
    service.run("pause", listen=service.address)
    line = eventually(lambda: next((line for line in first()[:1] if "paused" in line), None), "the pause is seen")
    assert re.fullmatch(r"Sending is paused, since \d+ m?s ago, [\d-]+ [\d:]+ UTC\. Events are still accepted\. 1 application is dead\.", line), line
    service.run("resume", listen=service.address)


def it_says_first_that_seek_is_down(service, sandbox):
    sandbox.fault(on="graphql", kind="status", status=503, count=0)
    for number in range(12):
        service.must_post(event(f"A-{number}", f"token-{number}"))
    eventually(lambda: service.logs("breaker_opened"), "the breaker opens")
    shown = service.run("status", listen=service.address).stdout
    assert shown.startswith("SEEK is down, and sending is on hold. Events are still accepted.\n  Next: "), shown
    assert "last failure HTTP_503: " in shown, shown


def it_says_first_that_redis_is_away(service, redis):
    redis.kill()
    eventually(lambda: service.get("/readyz").status == 503, "Redis is missed")
    shown = service.run("status", listen=service.address).stdout
    assert shown.startswith("Redis is away: ") and "Events get 503 meanwhile" in shown.splitlines()[0], shown


def it_knows_its_version_and_refuses_unknown_commands(stand):
    assert stand.service().run("version").stdout.startswith("seek-signal ")
    done = stand.service().run("serv")
    assert done.returncode == 2 and "serv" in done.stderr
