#include "protocol/json_value.hpp"

#include "protocol/json_reader.hpp"
#include "protocol/json_writer.hpp"

namespace protocol {
namespace {

bool read(JsonReader& in, JsonValue& out, int depth) {
    switch (in.kind()) {
        case Kind::null: return in.skip();
        case Kind::boolean: return in.boolean(out.value.emplace<bool>());
        case Kind::text: return in.text(out.value.emplace<std::string>());
        case Kind::number: {
            Number number;
            if (!in.number(number)) return false;
            out.value = std::visit([](auto plain) { return static_cast<double>(plain); }, number);
            return true;
        }
        case Kind::array: {
            auto& array = out.value.emplace<JsonValue::Array>();
            return depth < nesting_max && in.array([&] { return read(in, array.emplace_back(), depth + 1); });
        }
        case Kind::object: {
            auto& object = out.value.emplace<JsonValue::Object>();
            return depth < nesting_max && in.object([&](std::string_view key) {
                auto& member = object[std::string{key}];
                member = {};
                return read(in, member, depth + 1);
            });
        }
        default: return false;
    }
}

struct Writing {
    JsonWriter& out;

    void operator()(std::monostate) const { out.null(); }
    void operator()(bool value) const { out.boolean(value); }
    void operator()(const std::string& value) const { out.text(value); }
    void operator()(double value) const {
        const auto integer = whole(value);
        out.number(integer ? Number{*integer} : Number{value});
    }
    void operator()(const JsonValue::Array& array) const {
        out.array([&] {
            for (const auto& each : array) {
                out.element();
                std::visit(*this, each.value);
            }
        });
    }
    void operator()(const JsonValue::Object& object) const {
        out.object([&] {
            for (const auto& [name, member] : object) {
                out.key(name);
                std::visit(*this, member.value);
            }
        });
    }
};

}  // namespace

const JsonValue* JsonValue::member(std::string_view name) const {
    const auto* object = std::get_if<Object>(&value);
    if (!object) return nullptr;
    const auto found = object->find(name);
    return found == object->end() ? nullptr : &found->second;
}

std::optional<JsonValue> read_json(std::string_view text) {
    JsonReader in{text};
    std::optional<JsonValue> value{std::in_place};
    return read(in, *value, 0) && in.at_end() ? std::move(value) : std::nullopt;
}

std::string to_json(const JsonValue& value) {
    std::string json;
    JsonWriter out{json};
    std::visit(Writing{out}, value.value);
    return json;
}

}  // namespace protocol
