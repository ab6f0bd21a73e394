import Ably from 'ably';
import { within } from './until.mjs';

export { Ably };
export const change = 'New message from the Ably/ Postgres connector';
export const formats = [
  { name: 'JSON', useBinaryProtocol: false },
  { name: 'MessagePack', useBinaryProtocol: true },
];

/** The options that point an SDK at the server under test, and make it come back quickly. */
export function options(server, more = {}) {
  const credentials = ['key', 'token', 'authUrl', 'authCallback', 'tokenDetails'].some((name) => name in more) ? {} : { key: server.key };
  return {
    endpoint: '127.0.0.1',
    port: server.port,
    tls: false,
    connectivityCheckUrl: `${server.origin}/up.txt`,
    wsConnectivityCheckUrl: `ws://127.0.0.1:${server.port}/`,
    disconnectedRetryTimeout: 200,
    suspendedRetryTimeout: 500,
    channelRetryTimeout: 200,
    logLevel: 0,
    ...credentials,
    ...more,
  };
}

/** A connected client, closed when the test ends. */
export async function connect(t, server, more) {
  const client = connecting(t, server, more);
  await within(client.connection.whenState('connected'), 'the connection');
  return client;
}

/** A client whose connection is up to the test. */
export function connecting(t, server, more) {
  const client = new Ably.Realtime(options(server, more));
  t.after(() => closed(client));
  return client;
}

export const rest = (server, more) => new Ably.Rest(options(server, more));

async function closed(client) {
  if (['closed', 'failed'].includes(client.connection.state)) return;
  client.close();
  // A server that is gone does not say goodbye.
  await within(client.connection.whenState('closed'), 'the goodbye', 5000).catch(() => {});
}

/** Everything a channel says from here on. */
export async function listen(channel) {
  const heard = [];
  await within(channel.subscribe((message) => heard.push(message)), `${channel.name} to attach`);
  return heard;
}

/** The changes of the table as the connector tells them, in order: [{type, row}]. */
export const changes = (messages) =>
  messages.filter(({ name }) => name === change).map(({ data }) => {
    const { table, type, row } = JSON.parse(data);
    if (table !== 'chat_data') throw new Error(`a change of ${table}`);
    return { type, row };
  });

/** Ably's error code of a promise that must fail. */
export async function codeOf(promise) {
  const error = await within(promise, 'an error').then(
    (value) => { throw new Error(`no error but ${JSON.stringify(value)}`); },
    (caught) => caught,
  );
  if (typeof error.code !== 'number') throw error;
  return error.code;
}

/** Breaks a client's transport as a lost network does: no goodbye. */
export function dropTransport(client) {
  client.connection.connectionManager.activeProtocol.getTransport().wsConnection.terminate();
}
