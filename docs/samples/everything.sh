#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# everything.sh RECEIVER: the service with every protection, on this machine: TLS for callers, a Redis that demands certificates,
# notifications. A signal that SEEK refuses causes a notification, is downloaded, and sent again. Needs redis-server, openssl, curl and python3.
set -euo pipefail
receiver=$(realpath "$1")
: "${SERVICE_PORT:=8787}" "${OPS_PORT:=8788}" "${REDIS_PORT:=6390}" "${SANDBOX_PORT:=8790}" "${RECEIVER_PORT:=8791}"
for port in "$SERVICE_PORT" "$OPS_PORT" "$REDIS_PORT" "$SANDBOX_PORT" "$RECEIVER_PORT"; do
    ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null ||
        { echo "port $port is in use: choose others by SERVICE_PORT, OPS_PORT, REDIS_PORT, SANDBOX_PORT and RECEIVER_PORT" >&2; exit 1; }
done
cd "$(mktemp -d)"
children=()
trap 'kill "${children[@]}"; wait; rm -rf "$PWD"' EXIT

until_it() { for _ in {1..300}; do "$@" >/dev/null 2>&1 && return; sleep 0.1; done; echo "gave up: $*" >&2; tail -n 5 -- *.log >&2; exit 1; }

# An authority, and what it signs: a certificate for Redis, and one of ours, for callers and for Redis.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=authority" -keyout ca.key -out ca.pem 2>/dev/null
for name in redis ours; do
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$name" -keyout $name.key -out $name.csr 2>/dev/null
    openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -out $name.pem 2>/dev/null \
        -extfile <(printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n')
done

redis-server --port 0 --tls-port "$REDIS_PORT" --bind 127.0.0.1 --appendonly yes --appendfsync always --save '' --dir "$PWD" \
    --tls-cert-file redis.pem --tls-key-file redis.key --tls-ca-cert-file ca.pem --tls-auth-clients yes >redis.log &
children+=($!)
seek-sandbox --listen "127.0.0.1:$SANDBOX_PORT" --quiet >sandbox.log 2>&1 &
children+=($!)
NOTIFY_SECRET=whsec_$(openssl rand -base64 32)
export NOTIFY_SECRET
python3 "$receiver" "$RECEIVER_PORT" >notified.txt 2>receiver.log &
children+=($!)

export SEEK_SIGNAL_LISTEN=127.0.0.1:$SERVICE_PORT SEEK_SIGNAL_OPS_LISTEN=127.0.0.1:$OPS_PORT
export SEEK_SIGNAL_TLS_CERT_FILE=ours.pem SEEK_SIGNAL_TLS_KEY_FILE=ours.key
export SEEK_SIGNAL_REDIS_URL=rediss://localhost:$REDIS_PORT SEEK_SIGNAL_REDIS_CA_FILE=ca.pem
export SEEK_SIGNAL_REDIS_CERT_FILE=ours.pem SEEK_SIGNAL_REDIS_KEY_FILE=ours.key
export SEEK_SIGNAL_NOTIFY_URL=http://127.0.0.1:$RECEIVER_PORT SEEK_SIGNAL_NOTIFY_SECRET=$NOTIFY_SECRET
export SEEK_SIGNAL_GRAPHQL_URL=http://127.0.0.1:$SANDBOX_PORT/graphql SEEK_SIGNAL_TOKEN_URL=http://127.0.0.1:$SANDBOX_PORT/oauth/token
export SEEK_SIGNAL_CLIENT_ID=any SEEK_SIGNAL_CLIENT_SECRET=any
SEEK_SIGNAL_API_KEY=$(openssl rand -hex 32)
export SEEK_SIGNAL_API_KEY
until_it redis-cli -p "$REDIS_PORT" --tls --cacert ca.pem --cert ours.pem --key ours.key PING
until_it curl -sSf "http://127.0.0.1:$SANDBOX_PORT/sandbox/signals"
until_it curl -sS "http://127.0.0.1:$RECEIVER_PORT" # it listens
seek-signal check
grep -q '^notification.test' notified.txt
seek-signal serve 2>service.log &
children=($! "${children[@]}")
until_it seek-signal health

echo "--- SEEK refuses a signal"
curl -sSf "http://127.0.0.1:$SANDBOX_PORT/sandbox/faults" -H 'Content-Type: application/json' -d '{"kind": "forbidden", "count": 1}' >/dev/null
curl -sSf --cacert ca.pem "https://localhost:$SERVICE_PORT/v1/events" -H "Authorization: Bearer $SEEK_SIGNAL_API_KEY" \
    -H 'Content-Type: application/json' -d '{"applicationId": "A-1001", "token": "the-seek-token"}'
until_it grep '^dead A-1001 FORBIDDEN$' notified.txt
echo
echo "notified: $(tail -n 1 notified.txt)"

echo "--- the dead application is downloaded, and sent again"
seek-signal dead list --format csv | tee dead.csv
grep -q '^"A-1001",dead,' dead.csv
seek-signal dead replay --code FORBIDDEN
is_delivered() { seek-signal status A-1001 | grep '^A-1001 is delivered'; }
until_it is_delivered
seek-signal status A-1001 | grep -E '^(A-1001 is|Delivered)'
