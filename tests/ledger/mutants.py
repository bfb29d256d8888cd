# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""Services with a bug in them, built from a copy of the sources: the proof must find what each of them does."""
import collections
import copy
import pathlib
import shutil
import subprocess
import tempfile

import cluster
import faults
import proof
import stand
import stores

ACCEPT_ANYWAY = """{
            static const struct store_failure fine = {.status = STORE_OK};
            const struct accept_result anyway = {ACCEPT_ACCEPTED, DELIVERY_PENDING, "00000000-0000-4000-8000-000000000000"};
            const struct batch_result lie = {.failure = &fine, .result = &anyway, .durability = result.durability};
            batch_report(&call->places[i], results != NULL ? &result : &lie);
        }"""

SEND_BEFORE = """    reserve_places(call);
    static struct accept_result early[BATCH_CALL_EVENTS_MAX];
    for (size_t i = 0; i < call->count; i++)
        early[i] = (struct accept_result){
            .lease = i < call->reserved && call->places[i].item.seek_token != NULL, .accepted_at_ms = 1767323045000};
    hand_over(call, early, true);
"""

ASKED = """static void ignored(void *context, enum redis_failure lost, const struct redis_reply *reply)
{
    (void)context;
    (void)lost;
    (void)reply;
}

static bool send_asking(struct script_call *call, struct error *error)
{
    static const char *const asking[] = {"ASKING"};
    return redis_client_send(call->link->client, 1, asking, NULL, ignored, NULL, error) && send_hash(call, error);
}

static bool send_again(struct script_call *call)
{"""

MUTANTS = [
    # the bug, file, what is there, what it becomes, faults that bring it to light, finding
    ("an accepted event is not made due: a lost wake-up", "service/store/calls/accept_plain.lua",
     "        redis.call('ZADD', due, unpack(entries))\n", "", "", "lost"),
    ("acknowledged although Redis did not commit", "service/inbound/batch_calls.c",
     "batch_report(&call->places[i], &result);", ACCEPT_ANYWAY, "redis-kill,redis-stop,redis-memory", "lost"),
    ("an outcome of the older seek-token settles the newer one", "service/store/calls/application.lua",
     "local is_current = is_there and application.gen == generation", "local is_current = is_there", "", "lost"),
    ("a claim is not leased", "service/store/calls/claim.lua", "digits(now + lease_ms)", "digits(now)", "", "duplicate"),
    ("a replaced seek-token is not known again", "service/store/calls/application.lua",
     "local wanted = application.replaced and fingerprint_of(token)", "local wanted = nil", "", "lost"),
    ("what is stored already is sent again", "service/store/calls/accept.lua", "if is_owed and token == stored and not application.damage then",
     "if false then", "", "duplicate"),
    ("what is leased with the commit is handed to nobody: a leak", "service/inbound/batch_calls.c",
     "{batch->leased, count, call->sent_at_ms,", "{batch->leased, 0, call->sent_at_ms,", "", "leak"),
    ("sent before it is committed", "service/inbound/batch_calls.c", "    reserve_places(call);\n", SEND_BEFORE, "", "duplicate"),
    ("one key of another type stops all claims and settlements", "service/store/calls/application.lua",
     "local entry = redis.pcall('HGETALL', prefix .. id)", "local entry = redis.call('HGETALL', prefix .. id)", "damage-keys", "lost"),
]


# On a cluster: the bug, (file, what is there, what it becomes)…, faults, finding
CLUSTER_MUTANTS = [
    ("a MOVED is not followed", (
        ("service/store/store_cluster.c", "    struct store_link *link = find_link(store, &address);\n    if (link == NULL ||",
         "    struct store_link *link = NULL;\n    if (link == NULL ||"),
        ("service/store/store_cluster.c", "        return NULL;\n    shard_map_want(store->cluster->map);\n", "        return NULL;\n"),
        ("service/store/link.c", "        shard_map_want(link->options.map);\n        inspection_plan(", "        inspection_plan("),
        ("service/store/refusal.c", "has just moved to another node of the cluster\", false, true, true, false",
         "has just moved to another node of the cluster\", false, true, false, false")), "slots-give", "drain"),
    ("an ASKING is sent", (
        ("service/store/shard_map.c", "    if (strncmp(answer, word, sizeof word - 1) != 0)",
         "    bool is_ask = strncmp(answer, \"ASK \", 4) == 0;\n    if (!is_ask && strncmp(answer, word, sizeof word - 1) != 0)"),
        ("service/store/shard_map.c", "strchr(answer + sizeof word - 1, ' ')", "strchr(answer + (is_ask ? 4 : sizeof word - 1), ' ')"),
        ("service/store/script_call.c", "static bool send_again(struct script_call *call)\n{", ASKED),
        ("service/store/script_call.c", "is_open && send_hash(call, &error)", "is_open && send_asking(call, &error)")),
     "slots-move,slots-give", "asking"),
    ("the keeper forgets a shard", (
        ("service/store/calls/claim_many.c", "= store_is_shard_ready(store,", "= i != 7 && store_is_shard_ready(store,"),),
     "seek-outage,seek-statuses", "drain"),
]


def shell(*arguments):
    subprocess.run([str(a) for a in arguments], check=True, stdout=subprocess.DEVNULL)


def build(source, directory):
    shell("cmake", "-G", "Ninja", "-S", source, "-B", directory, "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_C_FLAGS_DEBUG=-O1",
          "-DSEEK_SIGNAL_TESTS=OFF")
    shell("ninja", "-C", directory, "seek-signal")
    return directory / "service" / "seek-signal"


def build_mutant(source, directory, edits):
    sound = {path: (source / path).read_text() for path, _, _ in edits}
    try:
        for path, old, new in edits:
            text = (source / path).read_text()
            assert text.count(old) == 1, f"{path} has changed: this mutant has to be written again:\n{old}"
            (source / path).write_text(text.replace(old, new))
        return build(source, directory)
    finally:
        for path, text in sound.items():
            (source / path).write_text(text)


def is_caught(options, kind, what, names, expected):
    options = copy.copy(options)
    options.minutes, options.fault_rows = 0.25, [faults.BY_NAME[name] for name in names.split(",") if name]
    with proof.running(options, kind) as run_:
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
    rows = [(stores.Single, what, ((path, old, new),), names, expected) for what, path, old, new, names, expected in MUTANTS]
    rows += [(cluster.Cluster, *row) for row in CLUSTER_MUTANTS]
    rows = [row for row in rows if options.mutants in row[1]]
    missed = 0
    with tempfile.TemporaryDirectory(prefix="seek-signal-mutants-") as temporary:
        source, directory = pathlib.Path(temporary) / "source", pathlib.Path(temporary) / "build"
        shutil.copytree(stand.ROOT, source, ignore=shutil.ignore_patterns("build", ".git"))
        for kind, what, edits, names, expected in rows:
            stand.SERVICE = build_mutant(source, directory, edits)
            missed += not is_caught(options, kind, what, names, expected)
    print(f"mutants: {len(rows) - missed} of {len(rows)} caught")
    return 1 if missed else 0
