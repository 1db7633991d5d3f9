// Serves the series of a file with prom-client, as most exporters in Node.js do.
// Usage: NODE_PATH=… node serve.cjs FILE PORT
// Each line of FILE is a series: type, source, country and value, with tabs between.

'use strict';

const { readFileSync } = require('node:fs');
const { createServer } = require('node:http');
const { Counter, register } = require('prom-client');

const [file, port] = process.argv.slice(2);

const events = new Counter({
  name: 'nexmo_audit_events_total',
  help: 'Audit events recorded by the API.',
  labelNames: ['event_type', 'source', 'source_country'],
});

for (const line of readFileSync(file, 'utf8').trimEnd().split('\n')) {
  const [event_type, source, source_country, value] = line.split('\t');
  events.inc({ event_type, source, source_country }, Number(value));
}

createServer(async (_, response) => {
  const text = await register.metrics();
  response.setHeader('Content-Type', register.contentType);
  response.end(text);
}).listen(Number(port), '127.0.0.1');
