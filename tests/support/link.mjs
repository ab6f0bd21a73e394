import net from 'node:net';

/** A TCP link to 127.0.0.1:`port` that can be cut and held up. Closed after the test. */
export async function makeLink(t, port) {
  const pairs = new Set();
  const link = { up: true };
  const server = net.createServer((near) => {
    if (!link.up) return void near.destroy();
    const far = net.connect(port, '127.0.0.1');
    const pair = [near, far];
    pairs.add(pair);
    for (const [from, to] of [[near, far], [far, near]]) {
      from.setNoDelay(true).pipe(to);
      from.on('error', () => {});
      from.on('close', () => {
        to.destroy();
        pairs.delete(pair);
      });
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  link.port = server.address().port;
  /** Breaks every connection, and refuses new ones until mend(). */
  link.cut = () => {
    link.up = false;
    for (const [near] of pairs) near.resetAndDestroy();
  };
  link.mend = () => (link.up = true);
  /** Lets nothing through for a while, and nothing be lost. */
  link.stall = async (ms) => {
    const held = [...pairs].flat();
    for (const socket of held) socket.pause();
    await new Promise((resume) => setTimeout(resume, ms));
    for (const socket of held) socket.resume();
  };
  t.after(() => new Promise((resolve) => {
    link.cut();
    server.close(resolve);
  }));
  return link;
}
