#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace realtime {

/// The connectionKey (CD2b): what a client shows to resume. Signed, so that the server needs no memory of it to believe it.
///   key := connectionId '!' epoch:hex11 '!' nonce '!' mac:base64url22        (docs/formats.md)
/// The nonce, 8 letters and digits, is the transport's: each one has a new key (RTN16).
std::string make_connection_key(std::string_view connection_id, std::uint64_t epoch, std::string_view nonce, std::string_view secret);

struct ConnectionKey {
    std::string connection_id;
    std::uint64_t epoch = 0;  // of the process that gave it out
    std::string nonce;
    friend bool operator==(const ConnectionKey&, const ConnectionKey&) = default;
};
/// Nothing unless the key is one that the holder of this secret made.
std::optional<ConnectionKey> check_connection_key(std::string_view key, std::string_view secret);

}  // namespace realtime
