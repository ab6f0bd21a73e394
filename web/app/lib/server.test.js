import assert from 'node:assert/strict';
import test from 'node:test';
import { ablyOptions, serverAt } from './server.js';

const location = (url) => new URL(url);

test('the server is where the page came from', () => {
  assert.deepEqual(serverAt({ endpoint: '' }, location('http://localhost:8080/')), {
    host: 'localhost', port: 8080, tls: false, origin: 'http://localhost:8080', authUrl: 'http://localhost:8080/auth',
  });
});

test('a page on https speaks TLS on the default port', () => {
  assert.deepEqual(serverAt({}, location('https://chat.example.org/room')), {
    host: 'chat.example.org', port: 443, tls: true, origin: 'https://chat.example.org:443',
    authUrl: 'https://chat.example.org:443/auth',
  });
});

test('a build for static hosting names its server and token endpoint', () => {
  const config = { endpoint: 'chat.example.org', port: '', tls: '', authUrl: '/.netlify/functions/auth' };
  assert.deepEqual(serverAt(config, location('http://localhost:3000/')), {
    host: 'chat.example.org', port: 443, tls: true, origin: 'https://chat.example.org:443', authUrl: '/.netlify/functions/auth',
  });
});

test('a name without a dot is a host too, not a cluster of Ably', () => {
  const { endpoint, restHost, port, tls } = ablyOptions(serverAt({}, location('http://chatbox:8080/')));
  assert.deepEqual({ endpoint, restHost, port, tls }, { endpoint: undefined, restHost: 'chatbox', port: 8080, tls: false });
  assert.equal(ablyOptions(serverAt({}, location('http://localhost:8080/'))).endpoint, 'localhost');
});
