/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */

/* --- what to do, in short; "More" shows the row of the service's own docs/troubleshooting.md --- */

/* By code, or else by class: what to do, and words of the row. */
const advice = {
  FORBIDDEN: ["Ask SEEK to set up the relationship with this hirer, then replay.", "the access token is valid, the operation is not allowed"],
  BAD_USER_INPUT: ["SEEK does not know this seek-token. Check how the ATS takes it from the link. A new seek-token is sent by itself.",
    "the seek-token is not one that SEEK recognises"],
  LEASE_EXPIRED: ["Find out why processes die, then replay.", "look why processes die; then replay"],
  DAMAGED: ["Something else has written to it in Redis. A replay repairs what can be repaired.", "`lastError.code` is `DAMAGED`"],
  DNS: ["Look at DNS.", "SEEK's host name could not be resolved"],
  NO_CONNECTION: ["Look at firewalls and network policies: port 443 to SEEK’s hosts.", "look at firewalls and network policies"],
  TLS: ["Check whether a proxy intercepts TLS, and check the clock.", "the TLS handshake with SEEK failed"],
  TIMEOUT: ["If it lasts, raise REQUEST_TIMEOUT_MS.", "SEEK did not answer in time"],
  PROXY_REFUSED: ["Look at the proxy.", "the proxy refuses the connection to SEEK"],
  HTTP_403: ["A proxy or firewall refuses. Let GRAPHQL_URL pass.", "a proxy or firewall refuses"],
  HTTP_404: ["A proxy or firewall answers. Let GRAPHQL_URL pass.", "a proxy or firewall refuses"],
  NOT_JSON: ["A proxy’s error page or a login page answers.", "a proxy's error page or a login page, often"],
  transient: ["The service retries it for RETRY_MAX_AGE_S. If it is dead by then, remove the cause and replay it.", "it was tried for"],
  auth: ["Look at the access token. What died of it is replayed after that.", "it was tried for"],
  misconfigured: ["Look at GRAPHQL_URL and at proxies.", "The answer does not come from SEEK's GraphQL"],
  unreadable: ["SEEK may have the signal. It is repeated with long pauses.", "a proxy's error page or a login page, often"],
  /* of the service as a whole */
  store: ["Events get 503 meanwhile, and the ATS posts again.", "Posting answers 503, or"],
  paused: ["Resume when the reason for the pause is over.", "Sending is paused; events are still accepted"],
  moved: ["The signals are sent from there. Point clients and services to it, and do not resume here.", "a move has stopped sending there, so that nothing older"],
  breaker: ["One request at a time checks whether SEEK is back, with pauses of at most 2 s. Then everything waiting is sent.", "SEEK is down; sending is on hold, and one request at a time checks whether it is back"],
  token: ["Compare CLIENT_ID and CLIENT_SECRET with SEEK’s developer dashboard.", "No new access token can be fetched"],
  notifications: ["They are kept and repeated. Repair the receiver or NOTIFY_URL.", "NOTIFY_URL does not take notifications; they are kept and repeated"],
  throttled: ["Wait. If it comes often, set MAX_PER_SECOND.", "SEEK is rate-limiting us; sending waits"],
};

/* `said`: the message that the advice is about, whose own row of the document is the better one. */
function adviceNodes(keys, said = "") {
  const key = keys.find(one => Object.hasOwn(advice, one || ""));
  if (!key) return [];
  const [text, words] = advice[key];
  return [make("span", text + " "), button("More", "More about " + key, () => showHelp(words, said), {class: "link", "data-key": "more " + key})];
}

/* --- a row of the document, as a person reads it --- */

let manual = null;

/* Of Markdown what these rows have: `code`, **strong** and links. What they lead to is not here, so the words stay alone. */
function writtenOut(text) {
  const nodes = [];
  for (const [, code, strong, link, rest] of text.matchAll(/`([^`]*)`|\*\*(.+?)\*\*|\[((?:[^\]`]|`[^`]*`)*)\]\([^)]*\)|([^`*[]+|[`*[])/g)) {
    if (code !== undefined) nodes.push(make("code", code));
    else if (strong !== undefined) nodes.push(make("b", strong));
    else nodes.push(...link !== undefined ? writtenOut(link) : [document.createTextNode(visible(rest))]);
  }
  return nodes;
}
/* Of a message in the first cell of a row, `…` stands for what varies. */
function isRowOf(line, said) {
  const patterns = [...(/^\| (.*?) \| /.exec(line) || ["", ""])[1].matchAll(/`([^`]{8,})`/g)].map(([, code]) =>
    "^" + code.split("…").map(part => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*"));
  return patterns.some(pattern => new RegExp(pattern).test(said));
}
function helpOf(words, said = "") {
  const lines = manual.split("\n"), own = said ? lines.findIndex(line => isRowOf(line, said)) : -1, parts = [];
  const i = own >= 0 ? own : lines.findIndex(line => line.includes(words));
  if (i < 0) return [make("p", "The document says nothing about it.")];
  if (lines[i].startsWith("#")) {
    const h3 = make("h3"), p = make("p");
    h3.append(...writtenOut(lines[i].replace(/^#+ /, "")));
    p.append(...writtenOut(lines.slice(i + 1).find(Boolean) || ""));
    return [h3, p];
  }
  const isRow = lines[i].startsWith("|"), cells = isRow ? lines[i].split(" | ").map(cell => cell.replace(/^\| | \|$/g, "")) : [lines[i]];
  const head = isRow ? lines.slice(0, i).findLast((line, at, all) => line.startsWith("|") && /^\| *-/.test(all[at + 1] || "")) : "";
  const names = head.split("|").slice(1, -1).map(name => name.trim());
  cells.forEach((cell, column) => {
    const p = make("p"), h3 = make("h3"), name = names[column] || "";
    p.append(...writtenOut(cell));
    h3.append(...writtenOut(name.slice(0, 1).toUpperCase() + name.slice(1)));
    parts.push(...name ? [h3] : [], p);
  });
  return parts;
}
async function showHelp(words, said) {
  if (manual === null) {
    const answer = await fetchWithKey("GET", "/troubleshooting.md");
    if (!answer.ok) throw new Refusal(answer.status, {});
    manual = await answer.text();
  }
  at("help-text").replaceChildren(...helpOf(words, said));
  at("help-all").href = "troubleshooting.md#:~:text=" + encodeURIComponent(words).replaceAll("-", "%2D");
  at("help").showModal();
}
at("help-close").onclick = () => at("help").close();

function adviceBox(keys, said) {
  const box = make("div", undefined, {class: "soft"});
  box.append(...adviceNodes(keys, said));
  return box;
}
function adviceItem(text, kind, key = "") {
  const li = make("li");
  li.append(make("span", text, {class: kind}), adviceBox([key], text.slice(text.indexOf(": ") + 2)));
  return li;
}
