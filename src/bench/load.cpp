#include "bench/load.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <ctime>
#include <deque>
#include <memory>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/random.hpp"
#include "bench/dialect.hpp"
#include "bench/rest.hpp"
#include "bench/schedule.hpp"
#include "bench/sequence_check.hpp"
#include "bench/slow_reader.hpp"
#include "bench/stamp.hpp"

namespace bench {
namespace {

constexpr std::size_t handshakes_max = 128;     // at a time
constexpr std::size_t read_bytes = 256 * 1024;  // at once
constexpr std::size_t frame_bytes_max = 64u << 20;
constexpr std::size_t publisher_queue_max = 8u << 20;  // then the schedule waits, and what it waits counts as latency
constexpr std::size_t publishes_per_turn = 256;
constexpr int events_per_turn = 64;     // so that what is due is sent between
constexpr double generator_busy = 0.9;  // of our core
constexpr std::uint32_t answers_event = 0xffff'fffe, wal_event = 0xffff'ffff;
constexpr double connect_patience_s = 30, farewell_s = 2;
constexpr double settle_s = 0.1, idle_s = 1;  // before memory is looked at, the more when that is all there is to see

std::int64_t clock_ns(clockid_t clock = CLOCK_MONOTONIC) {
    timespec now{};
    clock_gettime(clock, &now);
    return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}
std::int64_t ns(double seconds) { return static_cast<std::int64_t>(seconds * 1e9); }

struct Client {
    enum class State : std::uint8_t { connecting, upgrading, opening, ready, gone };

    Client(const sockaddr_in& to, Party who, std::size_t of, std::uint32_t at)
        : link(to, at), party(std::move(who)), channel(of), index(at) {}

    Link link;
    Party party;
    std::size_t channel;  // a subscriber's; the first of a publisher's
    std::uint32_t index;  // among the clients
    State state = State::connecting;
    bool waits_to_write = true;
    std::string incomplete;            // the start of a frame or answer
    SequenceCheck check;               // a subscriber's
    std::uint32_t serial = 0;          // a publisher's next
    std::deque<std::int64_t> pending;  // when what it has published and nobody has acknowledged was due
};

class Load {
public:
    explicit Load(const Workload& workload);
    ~Load() { close(epoll_); }
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;

    Outcome run();

private:
    bool over_http(const Client& client) const { return work_.rest && client.party.role == Role::publisher; }

    bool acknowledged() const { return !commits_ && (work_.rest || dialect_->acknowledges()); }

    void connect();
    void open(std::size_t index);
    void publish();
    void measure();
    void drain();
    void wake_slow();
    void count();
    void leave();

    void turn(std::int64_t until);
    void on_event(Client& client, std::uint32_t events);
    void on_readable(Client& client);
    void on_bytes(Client& client, std::string_view& bytes);
    void on_frame(Client& client, const Frame& frame);
    void on_delivery(Client& client, const Stamp& stamp);
    void on_answers(Client& client, std::string_view& bytes);
    void acknowledge(Client& client, std::uint32_t count);
    void ready(Client& client);
    void gone(Client& client);
    void flush(Client& client);
    void wait_to_write(Client& client, bool wait);

    void publish_due();
    void publish_one(std::size_t channel, std::int64_t due);
    void fill(Client& publisher);
    Client& publisher_of(std::size_t channel) { return *clients_[work_.subscribers + channel % work_.publishers]; }
    std::size_t active_channels() const;

    const Workload& work_;
    std::unique_ptr<Dialect> dialect_;
    std::unique_ptr<Commits> commits_;
    std::vector<std::unique_ptr<SlowReader>> slow_;
    sockaddr_in address_;
    std::string host_;
    std::vector<std::string> channels_;
    std::vector<std::uint32_t> sent_;               // on each channel
    std::vector<std::unique_ptr<Client>> clients_;  // the subscribers, then the publishers
    int epoll_;
    std::vector<char> buffer_;
    StampScanner scanner_;
    std::string payload_;
    std::int64_t now_ = 0;
    std::size_t handshaking_ = 0, ready_ = 0;
    Schedule schedule_;
    std::uint64_t published_ = 0, due_count_ = 0;  // by the schedule
    std::int64_t window_from_ = 0, publish_until_ = 0, last_ns_ = 0;
    bool leaving_ = false;
    Outcome out_;
};

Load::Load(const Workload& workload)
    : work_(workload),
      dialect_(make_dialect(workload.dialect, workload.key)),
      address_(workload.server.address()),
      host_(fmt::format("{}:{}", workload.server.host, workload.server.port)),
      sent_(workload.channels),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      buffer_(read_bytes),
      scanner_(workload.payload_bytes) {
    const auto run = base::random_id(6);
    if (!work_.database.conninfo.empty()) commits_ = std::make_unique<Commits>(work_.database, work_.payload_bytes);
    for (std::size_t i = 0; i < work_.channels; ++i) {
        channels_.push_back(commits_ ? work_.database.channel : fmt::format("bench-{}-{}", run, i));
    }
}

Outcome Load::run() {
    connect();
    if (work_.rate > 0 || work_.in_flight > 0) {
        for (std::size_t i = 0; i < work_.slow; ++i) {
            slow_.push_back(std::make_unique<SlowReader>(work_.server, work_.key, work_.dialect == "ably-msgpack", channels_[0]));
            slow_.back()->attach();
        }
        publish();
        drain();
        measure();
        wake_slow();
    }
    count();
    leave();
    return std::move(out_);
}

// ── connecting

void Load::connect() {
    out_.empty = usage_of(work_.pids);
    const auto start = clock_ns();
    const auto total = work_.subscribers + work_.publishers;
    std::size_t ready_before = 0;
    for (auto patience = start + ns(connect_patience_s); ready_ < total;) {
        while (handshaking_ < handshakes_max && clients_.size() < total) open(clients_.size());
        turn(now_ + ns(0.1));
        if (out_.disconnected > 0) throw std::runtime_error(fmt::format("{}: a client was refused: {}", host_, out_.reason));
        if (std::exchange(ready_before, ready_) != ready_) patience = now_ + ns(connect_patience_s);
        if (now_ > patience)
            throw std::runtime_error(fmt::format("{}: {} of {} clients are connected, and no more", host_, ready_, total));
    }
    if (commits_) {
        for (const auto& [fd, event] : {std::pair{commits_->answers(), answers_event}, std::pair{commits_->wal(), wal_event}}) {
            epoll_event wanted{.events = EPOLLIN, .data = {.u32 = event}};
            if (fd >= 0) epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &wanted);
        }
    }
    out_.connections = total;
    out_.connect_s = static_cast<double>(clock_ns() - start) / 1e9;
    for (const auto settled = clock_ns() + ns(work_.rate > 0 ? settle_s : idle_s); now_ < settled;) turn(settled);
    out_.connected = usage_of(work_.pids);
}

void Load::open(std::size_t index) {
    const bool subscribes = index < work_.subscribers;
    const auto channel = subscribes ? index % work_.channels : index - work_.subscribers;
    Party party{.role = subscribes ? Role::subscriber : Role::publisher, .channel = channels_[channel % work_.channels]};
    clients_.push_back(std::make_unique<Client>(address_, std::move(party), channel, static_cast<std::uint32_t>(index)));
    ++handshaking_;
    epoll_event wanted{.events = EPOLLIN | EPOLLOUT, .data = {.u32 = static_cast<std::uint32_t>(index)}};
    epoll_ctl(epoll_, EPOLL_CTL_ADD, clients_.back()->link.fd(), &wanted);
}

void Load::ready(Client& client) {
    if (client.state == Client::State::ready) return;
    client.state = Client::State::ready;
    --handshaking_;
    ++ready_;
}

void Load::gone(Client& client) {
    if (client.state == Client::State::gone) return;
    client.state = Client::State::gone;
    epoll_ctl(epoll_, EPOLL_CTL_DEL, client.link.fd(), nullptr);
    if (leaving_)
        --ready_;
    else
        ++out_.disconnected;
}

// ── publishing

std::size_t Load::active_channels() const {
    return std::clamp<std::size_t>(static_cast<std::size_t>(std::lround(work_.active * static_cast<double>(work_.channels))), 1,
                                   work_.channels);
}

/// On schedule, or as fast as acknowledgements come, until the window ends.
void Load::publish() {
    const auto start = clock_ns();
    window_from_ = start + ns(work_.warmup_s);
    publish_until_ = window_from_ + ns(work_.seconds);
    schedule_ = {.start_ns = start, .per_second = work_.rate};
    due_count_ = schedule_.count_in(work_.warmup_s + work_.seconds);
    if (work_.rate == 0) {
        due_count_ = 0;
        for (auto i = work_.subscribers; i < clients_.size(); ++i) fill(*clients_[i]);
    }
    std::uint64_t delivered = 0, acknowledged = 0;
    ProcessUsage server;
    std::int64_t own = 0;
    for (bool measuring = false; now_ < publish_until_ || published_ < due_count_;) {
        if (!measuring && now_ >= window_from_) {
            measuring = true;
            server = usage_of(work_.pids);
            own = clock_ns(CLOCK_THREAD_CPUTIME_ID);
            delivered = out_.delivered;
            acknowledged = out_.acknowledged;
        }
        if (now_ > publish_until_ + ns(work_.drain_s)) break;  // the server does not take what is due
        turn(measuring ? publish_until_ : window_from_);
        for (auto& each : slow_) each->sip(now_, work_.slow_rate);
    }
    out_.window = {.cpu_ns = -server.cpu_ns, .resident_bytes = 0};
    out_.window_delivered = delivered;
    out_.window_acknowledged = acknowledged;
    out_.generator_share = -static_cast<double>(own);
}

/// Waits for what has been published and is still to come.
void Load::drain() {
    for (const auto& client : clients_) {
        if (client->party.role == Role::subscriber) out_.expected += sent_[client->channel];
    }
    const auto complete = [&] {
        return out_.delivered >= out_.expected && (!acknowledged() || out_.acknowledged + out_.refused >= out_.sent);
    };
    for (const auto until = now_ + ns(work_.drain_s); now_ < until && !complete();) turn(until);
}

/// Closes the window that publish() opened.
void Load::measure() {
    out_.seconds = std::max(static_cast<double>(last_ns_ - window_from_) / 1e9, work_.seconds);
    out_.window.cpu_ns += usage_of(work_.pids).cpu_ns;
    out_.window_delivered = out_.delivered - out_.window_delivered;
    out_.window_acknowledged = out_.acknowledged - out_.window_acknowledged;
    out_.generator_share = (out_.generator_share + static_cast<double>(clock_ns(CLOCK_THREAD_CPUTIME_ID))) / 1e9 / out_.seconds;
    out_.generator_bound = out_.generator_share >= std::max(generator_busy, out_.server_share());
    if (commits_) out_.stages = commits_->stages(window_from_);
}

void Load::wake_slow() {
    for (auto& each : slow_) {
        each->catch_up(sent_[0], work_.drain_s);
        out_.slow_dropped += each->drops();
        out_.slow_resumed += each->resumes();
        out_.slow_missing += each->missing(sent_[0]);
        out_.slow_duplicates += each->duplicates();
    }
}

void Load::publish_due() {
    const auto active = active_channels();
    for (std::size_t i = 0; i < publishes_per_turn && published_ < due_count_; ++i) {
        const auto due = schedule_.due_ns(published_);
        const auto channel = published_ % active;
        if (due > now_ || (!commits_ && publisher_of(channel).link.queued_bytes() > publisher_queue_max)) break;
        publish_one(channel, due);
        ++published_;
    }
    for (auto i = work_.subscribers; i < clients_.size(); ++i) {
        if (!clients_[i]->waits_to_write && clients_[i]->link.queued_bytes() > 0) flush(*clients_[i]);
    }
}

void Load::publish_one(std::size_t channel, std::int64_t due) {
    const Stamp stamp{static_cast<std::uint32_t>(channel), sent_[channel], due};
    payload_.clear();
    append_payload(payload_, stamp, work_.payload_bytes);
    if (commits_) {
        commits_->commit(stamp, payload_);
    } else {
        auto& publisher = publisher_of(channel);
        if (publisher.state == Client::State::gone) return;
        auto& out = publisher.link.out();
        if (work_.rest)
            append_rest_publish(out, host_, work_.key, channels_[channel], payload_);
        else
            dialect_->publish(out, channels_[channel], publisher.serial++, payload_);
        if (acknowledged()) publisher.pending.push_back(due);
    }
    ++sent_[channel];
    ++out_.sent;
    if (due < window_from_) return;
    ++out_.window_sent;
    out_.lateness.record(now_ - due);
}

/// A publisher without a schedule always has so many under way.
void Load::fill(Client& publisher) {
    while (publisher.pending.size() < work_.in_flight && now_ < publish_until_)
        publish_one(publisher.channel % work_.channels, clock_ns());
    if (!publisher.waits_to_write) flush(publisher);
}

// ── what comes

void Load::turn(std::int64_t until) {
    now_ = clock_ns();
    if (commits_) commits_->flush();
    if (published_ < due_count_) {
        publish_due();
        if (published_ < due_count_) until = std::min(until, schedule_.due_ns(published_));
    }
    const auto wait = std::max<std::int64_t>(until - clock_ns(), 0);
    const timespec timeout{wait / 1'000'000'000, wait % 1'000'000'000};
    std::array<epoll_event, events_per_turn> events;
    const int count = epoll_pwait2(epoll_, events.data(), events_per_turn, &timeout, nullptr);
    now_ = clock_ns();
    for (int i = 0; i < count; ++i) {
        const auto& event = events[static_cast<std::size_t>(i)];
        if (event.data.u32 == answers_event)
            commits_->on_answers(now_);
        else if (event.data.u32 == wal_event)
            commits_->on_wal(now_);
        else
            on_event(*clients_[event.data.u32], event.events);
    }
}

void Load::on_event(Client& client, std::uint32_t events) {
    if (client.state == Client::State::gone) return;
    if (client.state == Client::State::connecting) {
        if (events & (EPOLLERR | EPOLLHUP)) return gone(client);
        if (over_http(client)) {
            ready(client);
        } else {
            append_upgrade(client.link.out(), host_, dialect_->path(client.party), dialect_->subprotocol());
            client.state = Client::State::upgrading;
        }
        return flush(client);
    }
    if (events & EPOLLOUT) flush(client);
    if (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) on_readable(client);
}

void Load::on_readable(Client& client) {
    const auto kept = client.incomplete.size();
    if (kept > frame_bytes_max) return gone(client);
    if (buffer_.size() < kept + read_bytes) buffer_.resize(kept + read_bytes);
    std::ranges::copy(client.incomplete, buffer_.begin());
    const auto got = client.link.read(std::span{buffer_}.subspan(kept, read_bytes));
    if (got == 0) return;
    if (got < 0) return gone(client);
    now_ = clock_ns();
    std::string_view bytes{buffer_.data(), kept + static_cast<std::size_t>(got)};
    on_bytes(client, bytes);
    client.incomplete.assign(bytes);
    if (bytes.empty() && client.incomplete.capacity() > read_bytes) client.incomplete = {};
}

void Load::on_bytes(Client& client, std::string_view& bytes) {
    if (over_http(client)) return on_answers(client, bytes);
    if (client.state == Client::State::upgrading) {
        const auto status = take_response(bytes);
        if (!status) return;
        if (*status != 101) {
            out_.reason = fmt::format("HTTP {}", *status);
            return gone(client);
        }
        client.state = Client::State::opening;
        client.link.queue(dialect_->opening(client.party));
        if (dialect_->ready_when_open(client.party)) ready(client);
        flush(client);
    }
    while (const auto frame = take_frame(bytes)) on_frame(client, *frame);
}

void Load::on_frame(Client& client, const Frame& frame) {
    switch (frame.opcode) {
        case Opcode::ping: append_frame(client.link.out(), Opcode::pong, frame.payload); return flush(client);
        case Opcode::pong: return;
        case Opcode::close: return gone(client);
        default: break;
    }
    if (scanner_.scan(frame.payload, [&](const Stamp& stamp) { on_delivery(client, stamp); }) > 0) return;
    auto heard = dialect_->hear(client.party, frame.payload);
    if (!heard.reason.empty()) out_.reason = std::move(heard.reason);
    switch (heard.kind) {
        case Heard::Kind::ready: ready(client); break;
        case Heard::Kind::acknowledged: acknowledge(client, heard.count); break;
        case Heard::Kind::refused:
            if (client.state != Client::State::ready) return gone(client);
            out_.refused += std::max(heard.count, 1u);
            break;
        case Heard::Kind::other: break;
    }
    if (heard.reply.empty()) return;
    client.link.queue(heard.reply);
    flush(client);
}

void Load::on_delivery(Client& client, const Stamp& stamp) {
    if (stamp.channel != client.channel || client.party.role != Role::subscriber) {
        ++out_.misrouted;
        return;
    }
    client.check.take(stamp.number);
    ++out_.delivered;
    last_ns_ = now_;
    if (commits_) commits_->on_delivery(stamp, now_);
    if (stamp.due_ns >= window_from_) out_.latency.record(now_ - stamp.due_ns);
}

void Load::on_answers(Client& client, std::string_view& bytes) {
    while (const auto status = take_response(bytes)) {
        if (*status == 201) {
            acknowledge(client, 1);
        } else {
            ++out_.refused;
            out_.reason = fmt::format("HTTP {}", *status);
        }
    }
}

void Load::acknowledge(Client& client, std::uint32_t count) {
    for (; count > 0 && !client.pending.empty(); --count, client.pending.pop_front()) {
        ++out_.acknowledged;
        if (client.pending.front() >= window_from_) out_.acknowledgement.record(now_ - client.pending.front());
    }
    if (work_.subscribers == 0) last_ns_ = now_;
    if (work_.in_flight > 0) fill(client);
}

void Load::flush(Client& client) {
    if (!client.link.flush()) return gone(client);
    wait_to_write(client, client.link.queued_bytes() > 0);
}

void Load::wait_to_write(Client& client, bool wait) {
    if (std::exchange(client.waits_to_write, wait) == wait || client.state == Client::State::gone) return;
    epoll_event wanted{.events = EPOLLIN, .data = {.u32 = client.index}};
    if (wait) wanted.events |= EPOLLOUT;
    epoll_ctl(epoll_, EPOLL_CTL_MOD, client.link.fd(), &wanted);
}

// ── the end

void Load::count() {
    for (const auto& client : clients_) {
        if (client->party.role != Role::subscriber) continue;
        out_.missing += client->check.missing(sent_[client->channel]);
        out_.duplicates += client->check.duplicates();
        out_.reordered += client->check.reordered();
    }
}

/// Says goodbye, so that the server keeps nothing for clients that might come back.
void Load::leave() {
    leaving_ = true;
    const auto farewell = dialect_->farewell();
    if (farewell.empty()) return;
    for (const auto& client : clients_) {
        if (client->state != Client::State::ready || over_http(*client)) continue;
        client->link.queue(farewell);
        flush(*client);
    }
    const auto stay = work_.rest ? work_.publishers : 0;
    for (const auto until = clock_ns() + ns(farewell_s); ready_ > stay && now_ < until;) turn(until);
}

}  // namespace

Outcome run(const Workload& workload) { return Load{workload}.run(); }

}  // namespace bench
