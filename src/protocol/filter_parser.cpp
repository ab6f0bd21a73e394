#include "protocol/filter_parser.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/limits.hpp"
#include "protocol/json_reader.hpp"

namespace protocol {
namespace {

using Comparator = Filter::Comparator;
using Expression = Filter::Expression;
using Function = Filter::Function;

struct Named {
    std::string_view name;
    Function function;
    std::size_t arguments_min, arguments_max;
};
constexpr auto any_number = base::limits::channel_name_bytes_max;
constexpr std::array<Named, 8> functions{{
    {"contains", Function::contains, 2, 2},
    {"ends_with", Function::ends_with, 2, 2},
    {"length", Function::length, 1, 1},
    {"not_null", Function::not_null, 1, any_number},
    {"starts_with", Function::starts_with, 2, 2},
    {"to_number", Function::to_number, 1, 1},
    {"to_string", Function::to_string, 1, 1},
    {"type", Function::type, 1, 1},
}};
/// The longer ones first.
constexpr std::array<std::pair<std::string_view, Comparator>, 6> comparators{{
    {"==", Comparator::equal}, {"!=", Comparator::not_equal}, {"<=", Comparator::less_equal}, {">=", Comparator::greater_equal},
    {"<", Comparator::less}, {">", Comparator::greater},
}};

bool starts_name(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool continues_name(char c) { return starts_name(c) || std::isdigit(static_cast<unsigned char>(c)) != 0; }

/// By recursive descent, a method for each line of the grammar. Each is false at the first mistake, which error_ says then.
class Parser {
public:
    explicit Parser(std::string_view text) : text_(text) {}

    Result<Expression> whole_text() {
        Expression expression;
        if (any(expression) && (at_end() || refuse("an operator is needed"))) return expression;
        return fail(ErrorCode::invalid_channel_name, "the channel's filter cannot be read at character {}: {}", at_, error_);
    }

private:
    bool any(Expression& out) { return joined<Filter::AnyOf>("||", out, [this](Expression& each) { return all(each); }); }
    bool all(Expression& out) { return joined<Filter::AllOf>("&&", out, [this](Expression& each) { return comparison(each); }); }

    template <class Joined, class Operand>
    bool joined(std::string_view sign, Expression& out, Operand operand) {
        if (!operand(out)) return false;
        Joined whole;
        while (take(sign)) {
            if (whole.operands.empty()) whole.operands.push_back(std::move(out));
            if (!operand(whole.operands.emplace_back())) return false;
        }
        if (!whole.operands.empty()) out.node = std::move(whole);
        return true;
    }

    bool comparison(Expression& out) {
        if (!operand(out)) return false;
        const auto found = std::ranges::find_if(comparators, [&](const auto& each) { return take(each.first); });
        if (found == comparators.end()) return true;
        Filter::Comparison comparison{.comparator = found->second, .sides = {}};
        comparison.sides.push_back(std::move(out));
        if (!operand(comparison.sides.emplace_back())) return false;
        out.node = std::move(comparison);
        return true;
    }

    bool operand(Expression& out) {
        if (depth_ == base::limits::filter_nesting_max) return refuse("it is nested too deep");
        ++depth_;
        bool ok = false;
        if (take("!")) {
            Filter::Not inverse;
            ok = operand(inverse.operand.emplace_back());
            out.node = std::move(inverse);
        } else {
            ok = path(out);
        }
        --depth_;
        return ok;
    }

    bool path(Expression& out) {
        Filter::Path path;
        const char next = peek();
        if (next == '"' || starts_name(next)) {
            std::string name;
            if (!this->name(name)) return false;
            if (next != '"' && take("(")) {
                if (!call(name, path.from.emplace_back())) return false;
            } else {
                path.names.push_back(std::move(name));
            }
        } else if (take("(")) {
            if (!any(path.from.emplace_back())) return false;
            if (!take(")")) return refuse("a ) is needed");
        } else if (!literal(path.from.emplace_back())) {
            return false;
        }
        while (take(".")) {
            if (!name(path.names.emplace_back())) return false;
        }
        if (path.names.empty()) out = Expression{std::move(path.from.front())};
        else out.node = std::move(path);
        return true;
    }

    bool call(std::string_view name, Expression& out) {
        const auto found = std::ranges::find(functions, name, &Named::name);
        if (found == functions.end()) return refuse("there is no such function");
        Filter::Call call{.function = found->function, .arguments = {}};
        if (!take(")")) {
            do {
                if (!any(call.arguments.emplace_back())) return false;
            } while (take(","));
            if (!take(")")) return refuse("a ) is needed");
        }
        const auto count = call.arguments.size();
        if (count < found->arguments_min || count > found->arguments_max) return refuse("the function takes another number of arguments");
        out.node = std::move(call);
        return true;
    }

    bool name(std::string& out) {
        const char next = peek();
        if (next == '"') {
            JsonReader in{text_.substr(at_)};
            if (!in.text(out)) return refuse("a \" is not closed");
            at_ += in.position();
            return true;
        }
        if (!starts_name(next)) return refuse("a name is needed");
        const auto* end = std::find_if_not(text_.begin() + at_, text_.end(), continues_name);
        out.assign(text_.begin() + at_, end);
        at_ += out.size();
        return true;
    }

    bool literal(Expression& out) {
        const char quote = peek();
        if (quote != '`' && quote != '\'') return refuse("a name, a literal or a ( is needed");
        std::string inside;
        for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
            if (text_.substr(at_, 2) == std::string{'\\', quote}) ++at_;
            inside += text_[at_];
        }
        if (at_ == text_.size()) return refuse("a literal is not closed");
        ++at_;
        auto value = quote == '`' ? read_json(inside) : JsonValue{std::move(inside)};
        if (!value) return refuse("what is between the backticks is not JSON");
        out.node = *std::move(value);
        return true;
    }

    /// The next character that is not white space; 0 at the end.
    char peek() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) ++at_;
        return at_ < text_.size() ? text_[at_] : '\0';
    }
    bool at_end() {
        peek();
        return at_ == text_.size();
    }
    bool take(std::string_view sign) {
        peek();
        if (!text_.substr(at_).starts_with(sign)) return false;
        at_ += sign.size();
        return true;
    }
    bool refuse(std::string_view why) {
        error_ = why;
        return false;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    int depth_ = 0;
    std::string_view error_;
};

}  // namespace

Result<Expression> parse_filter(std::string_view text) {
    if (text.size() > base::limits::channel_name_bytes_max) {
        return fail(ErrorCode::invalid_channel_name, "the channel's filter is too long");
    }
    return Parser{text}.whole_text();
}

}  // namespace protocol
