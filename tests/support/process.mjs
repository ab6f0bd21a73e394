import { execFile, spawn } from 'node:child_process';
import net from 'node:net';

/** A port nobody listens on now. */
export async function freePort() {
  const server = net.createServer();
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Runs a program to its end, with `input` on its standard input; gives what it wrote, or throws with what it complained of. */
export function run(program, args, input = '') {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${program}: ${stderr.trim() || error.message}`));
      else resolve(stdout);
    });
    child.stdin.on('error', () => {});  // it may have ended without reading: its status says how
    child.stdin.end(input);
  });
}

/** A child process, what it wrote, and its end. */
export class Child {
  output = '';
  wasTold = false;                      // to end: by us

  constructor(program, args, options = {}) {
    this.process = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (this.output = (this.output + text).slice(-65_536)));
    }
    this.ended = new Promise((resolve) => {
      this.process.once('error', (error) => resolve({ error }));
      this.process.once('exit', (code, signal) => resolve({ code, signal }));
    });
    this.ended.then((how) => (this.how = how));
  }

  /** Sends a signal and waits for the end: {code, signal}. */
  async end(signal) {
    this.wasTold = !this.how;
    this.process.kill(signal);
    return this.ended;
  }
}
