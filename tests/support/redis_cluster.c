/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "tests/support/redis_cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/clock.h"

#include "tests/support/specification.h"

enum { SLOTS = 16384, WITHIN_MS = 30000 };

static void pause_shortly(void)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    (void)nanosleep(&pause, NULL);
}

static bool is_well(struct redis_cluster *cluster, size_t node)
{
    char known[40];
    const char *info = redis_server_cli(cluster->nodes[node], "CLUSTER INFO");
    (void)snprintf(known, sizeof known, "cluster_known_nodes:%zu", cluster->count);
    return strstr(info, "cluster_state:ok") != NULL && strstr(info, known) != NULL;
}

void redis_cluster_wait(struct redis_cluster *cluster)
{
    int64_t deadline_ms = clock_monotonic_ms() + WITHIN_MS;
    for (size_t i = 0; i < cluster->count; i++) {
        while (redis_server_pid(cluster->nodes[i]) > 0 && !is_well(cluster, i)) {
            if (clock_monotonic_ms() > deadline_ms)
                fail_msg("node %zu: %s", i, redis_server_cli(cluster->nodes[i], "CLUSTER INFO"));
            pause_shortly();
        }
    }
}

static void must_be_ok(struct redis_server *server, const char *command)
{
    const char *answer = redis_server_cli(server, "%s", command);
    if (strcmp(answer, "OK") != 0)
        fail_msg("%s: %s", command, answer);
}

static void make_replica(struct redis_cluster *cluster, size_t node, size_t master)
{
    int64_t deadline_ms = clock_monotonic_ms() + WITHIN_MS;
    while (
        strcmp(redis_server_cli(cluster->nodes[node], "CLUSTER REPLICATE %s", cluster->ids[master]),
               "OK") != 0) {
        if (clock_monotonic_ms() > deadline_ms)
            fail_msg("node %zu does not become a replica", node);
        pause_shortly();
    }
}

static void share_slots(struct redis_cluster *cluster)
{
    char command[96];
    for (size_t i = 0; i < cluster->masters; i++) {
        (void)snprintf(command, sizeof command, "CLUSTER ADDSLOTSRANGE %zu %zu",
                       i * SLOTS / cluster->masters, (i + 1) * SLOTS / cluster->masters - 1);
        must_be_ok(cluster->nodes[i], command);
        (void)snprintf(command, sizeof command, "CLUSTER SET-CONFIG-EPOCH %zu", i + 1);
        must_be_ok(cluster->nodes[i], command);
    }
    for (size_t i = 1; i < cluster->count; i++) {
        (void)snprintf(command, sizeof command, "CLUSTER MEET 127.0.0.1 %u",
                       redis_server_port(cluster->nodes[0]));
        must_be_ok(cluster->nodes[i], command);
    }
}

void redis_cluster_start(struct redis_cluster *cluster, size_t masters, size_t replicas,
                         enum redis_server_listen listen)
{
    const char *const arguments[] = {"--cluster-enabled",
                                     "yes",
                                     "--cluster-node-timeout",
                                     "1000",
                                     "--cluster-require-full-coverage",
                                     "no",
                                     "--appendonly",
                                     "yes",
                                     "--appendfsync",
                                     "always",
                                     "--repl-diskless-sync-delay",
                                     "0",
                                     "--cluster-replica-validity-factor",
                                     "0",
                                     listen == REDIS_SERVER_TLS ? "--tls-cluster" : NULL,
                                     "yes",
                                     "--tls-replication",
                                     "yes",
                                     NULL};
    *cluster = (struct redis_cluster){.masters = masters, .count = masters * (1 + replicas)};
    assert_true(cluster->count <= REDIS_CLUSTER_NODES_MAX);
    for (size_t i = 0; i < cluster->count; i++) {
        cluster->nodes[i] = redis_server_start(listen, arguments);
        (void)snprintf(cluster->ids[i], sizeof cluster->ids[i], "%s",
                       redis_server_cli(cluster->nodes[i], "CLUSTER MYID"));
    }
    share_slots(cluster);
    redis_cluster_wait(cluster);
    for (size_t i = masters; i < cluster->count; i++)
        make_replica(cluster, i, (i - masters) / replicas);
    redis_cluster_wait(cluster);
}

void redis_cluster_stop(struct redis_cluster *cluster)
{
    for (size_t i = 0; i < cluster->count; i++)
        redis_server_stop(cluster->nodes[i]);
    cluster->count = 0;
}

void redis_cluster_url(const struct redis_cluster *cluster, struct redis_url *out)
{
    redis_server_url(cluster->nodes[0], out);
    for (size_t i = 0; i < cluster->count; i++) {
        struct redis_address *seed = &out->seeds.addresses[out->seeds.count++];
        (void)snprintf(seed->host, sizeof seed->host, "127.0.0.1");
        seed->port = redis_server_port(cluster->nodes[i]);
    }
    out->host[0] = '\0';
}

size_t redis_cluster_owner(struct redis_cluster *cluster, size_t node, unsigned slot)
{
    static char slots[16384];
    (void)snprintf(slots, sizeof slots, "%s",
                   redis_server_cli(cluster->nodes[node], "--json CLUSTER SLOTS"));
    for (const char *at = slots; (at = strstr(at, "[")) != NULL; at++) {
        unsigned first, last, found;
        if (sscanf(at, "[%u,%u,[\"127.0.0.1\",%u", &first, &last, &found) != 3 || slot < first ||
            slot > last)
            continue;
        for (size_t i = 0; i < cluster->count; i++)
            if (redis_server_port(cluster->nodes[i]) == found)
                return i;
    }
    return cluster->count;
}

void redis_cluster_begin_move(struct redis_cluster *cluster, unsigned slot, size_t from, size_t to)
{
    char command[96];
    (void)snprintf(command, sizeof command, "CLUSTER SETSLOT %u IMPORTING %s", slot,
                   cluster->ids[from]);
    must_be_ok(cluster->nodes[to], command);
    (void)snprintf(command, sizeof command, "CLUSTER SETSLOT %u MIGRATING %s", slot,
                   cluster->ids[to]);
    must_be_ok(cluster->nodes[from], command);
}

void redis_cluster_move_keys(struct redis_cluster *cluster, unsigned slot, size_t from, size_t to)
{
    static char keys[65536];
    do {
        (void)snprintf(
            keys, sizeof keys, "%s",
            redis_server_cli(cluster->nodes[from], "CLUSTER GETKEYSINSLOT %u 100", slot));
        for (char *key = strtok(keys, "\n"); key != NULL; key = strtok(NULL, "\n"))
            (void)redis_server_cli(cluster->nodes[from], "MIGRATE 127.0.0.1 %u '%s' 0 5000",
                                   redis_server_port(cluster->nodes[to]), key);
    } while (strcmp(redis_server_cli(cluster->nodes[from], "CLUSTER COUNTKEYSINSLOT %u", slot),
                    "0") != 0);
}

void redis_cluster_end_move(struct redis_cluster *cluster, unsigned slot, size_t to)
{
    char command[96];
    (void)snprintf(command, sizeof command, "CLUSTER SETSLOT %u NODE %s", slot, cluster->ids[to]);
    must_be_ok(cluster->nodes[to], command);
    for (size_t i = 0; i < cluster->masters; i++)
        if (i != to)
            must_be_ok(cluster->nodes[i], command);
}

void redis_cluster_give_up_move(struct redis_cluster *cluster, unsigned slot, size_t from,
                                size_t to)
{
    char command[96];
    (void)snprintf(command, sizeof command, "CLUSTER SETSLOT %u STABLE", slot);
    must_be_ok(cluster->nodes[from], command);
    must_be_ok(cluster->nodes[to], command);
}
