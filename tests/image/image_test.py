# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The image of the service, and of the sandbox beside it."""
import io
import json
import re
import subprocess
import tarfile

import pytest

from containers import EMBEDDED, SANDBOX, SERVICE, USER, delivered, docker, inspect, must_become, must_post
from stand import ROOT, eventually

IMAGES = [SERVICE, EMBEDDED, SANDBOX]
MEGABYTES_MAX = {SERVICE: 26, EMBEDDED: 36, SANDBOX: 25}
PROGRAMS = {SERVICE: {"seek-signal"}, EMBEDDED: {"seek-signal", "redis-server"}, SANDBOX: {"seek-sandbox", "openssl"}}


def files(image):
    container = docker("create", image)
    try:
        done = subprocess.run(["docker", "export", container], capture_output=True, check=True, timeout=120)
    finally:
        docker("rm", "--volumes", container)
    # Docker itself adds these to every container.
    added = re.compile(r"(\.dockerenv|dev|proc|sys)(/|$)|etc/(hosts|hostname|resolv\.conf|mtab)$")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        return {member.name: member for member in archive if not added.match(member.name)}


@pytest.mark.parametrize("image", IMAGES)
def it_is_small(image):
    megabytes = inspect("image", image)["Size"] / 1e6
    print(f"{image}: {megabytes:.1f} MB")
    assert megabytes <= MEGABYTES_MAX[image]


@pytest.mark.parametrize("image", IMAGES)
def it_holds_its_programs_and_no_shell_or_package_manager(image):
    held = files(image)
    programs = {name.rsplit("/", 1)[1] for name, member in held.items()
                if member.isfile() and member.mode & 0o111 and ".so" not in name}
    assert programs == PROGRAMS[image]
    assert not [name for name, member in held.items() if member.mode & 0o6000], "no set-uid program"
    owned = {name for name, member in held.items() if member.uid != 0}
    assert owned <= {"var/lib/seek-signal", "var/lib/seek-sandbox"}, "the user can change nothing but its data"
    assert "etc/ssl/certs/ca-certificates.crt" in held


@pytest.mark.parametrize("image", IMAGES)
def it_tells_scanners_its_packages_and_readers_their_licences(image):
    held = files(image)
    packages = {name.rsplit("/", 1)[1] for name in held if name.startswith("var/lib/dpkg/status.d/") and held[name].isfile()}
    assert {"libc6", "libssl3t64", "ca-certificates"} <= packages
    assert not [package for package in packages if f"usr/share/doc/{package}/copyright" not in held]


@pytest.mark.parametrize("image", IMAGES)
def it_has_a_bill_of_materials(image):
    done = subprocess.run([ROOT / "cmake" / "sbom", "image", image], capture_output=True, text=True, check=True)
    bill = json.loads(done.stdout)
    packages = {name.rsplit("/", 1)[1] for name, member in files(image).items() if name.startswith("var/lib/dpkg/status.d/") and member.isfile()}
    assert {one["name"] for one in bill["components"]} == packages
    assert bill["metadata"]["component"]["hashes"][0]["content"] == inspect("image", image)["Id"].removeprefix("sha256:")


@pytest.mark.parametrize("image", IMAGES)
def it_runs_as_a_number_that_is_not_root(image):
    assert inspect("image", image)["Config"]["User"] == f"{USER}:{USER}"


@pytest.mark.parametrize("image", IMAGES)
def it_is_labelled_with_the_version_it_has(image):
    labels = inspect("image", image)["Config"]["Labels"]
    version = docker("run", "--rm", image, "--version").split()[1]
    assert labels["org.opencontainers.image.version"] == version
    assert labels["org.opencontainers.image.licenses"] == "MIT"
    assert {"title", "description", "revision", "vendor"} <= {name.rsplit(".", 1)[1] for name in labels}


def certificate(containers, name):
    """A self-signed one for `name`, and its key."""
    key, pem = containers.file(f"{name}-key.pem"), containers.file(f"{name}.pem", mode=0o644)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
                    "-keyout", key, "-out", pem], check=True, capture_output=True, timeout=60)
    return key, pem


def redis_with_tls(containers):
    """A redis-server that takes TLS only; there is one in the embedded image."""
    key, pem = certificate(containers, "redis")
    redis = containers.run(
        "redis", EMBEDDED, "--port", "0", "--tls-port", "6379", "--tls-auth-clients", "no", "--tls-cert-file", "/tls/cert.pem",
        "--tls-key-file", "/tls/key.pem", "--appendonly", "yes", "--appendfsync", "always", "--save", "",
        "--dir", "/var/lib/seek-signal", "--bind", "0.0.0.0", "--protected-mode", "no",
        options=["--entrypoint=/usr/bin/redis-server", "--no-healthcheck",
                 f"--volume={pem}:/tls/cert.pem:ro", f"--volume={key}:/tls/key.pem:ro"])
    eventually(lambda: "Ready to accept connections" in redis.text(), "Redis is ready", 180)
    redis.ca = pem
    return redis


@pytest.fixture
def sandbox(containers):
    return containers.sandbox()


@pytest.fixture
def redis(containers):
    return redis_with_tls(containers)


def it_delivers_with_tls_to_seek_and_to_redis(containers, sandbox, redis):
    service = containers.service(sandbox, redis_url="rediss://redis:6379", redis_ca_file="/redis-ca.pem",
                                 options=[f"--volume={redis.ca}:/redis-ca.pem:ro"]).must_be_ready()
    assert must_post(service, "A-1", "tls-token")["durability"] == "fsync"
    must_become(service, "A-1", "delivered")
    assert delivered(sandbox) == ["tls-token"]
    service.must_stop()
    eventually(lambda: service.logs("stopped"), "SIGTERM came through to the service as process 1")


def it_trusts_the_certificates_of_the_image_unless_told_otherwise(containers, sandbox, redis):
    """The same bundle, put in place of the image's: both libraries find it without a setting."""
    bundle = containers.file("bundle.pem", redis.ca.read_text() + ca_of(sandbox), mode=0o644)
    service = containers.service(sandbox, redis_url="rediss://redis:6379", ca_file="",
                                 options=[f"--volume={bundle}:/etc/ssl/certs/ca-certificates.crt:ro"]).must_be_ready()
    must_post(service, "A-1")
    must_become(service, "A-1", "delivered")
    service.must_stop()


def ca_of(sandbox):
    done = subprocess.run(["docker", "cp", f"{sandbox.name}:/var/lib/seek-sandbox/ca.pem", "-"], capture_output=True,
                          check=True, timeout=60)
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        return archive.extractfile("ca.pem").read().decode()


def it_refuses_a_redis_that_it_cannot_verify(containers, sandbox, redis):
    service = containers.service(sandbox, redis_url="rediss://redis:6379")
    eventually(lambda: "listening" in service.text(), "it listens")

    def refused():
        answer = service.call("GET", "/readyz", port=8788)
        return answer.status == 503 and "certificate" in answer.body.decode()
    eventually(refused, "readiness names the certificate")
    service.must_stop()


def it_is_healthy_while_it_is_ready(containers, sandbox, redis):
    service = containers.service(
        sandbox, redis_url="rediss://redis:6379", redis_ca_file="/redis-ca.pem",
        options=[f"--volume={redis.ca}:/redis-ca.pem:ro", "--health-interval=1s", "--health-retries=1",
                 "--health-start-period=0s"])
    eventually(lambda: service.state["Health"]["Status"] == "healthy", "healthy", 60)
    redis.must_stop()
    eventually(lambda: service.state["Health"]["Status"] == "unhealthy", "unhealthy without Redis", 60)
    service.must_stop()


def it_checks_the_settings_for_real(containers, sandbox, redis):
    service = containers.service(sandbox, redis_url="rediss://redis:6379", redis_ca_file="/redis-ca.pem",
                                 options=[f"--volume={redis.ca}:/redis-ca.pem:ro"]).must_be_ready()
    assert service.execute("/usr/bin/seek-signal", "check", check=False).returncode == 0
    assert service.execute("/usr/bin/seek-signal", "status", check=False).returncode == 0
    shell = service.execute("/bin/sh", "-c", "true", check=False)
    assert shell.returncode != 0
    service.must_stop()


def it_says_what_is_missing(containers):
    done = docker("run", "--rm", SERVICE, check=False)
    assert done.returncode == 2
    assert "SEEK_SIGNAL_CLIENT_ID is missing" in done.stderr


def it_documents_the_sizes():
    """docs/image.md names each image's size; a megabyte off is a reason to look why."""
    text = (ROOT / "docs" / "image.md").read_text()
    for image in IMAGES:
        target, found = image.rsplit("/", 1)[1], inspect("image", image)
        row = re.search(rf"\| `{target}` \|[^|]*\| (?P<amd64>[\d.]+) MB \| (?P<arm64>[\d.]+) MB \|", text)
        assert abs(found["Size"] / 1e6 - float(row[found["Architecture"]])) < 1, target
