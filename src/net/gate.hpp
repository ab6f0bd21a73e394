#pragma once

#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/resource_limits.hpp"
#include "base/token_bucket.hpp"
#include "net/address.hpp"

namespace net {

/// What one address may have, and how addresses are told. 0: no limit.
struct GateSettings {
    std::size_t connections = base::limits::connections_per_address;
    std::size_t connections_per_second = base::limits::connections_per_address_and_second;
    std::size_t token_requests_per_second = base::limits::token_requests_per_address_and_second;
    /// No limits by address: loopback by default, where proxies, tests and load generators are, and whoever is there needs no flood.
    std::vector<Cidr> exempt{*Cidr::parse("127.0.0.0/8"), *Cidr::parse("::1")};
    std::vector<Cidr> proxies{};  // whose X-Forwarded-For is believed; themselves exempt
    std::size_t sockets_max = SIZE_MAX;  // that clients have in all; then only who asks how the server is gets in
};

/// Who gets in: counts clients' sockets, in all and by address. Shared, synchronised by its own mutex: taken when a client connects,
/// goes, or asks for a token. The table of addresses is bounded: those that owe nothing make room, and when none does, newcomers share
/// one entry.
class Gate {
public:
    enum class Refusal : std::uint8_t { connections, connections_per_second };

    /// A socket that is counted, until this goes. The gate outlives it.
    class Seat {
    public:
        Seat() = default;
        Seat(Seat&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)), address_(other.address_), by_(other.by_) {}
        Seat& operator=(Seat&& other) noexcept {
            std::swap(gate_, other.gate_);
            std::swap(address_, other.address_);
            std::swap(by_, other.by_);
            return *this;
        }
        ~Seat() {
            if (gate_) gate_->leave(by_);
        }
        const Address& address() const { return address_; }

    private:
        friend class Gate;
        Seat(Gate& gate, const Address& address, const Address& by) : gate_(&gate), address_(address), by_(by) {}
        Gate* gate_ = nullptr;
        Address address_, by_;  // the client's, and what it is counted by: all zero when it is not
    };

    explicit Gate(GateSettings settings) : settings_(std::move(settings)) {}

    std::expected<Seat, Refusal> enter(const Address& address, base::Time now);
    /// An HTTP response that says so.
    std::string refusal(Refusal why) const;
    /// May this address be given a token now?
    bool token_request(const Address& address, base::Time now);
    /// More sockets than clients get: those of the reserve are for who asks how the server is.
    bool full() const;

    const GateSettings& settings() const { return settings_; }
    Address client_of(const Address& peer, std::string_view forwarded_for) const {
        return client_behind(peer, forwarded_for, settings_.proxies);
    }
    std::size_t addresses() const;
    std::size_t sockets() const;
    /// Of connections, and of token requests, by address.
    std::uint64_t refused() const;

private:
    struct Usage {
        explicit Usage(const GateSettings& settings)
            : connecting(settings.connections_per_second), asking(settings.token_requests_per_second) {}
        bool idle(base::Time now) const { return connections == 0 && connecting.full(now) && asking.full(now); }

        std::size_t connections = 0;
        base::TokenBucket connecting, asking;
    };
    bool exempt(const Address& address) const { return contains(settings_.exempt, address) || contains(settings_.proxies, address); }
    std::pair<const Address, Usage>& usage(const Address& address, base::Time now);
    void leave(const Address& by);

    GateSettings settings_;
    mutable std::mutex mutex_;
    std::unordered_map<Address, Usage, AddressHash> usage_;
    base::Time swept_{};
    std::size_t sockets_ = 0;
    std::uint64_t refused_ = 0;
};

}  // namespace net
