// The least one can write with the npm package ws: a subscriber's channel is its path, a publisher sends "channel payload". A message's
// frame is built once and written to each subscriber's socket.
import { WebSocketServer, Sender } from 'ws';

const channels = new Map();
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false, clientTracking: false, backlog: 4096 });

server.on('listening', () => console.log(`listening on ${server.address().port}`));
server.on('connection', (client, { url }) => {
  client.on('error', () => {});
  if (url === '/') return client.on('message', publish);
  const name = url.slice(1), subscribers = channels.get(name) ?? new Set();
  channels.set(name, subscribers.add(client));
  client.on('close', () => {
    subscribers.delete(client);
    if (subscribers.size === 0) channels.delete(name);
  });
});

function publish(message) {
  const text = message.toString('latin1'), space = text.indexOf(' ');
  const frame = Buffer.concat(Sender.frame(message.subarray(space + 1), { fin: true, opcode: 1, mask: false, readOnly: true, rsv1: false }));
  for (const client of channels.get(text.slice(0, space)) ?? []) client._socket.write(frame);
}
