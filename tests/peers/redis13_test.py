# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Debian 13's Redis and Valkey, whatever Debian this is: their packages are unpacked into build/peers/trixie, not installed,
and run with the libraries that they were built for."""
import re
import subprocess
import types

import pytest

from programs import trixie
from redis_cases import (  # noqa: F401
    it_goes_on_behind_what_ends_silent_connections,
    it_loses_nothing_when_redis_is_killed_and_started,
    it_names_the_level_that_is_reached,
    it_promises_no_sync_that_has_not_happened,
    it_survives_a_failover,
    it_waits_once_for_many_writes,
    it_works_with_the_least_rights_that_are_documented,
    it_works_without_the_commands_that_managed_services_forbid,
    server,
)

pytestmark = pytest.mark.whole
SERVERS = {"redis-server": "Redis", "valkey-server": "Valkey"}


@pytest.fixture(scope="module", params=SERVERS)
def kind(request):
    command = trixie("trixie", request.param, *SERVERS)
    said = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True).stdout
    title = f"{SERVERS[request.param]} {re.search(r'v=([0-9.]+)', said)[1]}"
    return types.SimpleNamespace(title=title, command=command, sentinel=command, has_waitaof=True,
                                 is_waitaof_true=request.param == "redis-server")
