import http from 'node:http';

/**
 * An endpoint in front of a real one at `port`, which does with each POST what `fault(number)` says, else passes it on:
 *   {status, headers}  answers with that and passes nothing on;
 *   'hang'             passes nothing on, and cuts the connection after a second;
 *   'drop'             passes nothing on and cuts the connection;
 *   'lose'             passes it on, and cuts the connection within the answer.
 */
export async function faultyEndpoint(t, port) {
  const agent = new http.Agent({ keepAlive: true });
  const endpoint = { requests: 0, fault: () => null };
  const server = http.createServer((request, response) => {
    const pieces = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('error', () => {});
    request.on('end', () => {
      const fault = request.method === 'POST' ? endpoint.fault(endpoint.requests++) : null;
      if (fault === 'hang') return void setTimeout(() => request.socket.destroy(), 1_000).unref();
      if (fault === 'drop') return void request.socket.destroy();
      if (fault?.status) {
        response.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers });
        return void response.end(JSON.stringify({ error: { code: fault.code ?? fault.status * 100, statusCode: fault.status, message: 'as the test wants it' } }));
      }
      const { method, url: path, headers } = request;
      const onward = http.request({ host: '127.0.0.1', port, method, path, headers, agent }, (answer) => {
        if (fault === 'lose') {
          answer.resume();
          answer.on('end', () => {
            response.writeHead(answer.statusCode, { ...answer.headers, 'content-length': '1000000' });
            response.write('[');
            setImmediate(() => request.socket.destroy());
          });
          return;
        }
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
      });
      onward.on('error', () => request.socket.destroy());
      onward.end(Buffer.concat(pieces));
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint.port = server.address().port;
  endpoint.close = () => new Promise((resolve) => {
    agent.destroy();
    server.close(resolve);
    server.closeAllConnections();
  });
  t.after(endpoint.close);
  return endpoint;
}
