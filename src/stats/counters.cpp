#include "stats/counters.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

namespace stats {
namespace {

/// What one interval's number and the next one's are together. Those of shards are added, whatever they are: a peak is then how
/// many there were at most.
enum class Join : std::uint8_t { sum, highest, lowest };

struct Field {
    std::string_view name;  // as Ably's older form of statistics nests it, which fixtures have
    Join join = Join::sum;
};
constexpr std::array<Field, Counters::size> fields{{
    {"inbound.realtime.messages.count"},
    {"inbound.realtime.messages.data"},
    {"inbound.realtime.presence.count"},
    {"inbound.realtime.presence.data"},
    {"inbound.rest.messages.count"},
    {"inbound.rest.messages.data"},
    {"inbound.rest.presence.count"},
    {"inbound.rest.presence.data"},
    {"outbound.realtime.messages.count"},
    {"outbound.realtime.messages.data"},
    {"outbound.realtime.presence.count"},
    {"outbound.realtime.presence.data"},
    {"outbound.rest.messages.count"},
    {"outbound.rest.messages.data"},
    {"outbound.rest.presence.count"},
    {"outbound.rest.presence.data"},
    {"persisted.messages.count"},
    {"persisted.messages.data"},
    {"persisted.presence.count"},
    {"persisted.presence.data"},
    {"connections.peak", Join::highest},
    {"connections.min", Join::lowest},
    {"connections.mean"},  // kept as milliseconds times how many there were
    {"connections.opened"},
    {"connections.refused"},
    {"channels.peak", Join::highest},
    {"channels.min", Join::lowest},
    {"channels.mean"},
    {"channels.opened"},
    {"channels.refused"},
    {"apiRequests.succeeded"},
    {"apiRequests.failed"},
    {"apiRequests.refused"},
    {"tokenRequests.succeeded"},
    {"tokenRequests.failed"},
    {"tokenRequests.refused"},
}};

consteval std::size_t place(std::string_view name) {
    return static_cast<std::size_t>(std::ranges::find(fields, name, &Field::name) - fields.begin());
}
constexpr auto resources_at = place("connections.peak"), requests_at = place("apiRequests.succeeded");
enum Level : std::size_t { peak, min, mean, opened_count, refused_count, level_fields };
constexpr std::chrono::milliseconds minute = std::chrono::minutes{1};

std::size_t place(Resource resource, Level level) {
    return resources_at + static_cast<std::size_t>(resource) * level_fields + level;
}

/// All the entries that a field is part of.
std::vector<std::string> entries_of(std::string_view field) {
    const auto dot = field.find('.');
    const auto group = field.substr(0, dot), rest = field.substr(dot + 1);
    if (group == "connections") return {fmt::format("connections.all.{}", rest)};
    if (group == "channels") return {fmt::format("channels.{}", rest)};
    if (group == "apiRequests") return {fmt::format("apiRequests.other.{}", rest), fmt::format("apiRequests.all.{}", rest)};
    if (group == "tokenRequests")
        return {fmt::format("apiRequests.tokenRequests.{}", rest), fmt::format("apiRequests.all.{}", rest)};
    const auto unit = rest.substr(rest.rfind('.') + 1);
    if (group == "persisted") return {fmt::format("messages.persisted.{}", rest), fmt::format("messages.persisted.all.{}", unit)};
    const auto over = rest.substr(0, rest.find('.'));
    const auto kind = rest.substr(over.size() + 1, rest.size() - over.size() - unit.size() - 2);
    std::vector<std::string> names;
    for (const auto of : {kind, std::string_view{"all"}}) {
        names.push_back(fmt::format("messages.{}.{}.{}.{}", group, over, of, unit));
        names.push_back(fmt::format("messages.{}.all.{}.{}", group, of, unit));
        names.push_back(fmt::format("messages.all.{}.{}", of, unit));
    }
    return names;
}

}  // namespace

void Counters::messages(Way way, Over over, Kind kind, std::int64_t count, std::int64_t bytes) {
    const auto at = ((static_cast<std::size_t>(way) * 2 + static_cast<std::size_t>(over)) * 2 + static_cast<std::size_t>(kind)) * 2;
    values_[at] += count;
    values_[at + 1] += bytes;
}

void Counters::request(Request request, Outcome outcome) {
    ++values_[requests_at + static_cast<std::size_t>(request) * 3 + static_cast<std::size_t>(outcome)];
}

void Counters::begin(Resource resource, std::int64_t level) {
    values_[place(resource, peak)] = values_[place(resource, min)] = level;
}

void Counters::change(Resource resource, std::int64_t before, std::int64_t level, std::chrono::milliseconds lasted) {
    values_[place(resource, mean)] += before * std::max(lasted.count(), std::chrono::milliseconds::rep{0});
    auto& highest = values_[place(resource, peak)];
    auto& lowest = values_[place(resource, min)];
    highest = std::max(highest, level);
    lowest = std::min(lowest, level);
}

void Counters::opened(Resource resource) { ++values_[place(resource, opened_count)]; }
void Counters::refused(Resource resource) { ++values_[place(resource, refused_count)]; }

void Counters::then(const Counters& next) {
    if (empty()) {
        *this = next;
        return;
    }
    for (std::size_t i = 0; i < size; ++i) {
        switch (fields[i].join) {
            case Join::sum: values_[i] += next.values_[i]; break;
            case Join::highest: values_[i] = std::max(values_[i], next.values_[i]); break;
            case Join::lowest: values_[i] = std::min(values_[i], next.values_[i]); break;
        }
    }
}

void Counters::beside(const Counters& other) {
    for (std::size_t i = 0; i < size; ++i) values_[i] += other.values_[i];
}

bool Counters::set(std::string_view name, std::int64_t value) {
    const auto found = std::ranges::find(fields, name, &Field::name);
    if (found == fields.end()) return false;
    values_[static_cast<std::size_t>(found - fields.begin())] = name.ends_with(".mean") ? value * minute.count() : value;
    return true;
}

std::map<std::string, double> Counters::entries(std::chrono::milliseconds length) const {
    std::map<std::string, double> entries;
    for (std::size_t i = 0; i < size; ++i) {
        if (values_[i] == 0) continue;
        auto value = static_cast<double>(values_[i]);
        if (fields[i].name.ends_with(".mean")) value = std::round(100 * value / static_cast<double>(length.count())) / 100;
        for (const auto& name : entries_of(fields[i].name)) entries[name] += value;
    }
    return entries;
}

}  // namespace stats
