// SPDX-FileCopyrightText: seek-signal contributors
// SPDX-License-Identifier: MIT
// usage: node node_clients.mjs fetch|undici|axios|got|ky|superagent version|once|send|lines URL [COUNT]
// `lines` posts each line of the standard input, see python_clients.py. `once` makes two posts as the library does by default; `send` posts COUNT events as docs/clients.md has it.
import { readFileSync } from "node:fs";
import { Agent } from "node:http";
import { createInterface } from "node:readline";

const [library, mode, url, count] = process.argv.slice(2);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const agent = new Agent({ keepAlive: true }); // for those that do not keep a connection by themselves
const json = { "Content-Type": "application/json" };

// Each posts one body and gives [status, answer]; with `isDefault` nothing is set that need not be.
const clients = {
  async fetch(body, isDefault) {
    const options = isDefault ? {} : { signal: AbortSignal.timeout(10_000) };
    const answer = await fetch(url, { method: "POST", headers: json, body: JSON.stringify(body), ...options });
    return [answer.status, await answer.json()];
  },
  async undici(body, isDefault) {
    const { request } = await import("undici");
    const options = isDefault ? {} : { headersTimeout: 10_000 };
    const answer = await request(url, { method: "POST", headers: json, body: JSON.stringify(body), ...options });
    return [answer.statusCode, await answer.body.json()];
  },
  async axios(body, isDefault) {
    const { default: axios } = await import("axios");
    const options = isDefault ? { proxy: false } : { proxy: false, timeout: 10_000, validateStatus: () => true };
    const answer = await axios.post(url, body, options);
    return [answer.status, answer.data];
  },
  async got(body, isDefault) {
    const { default: got } = await import("got");
    const options = isDefault ? {} : { timeout: { request: 10_000 }, throwHttpErrors: false };
    const answer = await got.post(url, { json: body, responseType: "json", ...options });
    return [answer.statusCode, answer.body];
  },
  async ky(body, isDefault) {
    const { default: ky } = await import("ky");
    const options = isDefault ? {} : { timeout: 10_000, throwHttpErrors: false };
    const answer = await ky.post(url, { json: body, ...options });
    return [answer.status, await answer.json()];
  },
  async superagent(body, isDefault) {
    const { default: superagent } = await import("superagent");
    const request = superagent.post(url).send(body);
    const answer = await (isDefault ? request : request.timeout(10_000).ok(() => true));
    return [answer.status, answer.body];
  },
};

// Each posts a text on a kept connection and gives [status]; whatever the status is.
const raw = {
  async fetch(to, body) {
    const answer = await fetch(to, { method: "POST", headers: json, body });
    await answer.text();
    return [answer.status];
  },
  async undici(to, body) {
    const { request } = await import("undici");
    const answer = await request(to, { method: "POST", headers: json, body });
    await answer.body.text();
    return [answer.statusCode];
  },
  async axios(to, body) {
    const { default: axios } = await import("axios");
    return [(await axios.post(to, body, { headers: json, proxy: false, httpAgent: agent, validateStatus: () => true })).status];
  },
  async got(to, body) {
    const { default: got } = await import("got");
    return [(await got.post(to, { body, headers: json, agent: { http: agent }, throwHttpErrors: false })).statusCode];
  },
  async ky(to, body) {
    const { default: ky } = await import("ky");
    const answer = await ky.post(to, { body, headers: json, timeout: 60_000, throwHttpErrors: false });
    await answer.text();
    return [answer.status];
  },
  async superagent(to, body) {
    const { default: superagent } = await import("superagent");
    return [(await superagent.post(to).agent(agent).set(json).send(body).ok(() => true)).status];
  },
};

if (mode === "version") {
  const isBuiltIn = library === "fetch";
  const about = isBuiltIn ? {} : JSON.parse(readFileSync(new URL(`node_modules/${library}/package.json`, import.meta.url)));
  console.log(library, isBuiltIn ? `of Node ${process.versions.node}` : about.version);
} else if (mode === "lines") {
  for await (const line of createInterface({ input: process.stdin })) {
    const [query, body] = line.split("\t");
    const began = performance.now();
    let result;
    try {
      [result] = await raw[library](url + query, body);
    } catch (error) {
      result = error.cause?.code ?? error.code ?? error.name;
    }
    console.log(result, Math.round((performance.now() - began) * 1000));
  }
} else if (mode === "once") {
  try {
    for (let n = 0; n < 2; n++) await clients[library]({}, true);
  } catch (error) {
    console.log(error.cause?.code ?? error.code ?? error.name);
  }
} else {
  for (let n = 0; n < Number(count); n++) {
    for (;;) {
      try {
        const [status, answer] = await clients[library]({ applicationId: `${library}-${n}`, token: `token-${library}-${n}` }, false);
        if (status < 400) break;
        if (!answer.retryable) throw Object.assign(new Error(JSON.stringify(answer)), { isFinal: true });
      } catch (error) { // refused, reset, timed out
        if (error.isFinal) throw error;
      }
      await pause(250);
    }
    await pause(20);
  }
}
