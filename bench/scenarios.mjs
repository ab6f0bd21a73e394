// What is measured. Each scenario's runs are arguments of `palimpsest bench`; `figures` are what the tables show of their outcomes.
const floors = ['floor-turn', 'floor-each'];

const rate = { name: 'deliveries/s', of: (o) => o.deliveries_per_s, digits: 0 };
const p50 = { name: 'p50 ms', of: (o) => o.latency_ms.p50, digits: 3, lowerIsBetter: true };
const p99 = { name: 'p99 ms', of: (o) => o.latency_ms.p99, digits: 3, lowerIsBetter: true };
const cpu = { name: 'server CPU µs/delivery', of: (o) => o.server_cpu_us_per_delivery, digits: 2, lowerIsBetter: true };
const memory = { name: 'KB/connection', of: (o) => o.bytes_per_connection / 1024, digits: 2, lowerIsBetter: true };
const connects = { name: 'connects/s', of: (o) => o.connects_per_s, digits: 0 };
const connectCpu = { name: 'server CPU µs/connect', of: (o) => o.cpu_us_per_connect, digits: 0, lowerIsBetter: true };

const args = (given) => Object.entries(given).flatMap(([name, value]) => (value === true ? [`--${name}`] : [`--${name}`, String(value)]));

export const scenarios = {
  S1: {
    title: '1 channel × 1,000 subscribers: the highest rate without loss, p99 < 200 ms',
    servers: ['palimpsest', ...floors], dialects: 2, baseline: 'floor-turn', figures: [rate, p99, cpu],
    search: 200, args: args({ subscribers: 1000, seconds: 1.5, drain: 1 }),
  },
  S3: {
    title: '10,000 idle connections, each attached to a channel of its own',
    servers: ['palimpsest', 'floor-turn'], dialects: 1, baseline: 'floor-turn', figures: [memory, connects, connectCpu],
    args: args({ subscribers: 10000, channels: 10000, publishers: 0 }),
  },
  S3shared: {
    title: '10,000 idle connections, all attached to one channel',
    servers: ['palimpsest', 'floor-turn'], dialects: 1, baseline: 'floor-turn', figures: [memory, connects, connectCpu],
    args: args({ subscribers: 10000, channels: 1, publishers: 0 }),
  },
  S4: {
    title: '1 channel × 100 subscribers, 100 messages/s: latency',
    servers: ['palimpsest', ...floors], dialects: 2, baseline: 'floor-turn', figures: [p50, p99, cpu],
    args: args({ subscribers: 100, rate: 100, seconds: 5 }),
  },
  S5: {
    title: '1 channel × 1,000 subscribers, 50 messages/s: the cost of a delivery',
    servers: ['palimpsest', ...floors], dialects: 2, baseline: 'floor-each', figures: [cpu, p50, p99],
    args: args({ subscribers: 1000, rate: 50, seconds: 5 }),
  },
};
