#include "stats/fixtures.hpp"

#include "protocol/json_value.hpp"

namespace stats {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using protocol::JsonValue;

/// Connections by the kind of their transport are connections.
bool is_left_out(const std::string& path, std::string_view name) {
    return path == "connections" && (name == "tls" || name == "plain" || name == "all");
}

void read(const JsonValue& value, const std::string& path, Counters& counters) {
    if (const auto* number = std::get_if<double>(&value.value)) {
        counters.set(path, static_cast<std::int64_t>(*number));
    } else if (const auto* object = std::get_if<JsonValue::Object>(&value.value)) {
        for (const auto& [name, member] : *object) {
            if (is_left_out(path, name))
                read(member, path, counters);
            else
                read(member, path.empty() ? name : path + '.' + name, counters);
        }
    }
}

Result<Fixture> fixture_of(const JsonValue& value) {
    const auto* id = value.member("intervalId");
    const auto* text = id ? std::get_if<std::string>(&id->value) : nullptr;
    const auto minute = text ? parse_interval_id(*text) : std::nullopt;
    if (!minute) return fail(ErrorCode::invalid_body, "intervalId: that of a minute is needed, as in 2026-02-03:15:03");
    Fixture fixture{.minute = *minute, .counters = {}};
    read(value, {}, fixture.counters);
    return fixture;
}

}  // namespace

Result<std::vector<Fixture>> parse_fixtures(std::string_view json) {
    auto value = protocol::read_json(json);
    if (!value) return fail(ErrorCode::invalid_body, "The body is not JSON");
    if (std::holds_alternative<JsonValue::Object>(value->value)) value = JsonValue{JsonValue::Array{*std::move(value)}};
    const auto* list = std::get_if<JsonValue::Array>(&value->value);
    if (!list) return fail(ErrorCode::invalid_body, "Statistics are an object, or a list of them");
    std::vector<Fixture> fixtures;
    for (const auto& each : *list) {
        auto fixture = fixture_of(each);
        if (!fixture) return std::unexpected(fixture.error());
        fixtures.push_back(*std::move(fixture));
    }
    return fixtures;
}

}  // namespace stats
