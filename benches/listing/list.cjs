// Prints every event of an Audit API as a line of JSON, with the vendor's client.
// Usage: NODE_PATH=… node list.cjs API_HOST DATE_FROM

'use strict';

const { once } = require('node:events');
const { Audit } = require('@vonage/audit');

const [apiHost, dateFrom] = process.argv.slice(2);
const { NEXMO_API_KEY: apiKey, NEXMO_API_SECRET: apiSecret } = process.env;

async function main() {
  const client = new Audit({ apiKey, apiSecret }, { apiHost });
  for await (const event of client.getEvents({ size: 100, dateFrom })) {
    if (!process.stdout.write(`${JSON.stringify(event)}\n`)) {
      await once(process.stdout, 'drain');
    }
  }
}

main();
