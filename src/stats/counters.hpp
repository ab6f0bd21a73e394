#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace stats {

enum class Way : std::uint8_t { inbound, outbound };
enum class Over : std::uint8_t { realtime, rest };
enum class Kind : std::uint8_t { messages, presence };
enum class Resource : std::uint8_t { connections, channels };
enum class Request : std::uint8_t { other, token };
enum class Outcome : std::uint8_t { succeeded, failed, refused };

/// How much of what there was in one interval: plain numbers, by the table in counters.cpp.
class Counters {
public:
    static constexpr std::size_t size = 16 + 4 + 2 * 5 + 2 * 3;

    void messages(Way way, Over over, Kind kind, std::int64_t count, std::int64_t bytes);
    void request(Request request, Outcome outcome);

    /// The interval begins with so many.
    void begin(Resource resource, std::int64_t level);
    /// There are so many now; before, there were `before` for so long.
    void change(Resource resource, std::int64_t before, std::int64_t level, std::chrono::milliseconds lasted);
    void opened(Resource resource);
    void refused(Resource resource);

    /// Counts on with the interval that comes next, on the same shard.
    void then(const Counters& next);
    /// Adds what there was on another shard at the same time.
    void beside(const Counters& other);
    bool empty() const { return values_ == Values{}; }

    /// Sets what a fixture calls so ("inbound.realtime.messages.count"); false when nothing has that name. Of a mean: in a minute.
    bool set(std::string_view name, std::int64_t value);

    /// What is not 0, by the names of Ably's app-stats schema, with its sums. Means are of `length`.
    std::map<std::string, double> entries(std::chrono::milliseconds length) const;

    friend bool operator==(const Counters&, const Counters&) = default;

private:
    using Values = std::array<std::int64_t, size>;
    Values values_{};
};

}  // namespace stats
