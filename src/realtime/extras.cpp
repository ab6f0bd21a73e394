#include "realtime/extras.hpp"

#include "protocol/json_reader.hpp"
#include "protocol/json_writer.hpp"

namespace realtime {
namespace {

/// Calls each(name, value) for the members of an object, the value as its text.
template <class Each>
void members(std::string_view object, Each&& each) {
    if (object.empty()) return;
    protocol::JsonReader in{object};
    std::string value;
    in.object([&](std::string_view key) {
        const std::string name{key};
        value.clear();
        if (!in.json(value)) return false;
        each(name, value);
        return true;
    });
}

}  // namespace

std::string with_member(std::string_view object, std::string_view name, std::string_view value) {
    std::string json;
    protocol::JsonWriter out{json};
    out.object([&] {
        members(object, [&](std::string_view each, std::string_view its_value) {
            if (each == name) return;
            out.key(each);
            out.json(its_value);
        });
        if (value.empty()) return;
        out.key(name);
        out.json(value);
    });
    return json;
}

void drop_member(protocol::JsonText& extras, std::string_view name) {
    if (extras.text.find(name) == std::string::npos && extras.text.find('\\') == std::string::npos) return;
    bool there = false;
    members(extras.text, [&](std::string_view each, std::string_view) { there = there || each == name; });
    if (!there) return;
    extras.text = with_member(extras.text, name, {});
    if (extras.text == "{}") extras.text.clear();
}

void stamp_user_claim(protocol::JsonText& extras, const auth::Identity& publisher, std::string_view channel) {
    constexpr std::string_view name = "userClaim";
    const auto* claim = publisher.channel_claims ? publisher.channel_claims->user_claim(channel) : nullptr;
    if (!claim) return drop_member(extras, name);
    std::string value;
    protocol::JsonWriter{value}.text(*claim);
    extras.text = with_member(extras.text, name, value);
}

}  // namespace realtime
