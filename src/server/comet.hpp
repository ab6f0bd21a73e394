#pragma once

#include <unordered_map>

#include "server/call.hpp"
#include "server/comet_peer.hpp"

namespace server {

/// HTTP for clients that cannot have a WebSocket, as browsers behind some proxies: /comet/connect opens a connection, and
/// /comet/{connectionKey}/recv, send, close and disconnect are its requests. They come in on any shard, and are answered on the
/// home shard of the connection's id: HttpSessions move there. JSON only, as SDKs have it. Shard-owned.
class Comet final : public CometPeer::Owner {
public:
    Comet(net::Shard& shard, realtime::Hub& hub) : shard_(shard), hub_(hub) {}

    /// The shard a request belongs to, when it is not this one.
    std::optional<std::size_t> elsewhere(const net::HttpRequest& request) const;

    void connect(Call call);
    /// Is nobody left who has not been told the last of it?
    bool idle() const { return peers_.empty(); }
    /// Any other request; its path is /comet/{connectionKey}/{what}. Error: incompatible_credentials, when its credentials are not
    /// those of the connection's client.
    void take(Call call);

private:
    void on_connected(CometPeer& peer) override;
    void on_over(CometPeer& peer) override;
    void send(CometPeer& peer, const base::Result<void>& allowed, Call call);

    net::Shard& shard_;
    realtime::Hub& hub_;
    std::unordered_map<std::string, std::shared_ptr<CometPeer>> peers_;  // by connection id
};

}  // namespace server
