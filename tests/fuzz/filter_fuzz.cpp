#include "base/assert.hpp"
#include "base/limits.hpp"
#include "fuzz.hpp"
#include "protocol/filter.hpp"

using namespace protocol;

/// The input is an expression and, after a line feed, a message's extras.
void fuzz_one(std::span<const std::byte> input) {
    const auto text = text_of(input);
    const auto expression = text.substr(0, text.find('\n'));
    const auto extras = text.substr(std::min(text.size(), expression.size() + 1));

    const auto value = read_json(extras);
    if (value) PAL_ASSERT(read_json(to_json(*value)) == *value);

    const auto filter = Filter::parse(expression);
    if (!filter) {
        PAL_ASSERT(filter.error().code == ErrorCode::invalid_channel_name && !filter.error().message.empty());
        return;
    }
    const auto subject = Filter::subject({.name = "chat", .extras = {std::string{extras}}});
    const auto inverse = Filter::parse("!(" + std::string{expression} + ")");  // or it is just too deep or too long
    PAL_ASSERT(!inverse || inverse->matches(subject) != filter->matches(subject));
}
