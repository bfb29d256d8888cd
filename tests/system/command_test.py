# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The commands of the binary, as a person uses them."""
from stand import CLIENT_SECRET, event


def it_checks_everything_for_real(stand, redis, sandbox):
    done = stand.service(sandbox, redis_url=redis.url).run("check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fsync" in done.stdout and "abcdefa.12345" in done.stdout


def it_reports_every_mistake_of_the_settings_and_exits_2(stand):
    done = stand.service(None, client_id=None, workers="many").run("check", redis_url="ftp://x", max_in_flight="0")
    assert done.returncode == 2
    for name in ("CLIENT_ID", "WORKERS", "REDIS_URL", "MAX_IN_FLIGHT"):
        assert f"SEEK_SIGNAL_{name}" in done.stderr


def it_shows_each_thing_that_does_not_work(stand, redis):
    sandbox = stand.sandbox("--client-id", "client-1", "--client-secret", "another")
    done = stand.service(sandbox).run("check", redis_url="redis://127.0.0.1:1")
    assert done.returncode == 1
    lines = {line.split()[1]: line for line in done.stdout.splitlines() if line.startswith(("ok", "FAIL"))}
    assert lines["Redis"].startswith("FAIL") and lines["access"].startswith("FAIL") and lines["SEEK"].startswith("ok")
    assert CLIENT_SECRET not in done.stdout + done.stderr


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


def it_shows_the_status_of_service_and_application(service):
    settings = dict(listen=service.address, ops_listen=service.ops)
    service.must_post(event("A/1 ü"))
    done = service.run("status", **settings)
    assert done.returncode == 0 and "breaker" in done.stdout
    done = service.run("status", "A/1 ü", **settings)
    assert done.returncode == 0 and "A/1 ü" in done.stdout
    assert service.run("status", "unknown", **settings).returncode == 1


def it_fits_its_help_on_a_screen(stand):
    done = stand.service().run("--help")
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and len(lines) <= 24 and max(map(len, lines)) <= 120
    everything = stand.service().run("--help", "all").stdout
    assert "RETRY_MAX_AGE_S" in everything and "1209600" in everything


def it_explains_one_command_when_that_is_asked(stand):
    done = stand.service().run("dead", "replay", "--help")
    assert done.returncode == 0 and "dead list" in done.stdout and "REDIS_URL" not in done.stdout
    assert "--per-second" in done.stdout and "20 unless given" in done.stdout
    assert "REDIS_URL" in stand.service().run("--listen", "unix:/a", "--help").stdout


def it_shows_the_commands_that_a_mistyped_one_may_have_meant(stand):
    for words in (["dead"], ["dead", "lst"]):
        done = stand.service().run(*words)
        assert done.returncode == 2 and "unknown command" in done.stderr and "seek-signal dead list" in done.stderr


def it_shows_request_ids_one_below_the_other(service):
    service.must_post(event("A-1"))
    ids = service.must_become("A-1", "delivered")["requestIds"]
    shown = service.run("status", "A-1", listen=service.address).stdout.splitlines()
    assert [line.split()[-1] for line in shown if line.endswith(tuple(ids))] == ids
    assert "[" not in "".join(shown)


def it_knows_its_version_and_refuses_unknown_commands(stand):
    assert stand.service().run("version").stdout.startswith("seek-signal ")
    done = stand.service().run("serv")
    assert done.returncode == 2 and "serv" in done.stderr
