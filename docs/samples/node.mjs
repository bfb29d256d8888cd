// SPDX-FileCopyrightText: seek-signal contributors
// SPDX-License-Identifier: MIT
// usage: node node.mjs APPLICATION_ID SEEK_TOKEN      with SEEK_SIGNAL_API_KEY where the service asks for one
// Node 18 or later; an older one has no fetch.
import { pathToFileURL } from "node:url";

const url = (process.env.SEEK_SIGNAL ?? "http://127.0.0.1:8787") + "/v1/events";
const key = process.env.SEEK_SIGNAL_API_KEY;

// Call it after the application is committed. Posting the same pair again does no harm.
export async function applicationCompleted(applicationId, token, tries = 8) {
  for (let n = 0; ; n++) {
    let wait = 250 * 2 ** n;
    try {
      const answer = await fetch(url, {
        method: "POST",
        headers: { "Content-Type": "application/json", ...(key && { Authorization: `Bearer ${key}` }) },
        body: JSON.stringify({ applicationId, token }),
        signal: AbortSignal.timeout(10_000),
        redirect: "manual",
      });
      const text = await answer.text();
      if (answer.ok && text.includes('"eventId":')) return JSON.parse(text); // a page of a proxy has none
      if (text.includes('"code":"token_missing"')) return null; // not from SEEK: there is nothing to send
      const isRetryable = answer.ok || [408, 429].includes(answer.status) || answer.status >= 500;
      if (!isRetryable || n + 1 >= tries)
        throw Object.assign(new Error(`${answer.status}: ${text}`), { isFinal: true });
      wait = Math.max(wait, 1000 * (Number(answer.headers.get("Retry-After")) || 0));
    } catch (error) { // refused, reset, timed out
      if (error.isFinal || n + 1 >= tries) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) // not where it is imported
  console.log(await applicationCompleted(process.argv[2], process.argv[3]));
