// Queries an Audit API with the vendor's client, and prints the answers.
// Usage: NODE_PATH=… node vonage_client.cjs HOST KEY SECRET

'use strict';

const { Audit } = require('@vonage/audit');

const [apiHost, apiKey, apiSecret] = process.argv.slice(2);
const client = new Audit({ apiKey, apiSecret }, { apiHost });

async function list(parameters) {
  const events = [];
  for await (const event of client.getEvents({ size: 100, ...parameters })) {
    events.push(event);
  }
  return events;
}

async function refusal(ask) {
  try {
    await ask();
    return null;
  } catch (error) {
    return error.response?.status ?? String(error);
  }
}

async function main() {
  const all = await list({});
  const some = all[Math.floor(all.length / 2)];
  const stranger = new Audit({ apiKey, apiSecret: 'wrong' }, { apiHost });
  return {
    all,
    some,
    ofOneType: await list({ eventType: some.eventType }),
    since: await list({ dateFrom: some.createdAt }),
    until: await list({ dateTo: some.createdAt }),
    inSmallPages: await list({ size: 7 }),
    one: await client.getEvent(some.id),
    unknownEvent: await refusal(() => client.getEvent('00000000-0000-4000-8000-000000000000')),
    wrongSecret: await refusal(() => stranger.getEvents({}).next()),
  };
}

main().then((answers) => console.log(JSON.stringify(answers)));
