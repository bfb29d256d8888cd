# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""What settings name in the file system: nobody else may be able to change it, and nothing there holds the service up."""
import os
import pathlib
import stat

import pytest

from stand import event, eventually

OTHER = 12345  # a user that is neither the service's nor root


def refuse(stand, sandbox, command, **settings):
    """The exit status and the words of a start or a check that must not hang."""
    done = stand.service(sandbox, **settings).run(command, timeout=30)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("command", ["serve", "check"])
@pytest.mark.parametrize("setting", ["data_dir", "spool_dir"])
@pytest.mark.parametrize("fault", ["everybody's", "another user's", "another user's link"])
def it_refuses_a_directory_that_others_can_change(fault, setting, command, stand, redis, sandbox, tmp_path):
    if fault != "everybody's" and os.geteuid() != 0:
        pytest.skip("only root can make what belongs to somebody else")
    directory = tmp_path / "directory"
    directory.mkdir(mode=0o700)
    named = directory
    if fault == "everybody's":
        directory.chmod(0o777)
    elif fault == "another user's":
        os.chown(directory, OTHER, -1)
    else:
        named = tmp_path / "link"
        named.symlink_to(directory)
        os.chown(named, OTHER, -1, follow_symlinks=False)
    settings = {setting: named} | ({"redis_url": redis.url} if setting == "spool_dir" else {})
    status, said = refuse(stand, sandbox, command, **settings)
    if (fault, command) == ("another user's", "check"):  # who is root, and asks for a service that runs as that user
        assert status == 0 and "FAIL" not in said, said
        what = "spool" if setting == "spool_dir" else "Redis"
        assert f"note  {what:13} not tried: SEEK_SIGNAL_{setting.upper()} belongs to user {OTHER}, which is right if" in said, said
        assert not list(directory.iterdir()), "root leaves nothing there that the service could not write to"
        return
    assert status == (2 if command == "serve" else 1), said
    assert f"SEEK_SIGNAL_{setting.upper()}: " in said and str(named) in said, said
    remedy = {"everybody's": "chmod 700", "another user's": "chown it", "another user's link": "name the directory itself"}
    assert remedy[fault] in said, said
    assert not list(directory.iterdir()), "nothing was put there"


@pytest.mark.parametrize("missing", ["directory", "parent/directory"])
@pytest.mark.parametrize("setting", ["data_dir", "spool_dir"])
def it_makes_no_directory_of_roots_in_one_of_the_services_user(setting, missing, stand, redis, sandbox, tmp_path):
    """The service could not use it."""
    if os.geteuid() != 0:
        pytest.skip("only root can make what belongs to somebody else")
    os.chown(tmp_path, OTHER, -1)
    settings = {setting: tmp_path / missing} | ({"redis_url": redis.url} if setting == "spool_dir" else {})
    before = sorted(tmp_path.iterdir())
    status, said = refuse(stand, sandbox, "check", **settings)
    assert sorted(tmp_path.iterdir()) == before, said
    assert status == 0 and "FAIL" not in said, said
    assert f"not tried: SEEK_SIGNAL_{setting.upper()} is missing, and {tmp_path} belongs to user {OTHER}, " in said, said


def it_makes_a_private_directory_in_one_that_everybody_may_write_to(stand, sandbox, tmp_path):
    """A fresh volume of Kubernetes (emptyDir) is like that."""
    volume = tmp_path / "volume"
    volume.mkdir()
    volume.chmod(0o777)
    service = stand.service(sandbox, data_dir=volume / "data", spool_dir=volume / "spool").start()
    service.must_post(event("A-1"))
    service.must_become("A-1", "delivered")
    service.must_stop()
    assert [stat.S_IMODE((volume / name).stat().st_mode) for name in ("data", "spool")] == [0o700, 0o700]


def it_uses_a_link_of_its_own(stand, sandbox, tmp_path):
    """systemd's StateDirectory= is one, with DynamicUser=."""
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "data")
    service = stand.service(sandbox, data_dir=tmp_path / "link").start()
    service.must_post(event("A-1"))
    service.must_become("A-1", "delivered")
    service.must_stop()


def it_is_not_held_up_by_a_fifo_named_like_a_segment(stand, redis, sandbox, tmp_path):
    spool = tmp_path / "spool"
    spool.mkdir(mode=0o700)
    os.mkfifo(spool / "journal-0000000000000001.log", 0o600)
    service = stand.service(sandbox, redis_url=redis.url, spool_dir=spool).start()
    [line] = service.must_log("spool_damaged")
    assert "SPOOL_DIR" in line["message"]
    assert (spool / "corrupt-0000000000000001.log").is_fifo()
    redis.kill()
    assert eventually(lambda: (a := service.post("/v1/events", event("A-1"))).status == 202 and a, "spooled").json[
        "durability"] == "spool"
    redis.start()
    service.must_become("A-1", "delivered")
    service.must_stop()


@pytest.mark.parametrize("name", ["lock", "redis.lock", "redis.log"])
@pytest.mark.parametrize("command", ["serve", "check"])
def it_is_not_held_up_by_a_fifo_in_its_data_directory(command, name, stand, sandbox, tmp_path):
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    os.mkfifo(data / name, 0o600)
    status, said = refuse(stand, sandbox, command, data_dir=data)
    assert status == 1 and name in said and "it is not a regular file of this user: remove it" in said, said


@pytest.mark.parametrize("command", ["serve", "check"])
@pytest.mark.parametrize("setting", ["ca_file", "redis_ca_file", "client_secret_file", "api_key_file", "redis_url_file"])
@pytest.mark.parametrize("kind", ["fifo", "directory", "device"])
def it_is_not_held_up_by_what_is_no_file(kind, setting, command, stand, redis, sandbox, tmp_path):
    path = pathlib.Path("/dev/zero") if kind == "device" else tmp_path / kind
    if kind == "fifo":
        os.mkfifo(path, 0o600)
    elif kind == "directory":
        path.mkdir()
    settings = {"redis_url": redis.url} | ({"client_secret": None} if setting == "client_secret_file" else {})
    if setting == "redis_url_file":
        settings["redis_url"] = None
    status, said = refuse(stand, sandbox, command, **settings | {setting: path})
    assert status == 2 and f"SEEK_SIGNAL_{setting.upper().removesuffix('_FILE')}" in said and "not a regular file" in said, said


def it_leaves_tracing_out_whose_certificate_is_no_file(stand, redis, sandbox, tmp_path):
    os.mkfifo(tmp_path / "fifo", 0o600)
    service = stand.service(sandbox, redis_url=redis.url, otel_exporter_otlp_endpoint="https://127.0.0.1:1",
                            otel_exporter_otlp_certificate=tmp_path / "fifo").start()
    assert "OTEL_EXPORTER_OTLP_CERTIFICATE" in service.text() and "not a regular file; there is no tracing now" in service.text()
    service.must_post(event("A-1"))
    service.must_become("A-1", "delivered")
    service.must_stop()


@pytest.mark.parametrize("command", ["serve", "check"])
def it_warns_of_a_socket_that_everybody_could_replace(command, stand, redis, sandbox, tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    service = stand.service(sandbox, redis_url=redis.url, listen=f"unix:{shared}/api")
    if command == "check":
        said = service.run("check").stderr
    else:
        service.start()
        service.must_stop()
        said = service.text()
    assert "everybody may write to its directory" in said and f"chmod o-w {shared}/" in said, said
    shared.chmod(0o1777)  # as /tmp is: only the owner may replace it
    assert "everybody may write" not in service.run("check").stderr


@pytest.mark.parametrize("setting", ["listen", "ops_listen"])
def it_refuses_a_socket_where_something_else_is(setting, stand, redis, sandbox, tmp_path):
    os.mkfifo(tmp_path / "api", 0o600)
    status, said = refuse(stand, sandbox, "serve", redis_url=redis.url, **{setting: f"unix:{tmp_path}/api"})
    assert status == 1 and setting.upper() in said and f"{tmp_path}/api is there and is not a socket" in said, said
    assert (tmp_path / "api").is_fifo(), "it is left alone"
