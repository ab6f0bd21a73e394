#include "net/gzip.hpp"

#include <zlib.h>

#include <array>

#include "base/assert.hpp"

namespace net {

namespace {

constexpr int with_gzip_header = 15 + 16, memory_level = 8;

/// zlib reads through a pointer that it does not write through.
void feed(z_stream& stream, std::string_view bytes) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
}

struct Inflating {
    z_stream stream{};
    Inflating() { PAL_ASSERT(::inflateInit2(&stream, with_gzip_header) == Z_OK); }
    ~Inflating() { ::inflateEnd(&stream); }
    Inflating(const Inflating&) = delete;
    Inflating& operator=(const Inflating&) = delete;
};

}  // namespace

std::string gzip(std::string_view bytes, int level) {
    z_stream stream{};
    PAL_ASSERT(::deflateInit2(&stream, level, Z_DEFLATED, with_gzip_header, memory_level, Z_DEFAULT_STRATEGY) == Z_OK);
    feed(stream, bytes);
    std::string compressed(::deflateBound(&stream, static_cast<uLong>(bytes.size())), '\0');
    stream.next_out = reinterpret_cast<Bytef*>(compressed.data());
    stream.avail_out = static_cast<uInt>(compressed.size());
    PAL_ASSERT(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
    compressed.resize(stream.total_out);
    ::deflateEnd(&stream);
    return compressed;
}

std::expected<std::string, GunzipError> gunzip(std::string_view compressed, std::size_t bytes_max) {
    Inflating inflating;
    auto& stream = inflating.stream;
    feed(stream, compressed);
    std::array<char, 16u << 10> buffer;
    std::string inflated;
    for (;;) {
        stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
        stream.avail_out = static_cast<uInt>(buffer.size());
        const auto status = ::inflate(&stream, Z_NO_FLUSH);
        if (status != Z_OK && status != Z_STREAM_END) return std::unexpected(GunzipError::malformed);  // also when it ends too early
        const auto written = buffer.size() - stream.avail_out;
        if (written > bytes_max - inflated.size()) return std::unexpected(GunzipError::too_large);
        inflated.append(buffer.data(), written);
        if (status != Z_STREAM_END) continue;
        if (stream.avail_in == 0) return inflated;
        PAL_ASSERT(::inflateReset(&stream) == Z_OK);  // another member follows (RFC 1952 §2.2)
    }
}

}  // namespace net
