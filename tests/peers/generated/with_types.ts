// SPDX-FileCopyrightText: seek-signal contributors
// SPDX-License-Identifier: MIT
// usage: node with_types.js URL KEY: openapi-fetch with the types that openapi-typescript makes of openapi.yaml.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./seek-signal.js";

const [baseUrl, key] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });

const posted = await client.POST("/v1/events", { params: { query: { wait: "20s" } }, body: { applicationId: "T-1", token: "t-1" } });
assert.equal(posted.response.status, 200, JSON.stringify(posted.error));

const batch = await client.POST("/v1/events", { body: [{ applicationId: "T-2", token: "t-2" }, { applicationId: "T-3" }] });
assert.ok(batch.data && "results" in batch.data);
assert.equal(batch.data.results.length, 2);

const known = await client.GET("/v1/applications/{id}", { params: { path: { id: "T-1" } } });
const state: components["schemas"]["Application"]["state"] | undefined = known.data?.state;
assert.equal(state, "delivered");

const refused = await client.POST("/v1/events", { body: { applicationId: "T-4" } });
const problem: components["schemas"]["Problem"] | undefined = refused.error;
assert.equal(problem?.code, "token_missing");
assert.equal(problem?.retryable, false);

const listed = await client.GET("/v1/applications", { params: { query: { state: "due", order: "desc", limit: 10 } } });
assert.equal(listed.response.status, 200);
// @ts-expect-error: no such state
const odd = await client.GET("/v1/applications", { params: { query: { state: "gone" } } });
assert.equal(odd.response.status, 400);

const status = await client.GET("/v1/status");
assert.ok(status.data && ["closed", "open", "probing", "unknown"].includes(status.data.sending.breaker));
const forgotten = await client.DELETE("/v1/applications/{id}", { params: { path: { id: "T-1" } } });
assert.equal(forgotten.response.status, 204);
console.log("ok");
