#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/base64.hpp"
#include "base/limits.hpp"
#include "protocol/fields.hpp"
#include "protocol/value.hpp"

namespace protocol {

/// Which of the fields that visit() goes through has a name: by a table, since there are many, and each key of each message is looked for.
class FieldNames {
public:
    static constexpr std::size_t none = SIZE_MAX;

    template <Visitable T>
    static const FieldNames& of() {
        static const FieldNames names = [] {
            FieldNames all;
            T any{};
            visit(any, [&](std::string_view name, auto&&) { all.add(name); });
            return all;
        }();
        return names;
    }
    std::size_t find(std::string_view name) const {
        for (auto slot = first_slot(name); slots_[slot] != empty; slot = (slot + 1) % slots_.size()) {
            if (names_[slots_[slot]] == name) return slots_[slot];
        }
        return none;
    }

private:
    static constexpr std::uint8_t empty = 0xff;

    FieldNames() { slots_.fill(empty); }
    void add(std::string_view name) {
        auto slot = first_slot(name);
        while (slots_[slot] != empty) slot = (slot + 1) % slots_.size();
        slots_[slot] = static_cast<std::uint8_t>(names_.size());
        names_.push_back(name);
    }
    std::size_t first_slot(std::string_view name) const {
        if (name.empty()) return 0;
        return (name.size() * 7 + static_cast<unsigned char>(name.front()) * 3 + static_cast<unsigned char>(name.back())) % slots_.size();
    }

    std::array<std::uint8_t, 64> slots_;  // more than twice as many as there are fields of any struct
    std::vector<std::string_view> names_;
};

/// Fills the structs of the field table from a JsonReader or a MsgpackReader. Members return false when decoding is over
/// because the input is refused; error() says why.
template <class Reader>
class Decoder {
public:
    explicit Decoder(std::string_view input) : in_(input) {}

    /// Errors: invalid_body, invalid_message_data, bad_request (an action we do not know).
    template <class T>
    Result<T> whole_input(T out = {}) {
        Result<T> read{std::move(out)};
        if (const auto whole = read_whole(*read); !whole) read = std::unexpected(whole.error());
        return read;
    }
    /// … into what is there.
    template <class T>
    Result<void> read_whole(T& out) {
        if (!value("body", out)) return std::unexpected(error());
        if (!in_.at_end()) return fail(ErrorCode::invalid_body, "the body goes on after its end, at byte {}", in_.position());
        return {};
    }
    Kind kind() { return in_.kind(); }

private:
    using Name = std::string_view;
    static constexpr std::size_t entries_max = base::limits::messages_per_publish_max;  // of any list or map in a frame

    bool field(Name name, auto& out) { return in_.kind() == Kind::null ? in_.skip() : value(name, out); }

    template <Visitable T>
    bool value(Name name, T& out) {
        if (!expect(name, Kind::object, "an object")) return false;
        const auto& names = FieldNames::of<T>();
        const bool read = in_.object([&](Name key) {
            const auto wanted = names.find(key);
            if (wanted == FieldNames::none) return in_.skip();
            bool ok = false;
            std::size_t index = 0;
            visit(out, [&](Name member_name, auto&& member) {
                if (index++ == wanted) ok = field(member_name, member);
            });
            return ok;
        });
        if constexpr (requires { out.data; }) return read && settle(out);
        return read;
    }

    bool value(Name name, std::string& out) { return expect(name, Kind::text, "a string") && in_.text(out); }
    bool value(Name name, JsonText& out) {
        if (!expect(name, Kind::object, "an object")) return false;
        return in_.json(out.text) || refuse(ErrorCode::invalid_body, "{}: not an object that JSON can hold", name);
    }
    bool value(Name name, std::int64_t& out) {
        Number number;
        if (!expect(name, Kind::number, "a number") || !in_.number(number)) return false;
        const auto integer = whole(number);
        if (!integer) return refuse(ErrorCode::invalid_body, "{}: a whole number is needed", name);
        out = *integer;
        return true;
    }
    bool value(Name name, bool& out) { return expect(name, Kind::boolean, "true or false") && in_.boolean(out); }
    bool value(Name name, ErrorCode& out) {
        std::int64_t code = 0;
        if (!value(name, code)) return false;
        if (!std::in_range<int>(code)) return refuse(ErrorCode::invalid_body, "{}: out of range", name);
        out = static_cast<ErrorCode>(code);
        return true;
    }
    template <class Enum>
        requires requires(Enum any) { last_of(any); }
    bool value(Name name, Enum& out) {
        std::int64_t number = 0;
        if (!value(name, number)) return false;
        const bool known = number >= 0 && number <= std::to_underlying(last_of(Enum{}));
        if (!known) return refuse(ErrorCode::bad_request, "{}: {} is unknown", name, number);
        out = static_cast<Enum>(number);
        return true;
    }

    template <class T>
    bool value(Name name, std::optional<T>& out) {
        return value(name, out.emplace());
    }
    template <class T>
    bool value(Name name, base::Boxed<T>& out) {
        return value(name, out.emplace());
    }
    template <class T>
    bool value(Name name, std::vector<T>& out) {
        out.clear();
        return expect(name, Kind::array, "an array") && in_.array([&] {
            if (out.size() == entries_max) return refuse(ErrorCode::invalid_body, "{}: more than {}", name, entries_max);
            if constexpr (Visitable<T>) return value(name, out.emplace_back());
            else return field(name, out.emplace_back());  // a serial is null when its message was not kept
        });
    }
    template <class T>
    bool value(Name name, const OneOrMore<T>& out) {
        if (in_.kind() == Kind::array) return value(name, out.all);
        out.all.clear();
        return value(name, out.all.emplace_back());
    }
    bool value(Name name, std::map<std::string, std::string>& out) {
        return expect(name, Kind::object, "an object") && in_.object([&](Name key) {
            if (out.size() == entries_max) return refuse(ErrorCode::invalid_body, "{}: more than {}", name, entries_max);
            return param(name, out[std::string{key}]);
        });
    }
    /// A param's value: clients write a number as one.
    bool param(Name name, std::string& out) {
        Number number;
        bool truth = false;
        switch (in_.kind()) {
            case Kind::number:
                if (!in_.number(number)) return false;
                out = std::visit([](auto each) { return fmt::format("{}", each); }, number);
                return true;
            case Kind::boolean:
                if (!in_.boolean(truth)) return false;
                out = truth ? "true" : "false";
                return true;
            default: return value(name, out);
        }
    }
    bool value(Name name, const Wrapped<std::string>& out) {
        return expect(name, Kind::object, "an object") &&
               in_.object([&](Name key) { return key == out.name ? field(out.name, out.text) : in_.skip(); });
    }

    bool value(Name name, Data& out) {
        bare_json_ = in_.kind() == Kind::object || in_.kind() == Kind::array;
        if (in_.kind() == Kind::text) return in_.text(out.emplace<std::string>());
        if (bare_json_) {
            return in_.json(out.emplace<std::string>()) || refuse(ErrorCode::invalid_body, "{}: not a value that JSON can hold", name);
        }
        if constexpr (requires(std::string& bytes) { in_.binary(bytes); }) {
            if (in_.kind() == Kind::binary) return in_.binary(out.emplace<Binary>().bytes);
        }
        if (in_.kind() == Kind::none) return false;
        return refuse(ErrorCode::invalid_message_data, "{}: a string, bytes, an object or an array is needed", name);
    }

    /// What data and encoding are to each other shows when both have been read: "json" is appended for a bare object or array
    /// (RSL4d3), and a last step "base64" is undone (RSL6a), so that the data is what it is in either format.
    bool settle(auto& message) {
        constexpr std::string_view base64 = "base64";
        auto& encoding = message.encoding;
        if (std::exchange(bare_json_, false)) {
            encoding += encoding.empty() ? "json" : "/json";
            return true;
        }
        const auto* text = std::get_if<std::string>(&message.data);
        const auto step = encoding.rfind('/') + 1;  // npos + 1 is 0
        if (!text || encoding.substr(step) != base64) return true;
        auto bytes = base::base64_decode(*text);
        if (!bytes) return refuse(ErrorCode::invalid_message_data, "data: its encoding says base64, and it is not");
        message.data = Binary{std::move(*bytes)};
        encoding.resize(step == 0 ? 0 : step - 1);
        return true;
    }

    bool expect(Name name, Kind kind, std::string_view what) {
        if (in_.kind() == kind) return true;
        return in_.kind() != Kind::none && refuse(ErrorCode::invalid_body, "{}: {} is needed", name, what);
    }
    template <class... Args>
    bool refuse(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
        if (!error_) error_ = Error{code, fmt::format(format, std::forward<Args>(args)...)};
        return false;
    }
    Error error() const {
        return error_.value_or(Error{ErrorCode::invalid_body, fmt::format("the body cannot be read from byte {} on", in_.position())});
    }

    Reader in_;
    std::optional<Error> error_;
    bool bare_json_ = false;  // the data of the message being read was an object or an array
};

}  // namespace protocol
