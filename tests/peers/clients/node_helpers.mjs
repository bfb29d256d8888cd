// SPDX-FileCopyrightText: seek-signal contributors
// SPDX-License-Identifier: MIT
// usage: node node_helpers.mjs axios-retry|fetch-retry|superagent|got|ky|undici version|default|send URL [COUNT]
// Retry helpers. `default` posts to URL with what each has by default, once it is told to retry at all; `send` posts COUNT
// events as docs/clients.md has it, and leaves every repetition to the helper.
import { readFileSync } from "node:fs";

const [helper, mode, url, count] = process.argv.slice(2);
const headers = { "Content-Type": "application/json" };
const again = [408, 429, 500, 502, 503, 504];

// With `isRight` as docs/clients.md has it. Each posts an object and gives the status.
const helpers = {
  async "axios-retry"(isRight) {
    const { default: axios } = await import("axios");
    const { default: axiosRetry } = await import("axios-retry");
    const http = axios.create({ proxy: false, timeout: 10_000 });
    axiosRetry(http, isRight ? {
      retries: 20, shouldResetTimeout: true, retryCondition: (error) => error.response?.data?.retryable ?? true,
      retryDelay: (n, error) => Math.min(axiosRetry.exponentialDelay(n, error), 5_000),
    } : {});
    return async (body) => (await http.post(url, body)).status;
  },
  async "fetch-retry"(isRight) {
    const { default: fetchRetry } = await import("fetch-retry");
    const retrying = fetchRetry(fetch, isRight ? { retries: 20, retryOn: again, retryDelay: (n) => Math.min(250 * 2 ** n, 5_000) } : {});
    return async (body) => (await retrying(url, { method: "POST", headers, body: JSON.stringify(body) })).status;
  },
  async superagent() { // has no pause that could be set
    const { default: superagent } = await import("superagent");
    return async (body) => (await superagent.post(url).send(body).retry(3)).status;
  },
  async got(isRight) {
    const { default: got } = await import("got");
    const retry = isRight ? { limit: 20, methods: ["POST"], statusCodes: again, backoffLimit: 5_000 } : { limit: 2 };
    return async (body) => (await got.post(url, { json: body, timeout: { request: 10_000 }, retry })).statusCode;
  },
  async ky(isRight) {
    const { default: ky } = await import("ky");
    const retry = isRight ? { limit: 20, methods: ["post"], statusCodes: again, backoffLimit: 5_000 } : { limit: 2 };
    return async (body) => (await ky.post(url, { json: body, timeout: 60_000, retry })).status;
  },
  async undici(isRight) {
    const { Agent, RetryAgent, request } = await import("undici");
    const options = isRight ? { maxRetries: 20, methods: ["POST"], statusCodes: again, maxTimeout: 5_000, minTimeout: 250 } : {};
    const dispatcher = new RetryAgent(new Agent(), options);
    return async (body) => {
      const answer = await request(url, { method: "POST", headers, body: JSON.stringify(body), dispatcher });
      await answer.body.dump();
      return answer.statusCode;
    };
  },
};

if (mode === "version") {
  console.log(helper, JSON.parse(readFileSync(new URL(`node_modules/${helper}/package.json`, import.meta.url))).version);
} else {
  const post = await helpers[helper](mode === "send");
  if (mode === "default") {
    try {
      console.log(await post({}));
    } catch (error) {
      console.log(error.response?.status ?? error.cause?.code ?? error.code ?? error.name);
    }
    process.exit();
  }
  for (let n = 0; n < Number(count); n++) {
    const status = await post({ applicationId: `${helper}-${n}`, token: `token-${helper}-${n}` });
    if (status >= 400) throw new Error(`HTTP status ${status}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  process.exit();
}
