// A day in the life of a client on imapflow: COMPRESS, CONDSTORE, QRESYNC, IDLE. Prints what it saw as JSON.
import { ImapFlow } from 'imapflow';
import { writeFileSync } from 'node:fs';

const [port, user, pass, idling] = process.argv.slice(2);
const seen = {};
const settings = { host: '127.0.0.1', port: Number(port), secure: true, auth: { user, pass }, tls: { rejectUnauthorized: false }, logger: false, qresync: true };
const client = new ImapFlow(settings);
client.on('error', error => { console.error(error); process.exit(1); });

const event = (name, test) => new Promise(resolve => {
    const heard = data => { if (test(data)) { client.off(name, heard); resolve(data); } };
    client.on(name, heard);
});

await client.connect();
seen.enabled = [...client.enabled].sort();
seen.compressed = Boolean(client._deflate);
const letter = number => Buffer.from(`From: a@a.test\r\nTo: ${user}\r\nSubject: flow ${number}\r\nMessage-ID: <${number}@flow>\r\n\r\nHello ${number}\r\n`);
await client.mailboxCreate('Flow/Ordner für alles');
const appended = [];
for (const number of [1, 2, 3]) {
    appended.push((await client.append('Flow/Ordner für alles', letter(number), number === 2 ? ['\\Seen', '$Later'] : [])).uid);
}
seen.appended = appended;
let box = await client.mailboxOpen('Flow/Ordner für alles');
seen.exists = box.exists;
seen.mailboxId = Boolean(box.mailboxId);
seen.rows = [];
for await (const row of client.fetch('1:*', { uid: true, flags: true, envelope: true, bodyStructure: true, size: true, internalDate: true, threadId: true, source: true })) {
    seen.rows.push({ uid: row.uid, flags: [...row.flags].sort(), subject: row.envelope.subject, type: row.bodyStructure.type, size: row.size, emailId: Boolean(row.emailId), same: row.source.equals(letter(row.uid)), modseq: Number(row.modseq) > 0 });
}
seen.unseen = await client.search({ seen: false }, { uid: true });
const known = box.highestModseq, validity = box.uidValidity;
await client.messageFlagsAdd('3', ['\\Flagged']);
seen.changed = [];
for await (const row of client.fetch('1:*', { uid: true, flags: true }, { changedSince: known })) {
    seen.changed.push(row.uid);
}
seen.moved = [...(await client.messageMove('1', 'Trash', { uid: true })).uidMap.entries()];
await client.messageDelete('2', { uid: true });

await client.mailboxOpen('INBOX');
const arrived = event('exists', data => data.count > data.prevCount);
const flagged = event('flags', data => data.flags.has('\\Flagged'));
const expunged = event('expunge', () => true);
client.idle();
setTimeout(() => writeFileSync(idling, 'now'), 300);
seen.arrived = (await arrived).count;
await flagged;
const gone = await expunged;
seen.vanished = gone.vanished === true;
seen.status = (await client.status('INBOX', { messages: true, uidNext: true, highestModseq: true })).messages;

seen.missed = { gone: [], flagged: [] };
client.on('expunge', data => { if (data.earlier) { seen.missed.gone.push(data.uid); } });
client.on('flags', data => { seen.missed.flagged.push(data.uid); });
await client.mailboxOpen('Flow/Ordner für alles', { changedSince: known, uidValidity: validity });
await client.noop();
await client.logout();
console.log(JSON.stringify(seen));
