/** Mail to the operator, taken by a mail server of the test's own. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { cancelAuction } from '../src/auction/auctions.ts';
import { checkSettings, settingsFrom } from '../src/settings.ts';
import { until } from './ports/workflow.cases.ts';
import { hold, openTestHouse } from './support/house.ts';

/** What became of the messages to the operator. */
function statesIn(folder: string): string[] {
  const database = new DatabaseSync(join(folder, 'merit.sqlite'), { readOnly: true });
  try {
    const rows = database.prepare(`SELECT state, attempts FROM webhook_messages WHERE webhook = 'mail'`).all();
    return rows.map(({ state, attempts }) => `${state} ${attempts}`);
  } finally {
    database.close();
  }
}

/** As much of SMTP (RFC 5321) as a client needs. @param refusals  how many mails it refuses first */
async function openMailServer(t: TestContext, refusals = 0) {
  const mails: { to: string[]; text: string }[] = [];
  let left = refusals;
  const server = createServer(async (socket) => {
    const say = (line: string) => socket.write(`${line}\r\n`);
    socket.on('error', () => {});
    say('220 test');
    let to: string[] = [];
    let text: string[] | undefined;
    for await (const line of createInterface({ input: socket })) {
      if (text !== undefined) {
        if (line !== '.') text.push(line);
        else {
          mails.push({ to, text: text.join('\n') });
          [to, text] = [[], undefined];
          say('250 taken');
        }
      } else if (line.startsWith('RCPT TO:')) {
        to.push(line.slice(8));
        say('250 ok');
      } else if (line === 'DATA') {
        if (left-- > 0) say('451 later');
        else {
          text = [];
          say('354 go on');
        }
      } else if (line === 'QUIT') {
        say('221 bye');
        socket.end();
      } else say('250 ok');
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return { url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`, mails };
}

test('the operator gets mail of an auction that is called off, once, and again until the server takes it', async (t) => {
  const { url, mails } = await openMailServer(t, 1);
  const mail = { server: url, from: 'house@example.com', to: 'one@example.com, two@example.com' };
  const house = await openTestHouse(t, { mail });
  const { ports, logged } = house;
  await hold(ports);
  await cancelAuction(ports, 'a', 'a \u00fc and\r\nSubject: another');
  await cancelAuction(ports, 'a', 'again');
  const state = async () => statesIn(house.folder);
  await until('it was refused once', async () => (await state())[0] === 'waiting 1' || undefined);
  // The second attempt is five seconds later.
  house.clock.time = '2025-04-01T10:30:06Z';
  await house.reopen();
  await until('the mail is there', async () => mails.length === 1 || undefined);
  await until('it is delivered', async () => (await state())[0] === 'delivered 2' || undefined);
  const [{ to, text }] = mails as [{ to: string[]; text: string }];
  assert.deepEqual(to, ['<one@example.com>', '<two@example.com>']);
  assert.match(text, /^Subject: \[merit\] a: auction cancelled$/m);
  assert.match(text, /^Message-ID: <msg_[0-9a-f]{24}@merit>$/m);
  assert.equal(text.slice(0, text.indexOf('\n\n')).match(/^Subject:/gm)!.length, 1);
  assert.match(text, /sequence: 18/);
  assert(!logged.some(({ event }) => event === 'webhook-dead'));
});

test('mail needs a server, a sender and receivers; a secret needs a webhook', () => {
  const given = { MERIT_MAIL_SERVER: 'smtps://u:p@mail.example.com', MERIT_MAIL_FROM: 'a@b.c', MERIT_MAIL_TO: 'd@e.f' };
  assert.equal(settingsFrom(given).mailTo, 'd@e.f');
  assert.throws(() => settingsFrom({ ...given, MERIT_MAIL_TO: '' }), /MERIT_MAIL_SERVER: mail needs .*MERIT_MAIL_TO/);
  assert.throws(() => checkSettings({ mailServer: 'https://x.example' }), /must be smtp/);
  const secret = `whsec_${Buffer.alloc(24).toString('base64')}`;
  assert.throws(() => settingsFrom({ MERIT_WEBHOOK_SECRET: secret }), /there is no MERIT_WEBHOOK/);
  const webhook = { MERIT_WEBHOOK: 'http://127.0.0.1:1/', MERIT_WEBHOOK_SECRET: secret, MERIT_PRIVATE_WEBHOOKS: '1' };
  assert.deepEqual([settingsFrom(webhook).webhookSecret, settingsFrom(webhook).privateWebhooks], [secret, true]);
});
