# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Services with a bug in them, built from a copy of the sources: the proof must find what each of them does."""
import collections
import copy
import pathlib
import shutil
import subprocess
import tempfile

import faults
import proof
import stand

ACCEPT_ANYWAY = """{
            static const struct store_failure fine = {.status = STORE_OK};
            const struct accept_result anyway = {ACCEPT_ACCEPTED, DELIVERY_PENDING, "00000000-0000-4000-8000-000000000000"};
            const struct batch_result lie = {.failure = &fine, .result = &anyway, .durability = result.durability};
            report(&call->places[i], results != NULL ? &result : &lie);
        }"""

SEND_BEFORE = """    reserve_places(call);
    static struct accept_result early[BATCH_CALL_EVENTS_MAX];
    for (size_t i = 0; i < call->count; i++)
        early[i] = (struct accept_result){
            .lease = i < call->reserved && call->places[i].item.seek_token != NULL, .accepted_at_ms = 1767323045000};
    hand_over(call, early, true);
"""

MUTANTS = [
    # the bug, file, what is there, what it becomes, faults that bring it to light, finding
    ("an accepted event is not made due: a lost wake-up", "service/store/calls/accept.lua",
     "    redis.call('ZADD', due, unpack(entries))\n", "", "", "lost"),
    ("acknowledged although Redis did not commit", "service/inbound/batch.c",
     "report(&call->places[i], &result);", ACCEPT_ANYWAY, "redis-kill,redis-stop,redis-memory", "lost"),
    ("an outcome of the older seek-token settles the newer one", "service/store/calls/application.lua",
     "local is_current = is_there and application.gen == generation", "local is_current = is_there", "", "lost"),
    ("a claim is not leased", "service/store/calls/claim.lua", "digits(now + lease_ms)", "digits(now)", "", "duplicate"),
    ("a replaced seek-token is not known again", "service/store/calls/application.lua",
     "local wanted = application.replaced and fingerprint_of(token)", "local wanted = nil", "", "lost"),
    ("what is stored already is sent again", "service/store/calls/accept.lua", "if is_owed and token == stored and not application.damage then",
     "if false then", "", "duplicate"),
    ("what is leased with the commit is handed to nobody: a leak", "service/inbound/batch.c",
     "{batch->leased, count, call->sent_at_ms,", "{batch->leased, 0, call->sent_at_ms,", "", "leak"),
    ("sent before it is committed", "service/inbound/batch.c", "    reserve_places(call);\n", SEND_BEFORE, "", "duplicate"),
    ("one key of another type stops all claims and settlements", "service/store/calls/application.lua",
     "local entry = redis.pcall('HGETALL', prefix .. id)", "local entry = redis.call('HGETALL', prefix .. id)", "damage-keys", "lost"),
]


def shell(*arguments):
    subprocess.run([str(a) for a in arguments], check=True, stdout=subprocess.DEVNULL)


def build(source, directory):
    shell("cmake", "-G", "Ninja", "-S", source, "-B", directory, "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_C_FLAGS_DEBUG=-O1",
          "-DSEEK_SIGNAL_TESTS=OFF")
    shell("ninja", "-C", directory, "seek-signal")
    return directory / "service" / "seek-signal"


def build_mutant(source, directory, path, old, new):
    file = source / path
    sound = file.read_text()
    assert sound.count(old) == 1, f"{path} has changed: this mutant has to be written again:\n{old}"
    file.write_text(sound.replace(old, new))
    try:
        return build(source, directory)
    finally:
        file.write_text(sound)


def is_caught(options, what, names, expected):
    options = copy.copy(options)
    options.minutes, options.fault_rows = 0.25, [faults.BY_NAME[name] for name in names.split(",") if name]
    with proof.running(options) as run_:
        run_.drain_s = 15
        run_.post()
        run_.end()
        run_.judge()
    kinds = collections.Counter(kind for kind, _ in run_.findings)
    counted = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())) or "nothing was found"
    is_right = expected in kinds if expected else not kinds
    print(f"{'caught' if is_right else 'MISSED'} {what}: {counted}", flush=True)
    return is_right


def run(options):
    missed = 0
    with tempfile.TemporaryDirectory(prefix="seek-signal-mutants-") as temporary:
        source, directory = pathlib.Path(temporary) / "source", pathlib.Path(temporary) / "build"
        shutil.copytree(stand.ROOT, source, ignore=shutil.ignore_patterns("build", ".git"))
        for what, path, old, new, names, expected in MUTANTS:
            stand.SERVICE = build_mutant(source, directory, path, old, new)
            missed += not is_caught(options, what, names, expected)
    print(f"mutants: {len(MUTANTS) - missed} of {len(MUTANTS)} caught")
    return 1 if missed else 0
