/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The answer to a POST /v1/events.
 *
 * Owns:    nothing. Threads: the submission's. Blocks: never.
 */
#pragma once

struct application;
struct submission;

/* Answers the call. `final` is the application as it was last looked at, NULL: it was not. */
void submission_answer(struct submission *submission, const struct application *final);
