#include "net/permessage_deflate.hpp"

#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <vector>

#include "base/assert.hpp"

namespace net {

namespace {

constexpr std::string_view tail{"\x00\x00\xff\xff", 4};  // of a flushed block: left out on the wire (RFC 7692 §7.2.1)
constexpr int window_bits = 15, raw = -window_bits, memory_level = 8;

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blank = " \t";
    text.remove_prefix(std::min(text.find_first_not_of(blank), text.size()));
    return text.substr(0, text.find_last_not_of(blank) + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const auto end = std::min(text.find(separator), text.size());
        parts.push_back(trimmed(text.substr(0, end)));
        if (end == text.size()) return parts;
        text.remove_prefix(end + 1);
    }
}

/// RFC 7692 §7.1: is it a parameter of the extension, with a value that it can have?
bool is_parameter(std::string_view name, std::string_view value, bool has_value) {
    if (name == "server_no_context_takeover" || name == "client_no_context_takeover") return !has_value;
    const bool optional_value = name == "client_max_window_bits";
    if (!optional_value && name != "server_max_window_bits") return false;
    if (!has_value) return optional_value;
    int bits = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), bits);
    return error == std::errc{} && end == value.data() + value.size() && value.front() != '0' && bits >= 8 && bits <= window_bits;
}

/// One offer's answer.
std::optional<std::string> accept_offer(std::string_view offer) {
    auto parameters = split(offer, ';');
    if (parameters.front() != "permessage-deflate") return std::nullopt;
    parameters.erase(parameters.begin());
    std::string answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    std::set<std::string_view> seen;
    for (const auto each : parameters) {
        const auto equals = each.find('=');
        const auto name = trimmed(each.substr(0, equals));
        auto value = equals == each.npos ? std::string_view{} : trimmed(each.substr(equals + 1));
        if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"')) value = value.substr(1, value.size() - 2);
        if (!is_parameter(name, value, equals != each.npos) || !seen.insert(name).second) return std::nullopt;
        if (name != "server_max_window_bits") continue;
        if (value != "15") return std::nullopt;  // what all are sent is made with the one window
        answer += "; server_max_window_bits=15";
    }
    return answer;
}

}  // namespace

std::optional<std::string> accept_deflate(std::string_view offers) {
    for (const auto offer : split(offers, ',')) {
        if (auto answer = accept_offer(offer)) return answer;
    }
    return std::nullopt;
}

struct MessageDeflate::Streams {
    z_stream out{}, in{};
    std::string buffer = std::string(16u << 10, '\0');

    Streams() {
        PAL_ASSERT(::deflateInit2(&out, Z_BEST_SPEED, Z_DEFLATED, raw, memory_level, Z_DEFAULT_STRATEGY) == Z_OK);
        PAL_ASSERT(::inflateInit2(&in, raw) == Z_OK);
    }
    ~Streams() {
        ::deflateEnd(&out);
        ::inflateEnd(&in);
    }
    /// Gives a stream what it reads next.
    static void feed(z_stream& stream, std::string_view bytes) {
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
        stream.avail_in = static_cast<uInt>(bytes.size());
    }
    /// Room for what it writes next; afterwards, what it has written.
    void make_room(z_stream& stream) {
        stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
        stream.avail_out = static_cast<uInt>(buffer.size());
    }
    std::string_view written(const z_stream& stream) const { return std::string_view{buffer}.substr(0, buffer.size() - stream.avail_out); }
};

MessageDeflate::MessageDeflate() : streams_(std::make_unique<Streams>()) {}
MessageDeflate::~MessageDeflate() = default;

std::string MessageDeflate::compress(std::string_view payload) {
    auto& stream = streams_->out;
    std::string compressed;
    PAL_ASSERT(::deflateReset(&stream) == Z_OK);
    Streams::feed(stream, payload);
    do {
        streams_->make_room(stream);
        PAL_ASSERT(::deflate(&stream, Z_SYNC_FLUSH) != Z_STREAM_ERROR);
        compressed += streams_->written(stream);
    } while (stream.avail_out == 0);
    PAL_ASSERT(compressed.ends_with(tail));
    compressed.resize(compressed.size() - tail.size());
    return compressed;
}

std::expected<std::string, CloseCode> MessageDeflate::inflate(std::string_view payload, std::size_t bytes_max) {
    auto& stream = streams_->in;
    std::string inflated;
    PAL_ASSERT(::inflateReset(&stream) == Z_OK);
    for (const auto part : {payload, tail}) {
        Streams::feed(stream, part);
        do {
            streams_->make_room(stream);
            const auto status = ::inflate(&stream, Z_SYNC_FLUSH);
            if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) return std::unexpected(CloseCode::invalid_payload);
            inflated += streams_->written(stream);
            if (inflated.size() > bytes_max) return std::unexpected(CloseCode::too_big);
            if (status == Z_STREAM_END) ::inflateReset(&stream);  // a final block may be followed by another (RFC 7692 §7.2.3.4)
        } while (stream.avail_out == 0 || stream.avail_in > 0);
    }
    return inflated;
}

}  // namespace net
