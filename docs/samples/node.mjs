// SPDX-FileCopyrightText: seek-signal contributors
// SPDX-License-Identifier: MIT
// usage: node node.mjs APPLICATION_ID SEEK_TOKEN
const url = (process.env.SEEK_SIGNAL ?? "http://127.0.0.1:8787") + "/v1/events";

// Call it after the application is committed. Posting the same pair again does no harm.
export async function applicationCompleted(applicationId, token, tries = 8) {
  for (let n = 0; ; n++) {
    let wait = 250 * 2 ** n;
    try {
      const answer = await fetch(url, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ applicationId, token }),
        signal: AbortSignal.timeout(10_000),
      });
      const body = await answer.json();
      if (answer.ok) return body;
      if (!body.retryable) throw Object.assign(new Error(body.detail), { isFinal: true });
      wait = Math.max(wait, 1000 * (Number(answer.headers.get("Retry-After")) || 0));
    } catch (error) { // refused, reset, timed out
      if (error.isFinal || n + 1 >= tries) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

console.log(await applicationCompleted(process.argv[2], process.argv[3]));
