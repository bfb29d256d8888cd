# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Debian 12's Redis."""
import types

import pytest

from programs import debian_version, program
from redis_cases import (  # noqa: F401
    it_goes_on_behind_what_ends_silent_connections,
    it_loses_nothing_when_redis_is_killed_and_started,
    it_names_the_level_that_is_reached,
    it_promises_no_sync_that_has_not_happened,
    it_survives_a_failover,
    it_works_with_the_least_rights_that_are_documented,
    it_works_without_the_commands_that_managed_services_forbid,
    server,
)


@pytest.fixture
def kind():
    command = program("redis-server")
    return types.SimpleNamespace(title=f"Redis {debian_version('redis-server')}", command=[command], sentinel=[command], has_waitaof=False,
                                 is_waitaof_true=False)
