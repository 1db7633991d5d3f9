// Counts every event of an Audit API with the vendor's client and prom-client, as a user
// would write it, and serves the counts once all events are read.
// Usage: NODE_PATH=… node catch_up.cjs API_HOST PORT

'use strict';

const { createServer } = require('node:http');
const { Audit } = require('@vonage/audit');
const { Counter, register } = require('prom-client');

const [apiHost, port] = process.argv.slice(2);
const { NEXMO_API_KEY: apiKey, NEXMO_API_SECRET: apiSecret } = process.env;

const counted = new Counter({
  name: 'nexmo_audit_events_total',
  help: 'Audit events recorded by the API.',
  labelNames: ['event_type', 'source', 'source_country'],
});

async function main() {
  const client = new Audit({ apiKey, apiSecret }, { apiHost });
  const seen = new Set();
  for await (const event of client.getEvents({ size: 100 })) {
    if (seen.has(event.id)) {
      continue;
    }
    seen.add(event.id);
    counted.inc({
      event_type: event.eventType,
      source: event.source,
      source_country: event.sourceCountry ?? 'unknown',
    });
  }
  createServer(async (_, response) => {
    const text = await register.metrics();
    response.setHeader('Content-Type', register.contentType);
    response.end(text);
  }).listen(Number(port), '127.0.0.1');
}

main();
