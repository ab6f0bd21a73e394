#include "protocol/filter.hpp"

#include <algorithm>
#include <concepts>

#include "protocol/filter_parser.hpp"

namespace protocol {
namespace {

using Comparator = Filter::Comparator;
using Function = Filter::Function;
using Text = std::string;

bool is_true(const JsonValue& value) {
    return std::visit(
        [](const auto& plain) {
            using T = std::decay_t<decltype(plain)>;
            if constexpr (std::same_as<T, std::monostate>) return false;
            else if constexpr (std::same_as<T, bool>) return plain;
            else if constexpr (std::same_as<T, double>) return true;  // 0 as well
            else return !plain.empty();
        },
        value.value);
}

std::string_view type_of(const JsonValue& value) {
    constexpr std::string_view names[] = {"null", "boolean", "number", "string", "array", "object"};
    return names[value.value.index()];
}

/// In characters, not bytes.
std::size_t length_of(const Text& text) {
    return static_cast<std::size_t>(std::ranges::count_if(text, [](unsigned char byte) { return (byte & 0xc0) != 0x80; }));
}

JsonValue number_in(const Text& text) {
    auto number = read_json(text);
    return number && std::holds_alternative<double>(number->value) ? *std::move(number) : JsonValue{};
}

bool compare(Comparator comparator, double left, double right) {
    switch (comparator) {
        case Comparator::less: return left < right;
        case Comparator::less_equal: return left <= right;
        case Comparator::greater: return left > right;
        case Comparator::greater_equal: return left >= right;
        default: return false;
    }
}

/// Of what a function or an order is not for, the value is null.
class Evaluation {
public:
    explicit Evaluation(const JsonValue& subject) : subject_(subject) {}

    JsonValue of(const Filter::Expression& expression) const { return std::visit(*this, expression.node); }

    JsonValue operator()(const JsonValue& literal) const { return literal; }
    JsonValue operator()(const Filter::Path& path) const {
        const auto from = path.from.empty() ? JsonValue{} : of(path.from.front());
        const auto* at = path.from.empty() ? &subject_ : &from;
        for (const auto& name : path.names) {
            at = at->member(name);
            if (!at) return {};
        }
        return *at;
    }
    JsonValue operator()(const Filter::AnyOf& any) const { return first(any.operands, true); }
    JsonValue operator()(const Filter::AllOf& all) const { return first(all.operands, false); }
    JsonValue operator()(const Filter::Not& inverse) const { return {!is_true(of(inverse.operand.front()))}; }
    JsonValue operator()(const Filter::Comparison& comparison) const {
        const auto left = of(comparison.sides[0]), right = of(comparison.sides[1]);
        if (comparison.comparator == Comparator::equal) return {left == right};
        if (comparison.comparator == Comparator::not_equal) return {left != right};
        const auto *a = std::get_if<double>(&left.value), *b = std::get_if<double>(&right.value);
        return a && b ? JsonValue{compare(comparison.comparator, *a, *b)} : JsonValue{};
    }
    JsonValue operator()(const Filter::Call& call) const {
        std::vector<JsonValue> arguments;
        for (const auto& each : call.arguments) arguments.push_back(of(each));
        const auto& first = arguments.front();
        const auto* text = std::get_if<Text>(&first.value);
        switch (call.function) {
            case Function::contains: return contains(first, arguments[1]);
            case Function::starts_with:
            case Function::ends_with: {
                const auto* part = std::get_if<Text>(&arguments[1].value);
                if (!text || !part) return {};
                return {call.function == Function::starts_with ? text->starts_with(*part) : text->ends_with(*part)};
            }
            case Function::length: return length(first);
            case Function::not_null: {
                const auto found = std::ranges::find_if(arguments, [](const JsonValue& each) { return each != JsonValue{}; });
                return found == arguments.end() ? JsonValue{} : *found;
            }
            case Function::to_number:
                if (text) return number_in(*text);
                return std::holds_alternative<double>(first.value) ? first : JsonValue{};
            case Function::to_string: return text ? first : JsonValue{to_json(first)};
            case Function::type: return {Text{type_of(first)}};
        }
        return {};
    }

private:
    /// The first operand that is as true as `wanted`, or else the last.
    JsonValue first(const std::vector<Filter::Expression>& operands, bool wanted) const {
        for (const auto& each : operands) {
            auto value = of(each);
            if (is_true(value) == wanted || &each == &operands.back()) return value;
        }
        return {};
    }
    static JsonValue contains(const JsonValue& in, const JsonValue& wanted) {
        if (const auto* array = std::get_if<JsonValue::Array>(&in.value)) return {std::ranges::find(*array, wanted) != array->end()};
        const auto *text = std::get_if<Text>(&in.value), *part = std::get_if<Text>(&wanted.value);
        return text && part ? JsonValue{text->find(*part) != Text::npos} : JsonValue{};
    }
    static JsonValue length(const JsonValue& of) {
        const auto number = [](std::size_t size) { return JsonValue{static_cast<double>(size)}; };
        if (const auto* text = std::get_if<Text>(&of.value)) return number(length_of(*text));
        if (const auto* array = std::get_if<JsonValue::Array>(&of.value)) return number(array->size());
        if (const auto* object = std::get_if<JsonValue::Object>(&of.value)) return number(object->size());
        return {};
    }

    const JsonValue& subject_;
};

}  // namespace

Result<Filter> Filter::parse(std::string_view expression) {
    auto parsed = parse_filter(expression);
    if (!parsed) return std::unexpected(parsed.error());
    return Filter{*std::move(parsed)};
}

JsonValue Filter::subject(const Message& message) {
    JsonValue::Object subject;
    if (!message.name.empty()) subject["name"] = {message.name};
    if (auto extras = read_json(message.extras.text)) {
        if (const auto* headers = extras->member("headers")) subject["headers"] = *headers;
        subject["extras"] = *std::move(extras);
    }
    return {std::move(subject)};
}

bool Filter::matches(const JsonValue& subject) const { return is_true(Evaluation{subject}.of(expression_)); }

}  // namespace protocol
