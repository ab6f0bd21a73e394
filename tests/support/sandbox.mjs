import path from 'node:path';
import { Child, freePort } from './process.mjs';
import { until } from './until.mjs';

const program = process.env.PALIMPSEST_BIN ?? path.resolve(import.meta.dirname, '../../build/release/palimpsest');

/** `palimpsest sandbox`: apps are made by createApp(). It is stopped after the test `t`, or after the file when `t` is {after}. */
export async function startSandbox(t) {
  const port = await freePort();
  const child = new Child(program, ['sandbox', '--listen', `127.0.0.1:${port}`], { env: { PATH: process.env.PATH } });
  t.after(async () => {
    const how = child.how ?? (await child.end('SIGINT'));
    if (!child.wasTold || how.code !== 0 || /Sanitizer|runtime error:/.test(child.output)) {
      throw new Error(`the sandbox ended with ${JSON.stringify(how)}; it wrote:\n${child.output}`);
    }
  });
  const origin = `http://127.0.0.1:${port}`;
  await until(() => child.how ?? fetch(`${origin}/healthz`).then(({ ok }) => ok), 'the sandbox to listen');
  if (child.how) throw new Error(`the sandbox ended (${JSON.stringify(child.how)}); it wrote:\n${child.output}`);
  return { port, origin, createApp: (app = {}) => createApp(port, origin, app) };
}

/** What clients.mjs wants of a server: its port, origin and key. And the answer to POST /apps. */
async function createApp(port, origin, asked) {
  const response = await fetch(`${origin}/apps`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ keys: [{}], ...asked }),
  });
  if (response.status !== 201) throw new Error(`POST /apps: ${response.status} ${await response.text()}`);
  const made = await response.json();
  const remove = () => fetch(`${origin}/apps/${made.appId}`, { method: 'DELETE' });
  return { ...made, port, origin, key: made.keys[0].keyStr, remove };
}
