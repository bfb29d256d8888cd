/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * GET /openapi.yaml: the contract, as it was when this was built.
 */
#include "embedded/openapi_yaml.h"

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
