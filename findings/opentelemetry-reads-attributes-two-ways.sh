#!/usr/bin/env bash
# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
#
# One "=" too many in OTEL_RESOURCE_ATTRIBUTES takes all attributes away in JavaScript, and Go of Debian 12 does not decode
# them.
#
# Seen 2026-11-30: @opentelemetry/resources 2.12.1, @opentelemetry/exporter-trace-otlp-http 0.223.1, Node 20;
#   golang-opentelemetry-otel-dev 1.1.0, Go 1.19.8 (Debian 12).
# A good guess: key=value,key2=value2 is read in the same way in each language. A value ends at the comma, may have "=" as in
#   Base64, and is percent-decoded. OTEL_EXPORTER_OTLP_HEADERS, which has the same form, is read by the same rule.
# What happens: with "service.namespace=ats,build=Zm9v=" JavaScript has no attribute at all, not even service.namespace. It
#   says so only to a diagnostic logger, of which there is none by default. The newest text of the specification allows that;
#   in the headers the same text is taken whole. Go takes "build=Zm9v=", but leaves "my%20ats" as it is. A part without "="
#   costs JavaScript all of them, and Go that part.
# Why it matters: a sidecar and its ATS share the variable, and their spans belong to different services. Values of letters,
#   digits, "-", "_" and "." mean the same to all.
# shellcheck source-path=SCRIPTDIR source=common
. "$(dirname "$0")/common"
debian_packages golang-go=2:1.19 golang-opentelemetry-otel-dev=1.1.0
npm_packages @opentelemetry/api@1.9.1 @opentelemetry/resources@2.12.1 @opentelemetry/exporter-trace-otlp-http@0.223.1 \
    @opentelemetry/sdk-trace-node@2.12.1

cat >attributes.js <<'END'
import { detectResources, envDetector } from "@opentelemetry/resources";

const { attributes } = detectResources({ detectors: [envDetector] });
console.log(Object.keys(attributes).sort().map((key) => `${key}=${attributes[key]}`).join(" ") || "none");
END
cat >headers.js <<'END'
import http from "node:http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";

const server = http.createServer((request, answer) => {
    console.log(request.headers.build);
    answer.setHeader("Content-Type", "application/json").end("{}");
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
process.env.OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${server.address().port}`;
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(new OTLPTraceExporter())] });
provider.getTracer("finding").startSpan("one").end();
await provider.shutdown();
server.close();
server.closeAllConnections();
END
mkdir attributes
cat >attributes/main.go <<'END'
package main

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/sdk/resource"
)

func main() {
	found, _ := resource.New(context.Background(), resource.WithFromEnv())
	separator := ""
	for _, attribute := range found.Attributes() {
		fmt.Printf("%s%s=%s", separator, attribute.Key, attribute.Value.AsString())
		separator = " "
	}
	fmt.Println()
}
END
(cd attributes && GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$PWD/../cache go build -o ../go_attributes .)

js() { OTEL_RESOURCE_ATTRIBUTES=$1 node attributes.js; }
go_sdk() { OTEL_RESOURCE_ATTRIBUTES=$1 ./go_attributes 2>go.log; }

seen "JavaScript, Base64" none "$(js 'service.namespace=ats,build=Zm9v=')"
seen "Go, Base64" "build=Zm9v= service.namespace=ats" "$(go_sdk 'service.namespace=ats,build=Zm9v=')"
seen "JavaScript, the same in a header" "Zm9v=" "$(no_proxy='*' OTEL_EXPORTER_OTLP_HEADERS='build=Zm9v=' node headers.js)"
seen "JavaScript, encoded" "service.name=my ats" "$(js 'service.name=my%20ats')"
seen "Go, encoded" "service.name=my%20ats" "$(go_sdk 'service.name=my%20ats')"
seen "JavaScript, a part without =" none "$(js 'service.name=ats,canary')"
seen "Go, a part without =" "service.name=ats" "$(go_sdk 'service.name=ats,canary')"
for reader in js go_sdk; do
    seen "$reader, plain" "build=Zm9v service.name=ats-1" "$($reader 'service.name=ats-1,build=Zm9v')"
done
finish
