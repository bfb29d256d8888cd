/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */

/* --- what to do, in short; the link leads to the row of the service's own docs/troubleshooting.md --- */

/* By code, or else by class: what to do, and words of the row. */
const advice = {
  FORBIDDEN: ["Ask SEEK to set up the relationship with this hirer, then replay.", "the access token is valid, the operation is not allowed"],
  BAD_USER_INPUT: ["SEEK does not know this seek-token. Check how the ATS takes it from the link. A new seek-token is sent by itself.",
    "the seek-token is not one that SEEK recognises"],
  LEASE_EXPIRED: ["Find out why processes die, then replay.", "look why processes die; then replay"],
  DAMAGED: ["Something else has written to it in Redis. A replay repairs what can be repaired.", "Applications are damaged"],
  DNS: ["Look at DNS.", "SEEK's host name could not be resolved"],
  NO_CONNECTION: ["Look at firewalls and network policies: port 443 to SEEK’s hosts.", "look at firewalls and network policies"],
  TLS: ["Check whether a proxy intercepts TLS, and check the clock.", "the TLS handshake with SEEK failed"],
  TIMEOUT: ["If it lasts, raise REQUEST_TIMEOUT_MS.", "SEEK did not answer in time"],
  PROXY_REFUSED: ["Look at the proxy.", "the proxy refuses the connection to SEEK"],
  HTTP_403: ["A proxy or firewall refuses. Let GRAPHQL_URL pass.", "a proxy or firewall refuses"],
  HTTP_404: ["A proxy or firewall answers. Let GRAPHQL_URL pass.", "a proxy or firewall refuses"],
  NOT_JSON: ["A proxy’s error page or a login page answers.", "a proxy's error page or a login page, often"],
  transient: ["It is tried again, and dies after RETRY_MAX_AGE_S. Then remove the cause and replay.", "it was tried for"],
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

function adviceNodes(...keys) {
  const key = keys.find(one => Object.hasOwn(advice, one || ""));
  if (!key) return [];
  const [text, words] = advice[key];
  const link = make("a", "More", {href: "troubleshooting.md#:~:text=" + encodeURIComponent(words).replaceAll("-", "%2D"),
    target: "_blank", rel: "noopener", "aria-label": "More about " + key});
  return [make("span", text + " "), link];
}
function adviceBox(...keys) {
  const box = make("div", undefined, {class: "soft"});
  box.append(...adviceNodes(...keys));
  return box;
}
function adviceItem(text, kind, ...keys) {
  const li = make("li");
  li.append(make("span", text, {class: kind}), adviceBox(...keys));
  return li;
}
