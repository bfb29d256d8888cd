/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The endpoints: one function per method and path, one file per noun, named by routes in api.c and
 * ops_server.c. Each answers its call, now or later.
 *
 * Owns: nothing. Threads: the loop's of the call. Blocks: never.
 */
#pragma once

struct call;

/* events_endpoint.c */
void events_post(struct call *call);
/* token_endpoint.c */
void token_put(struct call *call);
/* applications_endpoint.c */
void applications_get(struct call *call);
/* application_endpoint.c */
void application_get(struct call *call);
void application_delete(struct call *call);
/* replay_endpoint.c */
void replay_post(struct call *call);
/* dead_endpoint.c */
void replay_dead_post(struct call *call);
void forget_dead_post(struct call *call);
/* pause_endpoint.c */
void pause_post(struct call *call);
void resume_post(struct call *call);
/* page_endpoint.c */
void page_get(struct call *call);
/* status_endpoint.c */
void status_get(struct call *call);
/* history_endpoint.c */
void history_get(struct call *call);
/* tail_endpoint.c */
void tail_get(struct call *call);
/* document_endpoint.c */
void contract_get(struct call *call);
void troubleshooting_get(struct call *call);
/* probes_endpoint.c */
void livez_get(struct call *call);
void readyz_get(struct call *call);
void startupz_get(struct call *call);
void metrics_get(struct call *call);
