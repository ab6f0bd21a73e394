#include <optional>
#include <utility>

#include "base/assert.hpp"
#include "chunks.hpp"
#include "net/permessage_deflate.hpp"
#include "net/websocket_parser.hpp"

using namespace net;

namespace {

constexpr std::size_t message_bytes_max = 256;

struct Got {
    std::vector<std::pair<Opcode, std::string>> messages;
    std::optional<CloseCode> error;
    friend bool operator==(const Got&, const Got&) = default;
};

class Receiver {
public:
    explicit Receiver(MessageDeflate* deflate) : parser_(message_bytes_max, deflate) {}

    bool take(std::string_view piece) {
        std::string bytes{piece};
        got_.error = parser_.feed(bytes, [&](Opcode opcode, std::string_view payload) {
            PAL_ASSERT(payload.size() <= message_bytes_max);
            got_.messages.emplace_back(opcode, payload);
        });
        return !got_.error;
    }
    const Got& got() const { return got_; }

private:
    WebSocketParser parser_;
    Got got_;
};

void check(const fuzz::Chunked& chunked, MessageDeflate* deflate) {
    Receiver whole{deflate}, pieces{deflate};
    whole.take(chunked.stream);
    chunked.each([&](std::string_view piece) { return pieces.take(piece); });
    PAL_ASSERT(whole.got() == pieces.got());
}

}  // namespace

/// Any chunking gives the same messages, and the same end, whether they may be compressed or not.
void fuzz_one(std::span<const std::byte> input) {
    static MessageDeflate deflate;  // as many connections have one
    const fuzz::Chunked chunked{input};
    check(chunked, nullptr);
    check(chunked, &deflate);
}
