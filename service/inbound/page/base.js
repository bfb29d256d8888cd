/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
"use strict";

/* --- small things that all parts use --- */

const at = id => document.getElementById(id);

/* Text from outside, SEEK's words and ids, never becomes markup. Characters that would hide in it or turn it around are spelled out. */
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb]|[\u{e0000}-\u{e0fff}]/gu;
const visible = text => String(text).replace(HIDDEN, one => "⟨U+" + one.codePointAt(0).toString(16).toUpperCase().padStart(4, "0") + "⟩");

function make(name, text, attributes) {
  const node = document.createElement(name);
  if (text !== undefined) node.textContent = visible(text);
  for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
  return node;
}
/* An id inside a sentence, whichever way its letters run. */
const idNode = id => make("bdi", id, {class: "id"});

/* Unchanged text is not written again: a screen reader would say it again. */
function put(id, text, kind) {
  const node = at(id), shown = visible(text);
  if (node.textContent !== shown) node.textContent = shown;
  node.className = kind || "";
}
const partsOf = parts => parts.map(part => typeof part === "string" ? visible(part) : part);

/* The message stays at the bottom of the window, wherever somebody has scrolled to, until another comes or it is closed. One about
 * something that passes goes with it. */
const BRIEF_MS = 8000;
let passing = null, briefTimer = null; /* passing: "silence" or "refusal" */
function say(kind, ...parts) {
  clearTimeout(briefTimer);
  passing = null;
  at("news").replaceChildren(...partsOf(parts));
  at("news").className = kind;
  at("toast").className = parts.length ? "" : "empty";
}
function sayBriefly(kind, ...parts) {
  say(kind, ...parts);
  briefTimer = setTimeout(say, BRIEF_MS);
}
function sayFailure(error) {
  say("bad", "That did not work: " + error.message);
  passing = error instanceof Silence ? "silence" : error instanceof Refusal && error.status === 503 ? "refusal" : null;
}
at("news-close").onclick = () => { say(); focusWork(); };
/* What is at the bottom never hides what has the focus. */
new ResizeObserver(() => document.documentElement.style.setProperty("--dock", at("dock").offsetHeight + "px")).observe(at("dock"));

/* Where somebody goes on when the control that had the focus is gone: the list, or the one application. */
const focusWork = () => (at("overview").hidden ? at("detail-title") : at("work")).focus({preventScroll: true});
at("skip").onclick = event => {
  event.preventDefault(); /* the address says what is shown */
  const target = at("overview").hidden ? at("detail-title") : at("work");
  target.scrollIntoView();
  target.focus();
};

const count = number => number === null || number === undefined ? "unknown" : number.toLocaleString("en");
const many = (number, one) => count(number) + " " + one + (number === 1 ? "" : "s");
function duration(ms) {
  if (ms === null || ms === undefined) return "unknown";
  const s = Math.round(ms / 1000);
  if (s < 100) return s + " s";
  if (s < 6000) return Math.round(s / 60) + " min";
  return s < 172800 ? Math.round(s / 3600) + " h" : Math.round(s / 86400) + " days";
}
function moment(text) {
  if (!text) return make("span", "–");
  const date = new Date(text);
  const day = date.toDateString() === new Date().toDateString() ? "" : date.toLocaleDateString() + " ";
  return make("time", day + date.toLocaleTimeString(), {datetime: text, title: text});
}
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

function button(text, label, act, attributes) {
  const node = make("button", text, {type: "button", "aria-label": visible(label), ...attributes});
  node.onclick = () => during(node, act);
  return node;
}
/* No second click while the first one works; what fails is said. Not by `disabled`: that loses the focus. */
async function during(node, act) {
  if (node.ariaBusy === "true") return;
  node.ariaBusy = "true";
  try { await act(); } catch (error) { sayFailure(error); }
  node.ariaBusy = "false";
}

/* The clipboard belongs to pages by https and of this machine; elsewhere the browser's old way works. */
async function copy(text) {
  if (navigator.clipboard) {
    try { await navigator.clipboard.writeText(text); return; } catch { /* not allowed: the old way */ }
  }
  const box = make("textarea", undefined, {readonly: "", "aria-hidden": "true"});
  const before = document.activeElement;
  box.value = text;
  document.body.append(box);
  box.select();
  const isCopied = document.execCommand("copy");
  box.remove();
  before.focus();
  if (!isCopied) throw new Error("The browser does not let this page copy.");
}
const copyButton = (text, what) => button("Copy", "Copy " + what, async () => {
  await copy(text);
  sayBriefly("good", "Copied: ", idNode(text));
}, {"data-key": "copy " + what});

function showRateTime(number) {
  const perSecond = Number(at("rate").value);
  at("rate-time").textContent = perSecond >= 1 ? "This takes about " + duration(number / perSecond * 1000) + "." : "";
}
/* Resolves to whether the answer was yes. Escape is no. `kind`: "rate" asks for signals per second, of which there are `number`;
 * "danger" cannot be undone. */
function confirmed(parts, yes, kind, number) {
  const dialog = at("question");
  at("question-text").replaceChildren(...partsOf(parts));
  at("yes").textContent = yes;
  at("yes").className = kind === "danger" ? "danger" : "main";
  at("rate-row").hidden = kind !== "rate";
  at("rate").oninput = () => showRateTime(number);
  showRateTime(number);
  dialog.showModal();
  if (kind === "danger") at("no").focus();
  return new Promise(resolve => {
    const finish = answer => { dialog.close(); resolve(answer); };
    at("yes").onclick = () => { if (kind !== "rate" || at("rate").reportValidity()) finish(true); };
    at("no").onclick = () => finish(false);
    /* Escape. The event comes late: perhaps when the next question is open already. */
    dialog.onclose = () => { if (!dialog.open) resolve(false); };
  });
}
