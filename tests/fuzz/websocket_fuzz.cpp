#include <optional>
#include <utility>

#include "base/assert.hpp"
#include "chunks.hpp"
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
    WebSocketParser parser_{message_bytes_max};
    Got got_;
};

}  // namespace

/// Any chunking gives the same messages, and the same end.
void fuzz_one(std::span<const std::byte> input) {
    const fuzz::Chunked chunked{input};
    Receiver whole, pieces;
    whole.take(chunked.stream);
    chunked.each([&](std::string_view piece) { return pieces.take(piece); });
    PAL_ASSERT(whole.got() == pieces.got());
}
