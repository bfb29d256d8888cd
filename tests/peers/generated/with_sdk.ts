// SPDX-FileCopyrightText: seek-signal contributors
// SPDX-License-Identifier: MIT
// usage: node with_sdk.js URL KEY: the functions that @hey-api/openapi-ts makes of openapi.yaml.
import assert from "node:assert/strict";
import { client } from "./sdk/client.gen.js";
import * as seek from "./sdk/sdk.gen.js";

const [baseUrl, key] = process.argv.slice(2) as [string, string];
client.setConfig({ baseUrl, auth: key });

const posted = await seek.postEvents({ query: { wait: "20s" }, body: { applicationId: "S-1", token: "s-1" } });
assert.equal(posted.response?.status, 200, JSON.stringify(posted.error));
const draft = await seek.putToken({ path: { id: "S-2" }, body: { token: "s-2" } });
assert.equal(draft.response?.status, 204);
const completed = await seek.postEvents({ body: { applicationId: "S-2" } });
assert.equal(completed.response?.status, 202);
const known = await seek.getApplication({ path: { id: "S/3 with a blank" } });
assert.equal(known.response?.status, 404);
assert.equal(known.error?.code, "application_unknown");
const paused = await seek.pauseSending({ body: {} });
assert.equal(paused.response?.status, 204);
const status = await seek.getStatus();
assert.equal(status.data?.sending.paused, true);
const resumed = await seek.resumeSending({ body: {} });
assert.equal(resumed.response?.status, 204);
const counted = await seek.replayDead({ body: { state: "dead", dryRun: true } });
assert.equal(counted.response?.status, 202);
console.log("ok");
