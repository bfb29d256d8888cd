/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * GET /openapi.yaml and /troubleshooting.md: the contract, and what to do about each message, as
 * they were when this was built.
 */
#include "embedded/openapi_yaml.h"
#include "embedded/troubleshooting_md.h"

#include "service/inbound/call.h"
#include "service/inbound/endpoints.h"

void contract_get(struct call *call)
{
    call_answer(call, &(struct answer){.status = 200,
                                       .content_type = "application/yaml",
                                       .body = openapi_yaml,
                                       .body_length = openapi_yaml_length,
                                       .is_body_static = true});
}

/* As plain text: a browser would not show text/markdown but save it. */
void troubleshooting_get(struct call *call)
{
    call_answer(call, &(struct answer){.status = 200,
                                       .content_type = "text/plain; charset=utf-8",
                                       .body = troubleshooting_md,
                                       .body_length = troubleshooting_md_length,
                                       .is_body_static = true});
}
