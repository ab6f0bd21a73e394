#pragma once

#include <utility>

#include "base/base64.hpp"
#include "protocol/fields.hpp"
#include "protocol/json_writer.hpp"

namespace protocol {

/// Writes the structs of the field table by a JsonWriter or a MsgpackWriter. What is empty is left out; enumerations are not.
template <class Writer>
class Encoder {
public:
    explicit Encoder(std::string& out) : out_(out) {}

    template <Visitable T>
    void value(const T& value) {
        if constexpr (requires { value.data; } && std::same_as<Writer, JsonWriter>) {
            if (const auto* binary = std::get_if<Binary>(&value.data)) return fields(as_base64(value, *binary));
        }
        fields(value);
    }
    template <class T>
    void value(const std::vector<T>& values) {
        out_.array([&] {
            for (const auto& each : values) {
                out_.element();
                value(each);
            }
        });
    }
    void value(const std::string& text) { text.empty() ? out_.null() : out_.text(text); }

    /// {"error":…}, as a REST answer has it.
    void wrapped_error(const ErrorInfo& error) {
        out_.object([&] { member("error", std::optional{error}); });
    }

private:
    using Name = std::string_view;

    void fields(const auto& value) {
        out_.object([&] { visit(value, [&](Name name, const auto& field) { member(name, field); }); });
    }

    /// JSON has no bytes (RSL4d1).
    template <class T>
    static T as_base64(T message, const Binary& binary) {
        message.encoding += message.encoding.empty() ? "base64" : "/base64";
        message.data = base::base64_encode(binary.bytes);
        return message;
    }

    void member(Name name, const std::string& text) {
        if (!text.empty()) out_.named(name, text);
    }
    void member(Name name, const EvenEmpty& channel) {
        out_.named(name, channel.text);
    }
    void member(Name name, const JsonText& json) {
        if (json.text.empty()) return;
        out_.name(name);
        out_.json(json.text);
    }
    void member(Name name, std::int64_t number) {
        if (number != 0) always(name, number);
    }
    void member(Name name, ErrorCode code) { always(name, std::to_underlying(code)); }
    void member(Name name, const Data& data) {
        if (const auto* text = std::get_if<std::string>(&data)) {
            out_.named(name, *text);
        } else if (const auto* binary = std::get_if<Binary>(&data)) {
            if constexpr (requires { out_.binary(binary->bytes); }) {
                out_.name(name);
                out_.binary(binary->bytes);
            }
        }
    }
    template <class Enum>
        requires requires(Enum any) { last_of(any); }
    void member(Name name, Enum value) {
        always(name, std::to_underlying(value));
    }
    template <class T>
    void member(Name name, const std::optional<T>& field) {
        if (!field) return;
        if constexpr (Visitable<T>) {
            out_.name(name);
            value(*field);
        } else if constexpr (std::integral<T>) {
            always(name, *field);
        } else {
            member(name, *field);
        }
    }
    template <class T>
    void member(Name name, const base::Boxed<T>& field) {
        if (!field) return;
        out_.name(name);
        value(*field);
    }
    template <class T>
    void member(Name name, const std::optional<std::vector<T>>& values) {
        if (!values) return;
        out_.name(name);
        value(*values);  // an empty one is not an absent one
    }
    template <class T>
    void member(Name name, const std::vector<T>& values) {
        if (values.empty()) return;
        out_.name(name);
        value(values);
    }
    void member(Name name, const std::map<std::string, std::string>& entries) {
        if (entries.empty()) return;
        out_.name(name);
        out_.object([&] {
            for (const auto& [key, text] : entries) {
                out_.key(key);
                out_.text(text);
            }
        });
    }
    void member(Name name, const Wrapped<const std::string>& wrapped) {
        if (wrapped.text.empty()) return;
        out_.name(name);
        out_.object([&] { member(wrapped.name, wrapped.text); });
    }
    void always(Name name, std::int64_t number) { out_.named(name, number); }

    Writer out_;
};

}  // namespace protocol
