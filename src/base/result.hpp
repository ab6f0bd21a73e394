#pragma once

#include <expected>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace base {

/// An error code as clients see it. The values, their names and HTTP statuses are one table: protocol/error_codes.hpp.
enum class ErrorCode : int;

/// Something a client, a row or a peer caused. `message` is shown to whoever caused it: never a payload, a key or a token.
struct Error {
    ErrorCode code{};
    std::string message;
    int status = 0;  // the HTTP status, where it is not the one that the table has for the code

    friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
using Result = std::expected<T, Error>;

/// `return fail(ErrorCode::not_found, "no relation {}", name);`
template <class... Args>
std::unexpected<Error> fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
    return std::unexpected(Error{code, fmt::format(format, std::forward<Args>(args)...)});
}

}  // namespace base
