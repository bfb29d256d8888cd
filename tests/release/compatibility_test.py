# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The numbers of what outlives a version, as docs/compatibility.md names them, are those of the code."""
import re

from source import ROOT

SAID = (ROOT / "docs" / "compatibility.md").read_text()


def constant(name, pattern):
    return re.search(pattern, (ROOT / "service" / name).read_text())[1]


def it_names_the_number_of_the_layout_in_redis():
    number = constant("store/shard.h", r'SHARD_LAYOUT_NUMBER "(.+?)"')
    of_cluster = constant("serve/redis_location.c", r"CLUSTER_SHARDS = ([0-9]+)")
    assert f"`seek-signal:{{0}}:layout` holds `{number}`" in SAID
    assert f"`seek-signal:{{0}}:shards`, which holds the number of shards: `1`, on a cluster `{of_cluster}`" in " ".join(SAID.split())


def it_names_the_version_of_a_record_in_the_spool():
    record = constant("spool/spool_record.c", r"VERSION = ([0-9]+),")
    assert f"today `{record}`" in SAID


def it_has_a_row_for_every_surface():
    rows = re.findall(r"^\| \*\*(\w+)", SAID, re.M)
    assert {"API", "Settings", "Commands", "Metrics", "Log", "Redis", "Spool", "Images"} <= set(rows)
