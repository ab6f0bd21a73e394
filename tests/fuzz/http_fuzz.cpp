#include "base/assert.hpp"
#include "chunks.hpp"
#include "net/http_parser.hpp"

using namespace net;

namespace {

constexpr std::size_t header_bytes_max = 512, body_bytes_max = 256;

/// All that a request says, as one text.
std::string described(const HttpRequest& request) {
    std::string text = request.method + ' ' + request.path + (request.keep_alive ? " keep" : " close");
    for (const auto& segment : request.segments) text += "\n/" + segment;
    for (const auto& [name, value] : request.query) text += "\n?" + name + '=' + value;
    for (const auto& [name, value] : request.headers) text += '\n' + name + ": " + value;
    return text + "\n\n" + request.body;
}

/// Feeds as HttpSession does: what was not consumed comes again in front of what follows.
class Receiver {
public:
    bool take(std::string_view piece) {
        held_ += piece;
        for (;;) {
            std::string_view rest{held_};
            const auto state = parser_.feed(rest);
            held_.erase(0, held_.size() - rest.size());
            PAL_ASSERT(parser_.held_bytes() <= header_bytes_max + body_bytes_max);
            if (state == HttpParser::State::incomplete) PAL_ASSERT(held_.empty());
            if (state != HttpParser::State::complete) {
                if (state != HttpParser::State::incomplete) requests_.push_back(std::to_string(static_cast<int>(state)));
                return state == HttpParser::State::incomplete;
            }
            auto request = parser_.take();
            PAL_ASSERT(request.body.size() <= body_bytes_max && !request.method.empty());
            requests_.push_back(described(request));
        }
    }
    const std::vector<std::string>& requests() const { return requests_; }

private:
    HttpParser parser_{header_bytes_max, body_bytes_max};
    std::string held_;
    std::vector<std::string> requests_;
};

}  // namespace

/// Any chunking gives the same requests, and the same refusal.
void fuzz_one(std::span<const std::byte> input) {
    const fuzz::Chunked chunked{input};
    Receiver whole, pieces;
    whole.take(chunked.stream);
    chunked.each([&](std::string_view piece) { return pieces.take(piece); });
    PAL_ASSERT(whole.requests() == pieces.requests());

    if (const auto decoded = percent_decode(chunked.stream, false)) PAL_ASSERT(percent_decode(percent_encode(*decoded), false) == decoded);
}
