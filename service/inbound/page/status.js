/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */

/* --- the service as a whole --- */

const POLL_MS = 2000, POLL_HIDDEN_MS = 15000, SAMPLES_MIN = 30, SAMPLES_MAX = 300;

const plots = [
  {name: "Delivered per second", title: "Delivered / s", value: (now, before) => rate(now.delivered, before.delivered, now, before)},
  {name: "Retried per second", title: "Retried / s", value: (now, before) => rate(now.retried, before.retried, now, before)},
  {name: "Due", value: now => now.due},
  {name: "Dead", value: now => now.dead},
];
let samples = [];
/* A process that was restarted counts from 0 again. */
const rate = (value, before, now, then) => Math.max(0, value - before) / ((now.time - then.time) / 1000);
const short = value => value === null ? "unknown" : value >= 10 || Number.isInteger(value) ? count(Math.round(value)) : value.toFixed(1);

const SVG = "http://www.w3.org/2000/svg";
/* Gives the plot an empty drawing with its name and value above it. */
function addPlot(plot, box) {
  const figure = make("figure"), caption = make("figcaption");
  plot.output = make("b", "–");
  caption.append(make("span", plot.title || plot.name), plot.output);
  plot.svg = document.createElementNS(SVG, "svg");
  plot.svg.setAttribute("preserveAspectRatio", "none");
  plot.svg.setAttribute("role", "img");
  plot.svg.setAttribute("aria-label", plot.name + ": unknown");
  figure.append(caption, plot.svg);
  box.append(figure);
}
for (const plot of plots) {
  addPlot(plot, at("plots"));
  plot.line = document.createElementNS(SVG, "polyline");
  plot.svg.append(plot.line);
}
function draw() {
  for (const plot of plots) {
    const values = samples.slice(1).map((sample, i) => plot.value(sample, samples[i]));
    const known = values.filter(value => value !== null);
    const most = Math.max(1, ...known), last = values.length ? values[values.length - 1] : null;
    const width = Math.max(SAMPLES_MIN, values.length), first = width - values.length;
    plot.svg.setAttribute("viewBox", "0 0 " + (width - 1) + " 60");
    plot.line.setAttribute("points", values.map((value, i) =>
      value === null ? "" : (first + i) + "," + (57 - value / most * 54).toFixed(1)).join(" "));
    const text = short(last) + (known.length ? ", at most " + short(Math.max(...known)) : "");
    plot.output.textContent = text;
    plot.svg.setAttribute("aria-label", plot.name + ": now " + text);
  }
}

let isPaused = false, lastStatus = null, answeredAt = null;
const deadNow = () => lastStatus ? lastStatus.signals.dead : null;

const isDown = sending => sending.breaker === "open" || sending.breaker === "probing";

function describe(status) {
  const sending = status.sending || {}, token = status.accessToken || {};
  if (status.draining) return ["Shutting down", "warn"];
  if (!status.store.ready) return ["Not accepting events", "bad"];
  if (sending.movedTo) return ["Moved to another Redis", "warn"];
  if (sending.paused) return ["Paused since " + new Date(sending.pausedSince).toLocaleString(), "warn"];
  if (isDown(sending)) return ["SEEK is down; sending is on hold", "bad"];
  if (token.failures > 0 && !token.valid) return ["No access token; sending is on hold", "bad"];
  if (sending.throttledForMs > 0) return ["SEEK is rate-limiting us", "warn"];
  return ["Working", "good"];
}
function troubles(status) {
  const found = [], sending = status.sending || {}, token = status.accessToken || {};
  if (status.store.reason)
    found.push(adviceItem("Redis: " + status.store.reason, status.store.ready ? "warn" : "bad", status.store.ready ? "" : "store"));
  if (status.spool && status.spool.reason) found.push(adviceItem("Spool: " + status.spool.reason, "warn"));
  if (status.notifications && status.notifications.reason)
    found.push(adviceItem("Notifications: " + status.notifications.reason, "warn", "notifications"));
  if (sending.movedTo) found.push(adviceItem("Moved to " + sending.movedTo + (sending.paused ? "." : ", but sending here was resumed."), "warn", "moved"));
  else if (sending.paused) found.push(adviceItem("Sending is paused.", "warn", "paused"));
  if (token.lastError && token.failingForMs !== null) found.push(adviceItem("Access token: " + token.lastError, "bad", "token"));
  if (isDown(sending))
    found.push(adviceItem("SEEK: " + (sending.lastError || "no answer"), "bad", "breaker"));
  if (sending.throttledForMs > 0) found.push(adviceItem("SEEK is rate-limiting us.", "warn", "throttled"));
  return found;
}
/* A list that is the same stays: the focus may be on a link in it. */
function putItems(box, items) {
  const draft = make("ul");
  draft.append(...items);
  if (draft.innerHTML !== box.innerHTML) box.replaceChildren(...draft.childNodes);
}
function show(status) {
  const sending = status.sending || {}, workers = status.workers || {}, token = status.accessToken || {};
  lastStatus = status;
  put("state", ...describe(status));
  put("version", status.version, "soft");
  put("due", count(status.signals.due));
  put("sending", count(sending.inFlight));
  put("dead", count(status.signals.dead), status.signals.dead > 0 ? "bad" : "");
  put("oldest", duration(status.signals.oldestDueAgeMs));
  put("oldest-retry", workers.oldestRetry ? `${duration(workers.oldestRetry.ageMs)}, ${workers.oldestRetry.class}` : "none");
  put("breaker", sending.breaker || "unknown", isDown(sending) ? "bad" : "");
  put("token", token.valid ? "valid, " + duration(token.expiresInMs) : "none", token.valid ? "" : "warn");
  put("durability", status.store.durability || "unknown");
  at("delivered-at").replaceChildren(moment(workers.lastDeliveredAt));
  const found = troubles(status);
  putItems(at("trouble"), found);
  at("trouble").hidden = found.length === 0;
  isPaused = sending.paused === true;
  at("pause").textContent = isPaused ? "Resume sending" : "Pause sending";
  at("pause").disabled = typeof sending.paused !== "boolean";
  samples.push({time: Date.now(), due: status.signals.due, dead: status.signals.dead,
    delivered: workers.delivered || 0, retried: workers.retried || 0});
  samples = samples.slice(-SAMPLES_MAX - 1);
  draw();
}
/* What the service has in this version: a control that needs more is not shown. */
function showFeatures(status) {
  const has = {filters: Array.isArray(status.signals.deadBy)};
  for (const node of document.querySelectorAll("[data-needs]"))
    node.hidden = !has[node.dataset.needs];
  return has;
}
function showTitle() {
  const dead = deadNow(), one = shownId();
  const name = one === null ? "seek-signal" : visible(one) + " · seek-signal";
  document.title = (dead ? "(" + count(dead) + " dead) " : "") + name;
}
function showStale(why) {
  document.documentElement.classList.toggle("stale", why !== null);
  at("stale").hidden = why === null;
  if (why !== null)
    put("stale", why + (answeredAt ? " What is shown is from " + answeredAt.toLocaleTimeString() + "." : ""), "note warn");
}

let features = {filters: false};
async function look() {
  if (isKeyRefused) return showKeyMissing();
  let status;
  try { status = await call("GET", "/v1/status"); } catch (error) {
    if (error instanceof Refusal && error.status === 401) return look();
    const isSilent = error instanceof Silence;
    put("state", isSilent ? "The service does not answer" : error.message, "bad");
    showStale(isSilent ? "The service does not answer." : "The service answers with an error.");
    return showTitle();
  }
  answeredAt = new Date();
  show(status);
  features = showFeatures(status);
  showStale(null);
  showTitle();
  if (passing === "silence" || passing === "refusal" && status.store.ready) say();
  /* The status is true even where Redis is away and nothing can be listed. */
  try { await lookForNew(); } catch (error) { showListOld(error.message); }
  await refreshDetail();
}
function showKeyMissing() {
  put("state", "The API key is missing", "bad");
  showStale("The page does not update without the API key.");
  if (!shown) put("list-caption", "The list needs the API key.");
}
async function begin() {
  if (apiKey !== null) await learnRights();
  const filter = filterOfAddress();
  fillForm(filter);
  at("back").href = addressOfList(filter);
  await list(filter);
}
let timer = null;
async function poll() {
  clearTimeout(timer);
  await look();
  timer = setTimeout(poll, document.hidden ? POLL_HIDDEN_MS : POLL_MS);
}
document.addEventListener("visibilitychange", () => { if (!document.hidden && timer !== null) poll(); });

at("pause").onclick = () => during(at("pause"), async () => {
  if (isPaused) {
    await call("POST", "/v1/resume", {});
    say("good", "Sending goes on.");
  } else {
    const text = "Stop sending for every process on this Redis? Events are still accepted, and wait.";
    if (!await confirmed([text], "Pause sending")) return;
    await call("POST", "/v1/pause", {});
    say("warn", "Sending is paused.");
  }
  await look();
});
