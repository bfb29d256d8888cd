# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Which faults there are in which world."""
import cluster_faults
import damage_faults
import redis_faults
import seek_faults
import sentinel_faults
import service_faults

SINGLE = service_faults.FAULTS + redis_faults.FAULTS + seek_faults.FAULTS + damage_faults.FAULTS
SENTINEL = service_faults.FAULTS + sentinel_faults.FAULTS + seek_faults.FAULTS + damage_faults.FAULTS
CLUSTER = service_faults.FAULTS + cluster_faults.FAULTS + seek_faults.FAULTS
BY_NAME = {fault.name: fault for fault in SINGLE + SENTINEL + CLUSTER}
