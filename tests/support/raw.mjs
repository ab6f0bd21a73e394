import { WebSocket } from 'ws';
import { until, within } from './until.mjs';

/** The protocol by hand: for what an SDK would never send, and for a client that vanishes. Frames are kept as objects, binary ones as bytes. */
export async function connectRaw(t, server, query = {}, options = {}) {
  const all = { key: server.key, format: 'json', heartbeats: 'false', v: '6', ...query };
  const params = new URLSearchParams(Object.entries(all).filter(([, value]) => value !== undefined));
  const raw = new RawClient(`ws://127.0.0.1:${server.port}/?${params}`, options);
  t.after(() => raw.vanish());
  await within(raw.opened, 'the WebSocket to open');
  return raw;
}

export const ACTION = { nack: 2, connected: 4, error: 9, attach: 10, attached: 11, presence: 14, message: 15 };

class RawClient {
  frames = [];

  constructor(url, options) {
    this.socket = new WebSocket(url, options);
    this.opened = new Promise((resolve, reject) => this.socket.once('open', resolve).once('error', reject));
    this.closed = new Promise((resolve) => this.socket.once('close', (code) => resolve(code)));
    this.socket.on('message', (data, isBinary) => this.frames.push(isBinary ? data : JSON.parse(data)));
    this.socket.on('error', () => {});
  }

  /** Sends an object as a JSON frame; text and bytes as they are. */
  send(frame) {
    this.socket.send(typeof frame === 'string' || Buffer.isBuffer(frame) ? frame : JSON.stringify(frame));
  }

  /** The first frame that came, or comes, with this action. */
  next(action) {
    return until(() => this.frames.find((frame) => frame.action === action), `a frame with action ${action}`);
  }

  /** Ends the TCP connection without a word. */
  vanish() {
    this.socket.terminate();
  }
}
