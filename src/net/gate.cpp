#include "net/gate.hpp"

#include <fmt/format.h>

namespace net {
namespace {

/// What all share who come when the table is full of others: 100::/64, from which nobody comes (RFC 6666).
constexpr Address shared{{1, 0}};
constexpr base::milliseconds sweep_interval{1'000};

}  // namespace

/// The table has room, or makes some: at most once a second, since looking for it takes a while.
std::pair<const Address, Gate::Usage>& Gate::usage(const Address& address, base::Time now) {
    const auto counted = address.counted();
    if (const auto found = usage_.find(counted); found != usage_.end()) return *found;
    if (usage_.size() >= base::limits::addresses_max && now - swept_ >= sweep_interval) {
        swept_ = now;
        std::erase_if(usage_, [&](const auto& each) { return each.second.idle(now); });
    }
    const auto& by = usage_.size() >= base::limits::addresses_max ? shared : counted;
    return *usage_.try_emplace(by, settings_).first;
}

std::expected<Gate::Seat, Gate::Refusal> Gate::enter(const Address& address, base::Time now) {
    const bool limited = address != Address{} && !exempt(address);  // one that is gone already has none
    const std::scoped_lock lock{mutex_};
    Address by;
    if (limited) {
        auto& [counted, usage] = this->usage(address, now);
        const bool too_many = settings_.connections > 0 && usage.connections >= settings_.connections;
        if (too_many || !usage.connecting.take(1, now)) {
            ++refused_;
            return std::unexpected(too_many ? Refusal::connections : Refusal::connections_per_second);
        }
        ++usage.connections;
        by = counted;
    }
    ++sockets_;
    return Seat{*this, address, by};
}

void Gate::leave(const Address& by) {
    const std::scoped_lock lock{mutex_};
    --sockets_;
    if (const auto found = usage_.find(by); found != usage_.end()) --found->second.connections;
}

bool Gate::token_request(const Address& address, base::Time now) {
    if (address == Address{} || exempt(address)) return true;
    const std::scoped_lock lock{mutex_};
    const bool allowed = usage(address, now).second.asking.take(1, now);
    if (!allowed) ++refused_;
    return allowed;
}

std::string Gate::refusal(Refusal why) const {
    const auto message = why == Refusal::connections
                             ? fmt::format("Connection limit of the address reached (addresses.connections = {})", settings_.connections)
                             : fmt::format("Limit of new connections of the address reached (addresses.connections_per_second = {})",
                                           settings_.connections_per_second);
    const auto body = fmt::format(R"({{"error":{{"message":"{}","code":42910,"statusCode":429}}}})", message);
    return fmt::format("HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nRetry-After: 1\r\nContent-Type: application/json\r\n"
                       "X-Ably-ErrorCode: 42910\r\nContent-Length: {}\r\n\r\n{}", body.size(), body);
}

std::uint64_t Gate::refused() const {
    const std::scoped_lock lock{mutex_};
    return refused_;
}

bool Gate::full() const {
    const std::scoped_lock lock{mutex_};
    return sockets_ > settings_.sockets_max;
}

std::size_t Gate::addresses() const {
    const std::scoped_lock lock{mutex_};
    return usage_.size();
}

std::size_t Gate::sockets() const {
    const std::scoped_lock lock{mutex_};
    return sockets_;
}

}  // namespace net
