# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""docker/compose.cluster.yaml, started again: nodes that are a cluster already say `cluster_state:fail` for some seconds."""
import os
import subprocess

import pytest
import yaml

from stand import ROOT

# Its node 1 says what SAYS has, a line for each question, and the last one for all others.
REDIS_CLI = """#!/bin/sh
echo "$@" >>"$CALLS"
[ "$1" = -h ] || exit 0
asked=$(grep -c "cluster info" "$CALLS")
line=$(sed -n "${asked}p" "$SAYS")
[ -n "$line" ] || line=$(tail -n 1 "$SAYS")
set -- $line
printf 'cluster_enabled:1\\r\\ncluster_state:%s\\r\\ncluster_known_nodes:%s\\r\\ncluster_size:0\\r\\n' "$1" "$2"
"""


@pytest.mark.parametrize("says, is_made", [("fail 1\nfail 1\nok 6\n", True), ("fail 6\nfail 6\nok 6\n", False), ("ok 6\n", False)])
def it_makes_a_cluster_of_nodes_that_are_none(tmp_path, says, is_made):
    made = yaml.safe_load((ROOT / "docker" / "compose.cluster.yaml").read_text())["services"]["make-cluster"]["command"]
    for name, text in (("redis-cli", REDIS_CLI), ("getent", '#!/bin/sh\necho "10.0.0.${2#node-} $2"\n'), ("sleep", "#!/bin/sh\n")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    (tmp_path / "says").write_text(says)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "CALLS": str(tmp_path / "calls"), "SAYS": str(tmp_path / "says")}
    subprocess.run([part.replace("$$", "$") for part in made], env=environment, check=True, timeout=60)
    calls = (tmp_path / "calls").read_text()
    assert ("--cluster create 10.0.0.1:6379 10.0.0.2:6379" in calls) == is_made, calls
