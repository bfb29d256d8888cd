/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */

/* --- one application, at an address of its own: #/applications/ID --- */

const addressOf = id => "#/applications/" + encodeURIComponent(id);
function shownId() {
  const found = /^#\/applications\/(.+)$/.exec(location.hash);
  try { return found && decodeURIComponent(found[1]); } catch { return null; }
}

/* Each thing once: codes such as HTTP_503 and some messages have the status already. */
function errorWords(error) {
  const text = [error.code, messageOf(error)].filter(Boolean).join(" — ");
  return error.httpStatus && !new RegExp("HTTP(_| status | )" + error.httpStatus).test(text) ? text + " — HTTP " + error.httpStatus : text;
}
function facts(application) {
  const error = application.lastError, dl = make("dl", undefined, {class: "facts"});
  const add = (name, ...values) => {
    const dd = make("dd");
    dd.append(...values);
    dl.append(make("dt", name), dd);
  };
  add("State", make("span", application.state, {class: {dead: "bad", delivered: "good"}[application.state] || ""}));
  for (const [name, member] of [["Seek-token arrived", "tokenReceivedAt"], ["Completed", "completedAt"], ["Accepted", "acceptedAt"],
    ["Last attempt", "lastAttemptAt"], ["Next attempt", "nextAttemptAt"], ["Delivered", "deliveredAt"], ["Died", "diedAt"],
    ["Replayed", "replayedAt"]])
    if (application[member]) add(name, moment(application[member]));
  if (error) add("Last error", make("span", errorWords(error)));
  const help = error ? adviceNodes([error.code, error.class]) : [];
  if (help.length && application.state !== "delivered") add("What to do", ...help);
  add("Fingerprint of the seek-token", make("span", application.tokenFingerprint || "–", {class: "id"}));
  if (application.eventId) add("Event id", make("span", application.eventId, {class: "id"}), " ", copyButton(application.eventId, "the event id"));
  if (application.traceparent) add("traceparent", make("span", application.traceparent, {class: "id"}));
  add("Attempts", make("span", application.attempts));
  return dl;
}
function attempts(application) {
  if (application.requestIds.length === 0) return make("p", "There was no attempt yet.", {class: "soft"});
  const table = make("table", undefined, {role: "table", "aria-label": "Attempts"}), head = make("tr", undefined, {role: "row"});
  const body = make("tbody", undefined, {role: "rowgroup"}), thead = make("thead", undefined, {role: "rowgroup"});
  table.append(make("caption", "Attempts, the newest first. SEEK’s support asks for the request id."));
  const labels = ["Attempt", "Began", "Outcome", "Request id", "Copy"];
  labels.forEach(label => head.append(make("th", label, {scope: "col", role: "columnheader"})));
  application.requestIds.forEach((id, i) => {
    const past = application.history.find(one => one.requestId === id) || {}, tr = make("tr", undefined, {role: "row"});
    const number = application.requestIdsTotal - i;
    const cells = [make("span", number), moment(past.at), make("span", [past.class, past.code].filter(Boolean).join(", ") || "–"),
      make("span", id, {class: "id"}), copyButton(id, "the request id of attempt " + number)];
    cells.forEach((cell, column) => {
      const td = make("td", undefined, {"data-label": labels[column], role: "cell"});
      td.append(cell);
      tr.append(td);
    });
    body.append(tr);
  });
  thead.append(head);
  table.append(thead, body);
  return table;
}

let detailText = null;
/* Asks again while the page is open; what has not changed is not drawn anew, and the focus stays. */
async function refreshDetail() {
  const id = shownId();
  if (id === null) return;
  let application = null, problem = null;
  try { application = await call("GET", pathOf(id)); }
  catch (error) {
    if (detailText !== null && !(error instanceof Refusal && error.status === 404)) return; /* what was there is told to be old */
    problem = error.message;
  }
  const text = JSON.stringify([id, application, problem]);
  if (id !== shownId() || text === detailText) return;
  detailText = text;
  const key = at("detail").contains(document.activeElement) ? document.activeElement.dataset.key : null;
  at("one").replaceChildren(...application ? [facts(application), attempts(application)] : [make("p", problem, {class: "bad"})]);
  const canAct = application && application.state !== "sending", canReplay = canAct && ["dead", "pending"].includes(application.state);
  at("detail-actions").replaceChildren(
    ...canReplay ? [button("Replay", "Replay " + id, () => replayOne(id), {"data-changes": "", "data-key": "replay"})] : [],
    ...canAct ? [button("Forget", "Forget " + id, () => forgetOne(id), {"data-changes": "", "data-key": "forget"})] : []);
  if (key) (at("detail").querySelector("[data-key=" + JSON.stringify(key) + "]") || at("detail-title")).focus({preventScroll: true});
}

let leftFrom = null, leftAt = 0;
async function route() {
  const id = shownId(), wasOpen = !at("detail").hidden;
  if (id !== null && !wasOpen) [leftFrom, leftAt] = [document.activeElement, scrollY];
  at("overview").hidden = id !== null;
  at("detail").hidden = id === null;
  showTitle();
  if (id === null) {
    detailText = null;
    if (wasOpen) {
      scrollTo(0, leftAt);
      if (leftFrom && leftFrom.isConnected) leftFrom.focus({preventScroll: true});
    }
    const filter = filterOfAddress();
    if (shown && !isSameList(filter, shown.filter)) await openList(filter).catch(sayFailure);
    return;
  }
  detailText = null;
  at("detail-title").replaceChildren("Application ", idNode(id));
  at("detail-copy").replaceChildren(copyButton(id, "the application id"));
  at("one").replaceChildren(make("p", "Asking…"));
  at("detail-actions").replaceChildren();
  scrollTo(0, 0);
  at("detail-title").focus({preventScroll: true});
  if (lastStatus) await refreshDetail();
}
window.addEventListener("hashchange", route);
at("open").onsubmit = event => {
  event.preventDefault();
  const id = at("id").value.trim();
  if (id) location.hash = addressOf(id);
};

route();
poll();
pollHistory();
