#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/json_value.hpp"
#include "protocol/message.hpp"

namespace protocol {

/// Which messages a derived channel has (Ably's documentation, "Subscription filters"): an expression in a part of JMESPath
/// over an object of a message's `name`, `headers` (extras.headers) and `extras`, for example
///   name == 'ice-cream' && (headers.flavor == `"strawberry"` || headers.cost < `50`)
/// Grammar and meaning: docs/formats.md. Immutable.
class Filter {
public:
    /// Errors: invalid_channel_name, since an expression comes as part of one.
    static Result<Filter> parse(std::string_view expression);

    /// What filters look at, made once for all that look at a message.
    static JsonValue subject(const Message& message);
    /// Is the expression true of it, in JMESPath's sense: neither false, null nor empty?
    bool matches(const JsonValue& subject) const;

    // An expression as its parser makes it. ----------------------------------------------------------------------------------

    struct Expression;
    enum class Comparator : std::uint8_t { equal, not_equal, less, less_equal, greater, greater_equal };
    enum class Function : std::uint8_t { contains, ends_with, length, not_null, starts_with, to_number, to_string, type };
    struct Path {
        std::vector<Expression> from;  // one expression; none: the message
        std::vector<std::string> names;
    };
    struct AnyOf { std::vector<Expression> operands; };
    struct AllOf { std::vector<Expression> operands; };
    struct Not { std::vector<Expression> operand; };
    struct Comparison {
        Comparator comparator;
        std::vector<Expression> sides;  // two
    };
    struct Call {
        Function function;
        std::vector<Expression> arguments;  // as many as it takes
    };
    struct Expression {
        std::variant<JsonValue, Path, AnyOf, AllOf, Not, Comparison, Call> node;
    };

private:
    explicit Filter(Expression expression) : expression_(std::move(expression)) {}

    Expression expression_;
};

}  // namespace protocol
