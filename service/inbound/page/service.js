/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */

/* --- asking the service --- */

const ANSWER_MS_MAX = 15000;
let apiKey = null;        /* in memory alone */
let keyAsked = null;      /* the promise of the open dialog */
let isKeyRefused = false; /* the dialog was left without a key: nothing is asked until there is one */
let isReadOnly = false;

class Silence extends Error {}
class Refusal extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || "HTTP status " + status);
    this.status = status;
    this.code = problem.code;
  }
}

/* All calls that meet a 401 wait for the same dialog. Resolves to whether there is a key now. */
function askForKey(isWrong) {
  if (keyAsked) return keyAsked;
  const dialog = at("key-dialog");
  at("key").value = "";
  at("key-wrong").textContent = "";
  dialog.showModal();
  if (isWrong) at("key-wrong").textContent = "The service does not accept this key. Try again.";
  keyAsked = new Promise(resolve => {
    let isGiven = false;
    at("key-form").onsubmit = event => {
      event.preventDefault();
      apiKey = at("key").value.trim();
      isGiven = true;
      dialog.close();
    };
    at("key-cancel").onclick = () => dialog.close();
    dialog.onclose = () => {
      at("key").value = "";
      keyAsked = null;
      isKeyRefused = !isGiven;
      at("enter-key").hidden = isGiven;
      setReadOnly(false);
      resolve(isGiven);
    };
  });
  return keyAsked;
}

async function fetchWithKey(method, path, body) {
  const headers = {};
  if (apiKey !== null) headers.Authorization = "Bearer " + apiKey;
  if (method !== "GET") headers["Content-Type"] = "application/json";
  const options = {method, headers, body: body && JSON.stringify(body), cache: "no-store"};
  try { return await fetch(path, {...options, signal: AbortSignal.timeout(ANSWER_MS_MAX)}); }
  catch { throw new Silence("The service does not answer."); }
}

async function call(method, path, body) {
  for (;;) {
    const used = apiKey, answer = await fetchWithKey(method, path, body);
    const json = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
    if (answer.status === 401) {
      if (apiKey !== used || await askForKey(used !== null)) continue;
      throw new Refusal(401, {detail: "The API key is missing."});
    }
    if (answer.status === 403 && /read_only$/.test(json.code)) setReadOnly(true);
    if (!answer.ok) throw new Refusal(answer.status, json);
    return json;
  }
}

/* --- a key that is read-only --- */

function setReadOnly(is) {
  isReadOnly = is;
  at("read-only").hidden = !is;
  document.documentElement.classList.toggle("read-only", is);
}
/* Only a call that changes tells what a key may do. This one counts one dead application and changes nothing. */
async function learnRights() {
  try { await call("POST", "/v1/replay", {state: "dead", dryRun: true, limit: 1}); }
  catch { /* 403 has set it; anything else is told when somebody acts */ }
}
at("other-key").onclick = at("enter-key").onclick = async () => {
  if (!await askForKey(false)) return;
  if (lastStatus) await learnRights().then(() => list(shown ? shown.filter : filterOfAddress())).catch(sayFailure);
  await poll();
};
