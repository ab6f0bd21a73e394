#pragma once

#include <charconv>
#include <optional>
#include <string>

#include "net/http.hpp"
#include "protocol/error_codes.hpp"

namespace server {

/// A query parameter that is a whole number; nothing when it is not there. Error: invalid_parameter_value.
template <class T>
base::Result<std::optional<T>> number_param(const net::HttpRequest& request, const std::string& name) {
    const auto text = request.param(name);
    if (!text) return std::optional<T>{};
    T value{};
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc{} || end != text->data() + text->size())
        return base::fail(base::ErrorCode::invalid_parameter_value, "{} is not a number", name);
    return std::optional<T>{value};
}

}  // namespace server
