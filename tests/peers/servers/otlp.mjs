// SPDX-FileCopyrightText: seek-signal contributors
// SPDX-License-Identifier: MIT
//
// Reads one OTLP/JSON trace request from standard input by the official protobuf definitions, writes it as protobuf, reads
// that again, and prints what is not the same: [] says that every member is one of the definition's, with its type.
import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';

const require = createRequire(import.meta.url);
const transformer = require.resolve('@opentelemetry/otlp-transformer').replace(/build\/src\/.*/, 'build/src');
const { opentelemetry } = require(`${transformer}/generated/root.js`);
const Request = opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;

// The one difference of OTLP/JSON from protobuf's own JSON: these bytes are hexadecimal, not base64.
const IDS = new Set(['traceId', 'spanId', 'parentSpanId']);
const toBytes = (value, name) => {
    if (IDS.has(name)) return Buffer.from(value, 'hex');
    if (Array.isArray(value)) return value.map((item) => toBytes(item));
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toBytes(member, key)]));
};

const differences = [];
const compare = (sent, read, path) => {
    if (sent !== null && typeof sent === 'object') {
        for (const key of Object.keys(sent)) compare(sent[key], read?.[key], `${path}.${key}`);
    } else if (IDS.has(path.split('.').pop())) {
        const hex = Buffer.from(read ?? [], 'base64').toString('hex');
        if (hex !== sent) differences.push(`${path}: ${sent} became ${hex}`);
    } else if (String(sent) !== String(read)) {
        differences.push(`${path}: ${sent} became ${read}`);
    }
};

const sent = JSON.parse(await text(process.stdin));
const bytes = Request.encode(Request.fromObject(toBytes(sent))).finish();
const read = Request.toObject(Request.decode(bytes), { longs: String, enums: Number, bytes: String });
compare(sent, read, '');
console.log(JSON.stringify(differences));
