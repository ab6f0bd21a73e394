// What is measured. A scenario's runs are arguments of `palimpsest bench`, which stand in `args`; one with `variants` has several runs on
// each server; `rare` servers are measured once whatever --runs says. `figures` are what the tables show of their outcomes; ratios are to the same figure of `baseline`.
const floors = ['floor-turn', 'floor-each'], rare = ['nchan', 'ws', 'socketio'], peers = ['nats', ...rare];

const figure = (name, digits, of, better = 'more') => ({ name, digits, of, better });
const rate = figure('deliveries/s', 0, (o) => o.deliveries_per_s);
const publishes = figure('publishes/s', 0, (o) => o.publishes_per_s);
const p50 = figure('p50 ms', 3, (o) => o.latency_ms.p50, 'less');
const p99 = figure('p99 ms', 3, (o) => o.latency_ms.p99, 'less');
const ackP99 = figure('ACK p99 ms', 3, (o) => o.ack_ms.p99, 'less');
const cpu = figure('CPU µs/delivery', 2, (o) => o.server_cpu_us_per_delivery, 'less');
const share = figure('CPU %', 1, (o) => o.server_cpu_share * 100, 'less');
const memory = figure('KB/connection', 2, (o) => o.bytes_per_connection / 1024, 'less');
const resident = figure('MB resident', 0, (o) => o.resident_bytes / 2 ** 20, 'less');
const connects = figure('connects/s', 0, (o) => o.connects_per_s);
const connectCpu = figure('CPU µs/connect', 0, (o) => o.cpu_us_per_connect, 'less');

const trial = { warmup: 0.4, seconds: 1.2, drain: 0.6 };  // of a rate, in a search
const idle = { dialects: 1, baseline: 'floor-turn', figures: [memory, connects, connectCpu], servers: ['palimpsest', 'floor-turn', ...peers], rare };

export const scenarios = {
  S1: {
    title: '1 channel × 1,000 subscribers: the highest rate without loss, p99 < 200 ms',
    servers: ['palimpsest', ...floors, ...peers], dialects: 2, rare, baseline: 'floor-turn', figures: [rate, cpu],
    search: 100, args: { subscribers: 1000, ...trial },
  },
  S2: {
    title: '100 channels × 10 subscribers, 10 publishers who are acknowledged: the highest rate without loss, p99 < 200 ms',
    servers: ['palimpsest', ...floors, ...peers, 'nats +OK'], dialects: 2, rare, baseline: 'floor-turn', figures: [rate, ackP99, cpu],
    search: 5000, args: { channels: 100, subscribers: 1000, publishers: 10, ...trial },
    argsOf: { nchan: { publishers: 100 }, 'nats +OK': { dialect: 'nats-ok' } },  // nchan's publishers have one channel each
  },
  S3: {
    ...idle, title: '10,000 idle connections, each attached to a channel of its own',
    args: { subscribers: 10000, channels: 10000, publishers: 0 },
  },
  S3shared: {
    ...idle, title: '10,000 idle connections, all attached to one channel', servers: ['palimpsest', 'floor-turn'],
    args: { subscribers: 10000, channels: 1, publishers: 0 },
  },
  S4: {
    title: '1 channel × 100 subscribers, 100 messages/s: latency',
    servers: ['palimpsest', ...floors, ...peers], dialects: 2, rare, baseline: 'floor-turn', figures: [p50, p99],
    args: { subscribers: 100, rate: 100, seconds: 4 },
  },
  S5: {
    title: '1 channel × 1,000 subscribers, 50 messages/s: the cost of a delivery',
    servers: ['palimpsest', ...floors, ...peers], dialects: 2, rare, baseline: 'floor-each', figures: [cpu, p50, p99],
    args: { subscribers: 1000, rate: 50, seconds: 4 },
  },
  S6: {
    title: 'many connections, 10 to a channel, a tenth of them receiving 1 message/s, for 20 s (heartbeats are due every 15)',
    servers: ['palimpsest', 'floor-turn'], dialects: 1, baseline: 'floor-turn', figures: [memory, resident, share, p50, p99, connects], runs: 1,
    args: { publishers: 10, active: 0.1, seconds: 20 },
    variants: Object.fromEntries([5_000, 10_000, 19_000].map((clients) => [
      clients.toLocaleString('en'), { subscribers: clients, channels: clients / 10, rate: clients / 100 },
    ])),
  },
  S7: {
    title: 'publishing, 64 connections that each have so many unacknowledged, 64 channels, nobody subscribed',
    servers: ['palimpsest'], dialects: 1, baseline: 'palimpsest WebSocket, 1', figures: [publishes, ackP99],
    args: { publishers: 64, channels: 64, seconds: 2 },
    variants: { 'WebSocket, 1': { 'in-flight': 1 }, 'WebSocket, 16': { 'in-flight': 16 }, 'REST, 1': { rest: true } },
  },
  S8overload: {
    title: 'as S2, and then twice the highest rate that passes',
    servers: ['palimpsest', 'floor-turn', 'nats'], dialects: 1, baseline: 'floor-turn', overload: 2,
    figures: [
      figure('highest that passes, deliveries/s', 0, (o) => o.peak.deliveries_per_s), rate,
      figure('share of it', 2, (o) => o.deliveries_per_s / o.peak.deliveries_per_s), p99,
      figure('disconnected', 0, (o) => o.disconnected, 'less'),
    ],
    runs: 3, search: 5000, args: { channels: 100, subscribers: 1000, publishers: 10, ...trial }, argsAfter: { drain: 10, seconds: 3 },
  },
  S8slow: {
    title: 'as S1 at 2,000 messages/s for 14 s, with nobody or one more who reads a quarter of it: 4 MiB may wait for one',
    servers: ['palimpsest'], dialects: 1, baseline: 'palimpsest nobody',
    figures: [
      p50, p99, figure('times dropped', 0, (o) => o.slow_dropped), figure('and resumed', 0, (o) => o.slow_resumed),
      figure('missing then', 0, (o) => o.slow_missing, 'less'),
    ],
    args: { subscribers: 1000, rate: 2000, seconds: 14 },
    variants: { nobody: {}, 'one slow reader': { slow: 1, 'slow-rate': 170_000 } },
  },
  S9: {
    title: 'as S1, with shards; they and the generator share two cores',
    servers: ['palimpsest', 'palimpsest 2 shards'], dialects: 1, baseline: 'palimpsest', figures: [rate, cpu],
    options: { cores: '0,1' }, runs: 3, search: 1000, args: { subscribers: 1000, ...trial },
  },
};

const stage = (name, key) => ({ name: `${name}: p50 / p99 / max`, digits: 2, parts: ['p50', 'p99', 'max'].map((part) => (o) => o.stages_ms[key][part]) });

Object.assign(scenarios, {
  S10: {
    title: 'INSERT of 100 rows/s → 1,000 subscribers, through Postgres and the connector, all on two cores, ms; a bare consumer reads the same WAL',
    servers: ['up'], dialects: 1, runs: 3,
    figures: [
      stage('commit', 'commit'), stage('commit → bare consumer', 'decode'), stage('commit → first subscriber', 'first'),
      stage('first → each', 'fan_out'), stage('commit → each', 'delivery'),
    ],
    options: { cores: '0,1' },
    args: {
      subscribers: 1000, rate: 100, seconds: 10, drain: 5, channel: 'incoming-chat', tap: 'palimpsest',
      sql: "INSERT INTO chat_data (msg_id, username, msg_data) VALUES (gen_random_uuid(), 'bench', '{}')",
    },
  },
});

/** What the plot shows: from few messages to more than can be had. */
Object.assign(scenarios, {
  curve: {
    title: '1 channel × 1,000 subscribers: latency by rate', servers: ['palimpsest', ...floors, ...peers], dialects: 1, runs: 1,
    figures: [rate, p50, p99], until: (o) => o.latency_ms.p99 > 1000 || !o.lossless, args: { subscribers: 1000, ...trial },
    variants: Object.fromEntries([25, 50, 100, 200, 400, 800, 1600, 2400, 3200, 4800, 6400, 9600].map((messages) => [
      `at ${messages.toLocaleString('en')}/s`, { rate: messages },
    ])),
  },
});

/** The options of a server by its name here: "palimpsest 2 shards". */
export const optionsOf = (name) => (/ (\d+) shards$/.test(name) ? { shards: Number(/ (\d+) shards$/.exec(name)[1]) } : {});
