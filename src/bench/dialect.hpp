#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/frames.hpp"

namespace bench {

enum class Role : std::uint8_t { subscriber, publisher };

/// What a client has to know to speak: one subscriber follows one channel, one publisher speaks on several.
struct Party {
    Role role = Role::subscriber;
    std::string channel;  // a subscriber's
};

/// What a frame that delivers nothing means.
struct Heard {
    enum class Kind : std::uint8_t { other, ready, acknowledged, refused };
    Kind kind = Kind::other;
    std::uint32_t count = 0;  // of publishes acknowledged or refused
    std::string reply;        // frames to send now
    std::string reason;       // of what is refused
};

/// How clients of one server speak over WebSocket. Deliveries are found by their stamps, whatever is around them.
class Dialect {
public:
    virtual ~Dialect() = default;

    /// The path that the WebSocket is opened with.
    virtual std::string path(const Party& party) const = 0;
    virtual std::string subprotocol() const { return {}; }
    /// Frames to send when the WebSocket has opened. A dialect with nothing to wait for is ready then.
    virtual std::string opening(const Party&) const { return {}; }
    virtual bool ready_when_open(const Party&) const { return false; }
    virtual Heard hear(const Party& party, std::string_view payload) const = 0;
    /// Appends a frame that publishes `payload`, the `serial`th that this client sends.
    virtual void publish(std::string& out, std::string_view channel, std::uint32_t serial, std::string_view payload) const = 0;
    /// Does the server say that it has what was published?
    virtual bool acknowledges() const { return false; }
    /// Frames that end the session, so that the server keeps nothing of it.
    virtual std::string farewell() const { return {}; }
};

/// ably-json, ably-msgpack, nats, nats-ok, nchan, socketio or ws. `key` is an Ably API key. Throws std::runtime_error for another
/// name.
std::unique_ptr<Dialect> make_dialect(std::string_view name, std::string key);
std::unique_ptr<Dialect> make_ably(bool msgpack, std::string key);

}  // namespace bench
