#include "broker/channel_log.hpp"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include <gtest/gtest.h>

#include "protocol/codec.hpp"

/// What a log weighs, against what the program really allocates while it is there.
namespace {

std::atomic<std::size_t> allocated_bytes = 0;

void* allocate(std::size_t size) {
    void* bytes = std::malloc(size);
    if (!bytes) throw std::bad_alloc{};
    allocated_bytes += malloc_usable_size(bytes);
    return bytes;
}
void release(void* bytes) noexcept {
    allocated_bytes -= malloc_usable_size(bytes);
    std::free(bytes);
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void operator delete(void* bytes) noexcept { release(bytes); }
void operator delete(void* bytes, std::size_t) noexcept { release(bytes); }

namespace broker {
namespace {

const Time start = base::from_ms(1'800'000'000'000);

class LogWeight : public testing::Test {
protected:
    /// As from a client: its texts as a decoder leaves them.
    Published publish(const protocol::ProtocolMessage& message, std::optional<Change> change = {}) {
        Draft draft;
        draft.message = protocol::decode(protocol::Format::json, protocol::encode(protocol::Format::json, message)).value();
        draft.change = std::move(change);
        log.trim(start, bound);
        const auto number = std::to_string(++number_);
        draft.message.id = "connection:" + number;
        draft.message.connection_id = "connection";
        return log.append(std::move(draft), count, start).value();
    }
    std::string publish_message(protocol::Message message) {
        const auto published = publish({.action = protocol::Action::message, .channel = "room", .messages = {std::move(message)}});
        return published.entry->message.messages.front().serial;
    }
    protocol::ProtocolMessage annotation(const std::string& serial, std::string client_id, std::string name) const {
        return {.action = protocol::Action::annotation,
                .channel = "room",
                .annotations = {{.client_id = std::move(client_id),
                                 .name = std::move(name),
                                 .message_serial = serial,
                                 .type = "tag:distinct.v1"}}};
    }
    std::size_t allocated() const { return allocated_bytes - before; }
    /// Allocated bytes for each that was counted.
    double factor() const { return static_cast<double>(allocated()) / static_cast<double>(log.bytes()); }

    static constexpr std::size_t bound = 2u << 20;  // an eighth of what a log has, so that it is soon full
    std::size_t before = allocated_bytes;
    std::uint64_t count = 0;
    ChannelLog log{1'800'000'000'000, 0};

private:
    int number_ = 0;
};

TEST_F(LogWeight, D12_the_bound_of_a_log_is_one_of_memory_whatever_it_holds) {
    protocol::MessageVersion described;
    described.description = std::string(1'000, 'd');
    const std::string large(60'000, 'x');
    const std::vector<protocol::Message> kinds{
        {.data = "x"},         {.data = std::string(1'000, 'x')},  {.data = large},  {.data = protocol::Binary{large}}, {.encoding = large},
        {.extras = {"{\"a\":\"" + large + "\"}"}}, {.id = std::string(256, 'i')}, {.data = std::string(30'000, '\n')}};
    for (const auto& kind : kinds) {
        log = ChannelLog{1'800'000'000'000, count};
        before = allocated_bytes;
        for (std::size_t sent = 0; sent < bound + bound / 4; sent += 800 + protocol::heap_bytes(kind)) {
            auto message = kind;
            if (!message.id.empty()) message.id += std::to_string(sent);
            publish_message(std::move(message));
        }
        EXPECT_LT(factor(), 1.1) << protocol::encode_message(protocol::Format::json, kind).substr(0, 100);
        EXPECT_GT(factor(), 0.75);
        EXPECT_LT(allocated(), bound * 11 / 10 + 100'000);
    }
}

TEST_F(LogWeight, D12_batches_presence_and_changes_weigh_what_they_take) {
    for (int i = 0; i < 4; ++i) publish({.action = protocol::Action::message, .messages = std::vector<protocol::Message>(1'000)});
    EXPECT_LT(factor(), 1.1);
    for (int i = 0; i < 1'000; ++i) {
        publish({.action = protocol::Action::presence,
                 .presence = {{.client_id = std::to_string(i), .encoding = std::string(300, 'e'),
                               .action = protocol::PresenceAction::enter}}});
    }
    EXPECT_LT(factor(), 1.1);
    const auto serial = publish_message({.data = std::string(60'000, 'x')});
    for (int i = 0; i < 300; ++i) {
        protocol::MessageVersion version;
        version.description = std::string(500, 'd');
        publish({.action = protocol::Action::message,
                 .messages = {{.data = "y", .action = protocol::MessageAction::append, .serial = serial, .version = std::move(version)}}},
                Change{.any = true, .bytes_max = 65'536});
    }
    EXPECT_LT(factor(), 1.1);
    EXPECT_EQ(log.look_up(serial)->latest.version->client_id, "");  // it is held yet: an append takes what was appended
}

TEST_F(LogWeight, D5_a_replay_of_a_whole_log_fits_what_may_wait_for_who_asked_for_it) {
    for (const std::size_t size : {10u, 300u, 1'000u, 60'000u}) {
        log = ChannelLog{1'800'000'000'000, count};
        std::size_t replayed = 0;
        while (log.bytes() + 100'000 < bound) publish_message({.data = std::string(size, '\1')});
        const auto all = log.history({.direction = Direction::forwards, .limit = 1});
        const auto first = parse_cursor(all.messages.at(0).serial)->position;
        for (const auto& entry : log.replay({.after = first}).entries) {
            replayed += protocol::encode(protocol::Format::json, entry->message).size();
        }
        EXPECT_GT(replayed, bound / 10);
        EXPECT_LE(replayed, bound * base::limits::answers_bytes_max / base::limits::channel_log_bytes_max) << size;
    }
}

/// 8 MB of annotations had made 1.8 GB.
TEST_F(LogWeight, D12_annotations_take_memory_in_proportion_to_what_was_sent) {
    const auto serial = publish_message({.data = "x"});
    std::size_t sent = 0;
    for (int i = 0; i < 900; ++i) {
        const auto message = annotation(serial, fmt::format("client-{:0>200}", i), std::to_string(i % 20));
        sent += protocol::encode(protocol::Format::json, message).size();
        publish(message);
    }
    EXPECT_LT(factor(), 1.1);
    EXPECT_LT(allocated(), 8 * sent);
    for (int i = 0; i < 200; ++i) publish(annotation(serial, "client", std::to_string(i % 20)));
    EXPECT_LT(allocated(), bound * 11 / 10 + 100'000);
}

/// Decision 0014: what waits for a reader when it is dropped is in the log yet.
TEST_F(LogWeight, D5_what_waits_for_a_slow_reader_is_a_part_of_the_log) {
    for (const auto format : {protocol::Format::json, protocol::Format::msgpack}) {
        for (const std::size_t bytes : {0u, 1u, 10u, 100u, 1'000u, 10'000u, 60'000u}) {
            protocol::Message message;
            if (bytes > 0) message.data = std::string(bytes, 'x');
            const auto entry = publish({.action = protocol::Action::message, .channel = "r", .messages = {message}}).entry;
            const auto frame = 2 + protocol::encode(format, entry->message).size();
            const auto frames = base::limits::outbound_bytes_max / frame + 1;
            EXPECT_LE(frames * entry->bytes, base::limits::channel_log_bytes_max) << bytes << " " << frame << " " << entry->bytes;
        }
    }
}

}  // namespace
}  // namespace broker
