# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Where an application lies: its shard, and the slot of a shard."""
import binascii
import functools

COUNT = 64  # of a cluster, as REDIS_SHARDS has it by default
SLOTS = 16384


def crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


TABLE = crc32c_table()


@functools.lru_cache(maxsize=None)
def shard_of(application):
    crc = 0xFFFFFFFF
    for byte in application.encode():
        crc = TABLE[(crc ^ byte) & 255] ^ crc >> 8
    return (crc ^ 0xFFFFFFFF) % COUNT


def slot_of(shard):
    """Redis hashes what is in the braces of a key."""
    return binascii.crc_hqx(str(shard).encode(), 0) % SLOTS


def shard_key(shard, name):
    return f"seek-signal:{{{shard}}}:{name}"
