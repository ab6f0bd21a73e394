/**
 * Where the server is: the page's own origin, unless the build was told otherwise (nuxt.config.js, runtimeConfig).
 * @param {{endpoint?: string, port?: string|number, tls?: string|boolean, authUrl?: string}} config
 * @param {{hostname: string, port: string, protocol: string}} location
 */
export function serverAt(config, location) {
  const elsewhere = Boolean(config.endpoint);
  const host = elsewhere ? config.endpoint : location.hostname;
  const tls = elsewhere ? String(config.tls) !== 'false' : location.protocol === 'https:';
  const port = Number((elsewhere ? config.port : location.port) || (tls ? 443 : 80));
  const origin = `${tls ? 'https' : 'http'}://${host}:${port}`;
  return { host, port, tls, origin, authUrl: config.authUrl || `${origin}/auth` };
}

/** The options that point Ably's SDK at that server and at nothing else. */
export function ablyOptions({ host, port, tls, origin, authUrl }) {
  // The SDK takes a bare name for one of Ably's own clusters, unless it is given as `restHost`.
  const isBareName = !/[.]|::/.test(host) && host !== 'localhost';
  return {
    [isBareName ? 'restHost' : 'endpoint']: host,
    port,
    tlsPort: port,
    tls,
    authUrl,
    disableConnectivityCheck: true,
    wsConnectivityCheckUrl: `${origin.replace(/^http/, 'ws')}/wsup`,
    disconnectedRetryTimeout: 1000,
    suspendedRetryTimeout: 5000,
    channelRetryTimeout: 2000,
  };
}
