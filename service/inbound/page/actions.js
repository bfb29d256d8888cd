/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */

/* --- replay and forget: one, those selected, all that match --- */

const WATCH_MS = 20000, CHUNK_S = 5, CHUNK_MAX = 10000;
const pathOf = id => "/v1/applications/" + encodeURIComponent(id);
const REMOVED = " It is removed with everything that is known of it, and its signal is never sent. This cannot be undone.";

/* Why nothing is sent at present; "": it is. */
function holdUp() {
  const sending = (lastStatus || {}).sending || {}, token = (lastStatus || {}).accessToken || {};
  if (sending.paused) return "Sending is paused, so nothing is sent until somebody resumes it.";
  if (isDown(sending)) return "SEEK is down, so nothing is sent until it is back.";
  if (token.failures > 0 && !token.valid) return "There is no access token, so nothing is sent until there is one.";
  return "";
}
async function actOn(id, act) {
  try { return await act(); } catch (error) {
    markRow(id, error.message, "bad", false); /* the row may be far from where the message stands */
    throw error;
  }
}
async function replayOne(id) {
  if (!await confirmed(["Send the signal of ", idNode(id), " again now?"], "Replay")) return;
  await actOn(id, () => call("POST", pathOf(id) + "/replay"));
  const hold = holdUp();
  say(hold ? "warn" : "", idNode(id), " waits to be sent. " + hold);
  markRow(id, "Waiting", "soft");
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
      renewRow(application, "Dead again", "bad");
      return say("bad", idNode(id), " is dead again. " + messageOf(errorOf(application)));
    }
  }
  say("warn", idNode(id), " still waits. " + (holdUp() || "Its next attempt follows by itself."));
}
async function forgetOne(id) {
  if (!await confirmed(["Forget ", idNode(id), "?" + REMOVED], "Forget", "danger")) return;
  await actOn(id, () => call("DELETE", pathOf(id)));
  say("", idNode(id), " is forgotten.");
  markRow(id, "Forgotten", "soft");
  if (shownId() === id) location.hash = at("back").hash;
}

/* --- a job: it says how far it is, and stops when it is told to --- */

let job = null;

window.addEventListener("beforeunload", event => { if (job && !job.isFollowed) event.preventDefault(); });
at("job-stop").onclick = () => { if (job) job.isStopped = true; };

function leftText(mine) {
  const left = mine.total - mine.done - mine.failed;
  return mine.perSecond && left > 0 ? " About " + duration(left / mine.perSecond * 1000) + " left." : "";
}
function tell(mine) {
  at("job-progress").max = Math.max(mine.total, 1);
  at("job-progress").value = Math.min(mine.done + mine.failed, mine.total);
  at("job-text").textContent = doneText(mine) + " " + outcomeText(mine) + leftText(mine);
}
const doneText = mine => count(mine.done) + " of " + count(mine.total) + " " + mine.verb + (mine.failed ? ", " + count(mine.failed) + " refused" : "") + ".";

/* `work` is given the job, calls tell, and looks at job.isStopped between its steps. */
async function runJob(title, settings, work) {
  if (job) throw new Error("Another replay or forget is running. Wait until it ends, or stop it.");
  const mine = job = {isStopped: false, done: 0, failed: 0, reason: "", perSecond: 0, outcome: null, ...settings};
  at("job-title").textContent = title;
  at("job-stop").textContent = "Stop";
  at("job").hidden = false;
  say();
  tell(mine);
  let failure = null;
  try { await work(mine); } catch (error) { failure = error; }
  const wasStopped = mine.isStopped;
  if (mine.outcome) await follow(mine).catch(error => { failure = failure || error; });
  const hadFocus = at("job").contains(document.activeElement);
  job = null;
  at("job").hidden = true;
  if (hadFocus) focusWork();
  sayResult(mine, wasStopped, failure);
  if (!shown) return;
  shown.counts.clear();
  countAgain();
}
function sayResult(mine, wasStopped, failure) {
  const parts = [(failure ? "Interrupted. " : wasStopped ? "Stopped. " : "") + doneText(mine), outcomeText(mine)];
  if (failure) parts.push(failure.message);
  if ((failure || wasStopped) && mine.done + mine.failed < mine.total) parts.push("The rest is as it was.");
  if (mine.reason) parts.push("The last refusal says “" + mine.reason + "”.");
  const hold = mine.outcome && mine.outcome.waiting ? holdUp() : "";
  if (hold) parts.push(hold);
  const isBad = failure || mine.failed || mine.outcome && mine.outcome.dead.size, waits = mine.outcome && mine.outcome.waiting !== 0;
  say(isBad ? "bad" : waits ? "warn" : "good", parts.filter(Boolean).join(" "));
}
/* In small steps, so that a stop is heard at once. A hidden tab sleeps longer, and catches up afterwards. */
async function pause(mine, ms) {
  const until = performance.now() + ms;
  while (!mine.isStopped && performance.now() < until) await sleep(Math.min(200, until - performance.now()));
}

/* --- what became of what was replayed: it waits, or it is dead again, or else it was delivered --- */

const FOLLOW_MS = 1000, FOLLOW_STILL_MS = 30000, FOLLOW_PAGES_MAX = 10;

/* `since`: when the first of them was replayed, by Redis's clock, which alone has set the times compared here. `ids`: of those
 * selected; null: all that were replayed since. */
const outcomeSince = (since, ids) => ({since, ids, waiting: null, delivered: 0, isWhole: true, dead: new Map(), deadSince: since});
const isOfJob = (outcome, one) => (outcome.ids === null || outcome.ids.has(one.applicationId)) && Date.parse(one.replayedAt) >= outcome.since;

function outcomeText(mine) {
  const outcome = mine.outcome;
  if (!outcome || outcome.waiting === null) return "";
  const dead = outcome.dead.size, parts = [];
  if (outcome.isWhole && outcome.delivered > 0) parts.push(count(outcome.delivered) + " delivered");
  if (dead) parts.push(count(dead) + " dead again");
  if (outcome.waiting) parts.push(count(outcome.waiting) + (outcome.isWhole ? "" : " or more") + " waiting");
  return parts.length ? parts.join(", ") + "." : "";
}
async function eachListed(query, act) {
  let cursor = null;
  for (let pages = 0; pages === 0 || cursor && pages < FOLLOW_PAGES_MAX; pages++) {
    const page = await call("GET", "/v1/applications?" + new URLSearchParams({...query, limit: 200, ...cursor ? {cursor} : {}}));
    page.applications.forEach(act);
    cursor = page.cursor;
  }
  return !cursor;
}
/* First those that wait: what dies between the two calls is then found among the dead. */
async function lookAtOutcome(mine) {
  const outcome = mine.outcome, waiting = new Set(), latest = [];
  outcome.isWhole = await eachListed({state: "due"}, one => { if (isOfJob(outcome, one)) waiting.add(one.applicationId); });
  await eachListed({state: "dead", since: new Date(outcome.deadSince).toISOString()}, one => {
    outcome.deadSince = Math.max(outcome.deadSince, Date.parse(one.diedAt));
    if (!isOfJob(outcome, one) || outcome.dead.has(one.applicationId)) return;
    outcome.dead.set(one.applicationId, one);
    latest.push(one);
  });
  outcome.waiting = waiting.size;
  outcome.delivered = mine.done - outcome.dead.size - waiting.size;
  for (const one of latest) renewRow(one, "Dead again", "bad");
  return waiting;
}
/* Of the rows that are loaded. */
function markDelivered(mine, waiting) {
  if (!mine.outcome.isWhole) return;
  for (const id of mine.marked)
    if (!waiting.has(id) && !mine.outcome.dead.has(id)) markRow(id, "Delivered", "good");
}
/* Until none waits, or nothing moves any more. */
async function follow(mine) {
  let still = performance.now(), before = "";
  mine.isStopped = false;
  mine.isFollowed = true; /* from now on nothing is lost with the page */
  at("job-title").textContent += ": waiting for the outcome";
  at("job-stop").textContent = "Do not wait";
  for (;;) {
    const waiting = await lookAtOutcome(mine);
    markDelivered(mine, waiting);
    tell(mine);
    const now = mine.outcome.waiting + " " + mine.outcome.dead.size;
    if (now !== before) [before, still] = [now, performance.now()];
    if (mine.isStopped || mine.outcome.waiting === 0 || holdUp() || performance.now() - still > FOLLOW_STILL_MS) return;
    await pause(mine, FOLLOW_MS);
  }
}
async function lookIfTime(mine) {
  if (!mine.outcome || performance.now() < (mine.lookAt || 0)) return;
  const begun = performance.now();
  await lookAtOutcome(mine);
  mine.lookAt = performance.now() + FOLLOW_MS + 4 * (performance.now() - begun);
}

/* --- those selected --- */

/* One after the other. What one of them is refused for does not stop the others; a service that is away does. */
async function eachOf(mine, ids, act, word) {
  const begun = performance.now();
  for (let i = 0; i < ids.length && !mine.isStopped; i++) {
    if (mine.perSecond) await pause(mine, begun + i * 1000 / mine.perSecond - performance.now());
    if (mine.isStopped) break;
    try {
      await act(ids[i]);
      mine.done++;
      mine.marked.add(ids[i]);
      markRow(ids[i], word, "soft");
    } catch (error) {
      if (!(error instanceof Refusal) || ![404, 409, 422].includes(error.status)) throw error;
      mine.failed++;
      mine.reason = error.message;
      markRow(ids[i], error.message, "bad", false);
    }
    await lookIfTime(mine);
    tell(mine);
  }
}
async function replaySelected(mine, id) {
  await call("POST", pathOf(id) + "/replay");
  if (mine.outcome) return;
  const first = await call("GET", pathOf(id)).catch(() => ({}));
  if (first.replayedAt) mine.outcome = outcomeSince(Date.parse(first.replayedAt), mine.marked);
}
function onSelected(id, act) {
  at(id).onclick = () => during(at(id), async () => {
    const ids = selectedIds();
    if (ids.length === 0) sayBriefly("", "Select rows first.");
    else await act(ids);
  });
}
onSelected("replay-selected", async ids => {
  const text = "Send the " + many(ids.length, "selected signal") + " again? Keep this page open until it is done.";
  if (!await confirmed([text], "Replay " + count(ids.length), "rate", ids.length)) return;
  await runJob("Replay", {total: ids.length, verb: "queued", perSecond: Number(at("rate").value), marked: new Set()}, mine =>
    eachOf(mine, ids, id => replaySelected(mine, id), "Waiting"));
});
onSelected("forget-selected", async ids => {
  const text = "Forget " + many(ids.length, "selected application") + "? Everything known of them is removed, and their signals are never sent. This cannot be undone.";
  if (!await confirmed([text], "Forget " + count(ids.length), "danger")) return;
  await runJob("Forget", {total: ids.length, verb: "forgotten", marked: new Set()}, mine =>
    eachOf(mine, ids, id => call("DELETE", pathOf(id)), "Forgotten"));
});

/* --- all that match the filter that was submitted, also those that are not loaded; what died later is left alone --- */

function bodyOf(filter) {
  const body = {state: "dead"};
  for (const name of FILTERS)
    if (filter[name]) body[name] = filter[name];
  return body;
}
function bulkFilter() {
  const body = bodyOf(shown.filter);
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
/* The rows loaded that can be meant. */
const openRows = () => [...shown.rows.values()].filter(row => row.box && !row.box.disabled).map(row => row.id);

/* In pieces of the time that a stop may take. Redis has the clock of the first one. */
async function replayAll(mine, body) {
  let cursor = null;
  do {
    const answer = await call("POST", "/v1/replay", {...body, perSecond: mine.perSecond, limit: Math.min(mine.perSecond * CHUNK_S, CHUNK_MAX), cursor});
    if (!mine.outcome && answer.replayed)
      mine.outcome = outcomeSince(Date.parse(answer.lastDueAt) - (answer.replayed - 1) * 1000 / mine.perSecond - 50, null);
    mine.done += answer.replayed;
    cursor = answer.cursor;
    tell(mine);
    if (cursor) await pauseAndLook(mine, answer.replayed / mine.perSecond * 1000);
  } while (cursor && !mine.isStopped);
  return !cursor;
}
async function pauseAndLook(mine, ms) {
  const until = performance.now() + ms;
  while (!mine.isStopped && performance.now() < until) {
    await lookIfTime(mine);
    tell(mine);
    await pause(mine, Math.min(FOLLOW_MS, until - performance.now()));
  }
}
async function forgetAll(mine, body) {
  let cursor = null;
  do {
    const answer = await call("POST", "/v1/forget", {...body, cursor});
    mine.done += answer.forgotten;
    cursor = answer.cursor;
    tell(mine);
  } while (cursor && !mine.isStopped);
  return !cursor;
}
async function allThatMatch(path, ask, title, settings, work, word) {
  const body = bulkFilter(), listed = shown, total = await countAll(path, body);
  if (total === 0) return say("", "No application of this list is dead any more.");
  if (!await ask(many(total, "dead application") + filterWords(listed.filter), total)) return;
  await runJob(title, {...settings(), total, marked: new Set()}, async mine => {
    const isWhole = await work(mine, body);
    if (listed !== shown) return;
    if (!isWhole) return list(listed.filter); /* which of the rows are done is not known */
    for (const id of openRows()) {
      mine.marked.add(id);
      markRow(id, word, "soft");
    }
  });
}
at("replay-all").onclick = () => during(at("replay-all"), () => allThatMatch("/v1/replay", (words, total) =>
  confirmed(["Send the signals of " + words + " again? Keep this page open until it is done."], "Replay " + count(total), "rate", total),
"Replay", () => ({verb: "queued", perSecond: Number(at("rate").value)}), replayAll, "Waiting"));
at("forget-all").onclick = () => during(at("forget-all"), () => allThatMatch("/v1/forget", (words, total) =>
  confirmed(["Forget " + words + "? Everything known of them is removed, and their signals are never sent. This cannot be undone."],
    "Forget " + count(total), "danger"), "Forget", () => ({verb: "forgotten"}), forgetAll, "Forgotten"));
