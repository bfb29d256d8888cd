/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A real Redis Cluster for a test: masters that share the slots evenly, each with a number of
 * replicas, which take over about a second after their master has gone. A shard whose master is
 * away does not stop the others (cluster-require-full-coverage no).
 *
 * Owns:    its servers.
 * Threads: one at a time.
 * Blocks:  until the cluster is well, for at most thirty seconds.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tests/support/redis_server.h"

enum { REDIS_CLUSTER_NODES_MAX = 8 };

struct redis_cluster {
    size_t masters, count;
    struct redis_server *nodes[REDIS_CLUSTER_NODES_MAX]; /* owned; the masters first */
    char ids[REDIS_CLUSTER_NODES_MAX][41];
};

/* Replica i of master m is node masters + m * replicas + i. */
void redis_cluster_start(struct redis_cluster *cluster, size_t masters, size_t replicas,
                         enum redis_server_listen listen);
void redis_cluster_stop(struct redis_cluster *cluster);
/* All of its nodes as seeds. */
void redis_cluster_url(const struct redis_cluster *cluster, struct redis_url *out);
void redis_cluster_wait(
    struct redis_cluster *cluster); /* until all that run agree that it is well */

/* The node that has the slot now, as `node` sees it. */
size_t redis_cluster_owner(struct redis_cluster *cluster, size_t node, unsigned slot);
/* The steps of a slot's way: begun, its keys moved, ended. */
void redis_cluster_begin_move(struct redis_cluster *cluster, unsigned slot, size_t from, size_t to);
void redis_cluster_move_keys(struct redis_cluster *cluster, unsigned slot, size_t from, size_t to);
void redis_cluster_end_move(struct redis_cluster *cluster, unsigned slot, size_t to);
/* Instead of moving its keys. */
void redis_cluster_give_up_move(struct redis_cluster *cluster, unsigned slot, size_t from,
                                size_t to);
