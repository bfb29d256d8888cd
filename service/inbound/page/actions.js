/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */

/* --- replay and forget: one, those selected, all that match --- */

const WATCH_MS = 20000, CHUNK_S = 5, CHUNK_MAX = 10000;
const pathOf = id => "/v1/applications/" + encodeURIComponent(id);
const REMOVED = " It is removed with everything that is known of it, and its signal is never sent. This cannot be undone.";

async function replayOne(id) {
  if (!await confirmed(["Send the signal of ", idNode(id), " again now?"], "Replay")) return;
  await call("POST", pathOf(id) + "/replay");
  say("", idNode(id), " is sent again.");
  markRow(id, "Sent again", "soft");
  await refreshDetail();
  watch(id);
}
/* Says what became of it. */
async function watch(id) {
  const until = Date.now() + WATCH_MS;
  while (Date.now() < until) {
    await sleep(500);
    const application = await call("GET", pathOf(id)).catch(() => ({}));
    if (application.state === "delivered") {
      markRow(id, "Delivered", "good");
      return say("good", idNode(id), " was delivered.");
    }
    if (application.state === "dead") {
      markRow(id, "Dead again", "bad");
      return say("bad", idNode(id), " is dead again: " + (errorOf(application).message || ""));
    }
  }
}
async function forgetOne(id) {
  if (!await confirmed(["Forget ", idNode(id), "?" + REMOVED], "Forget", "danger")) return;
  await call("DELETE", pathOf(id));
  say("", idNode(id), " is forgotten.");
  markRow(id, "Forgotten", "soft");
  if (shownId() === id) location.hash = "#/";
}

/* --- a job: it says how far it is, and stops when it is told to --- */

let job = null;

window.addEventListener("beforeunload", event => { if (job) event.preventDefault(); });
at("job-stop").onclick = () => { if (job) job.isStopped = true; };
/* `work` is given the job, calls job.tell(done), and looks at job.isStopped between its steps. */
async function runJob(title, total, verb, work) {
  if (job) throw new Error("Another replay or forget is running. Wait until it ends, or stop it.");
  const mine = job = {isStopped: false, done: 0, failed: 0, reason: ""};
  job.tell = () => {
    at("job-progress").max = Math.max(total, 1);
    at("job-progress").value = Math.min(mine.done + mine.failed, total);
    at("job-text").textContent = count(mine.done) + " of " + count(total) + " " + verb + (mine.failed ? ", " + count(mine.failed) + " not" : "");
  };
  at("job-title").textContent = title;
  at("job").hidden = false;
  job.tell();
  let failure = null;
  try { await work(mine); } catch (error) { failure = error; }
  const hadFocus = at("job").contains(document.activeElement);
  job = null;
  at("job").hidden = true;
  if (hadFocus) at("work").focus({preventScroll: true});
  const parts = [(failure ? "Interrupted: " : mine.isStopped ? "Stopped: " : "") + at("job-text").textContent + "."];
  if (failure) parts.push(" " + failure.message + " The rest is as it was.");
  else if (mine.isStopped) parts.push(" The rest is as it was.");
  if (mine.reason) parts.push(" The last reason: " + mine.reason);
  say(failure || mine.failed ? "bad" : "good", ...parts);
}
/* In small steps, so that a stop is heard at once. A hidden tab sleeps longer, and catches up afterwards. */
async function pause(mine, ms) {
  const until = performance.now() + ms;
  while (!mine.isStopped && performance.now() < until) await sleep(Math.min(200, until - performance.now()));
}

/* One after the other. What one of them is refused for does not stop the others; a service that is away does. */
async function eachOf(mine, ids, perSecond, act, word) {
  const begun = performance.now();
  for (let i = 0; i < ids.length && !mine.isStopped; i++) {
    if (perSecond) await pause(mine, begun + i * 1000 / perSecond - performance.now());
    if (mine.isStopped) break;
    try {
      await act(ids[i]);
      mine.done++;
      markRow(ids[i], word, "soft");
    } catch (error) {
      if (!(error instanceof Refusal) || ![404, 409, 422].includes(error.status)) throw error;
      mine.failed++;
      mine.reason = error.message;
      markRow(ids[i], error.message, "bad");
    }
    mine.tell();
  }
}
at("replay-selected").onclick = () => during(at("replay-selected"), async () => {
  const ids = selectedIds();
  if (!await confirmed(["Send " + many(ids.length, "selected signal") + " again? Keep this page open until it is done."], "Replay", "rate")) return;
  const perSecond = Number(at("rate").value);
  await runJob("Replay", ids.length, "sent again", mine =>
    eachOf(mine, ids, perSecond, id => call("POST", pathOf(id) + "/replay"), "Sent again"));
});
at("forget-selected").onclick = () => during(at("forget-selected"), async () => {
  const ids = selectedIds();
  const text = "Forget " + many(ids.length, "selected application") + "? Everything known of them is removed, and their signals are never sent. This cannot be undone.";
  if (!await confirmed([text], "Forget " + count(ids.length), "danger")) return;
  await runJob("Forget", ids.length, "forgotten", mine => eachOf(mine, ids, 0, id => call("DELETE", pathOf(id)), "Forgotten"));
});

/* --- all that match the filter that was submitted, also those that are not loaded; what died later is left alone --- */

function bulkFilter() {
  const filter = shown.filter, body = {state: "dead"};
  for (const name of ["code", "class", "since", "until"])
    if (filter[name]) body[name] = filter[name];
  if (features.filters && !body.until) body.until = new Date(Date.parse(shown.newest) + 1).toISOString();
  return body;
}
async function countAll(path, body) {
  let matched = 0, cursor = null;
  do {
    const answer = await call("POST", path, {...body, dryRun: true, cursor});
    matched += answer.matched;
    cursor = answer.cursor;
  } while (cursor);
  return matched;
}
function markAll(word) {
  for (const row of shown.rows.values())
    if (row.box && !row.box.disabled) markRow(row.id, word, "soft");
}
async function allThatMatch(path, verb, ask, next) {
  const body = bulkFilter(), words = filterWords(shown.filter), listed = shown;
  const total = await countAll(path, body);
  if (total === 0) return say("", "No application is dead" + words + " any more.");
  if (!await ask(total, words)) return;
  await runJob(verb === "forgotten" ? "Forget" : "Replay", total, verb, async mine => {
    let cursor = null;
    do {
      const answer = await call("POST", path, {...body, ...next.body(), cursor});
      mine.done += next.done(answer);
      cursor = answer.cursor;
      mine.tell();
      if (cursor && next.wait) await next.wait(mine, answer);
    } while (cursor && !mine.isStopped);
    if (!cursor && listed === shown) markAll(next.word);
  });
}
at("replay-all").onclick = () => during(at("replay-all"), () => {
  let perSecond = 20;
  return allThatMatch("/v1/replay", "sent again", async (total, words) => {
    const is = await confirmed([count(total) + " dead" + words + ": send all of them again? Keep this page open until it is done."], "Replay " + count(total), "rate");
    perSecond = Number(at("rate").value);
    return is;
  }, {
    body: () => ({perSecond, limit: Math.min(perSecond * CHUNK_S, CHUNK_MAX)}),
    done: answer => answer.replayed,
    wait: (mine, answer) => pause(mine, answer.replayed / perSecond * 1000),
    word: "Sent again",
  });
});
at("forget-all").onclick = () => during(at("forget-all"), () => allThatMatch("/v1/forget", "forgotten", (total, words) =>
  confirmed(["Forget " + count(total) + " dead" + words + "? Everything known of them is removed, and their signals are never sent. This cannot be undone."],
    "Forget " + count(total), "danger"), {body: () => ({}), done: answer => answer.forgotten, word: "Forgotten"}));
